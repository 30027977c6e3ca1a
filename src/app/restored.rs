//! Owns: noticing that our own schema was put back from an older dump. Three signs, none of them in the dump: a file in `state_dir` that
//! holds the highest beat this instance saw; the time at which the server made our table; and, while we run, a beat that falls.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Clock;
use crate::config::Config;
use crate::store::restored::{self, Watch};
use crate::store::{Store, StoreError};

/// The file's name in `state_dir`.
const FILE: &str = "schema-beat";

/// What this instance knows of its schema.
#[derive(Debug)]
pub(super) struct RestoreWatch {
    file: Option<PathBuf>,
    seen: AtomicU64,
}

impl RestoreWatch {
    /// `state_dir`, or what systemd gives as `STATE_DIRECTORY`.
    pub(super) fn new(config: &Config) -> Self {
        let given = Some(config.database.state_dir.clone()).filter(|dir| !dir.is_empty());
        let systemd = || std::env::var("STATE_DIRECTORY").ok()?.split(':').next().map(str::to_owned);
        let file = given.or_else(systemd).map(|dir| PathBuf::from(dir).join(FILE));
        Self { file, seen: AtomicU64::new(0) }
    }

    /// Looks once, before anything is sent.
    ///
    /// # Errors
    /// The database.
    pub(super) async fn begin(&self, store: &Store, clock: &Clock) -> Result<(), StoreError> {
        let watch = restored::look(store).await?;
        if let Some(sign) = self.sign(&watch) {
            hold(store, &sign, clock).await?;
        }
        self.beat(store).await
    }

    fn sign(&self, watch: &Watch) -> Option<String> {
        let kept = self.read().filter(|(schema_id, _)| *schema_id == watch.schema_id);
        if let Some((_, beat)) = kept.filter(|(_, beat)| *beat > watch.beat) {
            return Some(format!("the schema counts to {}, and this instance saw {beat}", watch.beat));
        }
        watch.made_anew?.then(|| "the server made the tables anew since the bridge last ran".to_owned())
    }

    /// Looks again while we run, and raises the beat.
    ///
    /// # Errors
    /// The database.
    pub(super) async fn again(&self, store: &Store, clock: &Clock) -> Result<(), StoreError> {
        let watch = restored::look(store).await?;
        let seen = self.seen.load(Ordering::Relaxed);
        if watch.beat < seen {
            hold(store, &format!("the schema counts to {}, and was at {seen}", watch.beat), clock).await?;
        }
        self.beat(store).await
    }

    async fn beat(&self, store: &Store) -> Result<(), StoreError> {
        let beat = restored::beat(store).await?;
        self.seen.store(beat, Ordering::Relaxed);
        let watch = restored::look(store).await?;
        self.write(&watch.schema_id, beat);
        Ok(())
    }

    fn read(&self) -> Option<(String, u64)> {
        let text = std::fs::read_to_string(self.file.as_ref()?).ok()?;
        let (schema_id, beat) = text.trim().split_once(' ')?;
        Some((schema_id.to_owned(), beat.parse().ok()?))
    }

    /// In one step, so that a file is never half written. A folder that cannot be written costs a sign, and stops nothing.
    fn write(&self, schema_id: &str, beat: u64) {
        let Some(file) = &self.file else { return };
        let fresh = file.with_extension("new");
        let written =
            std::fs::write(&fresh, format!("{schema_id} {beat}\n")).and_then(|()| std::fs::rename(&fresh, file));
        if let Err(error) = written {
            tracing::warn!(%error, file = %file.display(), "`state_dir` cannot be written: a restored schema may go unnoticed");
        }
    }
}

async fn hold(store: &Store, sign: &str, clock: &Clock) -> Result<(), StoreError> {
    let held = restored::hold(store, sign, None, clock.now()).await?;
    tracing::error!(
        sign,
        held,
        "the bridge's schema was restored from an older dump: what was queued before is held. See `hookbridge restored`"
    );
    Ok(())
}
