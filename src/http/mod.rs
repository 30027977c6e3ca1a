//! Owns: everything that speaks HTTP to the outside.

pub mod server;
