//! Owns: events: search, and what came of one.

use super::Endpoint;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[];
