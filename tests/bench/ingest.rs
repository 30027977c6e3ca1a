//! Owns: the door, at full load, beside simpler doors: one that stores nothing, and two that store each event by itself.
//! Rounds alternate, so that a slow moment of the machine meets all of them. All of it twice: on this machine's disk, and
//! on one that is slower.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use hookbridge::app::Workers;
use mysql_async::prelude::Queryable as _;
use serde_json::json;

use crate::Scale;
use crate::cost::Cost;
use crate::doors::{Door, open, pools};
use crate::home::{Home, OWN};
use crate::load::{Count, Post, round};
use crate::report::{Report, Target};

/// What the issue asks for: connections, times of one INSERT per request, percent of a door that stores nothing.
const TARGETS: [(usize, f64, Target); 2] = [(64, 3.0, Target::None), (256, 6.0, Target::AtLeast(40.0))];

pub async fn measure(home: &Home, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    on(home, "this disk", scale, report).await?;
    crate::say("starting a second MariaDB whose disk takes 2 ms longer to sync");
    let slow = Home::on_slow_disk().await?;
    on(&slow, "2 ms more per sync", scale, report).await?;
    slow.end();
    Ok(())
}

async fn on(home: &Home, disk: &str, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    let (variables, store) = home.fresh("http://127.0.0.1:9", &[]).await?;
    let app = home.bridge(variables, Workers::ByHand).await?;
    let pools = pools(home).await?;
    let keys = Arc::from([home.key()?]);
    let mut doors: Vec<(&str, SocketAddr)> = vec![("ours", app.address)];
    for (name, door) in [
        ("verify only", Door::VerifyOnly),
        ("the same row", Door::SameRow(pools.tuned.clone())),
        ("a bare row", Door::BareRow(pools.tuned.clone())),
        ("the same row by a pool as it comes", Door::SameRow(pools.plain.clone())),
        ("a bare row by a pool as it comes", Door::BareRow(pools.plain.clone())),
    ] {
        doors.push((name, open(door, &keys, &home.clock).await?));
    }
    let fields = json!({ "invoiceid": 4711, "source": "autogen", "user": "system", "status": "Unpaid" });
    let post = Post {
        key: home.key()?,
        body: Arc::new(home.envelope("InvoiceCreated", "r1", &fields)),
        clock: home.clock.clone(),
        serial: Arc::new(AtomicU64::new(0)),
    };
    let time = Duration::from_millis(scale.round_ms);
    for (connections, times, share) in TARGETS {
        let mut all: Vec<(Count, Cost)> = vec![Default::default(); doors.len()];
        for _ in 0..scale.rounds {
            for ((count, cost), (_, address)) in all.iter_mut().zip(&doors) {
                let before = Cost::so_far(home).await?;
                let one = round(*address, connections, time, &post).await?;
                cost.add(Cost::so_far(home).await?.since(before));
                count.add(one);
            }
        }
        let (ours, ours_cost) = all[0];
        for ((name, _), (count, cost)) in doors.iter().zip(&all).skip(1) {
            let from = format!(
                "{:.0}/s ({}) against {:.0}/s ({})",
                ours.per_second(),
                ours_cost.per_event(ours),
                count.per_second(),
                cost.per_event(*count)
            );
            let ratio = ours.per_second() / count.per_second();
            if *name == "verify only" {
                let name = format!("ingest / {name}, {connections} connections, {disk}");
                report.add(&name, ratio * 100.0, "%", share, from);
            } else {
                let name = format!("ingest / {name} per request, {connections} connections, {disk}");
                report.add(&name, ratio, "x", Target::AtLeast(times), from);
            }
        }
    }
    let mut root = home.root(OWN).await?;
    let stored: Option<u64> = root.query_first("SELECT COUNT(*) FROM inbox").await?;
    anyhow::ensure!(stored > Some(0), "nothing was stored");
    root.disconnect().await?;
    store.database().clone().close().await;
    pools.tuned.disconnect().await?;
    pools.plain.disconnect().await?;
    app.stop().await;
    Ok(())
}
