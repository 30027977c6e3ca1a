//! The platform's releases: what the same rows mean in 8.13 and in 9.0, and what is made of them.

use hookbridge::demo::accounts::READER;
use hookbridge::demo::schema::Release;
use mysql_async::prelude::Queryable as _;
use serde::Deserialize;
use serde_json::json;

use super::line;
use crate::support::bridge::Bridge;
use crate::support::database::{TestDb, connect};

/// One row of `tests/vectors/releases.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    release: String,
    /// What the platform writes.
    sql: Vec<String>,
    /// What it writes after the hook.
    #[serde(default)]
    then: Option<String>,
    /// The hook that fires; without one the sweep looks.
    hook: Option<String>,
    invoice: u64,
    /// The hookpoint of the one alert that the client gets.
    sent: Option<String>,
    #[serde(default)]
    reason: Option<String>,
    #[serde(default)]
    says: Option<String>,
    #[serde(default)]
    says_too: Option<String>,
    #[serde(default)]
    says_not: Option<String>,
}

const SETTINGS: [(&str, &str); 2] =
    [("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("HOOKPOINTS__PAYMENT_RECEIVED__SETTLE_S", "3")];

async fn bridge(release: Release) -> Bridge {
    let bridge = Bridge::on(TestDb::of(release).await, &SETTINGS, |_| {}).await;
    bridge.app.sweep().await.expect("the sweep looks around");
    bridge
}

async fn play(case: &Case, bridge: &Bridge) -> Result<(), String> {
    for sql in &case.sql {
        bridge.platform(sql).await;
    }
    if let Some(hook) = &case.hook {
        bridge.fire(&[line(hook, &json!({ "invoiceid": case.invoice }))]).await;
    } else {
        for _ in 0..2 {
            bridge.wait_s(600);
            bridge.app.sweep().await.expect("the sweep runs");
            bridge.settle().await;
        }
    }
    bridge.settle().await;
    if let Some(sql) = &case.then {
        bridge.platform(sql).await;
    }
    bridge.wait_s(40);
    bridge.settle().await;
    let messages = bridge.messages().await;
    let own: Vec<_> = messages.iter().filter(|one| one.contact_id.is_none() && one.user_id.is_none()).collect();
    let sent: Vec<&str> =
        own.iter().filter(|one| one.standing() == "delivered").map(|one| one.hookpoint.as_str()).collect();
    let reasons = bridge.reasons().await;
    let text = own.first().map(|one| one.text.clone()).unwrap_or_default();
    let right = sent == case.sent.iter().map(String::as_str).collect::<Vec<_>>()
        && case.reason.as_ref().is_none_or(|reason| reasons.contains(reason))
        && case.says.iter().chain(&case.says_too).all(|part| text.contains(part))
        && case.says_not.iter().all(|part| !text.contains(part));
    if right { Ok(()) } else { Err(format!("{} ({}): {sent:?} {reasons:?} {text:?}", case.name, case.release)) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_mean_in_each_release_what_the_vectors_say() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../vectors/releases.json")).expect("the vectors");
    let mut wrong = Vec::new();
    for case in &cases {
        let bridge = bridge(Release::parse(&case.release).expect("a release")).await;
        wrong.extend(play(case, &bridge).await.err());
        bridge.finish().await;
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_its_column_a_credit_note_is_known_by_what_it_lacks_and_doctor_asks_for_the_grant() {
    let bridge = bridge(Release::V9_0).await;
    let billing = &bridge.db.billing;
    let (_, out, _) = bridge.run(&["doctor"]).await;
    assert!(!out.contains("billingnoteid"), "it is granted: {out}");
    bridge
        .platform(&format!("REVOKE SELECT (billingnoteid) ON `{billing}`.tblaccounts FROM '{READER}'@'localhost'"))
        .await;
    let (_, out, _) = bridge.run(&["doctor"]).await;
    assert!(out.contains("tblaccounts.billingnoteid"), "{out}");
    let another = bridge.another().await;
    bridge
        .platform(
            "INSERT INTO tblaccounts (userid, currency, gateway, date, description, amountin, transid, invoiceid, type, billingnoteid) \
             VALUES (3, 0, '', NOW(), '', 200, '', 10, 'invoice_billing_adjustment_credit', 903)",
        )
        .await;
    bridge.wait_s(3600);
    bridge.post("evt_1", &bridge.envelope("AddInvoicePayment", &json!({ "invoiceid": 10 }))).await;
    another.drain().await.expect("the workers work");
    bridge.wait_s(60);
    another.drain().await.expect("the workers work");
    assert_eq!(bridge.reasons().await, ["payment_missing"]);
    another.stop().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_platform_of_8_there_is_no_such_column_and_nothing_asks_for_it() {
    let bridge = bridge(Release::V8_13).await;
    let (_, out, _) = bridge.run(&["doctor"]).await;
    assert!(out.contains("all needed columns can be read") && !out.contains("billingnoteid"), "{out}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stub_names_the_payment_and_not_the_credit_note_beside_it() {
    for release in [Release::V8_13, Release::V9_0] {
        let bridge = bridge(release).await;
        let it = hookbridge::demo::data::CAST.payment;
        let paid = hookbridge::demo::data::CAST.invoice_paid;
        bridge.fire(&[line("AddInvoicePayment", &json!({ "invoiceid": paid.id }))]).await;
        bridge.settle().await;
        bridge.wait_s(4);
        bridge.settle().await;
        let messages = bridge.messages().await;
        assert_eq!(messages.first().map(|one| one.hookpoint.as_str()), Some("payment_received"));
        let mut own = connect(&bridge.db.bridge_url()).await;
        let body: Option<String> = own.query_first("SELECT body FROM event").await.expect("the event");
        own.disconnect().await.expect("an idle connection closes");
        let named = format!("\"payment_id\":{}", it.id);
        assert!(body.as_deref().is_some_and(|body| body.contains(&named)), "{release:?}: {body:?}");
        bridge.finish().await;
    }
}
