//! Owns: reading the platform's database, and nothing but reading. The only room that knows its tables.
//! Must not know: alerts, our own tables. A row that cannot be understood is an error that names table, column and id.

pub mod grants;
pub mod pool;
pub mod proof;
mod rights;
pub mod row;

pub mod client;
pub mod directory;
pub mod domain_name;
pub mod encoding;
pub mod find;
pub mod invoice;
pub mod lookup;
pub mod newest;
pub mod payment_times;
pub mod phones;
pub mod platform;
pub mod quote;
pub mod service;

pub mod changes;
pub mod gather;

pub mod account;
pub mod belongings;
pub mod debt;
pub mod guest;
pub mod phone_field;
mod plan;
pub mod stated;
pub mod ticket;

pub mod case;

pub use gather::{Missing, Want};
pub use platform::Overrides;
pub use pool::{Billing, BillingError};
