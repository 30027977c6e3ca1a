//! What the areas share: the ground they stand on.

pub mod bridge;
pub mod database;
pub mod files;
pub mod fleet;
pub mod galera;
pub mod person;
pub mod poll;
