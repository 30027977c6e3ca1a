//! Owns: clients who cannot be alerted.

use super::ask::Page;

/// The addresses.
pub const PAGES: &[Page] = &[];
