//! What the areas share: the ground they stand on.

pub mod database;
