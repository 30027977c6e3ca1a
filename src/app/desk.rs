//! Owns: making the desk at which people work: of the running service, and of the command line.

use std::sync::Arc;

use anyhow::Context as _;

use super::live::Live;
use super::{decider, open_billing, open_store};
use crate::admin::Desk;
use crate::billing::Billing;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::section::is_empty;
use crate::decide::Decider;
use crate::metrics::Metrics;
use crate::seal::Sealer;
use crate::store::Store;

/// What a desk is made of.
pub(super) struct DeskParts<'a> {
    pub store: &'a Store,
    pub billing: &'a Billing,
    pub config: &'a Config,
    pub clock: &'a Clock,
}

pub(super) fn desk(
    parts: &DeskParts<'_>,
    live: &Live,
    metrics: &Arc<Metrics>,
    decider: Arc<Decider>,
) -> anyhow::Result<Option<Desk>> {
    let key = &parts.config.admin.key;
    if is_empty(key) {
        return Ok(None);
    }
    Ok(Some(desk_of(parts, live, metrics, decider, Sealer::new(key).context("admin.key")?)))
}

fn desk_of(parts: &DeskParts<'_>, live: &Live, metrics: &Arc<Metrics>, decider: Arc<Decider>, sealer: Sealer) -> Desk {
    Desk {
        store: parts.store.clone(),
        billing: parts.billing.clone(),
        decider,
        catalogue: live.catalogue.clone(),
        templates: live.templates.clone(),
        left_out: live.left_out.clone(),
        config: Arc::new(parts.config.clone()),
        clock: parts.clock.clone(),
        metrics: metrics.clone(),
        sealer,
        shelf: Arc::default(),
        apply: None,
    }
}

/// The desk of the command line, where nothing runs.
///
/// # Errors
/// No `admin.key`, a mistake in the configuration, the database.
pub async fn desk_at_the_command_line(config: &Config) -> anyhow::Result<Desk> {
    let missing = "`admin.key` is empty: make one with `hookbridge config --new-secret` and set it (docs/ADMIN.md)";
    anyhow::ensure!(!is_empty(&config.admin.key), missing);
    desk_with(config, Sealer::new(&config.admin.key).context("admin.key")?).await
}

/// The desk of commands that seal nothing and open nothing: they work without a page, too.
///
/// # Errors
/// A mistake in the configuration, the database.
pub async fn desk_without_secrets(config: &Config) -> anyhow::Result<Desk> {
    if !is_empty(&config.admin.key) {
        return desk_at_the_command_line(config).await;
    }
    // What a key of nobody seals opens with nothing: no such command may seal.
    desk_with(config, Sealer::of_nobody()).await
}

async fn desk_with(config: &Config, sealer: Sealer) -> anyhow::Result<Desk> {
    let (store, billing, clock) = (open_store(config)?, open_billing(config)?, Clock::system());
    let live = Live::start(config, &store, &clock).await?;
    let decider = Arc::new(decider(config, &store, &billing)?);
    let parts = DeskParts { store: &store, billing: &billing, config, clock: &clock };
    Ok(desk_of(&parts, &live, &Arc::new(Metrics::default()), decider, sealer))
}
