//! Owns: what follows from the provider's notice that a user changed numbers: the old one is marked and gets no alerts, and an
//! opt-out goes with its user.

use crate::domain::consent::How;
use crate::domain::phone::{E164, aliases};
use crate::domain::receipt::NumberChange;
use crate::metrics::{Metrics, Result1};
use crate::store::consent::Statement;
use crate::store::{Store, StoreError, consent, moved};

/// Keeps one change. The provider may report it more than once.
pub(super) async fn keep(store: &Store, metrics: &Metrics, change: &NumberChange) -> Result<(), StoreError> {
    let old = aliases(&change.from);
    let new = change.to.as_ref().map(aliases).unwrap_or_default();
    moved::record(store, &old, &new, change.at).await?;
    let (from, to): (Vec<&str>, Vec<&str>) =
        (old.iter().map(E164::as_str).collect(), new.iter().map(E164::as_str).collect());
    let words = consent::words_of(store, &from).await?;
    for word in words.into_iter().filter(|word| word.said.at <= change.at) {
        let evidence = format!("the number changed; of the old one: {}", word.evidence);
        let one = Statement { said: word.said, how: How::Moved, evidence: &evidence };
        consent::record(store, &to, one).await?;
    }
    metrics.fault("number_changed");
    metrics.receipts.get_or_create(&Result1 { result: "number_changed" }).inc();
    tracing::warn!(from = %change.from, "a client's number changed: nothing more is sent to the old one");
    Ok(())
}
