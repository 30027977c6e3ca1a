//! Floor 0: values only. No IO, no serde, no clock. Read in this order.

pub mod closed_list;
pub mod ids;
pub mod locale;
pub mod money;
pub mod near;
pub mod phone;
pub mod text;
pub mod time;

pub mod admin;
pub mod case;
pub mod consent;
pub mod decision;
pub mod event;
pub mod heartbeat;
pub mod hookpoint;
pub mod mirror;
pub mod missed;
pub mod notice;
pub mod probe;
pub mod record;
pub mod schedule;

pub mod message;
pub mod outcome;
pub mod reason;
pub mod receipt;
