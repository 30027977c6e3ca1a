//! Owns: texts: versions, preview, checks, test.

use super::Endpoint;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[];
