//! Owns: the company's rules: what would be said, decisions, exceptions.

use super::Endpoint;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[];
