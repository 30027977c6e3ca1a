//! Owns: the sample data.
