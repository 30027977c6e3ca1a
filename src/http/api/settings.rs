//! Owns: settings: numbers, sources, people, audit, data.

use super::Endpoint;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[];
