//! What the areas share: the ground they stand on.

pub mod acts;
pub mod bridge;
pub mod browser;
pub mod database;
pub mod files;
pub mod fleet;
pub mod galera;
pub mod hook;
pub mod lively;
pub mod mail;
pub mod marks;
pub mod person;
pub mod poll;
pub mod turn;
