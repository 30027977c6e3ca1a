//! Owns: the sources of events: their keys, and how many events each may send.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};

use secrecy::SecretString;

use crate::config::section::SourceConfig;
use crate::signature::{Key, KeyError};

/// One platform that sends events.
#[derive(Debug)]
pub struct Source {
    pub keys: Vec<Key>,
    limiter: DefaultDirectRateLimiter,
}

/// All of them, by name.
pub type Sources = Arc<BTreeMap<String, Source>>;

impl Source {
    /// Whether one more event fits into the source's rate.
    #[must_use]
    pub fn admits(&self) -> bool {
        self.limiter.check().is_ok()
    }
}

/// The configured sources, with the secrets that administrators `made` on the page besides.
///
/// # Errors
/// A secret that is none.
pub fn sources(
    config: &BTreeMap<String, SourceConfig>,
    made: &BTreeMap<String, Vec<SecretString>>,
) -> Result<Sources, KeyError> {
    let mut sources = BTreeMap::new();
    for (name, source) in config {
        // The newest first: it is the one that most requests are signed with.
        let made = made.get(name).into_iter().flatten();
        let keys = made.chain(&source.secrets).map(Key::parse).collect::<Result<_, _>>()?;
        let quota = Quota::per_second(NonZeroU32::new(source.events_per_s).unwrap_or(NonZeroU32::MIN))
            .allow_burst(NonZeroU32::new(source.events_burst).unwrap_or(NonZeroU32::MIN));
        sources.insert(name.clone(), Source { keys, limiter: RateLimiter::direct(quota) });
    }
    Ok(Arc::new(sources))
}
