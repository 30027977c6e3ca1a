//! Owns: what takes long to find out, kept for some minutes and shown with its age: a walk over all clients, the provider's
//! list of texts. Each instance keeps its own.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::find::directory::Directory;
use super::reach::Reach;
use super::templates::provider::AtProvider;
use crate::whatsapp::CloudApi;

/// What a desk keeps.
#[derive(Debug, Default)]
pub struct Shelf {
    pub reach: Kept<Reach>,
    pub provider: Kept<AtProvider>,
    /// Who there is, for searching.
    pub directory: Kept<Directory>,
    /// For questions to the provider that send nothing.
    pub api: ArcSwapOption<CloudApi>,
    /// Test messages are made one at a time, so that their limit holds.
    pub tests: Mutex<()>,
}

/// One thing, and when it was found out.
#[derive(Debug)]
pub struct Kept<T> {
    held: ArcSwapOption<(Timestamp, T)>,
    /// Whoever comes while somebody finds out waits for that answer.
    turn: Mutex<()>,
}

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self { held: ArcSwapOption::empty(), turn: Mutex::default() }
    }
}

impl<T> Kept<T> {
    /// What is kept, however old.
    #[must_use]
    pub fn held(&self) -> Option<Arc<(Timestamp, T)>> {
        self.held.load_full()
    }

    /// What is kept and not older than `age_max`, else what `fresh` finds out.
    ///
    /// # Errors
    /// Those of `fresh`; then nothing is kept anew.
    pub async fn get<E>(
        &self,
        now: Timestamp,
        age_max: SignedDuration,
        fresh: impl Future<Output = Result<T, E>>,
    ) -> Result<Arc<(Timestamp, T)>, E> {
        let young = || self.held().filter(|held| now.duration_since(held.0).abs() < age_max);
        if let Some(held) = young() {
            return Ok(held);
        }
        let _turn = self.turn.lock().await;
        if let Some(held) = young() {
            return Ok(held);
        }
        let found = Arc::new((now, fresh.await?));
        self.held.store(Some(found.clone()));
        Ok(found)
    }

    /// Forgets: the next who asks finds out.
    pub fn forget(&self) {
        self.held.store(None);
    }
}
