//! Owns: settings: numbers, sources, people, audit, data.

use super::ask::Page;

/// The addresses.
pub const PAGES: &[Page] = &[];
