//! The page on why a client got nothing.
