//! Owns: why a client got nothing.

use super::ask::Page;

/// The addresses.
pub const PAGES: &[Page] = &[];
