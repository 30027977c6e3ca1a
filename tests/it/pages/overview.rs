//! The page on what stands on the first page: is all well, at a glance.
