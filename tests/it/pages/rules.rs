//! The page on the company's rules: what would be said, decisions, exceptions.
