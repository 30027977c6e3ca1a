//! Owns: hookpoints: list, switch, change, make new ones.

use super::ask::Page;

/// The addresses.
pub const PAGES: &[Page] = &[];
