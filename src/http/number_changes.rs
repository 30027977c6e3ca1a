//! Owns: what follows from the provider's word that a user changed his number: the old one is marked and gets no alerts, and an
//! opt-out goes with its user.

use crate::domain::phone::aliases;
use crate::domain::receipt::NumberChange;
use crate::metrics::{Metrics, Result1};
use crate::store::{Store, StoreError, consent, moved};

/// Keeps one change. The provider may report it more than once.
pub(super) async fn keep(store: &Store, metrics: &Metrics, change: &NumberChange) -> Result<(), StoreError> {
    let old = aliases(&change.from);
    let new = change.to.as_ref().map(aliases).unwrap_or_default();
    moved::record(store, &old, &new, change.at).await?;
    let word = consent::words_of(store, &old).await?.into_iter().find(|word| word.at <= change.at);
    if let Some(word) = word.filter(|word| word.opted_out && !new.is_empty()) {
        let evidence = format!("his number changed; of the old one: {}", word.evidence);
        consent::record(store, &new, true, &evidence, word.at).await?;
    }
    metrics.fault("number_changed");
    metrics.receipts.get_or_create(&Result1 { result: "number_changed" }).inc();
    tracing::warn!(from = %change.from, "a client's number changed: nothing more is sent to the old one");
    Ok(())
}
