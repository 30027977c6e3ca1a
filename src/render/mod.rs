//! Owns: from facts to the words of a message.

pub mod clean;
pub mod format;
