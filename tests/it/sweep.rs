//! The sweep: what no hook told of is told once, and never what is old or was told already.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use hookbridge::catalogue::Catalogue;
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::Who;
use hookbridge::process::sweep::{Settings, Sweep, Swept};
use hookbridge::store::audit::Record;
use hookbridge::store::mirror;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::support::bridge::Bridge;

/// Ten minutes pass, and the sweep has its turn.
async fn sweep(bridge: &Bridge) -> Swept {
    bridge.wait_s(600);
    let swept = bridge.app.sweep().await.expect("the sweep runs");
    assert!(!swept.not_our_turn);
    bridge.settle().await;
    swept
}

/// A bridge whose sweep knows all rows.
async fn looked_around() -> Bridge {
    looked_around_with(&[("SENDERS__MAIN__PAIR_INTERVAL_S", "0")]).await
}

async fn looked_around_with(settings: &[(&str, &str)]) -> Bridge {
    let bridge = Bridge::with(settings, |_| {}).await;
    assert_eq!(sweep(&bridge).await.filling.len(), 7);
    bridge
}

/// Two sweeps: the first sees a change, the second has waited for its hook.
async fn twice(bridge: &Bridge) -> Swept {
    assert_eq!(sweep(bridge).await.stored, 0, "the sweep speaks before the hook had its time");
    sweep(bridge).await
}

/// A hook that fired and came at once. (Real PHP signs with the machine's time, and here hours pass.)
async fn fired(bridge: &Bridge, id: &str, hook: &str, fields: &Value, gone: &Value) {
    let mut body = bridge.envelope(hook, fields);
    body["gone"] = gone.clone();
    assert_eq!(bridge.post(id, &body).await.status, 202);
    bridge.settle().await;
}

/// An event from the spool: fired at `occurred_at`, sent only now.
async fn late(bridge: &Bridge, id: &str, hook: &str, fields: &Value, occurred_at: Timestamp) {
    let mut body = bridge.envelope(hook, fields);
    body["occurred_at"] = json!(occurred_at.to_string());
    assert_eq!(bridge.post(id, &body).await.status, 202);
    bridge.settle().await;
}

async fn hookpoints(bridge: &Bridge) -> Vec<String> {
    bridge.messages().await.into_iter().filter(|m| m.contact_id.is_none()).map(|m| m.hookpoint).collect()
}

async fn new_invoice(bridge: &Bridge, id: u32, client: u32, status: &str) {
    // As a module writes it: no created_at, no dates.
    let sql = format!(
        "INSERT INTO tblinvoices (id, userid, invoicenum, subtotal, credit, tax, tax2, total, status, paymentmethod, notes) \
         VALUES ({id}, {client}, '', 100, 0, 0, 0, 100, '{status}', 'transfer', '')"
    );
    bridge.platform(&sql).await;
}

async fn set(bridge: &Bridge, table: &str, column: &str, value: &str, id: u32) {
    bridge.platform(&format!("UPDATE {table} SET {column} = '{value}' WHERE id = {id}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_sweep_looks_around_and_tells_nobody() {
    let bridge = looked_around().await;
    let swept = twice(&bridge).await;
    assert_eq!((swept.stored, swept.heard, swept.old), (0, 0, 0));
    assert!(swept.filling.is_empty() && swept.rows > 100, "{swept:?}");
    assert!(bridge.messages().await.is_empty() && bridge.reasons().await.is_empty());
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_whose_hook_was_lost_is_told_once_and_its_late_hook_tells_nobody() {
    let bridge = looked_around().await;
    let made = bridge.now();
    new_invoice(&bridge, 9001, CAST.client_spanish, "Unpaid").await;
    assert_eq!(twice(&bridge).await.stored, 1);
    assert_eq!(hookpoints(&bridge).await, ["invoice_created"]);
    let event = bridge.event(&bridge.messages().await[0].event_id).await;
    assert_eq!((event.source.as_str(), event.hook.as_str()), ("sweep", "InvoiceCreated"));
    assert_eq!(twice(&bridge).await.stored, 0);
    late(&bridge, "evt_late", "InvoiceCreated", &json!({ "invoiceid": 9001 }), made).await;
    assert_eq!(hookpoints(&bridge).await.len(), 1);
    assert!(bridge.reasons().await.iter().all(|reason| reason == "already_queued"));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_hook_fired_the_sweep_stays_silent_also_if_nobody_could_be_told() {
    let bridge = looked_around().await;
    new_invoice(&bridge, 9001, CAST.client_spanish, "Unpaid").await;
    new_invoice(&bridge, 9002, CAST.client_without_phone, "Unpaid").await;
    set(&bridge, "tblhosting", "domainstatus", "Suspended", CAST.service_active.id).await;
    let service = json!({ "params": { "serviceid": CAST.service_active.id, "userid": CAST.service_active.client } });
    fired(&bridge, "evt_1", "InvoiceCreated", &json!({ "invoiceid": 9001 }), &json!({})).await;
    fired(&bridge, "evt_2", "InvoiceCreated", &json!({ "invoiceid": 9002 }), &json!({})).await;
    fired(&bridge, "evt_3", "AfterModuleSuspend", &service, &json!({})).await;
    let (before, why) = (bridge.messages().await.len(), bridge.reasons().await);
    let swept = twice(&bridge).await;
    assert_eq!((swept.stored, swept.heard), (0, 3));
    assert_eq!((bridge.messages().await.len(), bridge.reasons().await), (before, why));

    // Nothing to pay: heard, and not worth a word.
    new_invoice(&bridge, 9003, CAST.client_spanish, "Unpaid").await;
    bridge.platform("UPDATE tblinvoices SET total = 0 WHERE id = 9003").await;
    fired(&bridge, "evt_4", "InvoiceCreated", &json!({ "invoiceid": 9003 }), &json!({})).await;
    let swept = twice(&bridge).await;
    assert_eq!((swept.stored, swept.heard), (0, 1));
    set(&bridge, "tblinvoices", "status", "Cancelled", 9003).await;
    fired(&bridge, "evt_5", "InvoiceCancelled", &json!({ "invoiceid": 9003 }), &json!({})).await;
    let swept = twice(&bridge).await;
    assert_eq!((swept.stored, swept.heard), (0, 1));
    assert_eq!(bridge.messages().await.len(), before);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_that_is_published_is_announced_and_one_that_is_cancelled_is_not() {
    let bridge = looked_around().await;
    new_invoice(&bridge, 9001, CAST.client_spanish, "Draft").await;
    new_invoice(&bridge, 9002, CAST.client_english, "Draft").await;
    assert_eq!(twice(&bridge).await.stored, 0);
    set(&bridge, "tblinvoices", "status", "Unpaid", 9001).await;
    set(&bridge, "tblinvoices", "status", "Cancelled", 9002).await;
    assert_eq!(twice(&bridge).await.stored, 1);
    let messages = bridge.messages().await;
    assert!(messages.iter().all(|m| m.hookpoint == "invoice_created" && m.subject == "invoice:9001"), "{messages:#?}");
    assert!(!messages.is_empty());
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_cancelled_through_the_api_is_told_and_so_is_a_second_cancellation() {
    let bridge = looked_around().await;
    let id = CAST.invoice_unpaid.id;
    for status in ["Cancelled", "Unpaid", "Cancelled"] {
        set(&bridge, "tblinvoices", "status", status, id).await;
        twice(&bridge).await;
        bridge.wait_s(3600);
    }
    assert_eq!(hookpoints(&bridge).await, ["invoice_cancelled", "invoice_cancelled"]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_and_went_between_two_sweeps_is_told_only_if_its_beginning_was() {
    let bridge = looked_around().await;
    let (unheard, heard) = (CAST.service_english, CAST.service_active);
    for one in [unheard, heard] {
        set(&bridge, "tblhosting", "domainstatus", "Suspended", one.id).await;
    }
    let fields = json!({ "params": { "serviceid": heard.id, "userid": heard.client } });
    fired(&bridge, "evt_1", "AfterModuleSuspend", &fields, &json!({})).await;
    for one in [unheard, heard] {
        set(&bridge, "tblhosting", "domainstatus", "Active", one.id).await;
    }
    // The hook of its beginning had its time already.
    assert_eq!(sweep(&bridge).await.stored, 1);
    assert_eq!(hookpoints(&bridge).await, ["service_suspended", "service_reactivated"]);
    assert!(bridge.messages().await.iter().all(|m| m.client_id == u64::from(heard.client)));
    assert_eq!(twice(&bridge).await.stored, 0);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_real_change_of_a_service_without_hooks_is_told_and_late_hooks_of_it_are_not() {
    let bridge = looked_around().await;
    let it = CAST.service_english;
    let fields = json!({ "params": { "serviceid": it.id, "userid": it.client } });
    let mut fired = Vec::new();
    for (status, hook) in [
        ("Suspended", "AfterModuleSuspend"),
        ("Active", "AfterModuleUnsuspend"),
        ("Suspended", "AfterModuleSuspend"),
        ("Cancelled", "AfterModuleTerminate"),
    ] {
        set(&bridge, "tblhosting", "domainstatus", status, it.id).await;
        fired.push((hook, bridge.now()));
        assert_eq!(twice(&bridge).await.stored, 1, "{status}");
    }
    let expected = ["service_suspended", "service_reactivated", "service_suspended", "service_terminated"];
    assert_eq!(hookpoints(&bridge).await, expected);
    // The spool is sent seven hours later: longer than the platform may repeat itself.
    bridge.wait_s(7 * 3600);
    for (index, (hook, at)) in fired.into_iter().enumerate() {
        late(&bridge, &format!("evt_late_{index}"), hook, &fields, at).await;
    }
    assert_eq!(hookpoints(&bridge).await, expected);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_that_waits_in_the_inbox_for_hours_and_the_sweep_are_one_alert() {
    let bridge = looked_around().await;
    let it = CAST.service_english;
    set(&bridge, "tblhosting", "domainstatus", "Suspended", it.id).await;
    let body = bridge.envelope("AfterModuleSuspend", &json!({ "params": { "serviceid": it.id, "userid": it.client } }));
    assert_eq!(bridge.post("evt_waits", &body).await.status, 202);
    bridge.wait_s(7 * 3600);
    for _ in 0..2 {
        bridge.app.sweep().await.expect("the sweep runs");
        bridge.wait_s(600);
    }
    bridge.settle().await;
    assert_eq!(hookpoints(&bridge).await, ["service_suspended"]);
    assert_eq!(bridge.reasons().await, ["same_transition"]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_domain_whose_row_is_gone_is_told_by_its_name_unless_the_hook_did() {
    let bridge = looked_around().await;
    let (lost, heard) = (CAST.domain, CAST.domain_international);
    let fields = json!({ "userid": heard.client, "domainid": heard.id });
    let gone = json!({ "userid": heard.client, "domain": "heard.example" });
    fired(&bridge, "evt_1", "DomainDelete", &fields, &gone).await;
    bridge.platform(&format!("DELETE FROM tbldomains WHERE id IN ({}, {})", lost.id, heard.id)).await;
    let swept = twice(&bridge).await;
    assert_eq!((swept.stored, swept.heard), (1, 1));
    let messages = bridge.messages().await;
    let found: Vec<_> = messages.iter().filter(|m| m.subject == format!("domain:{}", lost.id)).collect();
    assert!(!found.is_empty() && found.iter().all(|m| m.text.contains("nanezhermanos-demo.com.ar")), "{messages:#?}");
    assert_eq!(twice(&bridge).await.stored, 0);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_payment_that_no_hook_told_of_is_told_beside_one_that_was_heard() {
    let bridge = looked_around().await;
    let it = CAST.invoice_english;
    let pay = |id: u32| {
        format!(
            "INSERT INTO tblaccounts (id, userid, currency, gateway, date, description, amountin, fees, amountout, rate, \
             transid, invoiceid) VALUES ({id}, {}, 0, 'transfer', '0000-00-00', '', 10, 0, 0, 1, '', {})",
            it.client, it.id
        )
    };
    bridge.platform(&pay(9001)).await;
    let gone = json!({ "payment_id": 9001 });
    fired(&bridge, "evt_1", "AddInvoicePayment", &json!({ "invoiceid": it.id }), &gone).await;
    bridge.platform(&pay(9002)).await;
    let swept = twice(&bridge).await;
    assert_eq!((swept.stored, swept.heard), (1, 1));
    assert_eq!(hookpoints(&bridge).await, ["payment_received", "payment_received"]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_paid_from_credit_without_its_hook_is_told_once() {
    let bridge = looked_around().await;
    let it = CAST.invoice_english;
    let paid = bridge.now();
    set(&bridge, "tblinvoices", "status", "Paid", it.id).await;
    assert_eq!(twice(&bridge).await.stored, 1);
    late(&bridge, "evt_late", "InvoicePaid", &json!({ "invoiceid": it.id }), paid).await;
    assert_eq!(hookpoints(&bridge).await, ["payment_received"]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_and_a_quote_without_hooks_are_told_and_a_prospects_quote_is_not() {
    let bridge = looked_around().await;
    let columns = "subject, stage, validuntil, userid, firstname, lastname, companyname, email, currency, total";
    for (id, client) in [(9001, CAST.client_spanish), (9002, 0)] {
        let sql = format!(
            "INSERT INTO tblquotes (id, {columns}) VALUES ({id}, 'VPS', 'Draft', '2030-01-01', {client}, '', '', '', '', 1, 10)"
        );
        bridge.platform(&sql).await;
    }
    bridge
        .platform(
            "INSERT INTO tblclients (id, firstname, lastname, phonenumber, country, currency, status, language, datecreated) \
             VALUES (9001, 'Ana', 'Paz', '+54.91155559001', 'AR', 1, 'Active', 'spanish', '0000-00-00')",
        )
        .await;
    assert_eq!(twice(&bridge).await.stored, 1);
    bridge.platform("UPDATE tblquotes SET stage = 'Delivered' WHERE id IN (9001, 9002)").await;
    assert_eq!(twice(&bridge).await.stored, 1);
    assert_eq!(hookpoints(&bridge).await, ["client_registered", "quote_available"]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_have_happened_long_ago_is_remembered_and_not_told() {
    let bridge = looked_around().await;
    // Nobody swept for three days.
    bridge.wait_s(3 * 24 * 3600);
    set(&bridge, "tblhosting", "domainstatus", "Suspended", CAST.service_active.id).await;
    new_invoice(&bridge, 9001, CAST.client_spanish, "Unpaid").await;
    let old = sweep(&bridge).await.old + sweep(&bridge).await.old;
    assert_eq!(old, 2);
    // Rows that were brought in from elsewhere.
    new_invoice(&bridge, 9002, CAST.client_spanish, "Unpaid").await;
    bridge.platform("UPDATE tblinvoices SET created_at = '2015-03-01 10:00:00' WHERE id = 9002").await;
    assert_eq!(sweep(&bridge).await.old, 1);
    assert_eq!(twice(&bridge).await.stored, 0);
    assert!(bridge.messages().await.is_empty());
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_platforms_own_time_zone_says_what_is_old() {
    for (zone, local_age_h, told) in [("Asia/Tokyo", 55, 0), ("America/Los_Angeles", 45, 1)] {
        let settings = [("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("BILLING__TIMEZONE", zone)];
        let bridge = looked_around_with(&settings).await;
        let local = (bridge.now() - SignedDuration::from_hours(local_age_h))
            .to_zoned(TimeZone::get(zone).expect("a zone"))
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string();
        let it = CAST.invoice_english;
        bridge
            .platform(&format!(
                "INSERT INTO tblaccounts (id, userid, gateway, date, description, amountin, fees, amountout, rate, transid, \
                 invoiceid) VALUES (9001, {}, 'transfer', '{local}', '', 10, 0, 0, 1, '', {})",
                it.client, it.id
            ))
            .await;
        assert_eq!(twice(&bridge).await.stored, told, "{zone}");
        bridge.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_is_the_rows_own_where_all_ids_are_seven() {
    let bridge = looked_around().await;
    set(&bridge, "tblhosting", "domainstatus", "Suspended", 7).await;
    set(&bridge, "tblinvoices", "status", "Cancelled", 7).await;
    bridge.platform("DELETE FROM tbldomains WHERE id = 7").await;
    assert_eq!(twice(&bridge).await.stored, 3);
    let owners: BTreeMap<String, u64> = bridge.messages().await.into_iter().map(|m| (m.subject, m.client_id)).collect();
    for (subject, owner) in [
        ("service:7", CAST.service_seven.client),
        ("invoice:7", CAST.invoice_seven.client),
        ("domain:7", CAST.domain_seven.client),
    ] {
        assert_eq!(owners.get(subject), Some(&u64::from(owner)), "{subject} {owners:?}");
    }
    bridge.finish().await;
}

fn another(bridge: &Bridge, owner: &str) -> Sweep {
    Sweep {
        store: bridge.app.store.clone(),
        billing: bridge.app.billing.clone(),
        catalogue: Arc::new(ArcSwap::from_pointee(Catalogue::built_in(&BTreeMap::new()).expect("a catalogue"))),
        settings: Settings {
            enabled: true,
            every: SignedDuration::ZERO,
            grace: SignedDuration::from_mins(10),
            rows_max: 50_000,
            events_max: 500,
            age_max: SignedDuration::from_hours(48),
            zone: TimeZone::UTC,
        },
        clock: bridge.clock.clone(),
        metrics: bridge.app.metrics.clone(),
        inbox_bell: Arc::new(Notify::new()),
        owner: owner.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_sweepers_take_turns_and_even_both_at_once_tell_once() {
    let bridge = looked_around().await;
    new_invoice(&bridge, 9001, CAST.client_spanish, "Unpaid").await;
    set(&bridge, "tblhosting", "domainstatus", "Suspended", CAST.service_active.id).await;
    sweep(&bridge).await;
    bridge.wait_s(600);
    let (_stopper, stop) = hookbridge::stop::pair();
    // One name: as if the one that lost its turn had not noticed.
    let (left, right) = (another(&bridge, "same"), another(&bridge, "same"));
    let (a, b) = tokio::join!(left.round(&stop), right.round(&stop));
    let told = a.expect("a round").stored + b.expect("a round").stored;
    assert_eq!(told, 2);
    bridge.settle().await;
    assert_eq!(hookpoints(&bridge).await.len(), 2);
    // Different names: only one has the turn.
    assert!(
        hookbridge::store::mirror::take_turn(&bridge.app.store, "one", SignedDuration::from_mins(5), bridge.now())
            .await
            .expect("the turn")
    );
    assert!(another(&bridge, "two").round(&stop).await.expect("a round").not_our_turn);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_suddenly_empty_is_no_news_of_deleted_domains() {
    let bridge = looked_around().await;
    bridge.platform("DELETE FROM tbldomains").await;
    assert_eq!(twice(&bridge).await.stored, 0);
    assert!(bridge.app.metrics.text().contains("hookbridge_faults_total{result=\"sweep\"}"));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stub_cannot_claim_to_be_the_sweep() {
    let bridge = Bridge::start().await;
    let it = CAST.service_english;
    let fields = json!({ "params": { "serviceid": it.id, "userid": it.client } });
    set(&bridge, "tblhosting", "domainstatus", "Suspended", it.id).await;
    bridge.post("evt_1", &bridge.envelope("AfterModuleSuspend", &fields)).await;
    bridge.settle().await;
    bridge.wait_s(600);
    let mut body = bridge.envelope("AfterModuleSuspend", &fields);
    body["otherwise_at"] = json!(bridge.now().to_string());
    bridge.post("evt_2", &body).await;
    bridge.settle().await;
    assert_eq!(bridge.reasons().await, ["same_transition"]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_owners_hear_of_a_service_that_the_sweep_finds_with_another_each_time_it_moves() {
    let bridge = looked_around().await;
    let it = CAST.service_portuguese;
    for (round, owner) in [CAST.client_english, it.client, CAST.client_english].into_iter().enumerate() {
        set(&bridge, "tblhosting", "userid", &owner.to_string(), it.id).await;
        assert_eq!(sweep(&bridge).await.stored, 1, "move {round}");
        assert_eq!(sweep(&bridge).await.stored, 0);
        let messages = bridge.messages().await;
        assert_eq!(messages.len(), 2 * (round + 1), "{messages:#?}");
        assert!(messages.iter().all(|m| m.hookpoint == "service_owner_changed"));
    }
    let owners: std::collections::BTreeSet<u64> = bridge.messages().await.iter().map(|m| m.client_id).collect();
    assert_eq!(owners, [it.client, CAST.client_english].map(u64::from).into());
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_that_was_lost_is_built_anew_and_tells_nobody() {
    use mysql_async::prelude::Queryable as _;
    let bridge = looked_around().await;
    let mut own = crate::support::database::connect(&bridge.db.bridge_url()).await;
    own.query_drop("TRUNCATE TABLE mirror").await.expect("our table");
    own.disconnect().await.expect("an idle connection closes");
    set(&bridge, "tblhosting", "domainstatus", "Suspended", CAST.service_active.id).await;
    assert_eq!(sweep(&bridge).await.filling.len(), 7);
    set(&bridge, "tblinvoices", "status", "Cancelled", CAST.invoice_unpaid.id).await;
    let who = Who::at_the_command_line("test");
    let record = |now| {
        let (action, target) = ("sweep.forget", "mirror".to_owned());
        Record { who: &who, action, target, detail: None, raises: false, now }
    };
    bridge.db.own("RENAME TABLE audit TO audit_gone").await;
    assert!(
        mirror::forget(&bridge.app.store, &record(bridge.now())).await.is_err(),
        "nothing is done that is not on record"
    );
    bridge.db.own("RENAME TABLE audit_gone TO audit").await;
    assert_eq!(sweep(&bridge).await.filling.len(), 0, "it remembers");
    assert!(mirror::forget(&bridge.app.store, &record(bridge.now())).await.expect("the tables"));
    assert_eq!(sweep(&bridge).await.filling.len(), 7);
    assert_eq!(twice(&bridge).await.stored, 0);
    assert!(bridge.messages().await.is_empty());
    bridge.finish().await;
}
