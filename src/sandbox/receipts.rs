//! Owns: carrying updates to the callback (Meta's rules): batched, signed, a few POSTs at once, tried again when
//! not answered with 200.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use super::Inner;
use super::webhook::{self, Update};
use crate::signature;

/// How long the pump lets updates gather before it takes a batch.
const GATHER: Duration = Duration::from_millis(5);
/// Longest wait before the clock is asked again, since a manual clock notifies nobody.
const LOOK_MS: i64 = 50;
/// No wait between two tries is longer than this.
const RETRY_MS_MAX: i64 = 3_600_000;

/// Posts whatever becomes due, until it is dropped.
pub async fn pump(inner: Arc<Inner>) {
    let mut posts = JoinSet::new();
    loop {
        while posts.try_join_next().is_some() {}
        let due_ms = inner.world().next_due_ms();
        match due_ms.map(|due| (due - inner.now_ms()).clamp(0, LOOK_MS)) {
            None => {
                inner.bell.notified().await;
                continue;
            }
            Some(0) => {}
            Some(wait_ms) => {
                let wait = Duration::from_millis(wait_ms.unsigned_abs());
                let _ = tokio::time::timeout(wait, inner.bell.notified()).await;
                continue;
            }
        }
        // First a slot, then the batch: while all slots are busy the next batch grows.
        let slot = inner.slots.clone().acquire_owned().await.expect("nobody closes the semaphore");
        tokio::time::sleep(GATHER).await;
        let now_ms = inner.now_ms();
        let batch = inner.world().take_batch(Some(now_ms));
        if batch.is_empty() {
            continue;
        }
        let inner = inner.clone();
        posts.spawn(async move {
            post(&inner, batch).await;
            drop(slot);
        });
    }
}

/// Posts everything that is queued, one POST after the other: up to `now_ms`, or all of it. Waits for POSTs that are
/// under way. How many updates the callback took.
pub async fn post_queued(inner: &Inner, now_ms: Option<i64>) -> usize {
    let mut taken = 0;
    loop {
        let batch = inner.world().take_batch(now_ms);
        if !batch.is_empty() {
            taken += post(inner, batch).await;
            continue;
        }
        let all = u32::try_from(inner.config.receipts.posts_max.max(1)).unwrap_or(u32::MAX);
        let under_way = inner.slots.acquire_many(all).await;
        drop(under_way);
        // A POST that failed meanwhile has put its updates back.
        let due_ms = inner.world().next_due_ms();
        if due_ms.is_none_or(|due| now_ms.is_some_and(|now| due > now)) {
            return taken;
        }
    }
}

/// Posts one batch and settles it. How many updates the callback took.
pub async fn post(inner: &Inner, batch: Vec<Update>) -> usize {
    let Some(first) = batch.first() else { return 0 };
    let Some(url) = inner.world().callback_url.clone() else { return 0 };
    let phone = &inner.config.phone_numbers[first.phone];
    let body = webhook::body(&inner.config.waba_id, phone, &batch, inner.now_ms());
    let signature = if first.wrong_signature {
        signature::sign_hub(body.as_bytes(), &"not-the-app-secret".to_owned().into())
    } else {
        signature::sign_hub(body.as_bytes(), &inner.config.app_secret)
    };
    let request = inner
        .client
        .post(url)
        .header("content-type", "application/json")
        .header("user-agent", "facebookexternalua")
        .header("x-hub-signature-256", signature)
        .body(body);
    let took = match request.send().await {
        Ok(answer) => answer.status() == 200,
        Err(error) => {
            tracing::debug!(error = %error.without_url(), "the callback did not answer");
            false
        }
    };
    settle(inner, batch, took)
}

fn settle(inner: &Inner, batch: Vec<Update>, took: bool) -> usize {
    let plan = &inner.config.receipts;
    let now_ms = inner.now_ms();
    let mut world = inner.world();
    if took {
        world.ledger.stats.receipts_posted += batch.len() as u64;
        return batch.len();
    }
    world.ledger.stats.posts_failed += 1;
    for mut update in batch {
        update.attempts += 1;
        if update.attempts >= plan.attempts_max {
            world.ledger.stats.receipts_given_up += 1;
            continue;
        }
        let wait_ms = match update.attempts {
            1 => 0,
            later => plan.retry_ms.saturating_mul(4_i64.saturating_pow(later - 2)).min(RETRY_MS_MAX),
        };
        world.queue(update, now_ms + wait_ms);
    }
    drop(world);
    inner.bell.notify_one();
    0
}
