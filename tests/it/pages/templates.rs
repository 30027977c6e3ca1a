//! The page on texts: versions, preview, checks, test.
