//! Owns: how the stubs are, by what they last said of themselves, and by that they say anything.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::config::section::SourceConfig;
use crate::domain::heartbeat::{Received, Trouble};
use crate::store::{Store, StoreError, heartbeat};

/// A stub: one installation of the platform, or one of its hosts.
#[derive(Clone, Debug)]
pub struct StubLine {
    pub last: Received,
    /// The worst first.
    pub troubles: Vec<Trouble>,
}

/// All that ever reported, of the configured sources; the newest of each source first.
///
/// # Errors
/// The database.
pub async fn stubs(
    store: &Store,
    sources: &BTreeMap<String, SourceConfig>,
    now: Timestamp,
) -> Result<Vec<StubLine>, StoreError> {
    let mut before = String::new();
    let mut lines = Vec::new();
    for last in heartbeat::all(store).await? {
        let Some(source) = sources.get(&last.source) else { continue };
        let newest = std::mem::replace(&mut before, last.source.clone()) != last.source;
        let minutes = source.heartbeat_max_min;
        let silent_max = (minutes > 0).then(|| SignedDuration::from_mins(minutes.into()));
        lines.push(StubLine { troubles: last.troubles(silent_max, newest, now), last });
    }
    Ok(lines)
}
