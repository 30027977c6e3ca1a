//! Owns: texts: versions, preview, checks, test.

use super::ask::Page;

/// The addresses.
pub const PAGES: &[Page] = &[];
