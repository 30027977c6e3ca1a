//! Owns: events: search, and what came of one.

use super::ask::Page;

/// The addresses.
pub const PAGES: &[Page] = &[];
