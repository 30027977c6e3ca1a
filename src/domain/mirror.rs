//! Owns: which of the platform's rows the sweep watches, and what a row looked like.

use super::closed_list::closed_list;

closed_list! {
    /// Which of the platform's tables a watched row is of.
    Kind {
        Client = "client",
        Invoice = "invoice",
        /// A transaction that pays an invoice.
        Payment = "payment",
        Service = "service",
        Quote = "quote",
        Domain = "domain",
        Ticket = "ticket",
    }
}

/// Characters of a state that are kept.
pub const STATE_CHARS_MAX: usize = 32;
/// The state of a row that is not there: not yet, or no more.
pub const ABSENT: &str = "";

/// A row as the platform has it now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub id: u64,
    /// The client it belongs to; none for a prospect's quote.
    pub owner: Option<u64>,
    /// The platform's own word, never empty.
    pub state: String,
    /// A domain's name.
    pub name: String,
}

/// A row as the sweep remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    pub seen: Seen,
    /// When the row was last known to be in that state.
    pub at: jiff::Timestamp,
    /// Another state that was seen, and when first.
    pub pending: Option<(String, jiff::Timestamp)>,
}
