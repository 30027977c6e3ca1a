//! Owns: who is told. Pure: facts, policy and now in, decision out. No IO, no clock, no logging.

pub mod consent;
pub mod mass;
pub mod recipients;
