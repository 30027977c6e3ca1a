//! Owns: the whole road: stored events → facts, rules, texts → queue → the provider's acceptance. Once without limits, once
//! at the provider's 80 per second.

use std::time::{Duration, Instant};

use anyhow::ensure;
use hookbridge::app::Workers;
use hookbridge::demo::stage::provider;
use hookbridge::sandbox::{Rates, ReceiptPlan, Sandbox, SandboxConfig};
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};

use crate::Scale;
use crate::home::{Home, OWN};
use crate::report::{Report, Target};

/// How often the stand-in's count is read.
const LOOK: Duration = Duration::from_millis(5);
/// Looks between two questions to the database whether all is done.
const LOOKS_PER_QUESTION: u32 = 20;
/// The provider's usual limit.
const RATE: u32 = 80;
/// Longest run.
const PATIENCE: Duration = Duration::from_mins(3);

pub async fn measure(home: &Home, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    free(home, scale, ReceiptPlan::manual(), "whole road", Target::AtLeast(2_000.0), report).await?;
    let name = "whole road, each receipt delivered meanwhile";
    free(home, scale, ReceiptPlan::default(), name, Target::None, report).await?;
    paced(home, scale, report).await
}

async fn invoices(home: &Home, count: u32) -> anyhow::Result<Vec<Value>> {
    let sql = format!("SELECT id FROM tblinvoices WHERE total > 0 ORDER BY id DESC LIMIT {count}");
    let ids = home.ids(&sql).await?;
    let fields = |id| json!({ "invoiceid": id, "source": "autogen", "user": "system", "status": "Unpaid" });
    Ok(ids.into_iter().map(fields).collect())
}

async fn stand_in(home: &Home, receipts: ReceiptPlan) -> anyhow::Result<Sandbox> {
    let mut config = SandboxConfig::new(home.clock.clone());
    config.rates = Rates::unlimited();
    config.receipts = receipts;
    provider(config, &home.secrets).await
}

async fn free(
    home: &Home,
    scale: Scale,
    receipts: ReceiptPlan,
    name: &str,
    target: Target,
    report: &mut Report,
) -> anyhow::Result<()> {
    let posted = !receipts.manual;
    let sandbox = stand_in(home, receipts).await?;
    let (variables, store) = home.fresh(&sandbox.url(), &[]).await?;
    let events = invoices(home, scale.events).await?;
    home.preload(&store, "InvoiceCreated", &events).await?;
    let mut root = home.root(OWN).await?;
    let started = Instant::now();
    let app = home.bridge(variables, Workers::Running).await?;
    if posted {
        sandbox.set_callback_url(Some(format!("http://{}/v1/receipts/main", app.address)));
    }
    let (mut accepted, mut last, mut processed) = (0, started, None);
    for look in 1_u32.. {
        tokio::time::sleep(LOOK).await;
        let now = sandbox.stats().accepted;
        if now > accepted {
            (accepted, last) = (now, Instant::now());
        }
        if look.is_multiple_of(LOOKS_PER_QUESTION) {
            let sql = "SELECT EXISTS(SELECT 1 FROM inbox), EXISTS(SELECT 1 FROM outbox)";
            let waits: Option<(bool, bool)> = root.query_first(sql).await?;
            let (inbox, outbox) = waits.unwrap_or_default();
            if !inbox && processed.is_none() {
                processed = Some(started.elapsed());
            }
            if !inbox && !outbox {
                break;
            }
        }
        ensure!(started.elapsed() < PATIENCE, "the road is not empty after {PATIENCE:?}");
    }
    let seconds = last.duration_since(started).as_secs_f64();
    let stats = sandbox.stats();
    ensure!(stats.opaque_doubles == 0, "a message reached the provider twice");
    let from = format!(
        "{} events: {accepted} alerts in {seconds:.2} s, inbox empty after {:.2} s, {} refused, {} receipts taken",
        events.len(),
        processed.unwrap_or_default().as_secs_f64(),
        stats.refused.values().sum::<u64>(),
        stats.receipts_posted,
    );
    report.add(name, accepted as f64 / seconds, "alerts/s", target, from);
    root.disconnect().await?;
    store.database().clone().close().await;
    app.stop().await;
    sandbox.stop().await;
    Ok(())
}

async fn paced(home: &Home, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    let sandbox = stand_in(home, ReceiptPlan::manual()).await?;
    let rate = RATE.to_string();
    let (variables, store) = home.fresh(&sandbox.url(), &[("SENDERS__MAIN__RATE_PER_S", &rate)]).await?;
    // Some seconds more than are measured: the queue must not run dry.
    let events = invoices(home, RATE * (scale.paced_s + 6)).await?;
    home.preload(&store, "InvoiceCreated", &events).await?;
    let app = home.bridge(variables, Workers::Running).await?;
    while sandbox.stats().accepted < u64::from(RATE) {
        tokio::time::sleep(LOOK).await;
    }
    let (from, started) = (sandbox.stats().accepted, Instant::now());
    tokio::time::sleep(Duration::from_secs(scale.paced_s.into())).await;
    let (count, seconds) = (sandbox.stats().accepted - from, started.elapsed().as_secs_f64());
    app.stop().await;
    let stats = sandbox.stats();
    let most = stats.most_per_second.values().copied().max().unwrap_or_default();
    let from = format!("any sliding second of {seconds:.0} s, the stand-in's own limit off");
    report.add("at 80/s: most in a second", most as f64, "messages", Target::AtMost(f64::from(RATE)), from);
    let used = count as f64 * 100.0 / (seconds * f64::from(RATE));
    let from = format!("{count} messages in {seconds:.1} s");
    report.add("at 80/s: used", used, "%", Target::AtLeast(97.0), from);
    store.database().clone().close().await;
    sandbox.stop().await;
    Ok(())
}
