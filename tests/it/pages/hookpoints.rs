//! The page on hookpoints: list, switch, change, make new ones.
