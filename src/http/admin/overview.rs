//! Owns: what stands on the first page: is all well, at a glance.

use super::ask::Page;

/// The addresses.
pub const PAGES: &[Page] = &[];
