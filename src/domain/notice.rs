//! Owns: what one channel has said to administrators of one need.

use jiff::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Which need, with what it is about.
    pub need: String,
    pub urgent: bool,
    /// When it was first seen.
    pub first_at: Timestamp,
    /// When the last notice of it went out; `None`: none did.
    pub notified_at: Option<Timestamp>,
    /// How many that notice named.
    pub notified_count: u64,
    /// Since when it is over.
    pub resolved_at: Option<Timestamp>,
    /// Its sentence, as it went out.
    pub says: String,
}
