//! Owns: whether what is finished, or waits, makes new work dearer: the same door, claim and queue on three schemas side by
//! side, empty, behind 2,000,000 finished events and messages, and behind 200,000 that wait. And whether pruning outruns
//! what is added.

use std::time::{Duration, Instant};

use anyhow::ensure;
use hookbridge::app::{open_store, retention};
use hookbridge::config::load;
use hookbridge::demo::accounts::{self, BRIDGE, READER};
use hookbridge::demo::stage::{SOURCE, variables};
use hookbridge::domain::ids::EventId;
use hookbridge::retention::Round;
use hookbridge::signature::sha256;
use hookbridge::stop::pair;
use hookbridge::store::inbox::{self, NewEvent};
use hookbridge::store::lease::{Holder, take};
use hookbridge::store::outbox::{Claimant, claim, peek};
use hookbridge::store::{Store, migrate};
use jiff::SignedDuration;
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use serde_json::json;

use crate::home::{BILLING, Home};
use crate::report::{Report, Target};
use crate::{Scale, say};

/// Attempts and receipts are there for the oldest messages only: as many as pruning reaches.
const WITH_ATTEMPTS: u32 = 200_000;
/// Rows of one statement while a schema is filled.
const FILL: u32 = 100_000;
/// Events and messages of one batch.
const BATCH: usize = 64;
/// Batches of one round.
const BATCHES: usize = 30;
/// How much dearer anything may become, in percent.
const DEARER_MAX: f64 = 15.0;
/// How long pruning is watched.
const PRUNE: Duration = Duration::from_secs(8);
/// Days that the filled history is old: all of it may go.
const OLD_DAYS: u32 = 900;

/// Times of each batch, in microseconds per event or message.
#[derive(Debug, Default)]
struct Times {
    ingest: Vec<f64>,
    inbox: Vec<f64>,
    outbox: Vec<f64>,
}

struct Schema {
    store: Store,
    root: Conn,
    holder: Holder,
    serial: usize,
    times: Times,
}

pub async fn measure(home: &Home, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    let mut empty = Schema::new(home, "history_none").await?;
    let mut finished = Schema::new(home, "history_finished").await?;
    let mut waiting = Schema::new(home, "history_waiting").await?;
    say(&format!("filling a schema with {} finished events and messages", scale.finished));
    let started = Instant::now();
    // A log and memory in which millions of rows can be written; what is measured has the usual memory again.
    let mut root = home.root("").await?;
    root.query_drop(
        "SET GLOBAL innodb_log_file_size = 1073741824, GLOBAL innodb_buffer_pool_size = 1073741824, \
         GLOBAL innodb_flush_log_at_trx_commit = 2",
    )
    .await?;
    finished.fill_finished(scale.finished).await?;
    waiting.fill_waiting(scale.waiting).await?;
    root.query_drop("SET GLOBAL innodb_buffer_pool_size = 134217728, GLOBAL innodb_flush_log_at_trx_commit = 1")
        .await?;
    root.disconnect().await?;
    say(&format!("filled in {:.0} s", started.elapsed().as_secs_f64()));
    for round in 0..=scale.rounds * 2 {
        for schema in [&mut empty, &mut finished, &mut waiting] {
            schema.round(home).await?;
            if round == 0 {
                // Caches and prepared statements are warm now.
                schema.times = Times::default();
            }
        }
    }
    for (behind, schema) in [(scale.finished, &finished), (scale.waiting, &waiting)] {
        let word = if behind == scale.finished { "finished" } else { "waiting" };
        let pairs = [
            ("ingest", &empty.times.ingest, &schema.times.ingest),
            ("claim of events", &empty.times.inbox, &schema.times.inbox),
            ("claim of messages", &empty.times.outbox, &schema.times.outbox),
        ];
        for (name, none, behind_it) in pairs {
            let (none, with) = (median(none), median(behind_it));
            let name = format!("{name}, {behind} {word} behind");
            let from = format!("{with:.1} us each against {none:.1} us, medians");
            report.add(&name, (with / none - 1.0) * 100.0, "% dearer", Target::AtMost(DEARER_MAX), from);
        }
    }
    finished.prune(home, report).await?;
    for schema in [empty, finished, waiting] {
        schema.end().await?;
    }
    Ok(())
}

fn median(times: &[f64]) -> f64 {
    let mut sorted = times.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Schema {
    async fn new(home: &Home, name: &str) -> anyhow::Result<Self> {
        let mut root = home.root("").await?;
        root.query_drop(format!(
            "DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
        ))
        .await?;
        accounts::grant(&mut root, BILLING, name).await?;
        let (own, reader) = (home.server.url_for(BRIDGE, name), home.server.url_for(READER, BILLING));
        let config = load(None, variables(&own, &reader, "http://127.0.0.1:9", &home.secrets))?;
        let store = open_store(&config)?;
        migrate::run(&store, home.clock.now()).await?;
        root.disconnect().await?;
        let (lease, owner) = ("main".to_owned(), "bench".to_owned());
        let fence = take(&store, &lease, &owner, None, home.clock.now()).await?;
        let holder = Holder { name: lease, owner, fence: fence.unwrap_or(1) };
        Ok(Self { store, root: home.root(name).await?, holder, serial: 0, times: Times::default() })
    }

    /// Events, messages, attempts and receipts that are over; without the indexes while it fills, which is much quicker.
    async fn fill_finished(&mut self, rows: u32) -> anyhow::Result<()> {
        let keys = "message_event (event_id), ADD KEY message_client (client_id, created_at), \
                    ADD KEY message_recipient (recipient, created_at), ADD KEY message_provider (provider_id), \
                    ADD KEY message_created (created_at), ADD UNIQUE KEY message_dedupe (dedupe_key)";
        let names = ["event", "client", "recipient", "provider", "created", "dedupe"];
        let drops = names.map(|name| format!("DROP KEY message_{name}")).join(", ");
        self.root.query_drop(format!("ALTER TABLE message {drops}; SET unique_checks = 0")).await?;
        let at = format!("UTC_TIMESTAMP(3) - INTERVAL {OLD_DAYS} DAY + INTERVAL seq SECOND");
        let id = "CONCAT('evt_', LPAD(HEX(seq), 12, '0'), LEFT(MD5(seq), 12))";
        let key = "UNHEX(CONCAT(LPAD(HEX(seq), 12, '0'), LEFT(MD5(seq), 20)))";
        let wamid = "CONCAT('wamid.', LPAD(HEX(seq), 12, '0'), MD5(seq))";
        let text = "REPEAT('Hola, generamos la factura. ', 8)";
        for from in (1..=rows).step_by(FILL as usize) {
            let numbers = format!("FROM seq_{from}_to_{}", (from + FILL - 1).min(rows));
            self.root
                .query_drop(format!(
                    "INSERT INTO event (id, source, hook, occurred_at, received_at, key_index, body_sha256, body, state, \
                     processed_at, trail) SELECT {id}, '{SOURCE}', 'InvoiceCreated', {at}, {at}, 0, UNHEX(SHA2(seq, 256)), \
                     '{{\"v\":1,\"hook\":\"InvoiceCreated\",\"fields\":{{\"invoiceid\":4711}}}}', 'processed', {at}, '[]' {numbers}; \
                     INSERT INTO message (id, event_id, hookpoint, subject, client_id, recipient, locale, class, lane, \
                     template, language, parameters, body, dedupe_key, created_at, expires_at, state, state_at, attempts, \
                     provider_id, receipt) SELECT {key}, {id}, 'invoice_created', CONCAT('invoice:', seq), seq MOD 50000, \
                     CONCAT('+549115', LPAD(seq MOD 50000, 7, '0')), 'es_AR', 'notice', 'main', 'invoice_created', 'es_AR', \
                     '{{}}', {text}, UNHEX(SHA2(seq, 256)), {at}, {at}, 'sent', {at}, 1, {wamid}, 'delivered' {numbers}"
                ))
                .await?;
            if from <= WITH_ATTEMPTS {
                self.root
                    .query_drop(format!(
                        "INSERT INTO attempt (message_id, started_at, ended_at, outcome) SELECT {key}, {at}, {at}, \
                         'accepted' {numbers}; \
                         INSERT INTO receipt (provider_id, status, at, received_at, message_id) SELECT {wamid}, \
                         'delivered', {at}, {at}, {key} {numbers}"
                    ))
                    .await?;
            }
        }
        self.root.query_drop(format!("ALTER TABLE message ADD KEY {keys}; SET unique_checks = 1")).await?;
        Ok(())
    }

    /// Events that wait to be processed, and messages that wait to be sent, all of them due.
    async fn fill_waiting(&mut self, rows: u32) -> anyhow::Result<()> {
        for from in (1..=rows).step_by(FILL as usize) {
            let numbers = format!("FROM seq_{from}_to_{}", (from + FILL - 1).min(rows));
            let at = "UTC_TIMESTAMP(3)";
            self.root
                .query_drop(format!(
                    "INSERT INTO inbox (event_id, run_at, source, hook, occurred_at, received_at, key_index, body_sha256, \
                     body) SELECT CONCAT('evt_', LPAD(HEX(seq), 12, '0')), {at} - INTERVAL 1 HOUR, '{SOURCE}', \
                     'InvoiceCreated', {at}, {at}, 0, UNHEX(SHA2(seq, 256)), '{{}}' {numbers}; {}",
                    queued("w", "UTC_TIMESTAMP(3) - INTERVAL 1 HOUR", &numbers)
                ))
                .await?;
        }
        Ok(())
    }

    async fn round(&mut self, home: &Home) -> anyhow::Result<()> {
        self.ingest(home).await?;
        self.claim_events(home).await?;
        self.claim_messages(home).await
    }

    fn events(&mut self, home: &Home) -> anyhow::Result<Vec<NewEvent>> {
        let now = home.clock.now();
        let body = home.envelope("InvoiceCreated", "r1", &json!({ "invoiceid": 4711, "source": "autogen" }));
        (0..BATCH)
            .map(|_| {
                self.serial += 1;
                let id = format!("evt_f{:012x}{:06x}", now.as_millisecond(), self.serial);
                Ok(NewEvent {
                    id: EventId::parse(&id).ok_or_else(|| anyhow::anyhow!("an id"))?,
                    source: SOURCE.to_owned(),
                    hook: "InvoiceCreated".to_owned(),
                    occurred_at: now,
                    received_at: now,
                    key_index: 0,
                    body_sha256: sha256(body.as_bytes()),
                    body: body.clone(),
                    urgent: false,
                })
            })
            .collect()
    }

    async fn ingest(&mut self, home: &Home) -> anyhow::Result<()> {
        for _ in 0..BATCHES {
            let events = self.events(home)?;
            let started = Instant::now();
            inbox::insert(&self.store, &events).await?;
            self.times.ingest.push(each(started));
        }
        Ok(())
    }

    async fn claim_events(&mut self, home: &Home) -> anyhow::Result<()> {
        for batch in 0..BATCHES {
            let token = format!("bench-{batch}");
            let lease = SignedDuration::from_mins(10);
            let started = Instant::now();
            let claims = inbox::claim(&self.store, &token, home.clock.now(), lease, BATCH).await?;
            self.times.inbox.push(each(started));
            ensure!(claims.len() == BATCH, "{} events claimed", claims.len());
            // As finishing does.
            self.root.exec_drop("DELETE FROM inbox WHERE locked_by = ?", (token,)).await?;
        }
        Ok(())
    }

    async fn claim_messages(&mut self, home: &Home) -> anyhow::Result<()> {
        let numbers = format!("FROM seq_1_to_{}", BATCH * BATCHES);
        self.root
            .query_drop(queued(&format!("r{}", self.serial), "UTC_TIMESTAMP(3) - INTERVAL 1 SECOND", &numbers))
            .await?;
        for batch in 0..BATCHES {
            let token = format!("bench-{batch}");
            let now = home.clock.now();
            let started = Instant::now();
            let (due, _) = peek(&self.store, "main", now, BATCH).await?;
            let ids: Vec<_> = due.iter().map(|due| due.id).collect();
            let who = Claimant { lane: "main", portfolio: "main", holder: &self.holder };
            let claimed = claim(&self.store, who, &ids, &token, now).await?;
            self.times.outbox.push(each(started));
            ensure!(claimed.len() == BATCH, "{} messages claimed", claimed.len());
            // As settling does.
            self.root.exec_drop("DELETE o FROM outbox o WHERE locked_by = ? AND state = 'sending'", (token,)).await?;
        }
        Ok(())
    }

    /// Prunes the filled history for some seconds, alone and with the door at work.
    async fn prune(&mut self, home: &Home, report: &mut Report) -> anyhow::Result<()> {
        let config = load(
            None,
            variables("mysql://x@localhost/x", "mysql://x@localhost/x", "http://127.0.0.1:9", &home.secrets),
        )?;
        let metrics = std::sync::Arc::new(hookbridge::metrics::Metrics::default());
        let retention = retention(&config, &self.store, &home.clock, &metrics);
        let mut figures = Vec::new();
        for load in [false, true] {
            let (stopper, stop) = pair();
            let started = Instant::now();
            let mut added = 0;
            let adding = async {
                while started.elapsed() < PRUNE {
                    if load {
                        let events = self.events(home)?;
                        inbox::insert(&self.store, &events).await?;
                        added += BATCH;
                    } else {
                        tokio::time::sleep(Duration::from_millis(50)).await;
                    }
                }
                stopper.stop();
                anyhow::Ok(())
            };
            let (round, done) = tokio::join!(retention.round(&stop), adding);
            done?;
            let Round::Pruned(rows) = round? else { anyhow::bail!("it was not our turn") };
            let seconds = started.elapsed().as_secs_f64();
            figures.push((rows.values().sum::<u64>() as f64 / seconds, added as f64 / seconds));
        }
        // At the default pace a message is an event, a message, an attempt, three receipts at most: six rows.
        let paced = 80.0 * 6.0;
        let (alone, _) = figures[0];
        let from = format!("{alone:.0} rows/s pruned; 80 messages/s add {paced:.0} rows/s");
        report.add("pruning / what the default pace adds", alone / paced, "x", Target::AtLeast(4.0), from);
        let (loaded, added) = figures[1];
        let from = format!("{loaded:.0} rows/s pruned while the door took {added:.0} events/s without a pause");
        report.add(
            "pruning beside a full door / what the default pace adds",
            loaded / paced,
            "x",
            Target::AtLeast(2.0),
            from,
        );
        Ok(())
    }

    async fn end(self) -> anyhow::Result<()> {
        self.store.database().clone().close().await;
        Ok(self.root.disconnect().await?)
    }
}

/// Microseconds per one of a batch.
fn each(started: Instant) -> f64 {
    started.elapsed().as_secs_f64() * 1e6 / BATCH as f64
}

/// Statements that queue a message for each number.
fn queued(prefix: &str, run_at: &str, numbers: &str) -> String {
    let key = format!("UNHEX(LEFT(MD5(CONCAT('{prefix}', seq)), 32))");
    let to = "CONCAT('+549114', LPAD(seq MOD 50000, 7, '0'))";
    format!(
        "INSERT INTO message (id, event_id, hookpoint, subject, client_id, recipient, locale, class, lane, template, \
         language, parameters, body, dedupe_key, created_at, expires_at, state_at) SELECT {key}, 'evt_x', \
         'invoice_created', CONCAT('invoice:', seq), seq MOD 50000, {to}, 'es_AR', 'notice', 'main', 'invoice_created', \
         'es_AR', '{{}}', 'Hola', UNHEX(SHA2(CONCAT('{prefix}', seq), 256)), UTC_TIMESTAMP(3), \
         UTC_TIMESTAMP(3) + INTERVAL 1 DAY, UTC_TIMESTAMP(3) {numbers}; \
         INSERT INTO outbox (message_id, lane, priority, run_at, recipient, template, expires_at, hookpoint, client_id, \
         event_at) SELECT {key}, 'main', 2, {run_at}, {to}, 'invoice_created', UTC_TIMESTAMP(3) + INTERVAL 1 DAY, \
         'invoice_created', seq MOD 50000, UTC_TIMESTAMP(3) {numbers}"
    )
}
