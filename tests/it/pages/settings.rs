//! The page on settings: numbers, sources, people, audit, data.
