//! Owns: our own tables, and all SQL on them. Each function is one statement or one short transaction; time is passed in.
//! Must not know: the platform's tables, the network, the rules. No lock is held when a function returns.

pub mod pool;
pub mod row;
pub mod server;
pub mod tx;

pub mod migrate;

pub mod backup;
pub mod batch;
pub mod finish;
pub mod inbox;
pub mod transition;
pub mod writer;

pub mod hold;
pub mod lane;
pub mod lane_setting;
pub mod lease;
pub mod message;
pub mod outbox;
pub mod personal;
pub mod platform_link;
pub mod recipient_fifo;
pub mod recipient_window;
pub mod settle;
pub mod source_secret;
pub mod test_message;
pub mod unknown;

pub mod consent;
pub mod moved;
pub mod receipt;
pub mod recent_activity;
pub mod replies;
pub mod reply;
pub mod restored;
pub mod user_phone;

pub mod decision;
pub mod decision_writer;
pub mod exception;
pub mod missed;
pub mod needs;
pub mod notice;

pub mod client_history;
pub mod erase;
pub mod figure;
pub mod replay;
pub mod resend;
pub mod search;
pub mod search_events;
pub mod trail;
pub mod walk;

pub mod anchor;
pub mod heartbeat;
pub mod instance;
pub mod known_events;
pub mod mirror;

pub mod probe;
pub mod prune;

pub mod account;
pub mod api_token;
pub mod audit;
pub mod recovery;
pub mod revision;
pub mod session;
pub mod throttle;
pub mod version;

pub use pool::{Passing, Store, StoreError, repeated};
pub use tx::Tx;
