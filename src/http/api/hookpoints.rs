//! Owns: hookpoints: list, switch, change, make new ones.

use super::Endpoint;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[];
