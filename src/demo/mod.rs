//! Owns: a billing platform to try the bridge on. A private MariaDB, the platform's tables, believable sample data.
//! Nothing here runs in production; the tests stand on the same ground as `hookbridge demo`.

pub mod accounts;
pub mod data;
pub mod mariadb;
pub mod schema;

pub mod scenes;
pub mod script;
pub mod stage;
pub mod stub;
