//! The page on clients who cannot be alerted.
