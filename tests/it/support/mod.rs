//! What the areas share: the ground they stand on.

pub mod bridge;
pub mod browser;
pub mod database;
pub mod files;
pub mod fleet;
pub mod galera;
pub mod lively;
pub mod marks;
pub mod person;
pub mod poll;
pub mod turn;
