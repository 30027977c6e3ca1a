//! Owns: what changes while running: hookpoints, texts, sources, paces. Built from the configuration and what administrators saved.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::Mutex;

use crate::admin::LeftOut;
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::section::is_empty;
use crate::http::sources::{Sources, sources};
use crate::ops::sources::opened;
use crate::render::Templates;
use crate::seal::Sealer;
use crate::store::lane_setting::{self, Paces};
use crate::store::version::{self, Kind, Version};
use crate::store::{Store, revision, source_secret};

/// What is in force, and how to make it anew.
#[derive(Debug)]
pub struct Live {
    pub catalogue: Arc<ArcSwap<Catalogue>>,
    pub templates: Arc<ArcSwap<Templates>>,
    pub left_out: Arc<ArcSwap<Vec<LeftOut>>>,
    pub sources: Arc<ArcSwap<Sources>>,
    pub paces: Arc<ArcSwap<Paces>>,
    config: ArcSwap<Config>,
    store: Store,
    clock: Clock,
    /// When the next secret ends by itself.
    ends: ArcSwap<Option<Timestamp>>,
    /// The revision that is in force.
    revision: AtomicU64,
    /// Held by whoever takes over a change: an older one must not end last.
    turn: Mutex<()>,
}

struct Parts {
    catalogue: Catalogue,
    templates: Templates,
    left_out: Vec<LeftOut>,
    sources: Sources,
    paces: Paces,
    ends: Option<Timestamp>,
}

impl Live {
    /// # Errors
    /// A mistake in the configuration, or the database.
    pub async fn start(config: &Config, store: &Store, clock: &Clock) -> anyhow::Result<Arc<Self>> {
        let now = revision::current(store).await?;
        let parts = parts(config, store, clock.now(), None).await?;
        Ok(Arc::new(Self {
            catalogue: Arc::new(ArcSwap::from_pointee(parts.catalogue)),
            templates: Arc::new(ArcSwap::from_pointee(parts.templates)),
            left_out: Arc::new(ArcSwap::from_pointee(parts.left_out)),
            sources: Arc::new(ArcSwap::from_pointee(parts.sources)),
            paces: Arc::new(ArcSwap::from_pointee(parts.paces)),
            config: ArcSwap::from_pointee(config.clone()),
            store: store.clone(),
            clock: clock.clone(),
            ends: ArcSwap::from_pointee(parts.ends),
            revision: AtomicU64::new(now),
            turn: Mutex::new(()),
        }))
    }

    /// Takes over a new configuration.
    ///
    /// # Errors
    /// A mistake in it; then all stays as it was.
    pub async fn reload(&self, config: &Config) -> anyhow::Result<()> {
        let _turn = self.turn.lock().await;
        let before = self.sources.load_full();
        self.put(parts(config, &self.store, self.clock.now(), Some(&before)).await?);
        self.config.store(Arc::new(config.clone()));
        Ok(())
    }

    /// Takes over what administrators changed since, here or on another instance.
    ///
    /// # Errors
    /// The database; then all stays as it was.
    pub async fn refresh(&self) -> anyhow::Result<()> {
        let _turn = self.turn.lock().await;
        // Read first: a change in between is seen next time.
        let now = revision::current(&self.store).await?;
        let ended = self.ends.load().is_some_and(|at| at <= self.clock.now());
        if ended || now != self.revision.load(Ordering::SeqCst) {
            let before = self.sources.load_full();
            self.put(parts(&self.config.load_full(), &self.store, self.clock.now(), Some(&before)).await?);
            self.revision.store(now, Ordering::SeqCst);
        }
        Ok(())
    }

    fn put(&self, parts: Parts) {
        // The texts first: whoever sees a new hookpoint sees its texts.
        self.templates.store(Arc::new(parts.templates));
        self.catalogue.store(Arc::new(parts.catalogue));
        self.left_out.store(Arc::new(parts.left_out));
        self.sources.store(Arc::new(parts.sources));
        self.paces.store(Arc::new(parts.paces));
        self.ends.store(Arc::new(parts.ends));
    }
}

async fn parts(config: &Config, store: &Store, now: Timestamp, before: Option<&Sources>) -> anyhow::Result<Parts> {
    let hookpoints = version::newest(store, Kind::Hookpoint).await?;
    let (catalogue, mut left_out) = Catalogue::with_saved(saved(&hookpoints), &config.hookpoints)?;
    let texts = version::in_force(store, Kind::Template).await?;
    let (templates, more) = Templates::with_saved(saved(&texts)).map_err(|all| anyhow::anyhow!(all.join("\n")))?;
    left_out.extend(more);
    let left_out: Vec<LeftOut> =
        left_out.into_iter().map(|mistake| named(mistake, hookpoints.iter().chain(&texts))).collect();
    for one in &left_out {
        tracing::error!(
            mistake = one.mistake,
            "something that an administrator saved does not fit this version: it is left out"
        );
    }
    let (made, ends) = secrets(config, store, now).await?;
    let sources = sources(&config.sources, &made, before)?;
    Ok(Parts { catalogue, templates, left_out, sources, paces: lane_setting::paces(store).await?, ends })
}

/// A mistake begins with the name of what it is in.
fn named<'a>(mistake: String, mut versions: impl Iterator<Item = &'a Version>) -> LeftOut {
    let name = mistake.split('`').nth(1).unwrap_or_default().to_owned();
    let at = versions.find(|version| version.name == name).map(|version| version.at);
    LeftOut { name, mistake, at }
}

/// The secrets that administrators made and that are valid, by source, and when the next of them ends.
async fn secrets(
    config: &Config,
    store: &Store,
    now: Timestamp,
) -> anyhow::Result<(BTreeMap<String, Vec<SecretString>>, Option<Timestamp>)> {
    let mut made: BTreeMap<String, Vec<SecretString>> = BTreeMap::new();
    if is_empty(&config.admin.key) {
        return Ok((made, None));
    }
    let sealer = Sealer::new(&config.admin.key)?;
    let valid: Vec<_> = source_secret::all(store).await?.into_iter().filter(|one| one.is_valid(now)).collect();
    for one in &valid {
        match opened(&sealer, one) {
            Ok(secret) => made.entry(one.source.clone()).or_default().push(secret),
            Err(error) => tracing::error!(source = one.source, id = one.id, %error, "a source's secret is left out"),
        }
    }
    Ok((made, valid.iter().filter_map(|one| one.until).min()))
}

fn saved(versions: &[Version]) -> impl Iterator<Item = (&str, &str)> {
    versions.iter().filter_map(|version| Some((version.name.as_str(), version.content.as_deref()?)))
}
