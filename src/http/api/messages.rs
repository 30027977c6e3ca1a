//! Owns: messages: search, a message's whole way, what an operator may do about it.

use super::Endpoint;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[];
