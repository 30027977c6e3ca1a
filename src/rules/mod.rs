//! Owns: who is told, and what the company's rules say. Pure: facts, policy and now in, decision out. No IO, no clock, no
//! logging.

pub mod consent;
pub mod mass;
pub mod quiet;
pub mod recipients;

pub mod cancellation;
pub mod checks;
pub mod identity;
pub mod ownership;
pub mod termination;
pub mod upgrade;
