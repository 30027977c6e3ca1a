//! No page and no list of the API reads a whole table: every statement that they make is caught in the database's own log, explained,
//! and run again with its reads counted, on tables that are large enough for a scan to show. Pages that are added later are caught, too.

use std::collections::{BTreeMap, BTreeSet};

use hookbridge::demo::accounts::BRIDGE;
use hookbridge::domain::admin::{Role, Who};
use hookbridge::http::openapi;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::support::bridge::{Bridge, answer};
use crate::support::database::{TestDb, connect, second_server, sequence};
use crate::support::lively::{self, links};
use crate::support::person::{Person, token};
use crate::support::turn::turn;

/// Rows of every table that grows.
const ROWS: u32 = 6_000;
/// A scan of so many rows is one of a large table.
const SCAN_ROWS: u64 = 2_000;
/// No statement of a page may read more rows.
const READ_MAX: u64 = 4_500;
/// Addresses of one shape that are opened: a search by several values is one shape.
const EACH: usize = 4;
/// Statements whose work is bounded by something else than an index.
const BOUNDED: [(&str, &str); 6] = [
    ("SELECT COUNT(*) AS n FROM (SELECT ? FROM contacted", "who was written to within two days, by an index"),
    ("SELECT MIN(at) AS oldest FROM contacted", "who was written to within two days, by an index"),
    ("SELECT lane, state, COUNT(*) AS n, MIN(run_at) AS oldest FROM outbox", "the queue holds only what waits"),
    ("SELECT COUNT(*) AS n, (SELECT received_at FROM inbox", "the queue holds only what waits"),
    ("SELECT m.lane, COUNT(*) AS n FROM (SELECT message_id, started_at FROM attempt", "the newest 10,000"),
    ("SELECT hook, MAX(received_at) AS last_at FROM (SELECT hook, source, received_at FROM inbox", "the newest 1,000"),
];

/// Many rows of everything, over the last 20 days, beside what a lively day left.
async fn fill(bridge: &Bridge) {
    let now = bridge.now().strftime("%Y-%m-%d %H:%M:%S");
    let at = format!("'{now}' - INTERVAL seq * 5 MINUTE");
    let numbers = format!("FROM {}", sequence(ROWS));
    let id = "UNHEX(CONCAT('BB', LPAD(HEX(seq), 30, '0')))";
    let to = "CONCAT('+549117', LPAD(seq MOD 3000, 7, '0'))";
    for sql in [
        format!(
            "INSERT INTO event (id, source, hook, occurred_at, received_at, key_index, body_sha256, body, state, processed_at, \
             trail) SELECT CONCAT('old-', seq), 'billing', ELT(1 + seq MOD 4, 'InvoiceCreated', 'InvoicePaid', 'ClientAdd', \
             'AfterModuleSuspend'), {at}, {at}, 0, REPEAT('x', 32), '{{}}', IF(seq MOD 40 = 0, 'failed', 'processed'), {at}, \
             '[]' {numbers}"
        ),
        format!(
            "INSERT INTO message (id, event_id, hookpoint, subject, client_id, recipient, locale, class, lane, template, language, \
             parameters, body, dedupe_key, created_at, expires_at, state, state_at, reason, attempts, provider_id, receipt) \
             SELECT {id}, CONCAT('old-', seq), 'invoice_created', CONCAT('invoice:', seq), 1000 + seq MOD 3000, {to}, 'es_AR', \
             'notice', 'main', 'invoice_created', 'es_AR', '{{\"body\":[]}}', 'Hola', UNHEX(SHA2(seq, 256)), {at}, {at}, \
             IF(seq <= 1000, 'open', IF(seq MOD 40 = 0, 'failed', 'sent')), {at}, IF(seq MOD 40 = 0, 'refused', NULL), 1, \
             CONCAT('wamid.', seq), 'delivered' {numbers}"
        ),
        format!(
            "INSERT INTO attempt (message_id, started_at, ended_at, outcome) SELECT {id}, {at}, {at}, 'accepted' {numbers}"
        ),
        format!(
            "INSERT INTO receipt (provider_id, status, at, received_at, message_id) SELECT CONCAT('wamid.', seq), 'delivered', \
             {at}, {at}, {id} {numbers}"
        ),
        format!(
            "INSERT INTO skip (event_id, hookpoint, client_id, reason, at) SELECT CONCAT('old-', seq), 'invoice_created', \
             1000 + seq MOD 3000, 'phone_missing', {at} {numbers}"
        ),
        format!(
            "INSERT INTO outbox (message_id, lane, state, priority, run_at, recipient, template, expires_at, hookpoint, client_id, \
             event_at) SELECT {id}, 'main', ELT(1 + seq MOD 3, 'queued', 'held', 'unknown'), 2, '{now}' + INTERVAL 1 DAY, {to}, \
             'invoice_created', '{now}' + INTERVAL 9 DAY, 'invoice_created', 1000 + seq, {at} FROM {}", sequence(1000)
        ),
        format!(
            "INSERT INTO inbox (event_id, run_at, source, hook, occurred_at, received_at, key_index, body_sha256, body) SELECT \
             CONCAT('wait-', seq), '{now}' + INTERVAL 1 DAY, 'billing', 'InvoiceCreated', {at}, {at}, 0, REPEAT('x', 32), '{{}}' \
             FROM {}", sequence(1000)
        ),
        format!(
            "INSERT INTO decision (id, rule, version, verdict, subject, client_id, asked_at, source, hook, asked_by, what_if, \
             question, facts, answer) SELECT {id}, 'upgrade', 1, 'deny', CONCAT('service:', seq), seq MOD 3000, {at}, 'billing', \
             'PreUpgradeCheckout', 'client', 0, '{{}}', '{{}}', '{{}}' {numbers}"
        ),
        format!(
            "INSERT INTO audit (at, actor, via, action, target) SELECT {at}, CONCAT('ana', seq MOD 9), 'page', 'message.resend', \
             CONCAT('message:', seq) {numbers}"
        ),
        format!(
            "INSERT INTO decision_override (rule, subject, who, why, made_at, until_at, ended_at) SELECT 'upgrade', \
             CONCAT('service:', seq), 'ana', 'x', {at}, '{now}' + INTERVAL 9 DAY, IF(seq MOD 2 = 0, '{now}', NULL) {numbers}"
        ),
        format!("INSERT INTO contacted (portfolio, recipient, at) SELECT 'other', {to}, {at} FROM {}", sequence(3000)),
        format!("INSERT INTO dedupe (dedupe_key, at) SELECT UNHEX(SHA2(CONCAT('k', seq), 256)), {at} {numbers}"),
        format!(
            "INSERT INTO transition (machine, subject, state, epoch, at) SELECT 'invoice', CONCAT('invoice:', 50000 + seq), 'Paid', \
             1, {at} {numbers}"
        ),
        format!(
            "INSERT INTO mirror (kind, id, state, name, seen_at, live) SELECT 'invoice', 50000 + seq, 'Paid', '', {at}, 0 {numbers}"
        ),
        format!(
            "INSERT INTO consent (recipient, opted_out, evidence, at) SELECT {to}, 1, 'BAJA', {at} FROM {}", sequence(3000)
        ),
        "ANALYZE TABLE event, message, attempt, receipt, skip, outbox, inbox, decision, decision_override, audit, contacted, dedupe, transition, \
         mirror, consent, figure, version, hold"
            .to_owned(),
    ] {
        bridge.db.own(&sql).await;
    }
}

/// What somebody looks for in a field of that name.
fn sample(name: &str, day: &str) -> String {
    let any = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if any(&["client", "invoice", "service", "subject", "id"]) {
        "1007".to_owned()
    } else if any(&["phone", "recipient", "number", "to"]) {
        "+5491170000007".to_owned()
    } else if any(&["since", "from", "until", "day", "date"]) {
        day.to_owned()
    } else {
        "invoice".to_owned()
    }
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()
}

/// The searches that a page offers: each field alone, a list's first values.
fn searches(html: &str, day: &str) -> Vec<String> {
    let mut found = Vec::new();
    for form in html.split("<form").skip(1).filter_map(|rest| rest.split("</form>").next()) {
        let head = form.split('>').next().unwrap_or_default();
        let Some(action) = attribute(head, "action").filter(|_| head.contains("method=\"get\"")) else { continue };
        for input in form.split("<input").skip(1).filter_map(|rest| rest.split('>').next()) {
            if let Some(name) = attribute(input, "name").filter(|_| !input.contains("type=\"hidden\"")) {
                found.push(format!("{action}?{name}={}", sample(name, day).replace('+', "%2B")));
            }
        }
        for select in form.split("<select").skip(1).filter_map(|rest| rest.split("</select>").next()) {
            let Some(name) = attribute(select, "name") else { continue };
            let values = select.split("<option").skip(1).filter_map(|option| attribute(option, "value"));
            found.extend(
                values.filter(|value| !value.is_empty()).take(4).map(|value| format!("{action}?{name}={value}")),
            );
        }
    }
    found
}

/// Opens every page that links, parts and searches lead to, each shape a few times. Returns how many.
async fn look_at_pages(bridge: &Bridge) -> usize {
    let desk = bridge.app.desk.clone().expect("a key is set");
    let person = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    let day = bridge.now().strftime("%Y-%m-%d").to_string();
    let mut waiting = vec!["/admin".to_owned()];
    let (mut seen, mut counts) = (BTreeSet::new(), BTreeMap::<String, usize>::new());
    while let Some(path) = waiting.pop() {
        let count = counts.entry(lively::shape(&path)).or_default();
        if *count >= EACH || !seen.insert(path.clone()) {
            continue;
        }
        *count += 1;
        let page = person.get(&path).await;
        assert!(page.status < 500, "{path}: {}", page.text);
        waiting.extend(links(&page.text));
        waiting.extend(searches(&page.text, &day));
        let parts = page.text.split(" hx-get=\"").skip(1).filter_map(|rest| rest.split('"').next());
        waiting.extend(parts.map(|path| path.replace("&amp;", "&")).filter(|path| path.starts_with("/admin")));
    }
    seen.len()
}

/// Asks every list of the API: plainly, and by each of its parameters.
async fn ask_the_api(bridge: &Bridge) -> usize {
    let desk = bridge.app.desk.clone().expect("a key is set");
    let who = Who::at_the_command_line("test");
    let key = token(&desk, &who, "plans", Role::Administrator).await;
    let day = bridge.now().to_string();
    let mut asked = 0;
    let document = openapi::document();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        if path.contains('{') || !methods["get"].is_object() {
            continue;
        }
        let mut queries = vec![String::new()];
        for parameter in methods["get"]["parameters"].as_array().into_iter().flatten() {
            let parameter = match parameter["$ref"].as_str() {
                Some(place) => document.pointer(place.trim_start_matches('#')).expect("it is there"),
                None => parameter,
            };
            let name = parameter["name"].as_str().unwrap_or_default();
            let values: Vec<String> = match &parameter["schema"]["enum"] {
                Value::Array(values) => values.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
                _ => vec![sample(name, &day).replace('+', "%2B")],
            };
            queries.extend(values.into_iter().map(|value| format!("?{name}={value}")));
        }
        for query in queries {
            let url = bridge.url(&format!("/api/v1{path}{query}"));
            let seen =
                answer(bridge.http.get(url).header("authorization", format!("Bearer {}", key.expose_secret()))).await;
            assert!(matches!(seen.status, 200 | 404 | 422), "{path}{query}: {}", seen.body);
            asked += 1;
        }
    }
    asked
}

/// A statement without its values, so that each is looked at once.
fn shape(sql: &str) -> String {
    let (mut out, mut quote, mut chars) = (String::new(), None, sql.chars().peekable());
    while let Some(c) = chars.next() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) if c == '\\' => {
                chars.next();
            }
            Some(_) => {}
            None if c == '\'' => {
                quote = Some(c);
                out.push('?');
            }
            None if c.is_ascii_digit() && !out.ends_with(|before: char| before.is_alphanumeric() || before == '_') => {
                while chars.next_if(|next| next.is_ascii_alphanumeric() || *next == '.').is_some() {}
                out.push('?');
            }
            None => out.push(c),
        }
    }
    let mut short = out.split_whitespace().collect::<Vec<_>>().join(" ").replace("x?", "?").replace("?, ?", "?,?");
    while short.contains("?,?") {
        short = short.replace("?,?", "?");
    }
    short
}

/// What is wrong with the plan of a statement, and with what it reads.
/// Some statements are written down before their values are known: any value will do for a plan.
fn valued(sql: &str) -> String {
    sql.replace('?', "'2026-01-01'")
}

async fn judge(root: &mut Conn, sql: &str) -> Result<Vec<String>, mysql_async::Error> {
    let mut wrong = Vec::new();
    let plan: Vec<Row> = root.query(format!("EXPLAIN {sql}")).await?;
    for row in plan {
        let text = |name: &str| row.get::<Option<String>, _>(name).flatten().unwrap_or_default();
        let rows = row.get::<Option<u64>, _>("rows").flatten().unwrap_or(0);
        let (table, kind) = (text("table"), text("type"));
        if matches!(kind.as_str(), "ALL" | "index") && rows > SCAN_ROWS && !table.starts_with('<') {
            wrong.push(format!("scans `{table}` ({kind}, {rows} rows)"));
        }
    }
    root.query_drop("FLUSH STATUS").await?;
    let _: Vec<Row> = root.query(sql).await?;
    let read: Vec<(String, u64)> = root.query("SHOW SESSION STATUS LIKE 'Handler_read%'").await?;
    // Temporary tables are read by `rnd`: what counts is what is read of ours, which is read first.
    let read: u64 = read.iter().filter(|(name, _)| !name.contains("deleted")).map(|(_, n)| n).sum();
    if read > READ_MAX {
        wrong.push(format!("reads {read} rows"));
    }
    Ok(wrong)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_and_no_list_reads_a_whole_table() {
    let _turn = turn().await;
    let server = second_server().await;
    let bridge = Bridge::on(TestDb::on(server).await, &[("SENDERS__MAIN__PAIR_INTERVAL_S", "0")], |_| {}).await;
    let fields =
        serde_json::json!({ "invoiceid": hookbridge::demo::data::CAST.invoice_unpaid.id, "source": "autogen" });
    bridge.post("evt_1", &bridge.envelope("InvoiceCreated", &fields)).await;
    bridge.settle().await;
    fill(&bridge).await;
    while bridge.app.count().await.expect("hours are counted") > 0 {}
    let mut root = connect(&server.url_for("root", &bridge.db.own)).await;
    root.query_drop("SET GLOBAL log_output = 'TABLE'; TRUNCATE mysql.general_log; SET GLOBAL general_log = 1")
        .await
        .expect("the log can be turned on");
    let (pages, lists) = (look_at_pages(&bridge).await, ask_the_api(&bridge).await);
    root.query_drop("SET GLOBAL general_log = 0").await.expect("and off");
    let said: Vec<Vec<u8>> = root
        .exec(
            "SELECT argument FROM mysql.general_log WHERE command_type IN ('Query', 'Execute') AND user_host LIKE ?",
            (format!("{BRIDGE}[%"),),
        )
        .await
        .expect("the log can be read");
    let mut statements = BTreeMap::new();
    for sql in said.iter().filter_map(|sql| std::str::from_utf8(sql).ok()) {
        if ["SELECT", "(SELECT", "WITH"].iter().any(|begin| sql.starts_with(begin)) && !sql.contains("FOR UPDATE") {
            // The server writes some statements down before their values are known: the one with values is the one to explain.
            let known = statements.entry(shape(sql)).or_insert_with(|| sql.to_owned());
            if known.contains('?') && !sql.contains('?') {
                sql.clone_into(known);
            }
        }
    }
    assert!(statements.len() > 20 && lists > 2, "{} statements, {pages} searches, {lists} lists", statements.len());
    let (mut wrong, mut unread) = (Vec::new(), Vec::new());
    for (shape, sql) in &statements {
        if BOUNDED.iter().any(|(begin, _)| shape.starts_with(begin)) {
            continue;
        }
        let mut judged = judge(&mut root, sql).await;
        if judged.is_err() && sql.contains('?') {
            judged = judge(&mut root, &valued(sql)).await;
        }
        match judged {
            Ok(all) => wrong.extend(all.into_iter().map(|what| format!("{what}: {shape}"))),
            Err(error) => unread.push(format!("{error}: {shape}")),
        }
    }
    assert!(wrong.is_empty(), "{} of {} statements:\n{}", wrong.len(), statements.len(), wrong.join("\n"));
    assert!(unread.is_empty(), "not explained:\n{}", unread.join("\n"));
    bridge.app.stop().await;
    bridge.sandbox.stop().await;
}

#[test]
fn statements_that_differ_in_their_values_only_have_one_shape() {
    let a = shape("SELECT a1 FROM t WHERE x = 'it\\'s' AND id IN (x'00ff',x'01') LIMIT 50");
    assert_eq!(a, "SELECT a1 FROM t WHERE x = ? AND id IN (?) LIMIT ?");
}
