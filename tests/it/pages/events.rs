//! The page on events: search, and what came of one.
