//! Owns: whether the administrators' page stays quick behind 1,000,000 messages: every page and list, asked over HTTP by somebody who is
//! logged in, one after the other. Beside them is what stands behind so many messages: events, attempts, receipts, skips, decisions.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use hookbridge::app::Workers;
use hookbridge::demo::stage::SOURCE;
use hookbridge::domain::admin::{Role, Who};
use hookbridge::ops::people::CreateAdministrator;
use hookbridge::ops::{Code, change};
use mysql_async::prelude::Queryable as _;
use reqwest::header::{COOKIE, SET_COOKIE};

use crate::home::{Home, OWN};
use crate::report::{Report, Target};
use crate::{Scale, say};

/// What somebody has at hand: a name, with a slip of the finger, a phone, an address, numbers, a domain, an event.
const SEARCHES: [&str; 8] =
    ["fernandez", "lucia fernadnez", "+54 9 11 5555-0101", "ana@example", "FC-0001-00000112", "4711", "nube", "evt_1"];

/// Rows of one statement while the schema is filled.
const FILL: u32 = 100_000;
/// Days over which they are spread.
const DAYS: u32 = 60;
const CLIENTS: u32 = 50_000;
/// A page takes at most so long, in milliseconds.
const TARGET_MS: f64 = 100.0;
/// Addresses of one shape, and of all, that are asked.
const EACH: usize = 3;
const ALL: usize = 150;
const PASSWORD: &str = "correct horse battery";

pub async fn measure(home: &Home, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    let (variables, store) = home.fresh("http://127.0.0.1:9", &[]).await?;
    say(&format!("filling a schema with {} messages and what belongs to them", scale.messages));
    let started = Instant::now();
    fill(home, scale.messages).await?;
    say(&format!("filled in {:.0} s", started.elapsed().as_secs_f64()));
    let app = home.bridge(variables, Workers::ByHand).await?;
    let desk = app.desk.clone().context("admin.key is set")?;
    let started = Instant::now();
    let mut hours = 0;
    loop {
        match app.count().await? {
            0 => break,
            n => hours += n,
        }
    }
    let each = started.elapsed().as_secs_f64() * 1_000.0 / (hours.max(1) as f64);
    report.add("counting an hour", each, "ms", Target::None, format!("{hours} hours of {} messages", scale.messages));
    let who = Who::at_the_command_line("bench");
    let (name, role) = ("bench".to_owned(), Code(Role::Administrator));
    change(&desk, &who, CreateAdministrator { name, role, password: Some(PASSWORD.into()) }).await?;
    let base = format!("http://{}", app.address);
    let visitor = Visitor::log_in(&base).await?;
    let mut times: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for path in visitor.addresses().await? {
        for _ in 0..scale.visits {
            let (took, status, _) = visitor.get(&path).await?;
            ensure!(status == 200, "{path} answers {status}");
            times.entry(shape(&path)).or_default().push(took);
        }
    }
    let mut all: Vec<f64> = Vec::new();
    for (shape, mut took) in times {
        took.sort_by(f64::total_cmp);
        let (p50, p95) = (at(&took, 50), at(&took, 95));
        all.extend(&took);
        report.add(
            &format!("page {shape}"),
            p95,
            "ms",
            Target::AtMost(TARGET_MS),
            format!("p95 of {}; p50 {p50:.1} ms, slowest {:.1} ms", took.len(), at(&took, 100)),
        );
    }
    searches(&visitor, scale, report).await?;
    all.sort_by(f64::total_cmp);
    let from = format!("p95 of {} answers; p50 {:.1} ms, slowest {:.1} ms", all.len(), at(&all, 50), at(&all, 100));
    report.add("all pages", at(&all, 95), "ms", Target::AtMost(TARGET_MS), from);
    app.stop().await;
    store.database().clone().close().await;
    Ok(())
}

/// The one search, after the field had the focus once.
async fn searches(visitor: &Visitor, scale: Scale, report: &mut Report) -> anyhow::Result<()> {
    let (first, ..) = visitor.get("/admin/find/warm").await?;
    let mut took = Vec::new();
    for words in SEARCHES {
        let query = words.replace('+', "%2B").replace(' ', "+");
        for _ in 0..scale.visits {
            let (one, status, _) = visitor.get(&format!("/admin/find?q={query}")).await?;
            ensure!(status == 200, "the search for {words} answers {status}");
            took.push(one);
        }
    }
    took.sort_by(f64::total_cmp);
    let from = format!(
        "p95 of {}; p50 {:.1} ms, slowest {:.1} ms; reading who there is took {first:.0} ms",
        took.len(),
        at(&took, 50),
        at(&took, 100)
    );
    report.add("the search", at(&took, 95), "ms", Target::AtMost(TARGET_MS), from);
    Ok(())
}

/// By the nearest rank: of 20, the 95th percentile is the 19th.
fn at(sorted: &[f64], percent: usize) -> f64 {
    sorted.get((sorted.len() * percent).div_ceil(100).saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// Ids and values replaced: a thousand rows are one page.
fn shape(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    // Names of hookpoints hold underscores.
    let varies = |part: &str| part.chars().any(|c| c.is_ascii_digit() || matches!(c, '%' | ':' | '_')) && part != "v1";
    let path: Vec<&str> = path.split('/').map(|part| if varies(part) { "*" } else { part }).collect();
    let words: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) if name != "q" && value.chars().all(|c| c.is_ascii_lowercase() || c == '_') => {
                format!("{name}={value}")
            }
            Some((name, _)) => format!("{name}=*"),
            None => pair.to_owned(),
        })
        .collect();
    let query = if words.is_empty() { String::new() } else { format!("?{}", words.join("&")) };
    format!("{}{query}", path.join("/"))
}

struct Visitor {
    base: String,
    http: reqwest::Client,
    cookie: String,
}

impl Visitor {
    async fn log_in(base: &str) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
        let form = format!("name=bench&password={}", PASSWORD.replace(' ', "+"));
        let request = http
            .post(format!("{base}/admin/login"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(form);
        let answer = request.send().await?;
        let cookie = answer.headers().get(SET_COOKIE).context("logged in")?.to_str()?;
        let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
        Ok(Self { base: base.to_owned(), http, cookie })
    }

    /// Milliseconds, status, text.
    async fn get(&self, path: &str) -> anyhow::Result<(f64, u16, String)> {
        let started = Instant::now();
        let request = self.http.get(format!("{}{path}", self.base)).header(COOKIE, &self.cookie);
        let answer = request.timeout(Duration::from_mins(1)).send().await?;
        let status = answer.status().as_u16();
        let text = answer.text().await?;
        Ok((started.elapsed().as_secs_f64() * 1_000.0, status, text))
    }

    /// Every address that links and parts lead to, and some searches; what is no page is left out.
    async fn addresses(&self) -> anyhow::Result<Vec<String>> {
        let mut waiting: VecDeque<String> = [
            "/admin",
            "/admin/messages?client=4711",
            "/admin/messages?state=failed",
            "/admin/messages?state=cancelled",
            "/admin/messages?state=queued",
            "/admin/messages?state=delivered",
            "/admin/messages?state=read",
            // Nothing is found: as many rows are looked through as a search ever does.
            "/admin/messages?state=accepted",
            "/admin/messages?state=accepted&hookpoint=invoice_created",
            "/admin/messages?reason=refused",
            "/admin/messages?reason=outcome_unknown",
            "/admin/messages?reason=refused&hookpoint=domain_deleted",
            "/admin/messages?state=failed&hookpoint=domain_deleted",
            "/admin/messages/retry?all=1&state=failed",
            "/admin/messages?invoice=4711",
            "/admin/messages?state=failed&client=4711",
            "/admin/messages?hookpoint=invoice_created",
            "/admin/messages?phone=%2B5491150004711",
            "/admin/events?state=failed",
            "/admin/events?hook=InvoiceCreated",
            "/admin/events?hook=InvoiceCreated&state=skipped",
            "/admin/why?client=4711",
            "/admin/phones",
            "/admin/phones?reason=opted_out",
            "/admin/rules/decisions?client=4711",
            "/admin/rules/decisions?rule=upgrade&decision=allow",
            "/admin/rules/missed",
            "/admin/consent?phone=%2B5491150004711",
            "/admin/settings/retention",
        ]
        .map(str::to_owned)
        .into();
        let (mut counts, mut seen, mut good) = (BTreeMap::<String, usize>::new(), BTreeSet::new(), Vec::new());
        while let Some(path) = waiting.pop_front() {
            let count = counts.entry(shape(&path)).or_default();
            if *count >= EACH || good.len() >= ALL || !seen.insert(path.clone()) {
                continue;
            }
            *count += 1;
            let (took, status, text) = self.get(&path).await?;
            if took > TARGET_MS {
                say(&format!("{path}: {took:.0} ms the first time"));
            }
            // A part of the page that is not built into this version.
            if status != 200 || path.contains("/export") {
                continue;
            }
            waiting.extend(links(&text));
            good.push(path);
        }
        Ok(good)
    }
}

fn links(html: &str) -> Vec<String> {
    let pieces = html.split(" href=\"").skip(1).chain(html.split(" hx-get=\"").skip(1));
    pieces
        .filter_map(|rest| rest.split('"').next())
        .map(|href| href.replace("&amp;", "&").split('#').next().unwrap_or_default().to_owned())
        .filter(|href| href.starts_with("/admin") && !href.starts_with("/admin/assets/"))
        .collect()
}

/// Messages of every standing over 60 days, each with its event, attempt and receipt; a skip for every fourth, a decision for every
/// tenth; without the secondary indexes of the largest table while it fills, which is much quicker.
async fn fill(home: &Home, rows: u32) -> anyhow::Result<()> {
    let mut root = home.root(OWN).await?;
    root.query_drop(
        "SET GLOBAL innodb_buffer_pool_size = 1073741824, GLOBAL innodb_flush_log_at_trx_commit = 2; SET unique_checks = 0",
    )
    .await?;
    let indexes: Vec<(String, String, u8)> = root
        .query(
            "SELECT INDEX_NAME, GROUP_CONCAT(COLUMN_NAME ORDER BY SEQ_IN_INDEX), MIN(NON_UNIQUE) FROM information_schema.statistics \
             WHERE table_schema = DATABASE() AND table_name = 'message' AND index_name <> 'PRIMARY' GROUP BY INDEX_NAME",
        )
        .await?;
    let drops = indexes.iter().map(|(name, ..)| format!("DROP KEY {name}")).collect::<Vec<_>>().join(", ");
    root.query_drop(format!("ALTER TABLE message {drops}")).await?;
    let step = u64::from(DAYS) * 86_400_000_000 / u64::from(rows);
    let at = format!("UTC_TIMESTAMP(3) - INTERVAL seq * {step} MICROSECOND");
    let id = "UNHEX(CONCAT(LPAD(HEX(seq), 12, '0'), LEFT(MD5(seq), 20)))";
    let event = "CONCAT('evt_', LPAD(HEX(seq), 12, '0'))";
    let client = format!("(seq * 7919) MOD {CLIENTS}");
    for from in (1..=rows).step_by(FILL as usize) {
        let numbers = format!("FROM seq_{from}_to_{}", (from + FILL - 1).min(rows));
        let sent = "IF(seq MOD 50 = 0, 'failed', IF(seq MOD 70 = 0, 'cancelled', 'sent'))";
        root.query_drop(format!(
            "INSERT INTO event (id, source, hook, occurred_at, received_at, key_index, body_sha256, body, state, processed_at, trail) \
             SELECT {event}, '{SOURCE}', ELT(1 + seq MOD 4, 'InvoiceCreated', 'InvoicePaid', 'ClientAdd', 'AfterModuleSuspend'), {at}, \
             {at}, 0, UNHEX(SHA2(seq, 256)), '{{\"v\":1,\"hook\":\"InvoiceCreated\",\"fields\":{{\"invoiceid\":4711}}}}', \
             IF(seq MOD 100 = 0, 'failed', 'processed'), {at}, '[]' {numbers}; \
             INSERT INTO message (id, event_id, hookpoint, subject, client_id, recipient, locale, class, lane, template, language, \
             parameters, body, dedupe_key, created_at, expires_at, state, state_at, reason, attempts, provider_id, receipt) SELECT {id}, \
             {event}, ELT(1 + seq MOD 2, 'invoice_created', 'payment_received'), CONCAT('invoice:', seq), {client}, \
             CONCAT('+549115', LPAD({client}, 7, '0')), 'es_AR', 'notice', 'main', 'invoice_created', 'es_AR', '{{\"body\":[]}}', \
             REPEAT('Hola, generamos la factura. ', 8), UNHEX(SHA2(seq, 256)), {at}, {at}, {sent}, {at}, \
             IF(seq MOD 50 = 0, 'refused', NULL), 1, CONCAT('wamid.', LPAD(HEX(seq), 12, '0')), \
             IF({sent} = 'sent', ELT(1 + seq MOD 3, 'sent', 'delivered', 'read'), NULL) {numbers}; \
             INSERT INTO attempt (message_id, started_at, ended_at, outcome) SELECT {id}, {at}, {at}, 'accepted' {numbers}; \
             INSERT INTO receipt (provider_id, status, at, received_at, message_id) SELECT CONCAT('wamid.', LPAD(HEX(seq), 12, '0')), \
             'delivered', {at}, {at}, {id} {numbers}; \
             INSERT INTO skip (event_id, hookpoint, client_id, reason, at) SELECT {event}, 'invoice_created', {client}, \
             ELT(1 + seq MOD 3, 'phone_missing', 'opted_out', 'condition_false'), {at} {numbers} WHERE seq MOD 4 = 0; \
             INSERT INTO decision (id, rule, version, verdict, subject, client_id, asked_at, source, hook, asked_by, what_if, question, \
             facts, answer) SELECT {id}, 'upgrade', 1, 'deny', CONCAT('service:', seq), {client}, {at}, '{SOURCE}', 'PreUpgradeCheckout', \
             'client', 0, '{{}}', '{{}}', '{{}}' {numbers} WHERE seq MOD 10 = 0"
        ))
        .await?;
    }
    let keys = indexes.iter().map(|(name, columns, plain)| {
        format!("ADD {} {name} ({columns})", if *plain == 0 { "UNIQUE KEY" } else { "KEY" })
    });
    root.query_drop(format!("ALTER TABLE message {}; SET unique_checks = 1", keys.collect::<Vec<_>>().join(", ")))
        .await?;
    root.query_drop("ANALYZE TABLE event, message, attempt, receipt, skip, decision").await?;
    root.query_drop("SET GLOBAL innodb_buffer_pool_size = 134217728, GLOBAL innodb_flush_log_at_trx_commit = 1")
        .await?;
    root.disconnect().await?;
    Ok(())
}
