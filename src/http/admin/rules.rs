//! Owns: the company's rules: what would be said, decisions, exceptions.

use super::ask::Page;

/// The addresses.
pub const PAGES: &[Page] = &[];
