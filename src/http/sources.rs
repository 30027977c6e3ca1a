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
    limiter: Arc<DefaultDirectRateLimiter>,
    /// Events per second, and how many at once.
    rate: (u32, u32),
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

/// The configured sources, with the secrets that administrators `made` on the page besides. What a source used up of its rate
/// `before` a change stays used up, unless its rate is another one.
///
/// # Errors
/// A secret that is none.
pub fn sources(
    config: &BTreeMap<String, SourceConfig>,
    made: &BTreeMap<String, Vec<SecretString>>,
    before: Option<&Sources>,
) -> Result<Sources, KeyError> {
    let mut sources = BTreeMap::new();
    for (name, source) in config {
        // The newest first: it is the one that most requests are signed with.
        let made = made.get(name).into_iter().flatten();
        let keys = made.chain(&source.secrets).map(Key::parse).collect::<Result<_, _>>()?;
        let rate = (source.events_per_s, source.events_burst);
        let kept = before.and_then(|before| before.get(name)).filter(|before| before.rate == rate);
        let limiter = kept.map_or_else(|| Arc::new(limiter(rate)), |before| before.limiter.clone());
        sources.insert(name.clone(), Source { keys, limiter, rate });
    }
    Ok(Arc::new(sources))
}

fn limiter((per_second, burst): (u32, u32)) -> DefaultDirectRateLimiter {
    let number = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    RateLimiter::direct(Quota::per_second(number(per_second)).allow_burst(number(burst)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_by_an_administrator_refills_no_bucket() {
        let config = |burst| {
            let source =
                SourceConfig { secrets: Vec::new(), events_per_s: 1, events_burst: burst, heartbeat_max_min: 0 };
            BTreeMap::from([("billing".to_owned(), source)])
        };
        let first = sources(&config(2), &BTreeMap::new(), None).expect("no secrets");
        assert!(first["billing"].admits() && first["billing"].admits() && !first["billing"].admits());
        let same = sources(&config(2), &BTreeMap::new(), Some(&first)).expect("no secrets");
        assert!(!same["billing"].admits(), "nothing was refilled");
        let more = sources(&config(3), &BTreeMap::new(), Some(&same)).expect("no secrets");
        assert!(more["billing"].admits(), "another rate begins anew");
    }
}
