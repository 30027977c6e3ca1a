//! Owns: what changes while running: hookpoints, texts, sources. Built from the configuration and what administrators saved.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::http::limit::{Sources, sources};
use crate::render::Templates;
use crate::store::version::{self, Kind, Version};
use crate::store::{Store, revision};

/// What is in force, and how to make it anew.
#[derive(Debug)]
pub struct Live {
    pub catalogue: Arc<ArcSwap<Catalogue>>,
    pub templates: Arc<ArcSwap<Templates>>,
    pub sources: Arc<ArcSwap<Sources>>,
    config: ArcSwap<Config>,
    store: Store,
    /// The revision that is in force.
    revision: AtomicU64,
}

struct Parts {
    catalogue: Catalogue,
    templates: Templates,
    sources: Sources,
}

impl Live {
    /// # Errors
    /// A mistake in the configuration, or the database.
    pub async fn start(config: &Config, store: &Store) -> anyhow::Result<Arc<Self>> {
        let now = revision::current(store).await?;
        let parts = parts(config, store).await?;
        Ok(Arc::new(Self {
            catalogue: Arc::new(ArcSwap::from_pointee(parts.catalogue)),
            templates: Arc::new(ArcSwap::from_pointee(parts.templates)),
            sources: Arc::new(ArcSwap::from_pointee(parts.sources)),
            config: ArcSwap::from_pointee(config.clone()),
            store: store.clone(),
            revision: AtomicU64::new(now),
        }))
    }

    /// Takes over a new configuration.
    ///
    /// # Errors
    /// A mistake in it; then all stays as it was.
    pub async fn reload(&self, config: &Config) -> anyhow::Result<()> {
        self.put(parts(config, &self.store).await?);
        self.config.store(Arc::new(config.clone()));
        Ok(())
    }

    /// Takes over what administrators changed since, here or on another instance.
    ///
    /// # Errors
    /// The database; then all stays as it was.
    pub async fn refresh(&self) -> anyhow::Result<()> {
        // Read first: a change in between is seen next time.
        let now = revision::current(&self.store).await?;
        if now != self.revision.load(Ordering::SeqCst) {
            self.put(parts(&self.config.load_full(), &self.store).await?);
            self.revision.store(now, Ordering::SeqCst);
        }
        Ok(())
    }

    fn put(&self, parts: Parts) {
        self.catalogue.store(Arc::new(parts.catalogue));
        self.templates.store(Arc::new(parts.templates));
        self.sources.store(Arc::new(parts.sources));
    }
}

async fn parts(config: &Config, store: &Store) -> anyhow::Result<Parts> {
    let hookpoints = version::newest(store, Kind::Hookpoint).await?;
    let (catalogue, mut left_out) = Catalogue::with_saved(saved(&hookpoints), &config.hookpoints)?;
    let texts = version::newest(store, Kind::Template).await?;
    let (templates, more) = Templates::with_saved(saved(&texts)).map_err(|all| anyhow::anyhow!(all.join("\n")))?;
    left_out.extend(more);
    for mistake in left_out {
        tracing::error!(mistake, "something that an administrator saved does not fit this version: it is left out");
    }
    Ok(Parts { catalogue, templates, sources: sources(&config.sources, &BTreeMap::new())? })
}

fn saved(versions: &[Version]) -> impl Iterator<Item = (&str, &str)> {
    versions.iter().filter_map(|version| Some((version.name.as_str(), version.content.as_deref()?)))
}
