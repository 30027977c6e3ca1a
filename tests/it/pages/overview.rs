//! The first page: is all well, at a glance.

use std::sync::Arc;

use hookbridge::admin::Desk;
use hookbridge::admin::overview::need::Need;
use hookbridge::admin::overview::{history, now};
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::{Role, Who};
use hookbridge::store::lane::{Pause, PausedBy, pause};
use jiff::SignedDuration;
use mysql_async::prelude::Queryable as _;
use serde_json::json;

use crate::support::acts;
use crate::support::bridge::Bridge;
use crate::support::database::sequence;
use crate::support::person::Person;

fn desk(bridge: &Bridge) -> Arc<Desk> {
    bridge.app.desk.clone().expect("a key is set")
}

fn somebody() -> Who {
    Who::at_the_command_line("test")
}

/// What needs a person, by name.
async fn needs(bridge: &Bridge) -> Vec<&'static str> {
    let state = now(&desk(bridge), &somebody()).await.expect("it can be read");
    state.needs.iter().map(Need::code).collect()
}

/// Sums of the last day and month, by how alerts stand.
async fn sums(bridge: &Bridge) -> ([u64; 5], [u64; 5]) {
    let past = history(&desk(bridge), &somebody()).await.expect("it can be read");
    let sum = |bars: &[hookbridge::admin::overview::Bar]| {
        let mut sums = [0; 5];
        for bar in bars {
            for (sum, n) in sums.iter_mut().zip(bar.counts) {
                *sum += n;
            }
        }
        sums
    };
    (sum(&past.day), sum(&past.month))
}

async fn alert(bridge: &Bridge, id: &str) {
    let fields = json!({ "invoiceid": CAST.invoice_unpaid.id, "source": "autogen" });
    let answer = bridge.post(id, &bridge.envelope("InvoiceCreated", &fields)).await;
    assert_eq!(answer.status, 202);
    bridge.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_says_in_words_that_all_is_well_or_what_needs_somebody() {
    let bridge = Bridge::start().await;
    let ana = Person::logged_in(&desk(&bridge), &bridge.url(""), Role::Viewer).await;
    assert_eq!(needs(&bridge).await, ["not_counted", "sweep_late"], "nothing ran yet");
    bridge.app.sweep().await.expect("a sweep");
    bridge.app.count().await.expect("hours are counted");
    let page = ana.get("/admin").await;
    assert_eq!(page.status, 200);
    page.shows("Todo funciona.");
    page.shows("hx-get=\"/admin/overview/now\"");
    let stop = Pause {
        lane: "main".to_owned(),
        until: bridge.now() + SignedDuration::from_hours(1),
        by: PausedBy::Operator,
        detail: "<script>alert(1)</script>".to_owned(),
    };
    pause(&bridge.app.store, &stop, bridge.now()).await.expect("a stop");
    let part = ana.part("/admin/overview/now").await;
    assert!(part.status == 200 && part.text.starts_with("<div"), "a part, not a page: {}", part.text);
    part.shows("El número «main» está detenido");
    part.shows("&lt;script&gt;alert(1)&lt;/script&gt;");
    part.hides("<script");
    part.shows("href=\"/admin/settings/numbers\"");
    for language in ["en", "pt_BR"] {
        let page = ana.get(&format!("/admin?lang={language}")).await;
        page.hides("Requiere atención (");
        page.hides("overview.");
    }
    acts::resume_lane(&bridge.app.store, "main", bridge.now()).await;
    assert_eq!(needs(&bridge).await, Vec::<&str>::new());
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_too_long_what_is_held_and_what_is_unknown_asks_for_somebody() {
    let bridge = Bridge::start().await;
    bridge.app.sweep().await.expect("a sweep");
    alert(&bridge, "evt_1").await;
    bridge.app.count().await.expect("hours are counted");
    bridge.db.crowd(3, bridge.now()).await;
    bridge.db.own("UPDATE outbox SET state = 'held', waiting_for = 'mass_hold' ORDER BY message_id LIMIT 1").await;
    bridge.db.own("UPDATE outbox SET state = 'unknown' WHERE state = 'queued' ORDER BY message_id LIMIT 1").await;
    bridge
        .db
        .own("INSERT INTO hold (hookpoint, state, since, counted, allowed) VALUES ('invoice_created', 'asked', '2026-01-01', 9, 3)")
        .await;
    assert_eq!(needs(&bridge).await, ["held", "unknown"]);
    bridge.wait_s(605);
    assert_eq!(needs(&bridge).await, ["outbox_old", "not_counted", "held", "unknown"]);
    let state = now(&desk(&bridge), &somebody()).await.expect("it can be read");
    let number = &state.numbers[0];
    assert_eq!([number.queued.depth, number.held.depth, number.unknown.depth, number.recipients], [1, 1, 1, 2]);
    let ana = Person::logged_in(&desk(&bridge), &bridge.url(""), Role::Viewer).await;
    let page = ana.get("/admin").await;
    for link in ["/admin/holds", "/admin/messages?state=unknown", "/admin/messages?state=queued"] {
        page.shows(&format!("href=\"{link}\""));
    }
    bridge.db.own("DELETE FROM outbox").await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn counts_follow_the_receipts_and_outlive_the_rows() {
    let bridge = Bridge::start().await;
    alert(&bridge, "evt_1").await;
    let mut counted = 0;
    loop {
        match bridge.app.count().await.expect("counting") {
            0 => break,
            more => counted += more,
        }
    }
    assert!(counted > 700, "every hour of a month, once, not {counted}");
    let ((day, month), first) = (sums(&bridge).await, [2, 0, 0, 0, 0]);
    assert_eq!((day, month), (first, first), "delivered, to the client and a contact");
    assert_eq!(bridge.app.count().await.expect("counting"), 0, "nothing is due");
    // A receipt that comes late, and an alert that failed for a reason.
    bridge.db.own("UPDATE message SET receipt = 'failed', reason = 'refused'").await;
    assert_eq!(sums(&bridge).await.0, first, "not yet counted");
    bridge.wait_s(46);
    assert!((1..=2).contains(&bridge.app.count().await.expect("counting")), "the young hours");
    assert_eq!(sums(&bridge).await.0, [0, 0, 0, 2, 0]);
    let past = history(&desk(&bridge), &somebody()).await.expect("it can be read");
    assert_eq!((past.failures[0].reason.as_str(), past.failures[0].day), ("refused", 2));
    let heard = past.hooks.iter().find(|line| line.hook == "InvoiceCreated").expect("it was heard");
    assert_eq!((heard.day, heard.used, heard.limit), (1, true, None), "too young to have a rhythm");
    // Ten days later its hour is not counted again, though its row is gone.
    bridge.wait_s(10 * 86_400);
    bridge.db.own("DELETE FROM message").await;
    while bridge.app.count().await.expect("counting") > 0 {}
    assert_eq!(sums(&bridge).await, ([0; 5], [0, 0, 0, 2, 0]));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_that_falls_silent_is_told_of_once_and_judged_by_its_own_history() {
    let bridge = Bridge::start().await;
    bridge.app.sweep().await.expect("a sweep");
    // Every eight hours for ten days; the last was 25 hours ago.
    bridge
        .db
        .own(&format!(
            "INSERT INTO event (id, source, hook, occurred_at, received_at, key_index, body_sha256, body, state) \
             SELECT CONCAT('old-', seq), 'billing', 'InvoiceCreated', t, t, 0, REPEAT('x', 32), '{{}}', 'processed' \
             FROM (SELECT seq, '{}' - INTERVAL 17 HOUR - INTERVAL seq * 8 HOUR AS t FROM {}) times",
            bridge.now().strftime("%Y-%m-%d %H:%M:%S"),
            sequence(31)
        ))
        .await;
    // What the sweep found is no sign of life.
    bridge
        .db
        .own("INSERT INTO event SELECT 'sweep-1', 'sweep', hook, occurred_at, received_at + INTERVAL 25 HOUR, key_index, \
              body_sha256, body, state, processed_at, trail FROM event WHERE id = 'old-0'")
        .await;
    for _ in 0..10 {
        bridge.app.count().await.expect("counting");
    }
    let page_needs = needs(&bridge).await;
    assert_eq!(page_needs, ["silent"]);
    let text = bridge.app.metrics.text();
    assert!(text.contains("hookbridge_hook_silent{hook=\"InvoiceCreated\"} 1"), "{text}");
    assert!(text.contains("hookbridge_hook_silent{hook=\"InvoicePaid\"} 0"), "never heard, never silent: {text}");
    assert!(text.contains("hookbridge_faults_total{result=\"hook_silent\"} 1"), "told once: {text}");
    let ana = Person::logged_in(&desk(&bridge), &bridge.url(""), Role::Viewer).await;
    let page = ana.get("/admin").await;
    page.shows("De InvoiceCreated no llega nada desde hace 25 h");
    alert(&bridge, "evt_1").await;
    bridge.wait_s(46);
    bridge.app.count().await.expect("counting");
    assert_eq!(needs(&bridge).await, Vec::<&str>::new(), "it is heard again");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_provider_says_of_a_number_is_kept_and_shown() {
    let bridge = Bridge::start().await;
    let webhook = json!({ "object": "whatsapp_business_account", "entry": [{ "id": "1", "changes": [{
        "field": "phone_number_quality_update",
        "value": { "display_phone_number": "15550001111", "event": "FLAGGED", "current_limit": "TIER_2K" } }] }] });
    let body = webhook.to_string();
    let signature = hookbridge::signature::sign_hub(body.as_bytes(), &bridge.secrets.app_secret.clone().into());
    let answer = bridge
        .http
        .post(bridge.url("/v1/receipts/main"))
        .header("content-type", "application/json")
        .header("x-hub-signature-256", signature)
        .body(body)
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status(), 200);
    let state = now(&desk(&bridge), &somebody()).await.expect("it can be read");
    let news = state.numbers[0].news.as_ref().expect("news");
    assert_eq!((news.event.as_str(), news.daily_limit.as_deref()), ("FLAGGED", Some("TIER_2K")));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readiness_and_metrics_answer_soon_while_a_database_hangs() {
    let bridge = Bridge::start().await;
    // A table that is locked hangs whoever reads it, as a full disk does.
    let mut lock = bridge.db.platform().await;
    lock.query_drop(format!("LOCK TABLES `{}`.inbox WRITE", bridge.db.own)).await.expect("a lock");
    // The lock is held all the while: what waited for it would never answer.
    for (path, status) in [("/metrics", 200), ("/readyz", 503)] {
        let answer = bridge.http.get(bridge.url(path)).timeout(std::time::Duration::from_mins(1)).send().await;
        assert_eq!(answer.expect("an answer").status(), status, "{path}");
    }
    lock.query_drop("UNLOCK TABLES").await.expect("unlocked");
    bridge.finish().await;
}
