//! Owns: what stands on the first page: is all well, at a glance.

use super::Endpoint;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[];
