//! Owns: why a client got nothing.

use super::Endpoint;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[];
