//! A search goes along an index, step by step, and over several pages: what it finds is what the database says that there is, in
//! order, nothing twice and nothing left out.

use hookbridge::domain::decision::{Rule, Verdict};
use hookbridge::domain::ids::EventId;
use hookbridge::domain::message::Standing;
use hookbridge::domain::reason::Reason;
use hookbridge::store::decision;
use hookbridge::store::search::{MessageSearch, messages};
use hookbridge::store::search_events::{EventSearch, EventState, events};
use hookbridge::store::walk::{Found, Place};
use jiff::Timestamp;
use mysql_async::prelude::Queryable as _;

use crate::support::bridge::Bridge;
use crate::support::database::{connect, sequence};

/// Several steps of a walk.
const ROWS: u32 = 4_000;

/// Messages of which many are of one moment and some of each kind are far behind; the newest wait in the queue.
async fn fill(bridge: &Bridge) {
    let now = bridge.now().strftime("%Y-%m-%d %H:%M:%S");
    let moment = "IF(seq BETWEEN 1000 AND 1700, 200, FLOOR(seq / 5))";
    let at = format!("'{now}' - INTERVAL {moment} * 7 SECOND");
    let ms = format!("ROUND(1000 * TIMESTAMPDIFF(SECOND, '1970-01-01', {at}))");
    let id = format!("UNHEX(CONCAT(LPAD(HEX({ms}), 12, '0'), '70008', LPAD(HEX({ROWS} - seq), 15, '0')))");
    let numbers = format!("FROM {}", sequence(ROWS));
    let state = "CASE WHEN seq <= 900 THEN 'open' WHEN seq MOD 10 = 0 THEN 'failed' WHEN seq MOD 331 = 0 THEN 'cancelled' \
                 ELSE 'sent' END";
    let receipt = "CASE WHEN seq <= 900 OR seq MOD 10 = 0 OR seq MOD 331 = 0 OR seq IN (950, 3907) THEN NULL WHEN seq MOD 77 = 0 \
                   THEN 'failed' WHEN seq MOD 3 = 0 THEN 'read' ELSE 'delivered' END";
    let reason = "CASE WHEN seq <= 900 THEN NULL WHEN seq MOD 10 = 0 THEN IF(seq IN (910, 3990), 'template_missing', 'refused') \
                  WHEN seq MOD 331 = 0 THEN 'expired' WHEN seq MOD 77 = 0 THEN 'refused' END";
    for sql in [
        format!(
            "INSERT INTO event (id, source, hook, occurred_at, received_at, key_index, body_sha256, body, state, processed_at, trail) \
             SELECT CONCAT('evt_', LPAD({ROWS} - seq, 8, '0')), 'billing', ELT(1 + seq MOD 2, 'InvoiceCreated', 'InvoicePaid'), {at}, {at}, \
             0, REPEAT('x', 32), '{{}}', IF(seq MOD 997 = 0, 'failed', 'processed'), {at}, '[]' {numbers}"
        ),
        format!(
            "INSERT INTO message (id, event_id, hookpoint, subject, client_id, recipient, locale, class, lane, template, language, \
             parameters, body, dedupe_key, created_at, expires_at, state, state_at, reason, attempts, provider_id, receipt) SELECT {id}, \
             CONCAT('evt_', LPAD({ROWS} - seq, 8, '0')), IF(seq MOD 305 = 0, 'domain_deleted', 'invoice_created'), \
             CONCAT('invoice:', seq MOD 50), seq MOD 30, CONCAT('+549117', LPAD(seq MOD 30, 7, '0')), 'es_AR', 'notice', 'main', \
             'invoice_created', 'es_AR', '{{\"body\":[]}}', 'Hola', UNHEX(SHA2(seq, 256)), {at}, {at}, {state}, {at}, {reason}, 1, \
             CONCAT('wamid.', seq), {receipt} {numbers}"
        ),
        format!(
            "INSERT INTO outbox (message_id, lane, state, priority, run_at, recipient, template, expires_at, hookpoint, client_id, \
             event_at, waiting_for) SELECT {id}, 'main', IF(seq MOD 450 = 0, 'held', 'queued'), 2, '{now}' + INTERVAL 1 DAY, \
             CONCAT('+549117', LPAD(seq MOD 30, 7, '0')), 'invoice_created', '{now}' + INTERVAL 9 DAY, 'invoice_created', seq MOD 30, \
             {at}, IF(seq MOD 400 = 0, 'paced_number', NULL) FROM {}",
            sequence(900)
        ),
        format!(
            "INSERT INTO decision (id, rule, version, verdict, subject, client_id, asked_at, source, hook, asked_by, what_if, \
             question, facts, answer) SELECT {id}, ELT(1 + seq MOD 2, 'upgrade', 'cancellation'), 1, IF(seq MOD 997 = 0, 'deny', 'allow'), \
             CONCAT('service:', seq MOD 50), seq MOD 30, {at}, 'billing', 'PreUpgradeCheckout', 'client', 0, '{{}}', '{{}}', '{{}}' {numbers}"
        ),
    ] {
        bridge.db.own(&sql).await;
    }
}

/// All pages of a list, and how many there were.
async fn whole<T, E: std::fmt::Debug>(mut page: impl AsyncFnMut(Option<Place>) -> Result<Found<T>, E>) -> Vec<T> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let found = page(before.take()).await.expect("the database works");
        all.extend(found.items);
        match found.next {
            // As a page's link carries it.
            Some(place) => before = Place::parse(&place.to_string()),
            None => return all,
        }
        assert!(before.is_some(), "a place can be read again");
        assert!(all.len() <= ROWS as usize, "the pages go round in circles");
    }
}

async fn truth(bridge: &Bridge, sql: &str) -> Vec<Vec<u8>> {
    let mut conn = connect(&bridge.db.bridge_url()).await;
    let ids = conn.query(sql).await.expect("the truth");
    conn.disconnect().await.expect("an idle connection closes");
    ids
}

/// What is looked for, and how the database would be asked for it.
fn searches(now: Timestamp) -> Vec<(MessageSearch, &'static str)> {
    let any = MessageSearch::default;
    let since = now - jiff::SignedDuration::from_secs(7 * 300);
    let until = now - jiff::SignedDuration::from_secs(7 * 100);
    let state = |state| MessageSearch { state: Some(state), ..any() };
    let reason = |reason| MessageSearch { reason: Some(reason), ..any() };
    let deleted = Some("domain_deleted".to_owned());
    vec![
        (any(), "TRUE"),
        (state(Standing::Accepted), "m.state = 'sent' AND m.receipt IS NULL"),
        (state(Standing::Delivered), "m.receipt = 'delivered'"),
        (state(Standing::Failed), "(m.state = 'failed' OR m.receipt = 'failed')"),
        (state(Standing::Cancelled), "m.state = 'cancelled'"),
        (state(Standing::Queued), "o.state = 'queued'"),
        (state(Standing::Held), "o.state = 'held'"),
        (
            MessageSearch { since: Some(until), ..state(Standing::Queued) },
            "o.state = 'queued' AND m.created_at >= NOW() - INTERVAL 700 SECOND",
        ),
        (reason(Reason::Refused), "m.reason = 'refused'"),
        (reason(Reason::Expired), "m.reason = 'expired'"),
        (reason(Reason::TemplateMissing), "m.reason = 'template_missing'"),
        (reason(Reason::PacedNumber), "o.waiting_for = 'paced_number'"),
        (
            MessageSearch { state: Some(Standing::Failed), ..reason(Reason::TemplateMissing) },
            "m.reason = 'template_missing'",
        ),
        (MessageSearch { state: Some(Standing::Cancelled), ..reason(Reason::Refused) }, "FALSE"),
        (
            MessageSearch { hookpoint: deleted.clone(), ..reason(Reason::Refused) },
            "m.reason = 'refused' AND m.hookpoint = 'domain_deleted'",
        ),
        (MessageSearch { hookpoint: deleted.clone(), ..any() }, "m.hookpoint = 'domain_deleted'"),
        (
            MessageSearch { hookpoint: deleted, ..state(Standing::Delivered) },
            "m.receipt = 'delivered' AND m.hookpoint = 'domain_deleted'",
        ),
        (
            MessageSearch { hookpoint: Some("invoice_created".to_owned()), ..state(Standing::Accepted) },
            "m.state = 'sent' AND m.receipt IS NULL",
        ),
        (MessageSearch { client: Some(9), ..state(Standing::Read) }, "m.client_id = 9 AND m.receipt = 'read'"),
        (MessageSearch { subject: Some("invoice:9".to_owned()), ..any() }, "m.subject = 'invoice:9'"),
        (
            MessageSearch { event: Some(EventId::parse("evt_00000300").expect("an id")), ..any() },
            "m.event_id = 'evt_00000300'",
        ),
        (
            MessageSearch { since: Some(since), until: Some(until), ..reason(Reason::Refused) },
            "m.reason = 'refused' AND m.created_at >= NOW() - INTERVAL 2100 SECOND AND m.created_at < NOW() - INTERVAL 700 SECOND",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_search_finds_all_that_there_is_in_order_over_its_pages() {
    let bridge = Bridge::start().await;
    fill(&bridge).await;
    let now: Timestamp = bridge.now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string().parse().expect("a moment");
    let store = &bridge.app.store;
    for (search, wish) in searches(now) {
        let wish = wish.replace("NOW()", &format!("'{}'", now.strftime("%Y-%m-%d %H:%M:%S")));
        let sql = format!(
            "SELECT m.id FROM message m LEFT JOIN outbox o ON o.message_id = m.id WHERE {wish} ORDER BY m.created_at DESC, m.id DESC"
        );
        let there = truth(&bridge, &sql).await;
        assert!(!there.is_empty() || wish == "FALSE", "{wish}: the case is empty");
        for limit in [7, 500] {
            let found =
                whole(async |before| messages(store, &MessageSearch { before, limit, ..search.clone() }).await).await;
            let found: Vec<Vec<u8>> = found.iter().map(|one| one.id.0.as_bytes().to_vec()).collect();
            assert!(found == there, "{wish}, {limit} a page: {} found, {} there", found.len(), there.len());
        }
    }
    let failed = EventSearch {
        hook: Some("InvoicePaid".to_owned()),
        state: Some(EventState::Failed),
        limit: 1,
        ..EventSearch::default()
    };
    let found = whole(async |before| events(store, &EventSearch { before, ..failed.clone() }).await).await;
    let found: Vec<Vec<u8>> = found.into_iter().map(|one| one.id.into_bytes()).collect();
    assert_eq!(
        found,
        truth(&bridge, "SELECT id FROM event WHERE state = 'failed' AND hook = 'InvoicePaid' ORDER BY id DESC").await
    );
    assert_eq!(found.len(), 2);
    let denied = decision::Filter {
        rule: Rule::parse("cancellation"),
        verdict: Verdict::parse("deny"),
        limit: 1,
        ..decision::Filter::default()
    };
    let found = whole(async |before| decision::page(store, &decision::Filter { before, ..denied.clone() }).await).await;
    assert_eq!(found.len(), 2);
    let all = decision::list(store, &decision::Filter { limit: 50, ..denied }).await.expect("the database works");
    assert_eq!(all, found, "in one go");
    bridge.app.stop().await;
    bridge.sandbox.stop().await;
}
