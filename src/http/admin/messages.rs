//! Owns: messages: search, a message's whole way, what an operator may do about it.

use super::ask::Page;

/// The addresses.
pub const PAGES: &[Page] = &[];
