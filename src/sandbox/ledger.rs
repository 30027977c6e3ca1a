//! Owns: what happened, kept in bounded memory: the last messages, and counts of everything.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::hash::{Hash, Hasher};

use serde::Serialize;

use super::fill::Rendered;

/// Opaque ids remembered for finding doubles (8 bytes each).
const OPAQUE_SEEN_MAX: usize = 2_000_000;
/// Doubled opaque ids shown in the statistics.
const OPAQUE_DOUBLES_SHOWN: usize = 100;

/// How far a message got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Accepted,
    Sent,
    Delivered,
    Read,
    Failed,
}

impl Status {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
        }
    }
}

/// A message that went out, or one that a client sent.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    pub id: String,
    pub phone_number_id: String,
    /// As given in the call; for an incoming message the sender's digits.
    pub to: String,
    pub wa_id: String,
    pub incoming: bool,
    pub template: Option<String>,
    pub language: Option<String>,
    /// What the client reads: header, text, footer, buttons; and the parameters that filled it.
    #[serde(flatten)]
    pub content: Rendered,
    pub biz_opaque_callback_data: Option<String>,
    pub accepted_at_ms: i64,
    /// In the order in which they came.
    pub statuses: Vec<StatusAt>,
}

#[derive(Clone, Debug, Serialize)]
pub struct StatusAt {
    pub status: Status,
    pub at_ms: i64,
    /// Why it failed.
    pub code: Option<u32>,
}

impl Message {
    /// The highest status so far.
    #[must_use]
    pub fn status(&self) -> Status {
        self.statuses.iter().map(|one| one.status).max().unwrap_or(Status::Accepted)
    }
}

/// Counts since the start or the last reset. As JSON: `GET /_sandbox/stats`.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Stats {
    /// Messages accepted, whatever was answered.
    pub accepted: u64,
    /// Refusals of send calls by code.
    pub refused: BTreeMap<u32, u64>,
    /// The most messages (in and out) within any sliding second, by phone number id.
    pub most_per_second: BTreeMap<String, usize>,
    /// Accepted messages whose opaque id had been accepted before.
    pub opaque_doubles: u64,
    /// The first of them.
    pub opaque_doubled: Vec<String>,
    /// More opaque ids than are remembered: doubles may have been missed.
    pub opaque_overflow: bool,
    /// Messages that clients sent.
    pub incoming: u64,
    pub kept: usize,
    /// Updates that wait to be posted.
    pub receipts_queued: usize,
    /// Updates that the callback took with 200.
    pub receipts_posted: u64,
    /// POSTs that the callback did not answer with 200.
    pub posts_failed: u64,
    /// Updates given up after all tries.
    pub receipts_given_up: u64,
    /// Whether `POST /{waba}/subscribed_apps` was called.
    pub subscribed: bool,
}

/// The last messages and the counts.
#[derive(Debug, Default)]
pub struct Ledger {
    kept_max: usize,
    messages: VecDeque<Message>,
    /// Position of a message = its serial minus the serial of the first that is kept.
    serials: HashMap<String, u64>,
    first_serial: u64,
    opaque_seen: HashSet<u64>,
    pub stats: Stats,
}

impl Ledger {
    #[must_use]
    pub fn new(kept_max: usize) -> Self {
        Self { kept_max: kept_max.max(1), ..Self::default() }
    }

    pub fn refused(&mut self, code: u32) {
        *self.stats.refused.entry(code).or_default() += 1;
    }

    /// Keeps a message, and counts it.
    pub fn keep(&mut self, message: Message) {
        if message.incoming {
            self.stats.incoming += 1;
        } else {
            self.stats.accepted += 1;
            self.note_opaque(message.biz_opaque_callback_data.as_deref());
        }
        while self.messages.len() >= self.kept_max {
            if let Some(old) = self.messages.pop_front() {
                self.serials.remove(&old.id);
                self.first_serial += 1;
            }
        }
        self.serials.insert(message.id.clone(), self.first_serial + self.messages.len() as u64);
        self.messages.push_back(message);
        self.stats.kept = self.messages.len();
    }

    fn note_opaque(&mut self, opaque: Option<&str>) {
        let Some(opaque) = opaque else { return };
        let mut hasher = DefaultHasher::new();
        opaque.hash(&mut hasher);
        let hash = hasher.finish();
        if self.opaque_seen.contains(&hash) {
            self.stats.opaque_doubles += 1;
            if self.stats.opaque_doubled.len() < OPAQUE_DOUBLES_SHOWN {
                self.stats.opaque_doubled.push(opaque.to_owned());
            }
        } else if self.opaque_seen.len() < OPAQUE_SEEN_MAX {
            self.opaque_seen.insert(hash);
        } else {
            self.stats.opaque_overflow = true;
        }
    }

    /// Adds a status to a message that is still kept.
    pub fn mark(&mut self, id: &str, status: StatusAt) {
        let Some(serial) = self.serials.get(id) else { return };
        let position = usize::try_from(serial - self.first_serial).unwrap_or(usize::MAX);
        if let Some(message) = self.messages.get_mut(position)
            && !message.statuses.iter().any(|known| known.status == status.status)
        {
            message.statuses.push(status);
        }
    }

    /// Oldest first.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> {
        self.messages.iter()
    }
}
