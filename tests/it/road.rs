//! The main road: a hook fires in PHP, the right client reads the right words on his phone, once.

use std::collections::{BTreeMap, BTreeSet};

use hookbridge::catalogue::Catalogue;
use hookbridge::demo::data::{CANARY, CAST};
use hookbridge::demo::schema::Release;
use hookbridge::demo::script::acts;
use hookbridge::sandbox::{Reply, TemplateStatus};
use serde_json::{Value, json};

use crate::support::bridge::Bridge;
use crate::support::database::TestDb;

fn line(hook: &str, actor: &str, vars: &Value) -> Value {
    json!({ "hook": hook, "actor": actor, "vars": vars, "new_request": true })
}

fn service(hook: &str, service: hookbridge::demo::data::Owned) -> Value {
    line(hook, "cron", &json!({ "params": { "serviceid": service.id, "userid": service.client } }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hookpoint_fired_by_php_reaches_its_client_and_is_known_to_be_delivered() {
    Box::pin(every_hookpoint(Bridge::start().await)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_hookpoint_does_so_in_a_platform_of_9_0() {
    let settings = [("SENDERS__MAIN__PAIR_INTERVAL_S", "0")];
    Box::pin(every_hookpoint(Bridge::on(TestDb::of(Release::V9_0).await, &settings, |_| {}).await)).await;
}

async fn every_hookpoint(bridge: Bridge) {
    bridge.app.sweep().await.expect("the sweep looks around");
    let stub = bridge.stub();
    for act in acts() {
        stub.fire(&act.lines).await.expect("the stub fires");
        if let Some(sql) = &act.sql {
            bridge.platform(sql).await;
        }
    }
    bridge.settle().await;
    bridge.wait_s(600);
    bridge.app.sweep().await.expect("the sweep finds what no hook told of");
    bridge.settle().await;
    let messages = bridge.messages().await;
    // The script shows everything that is on without being asked for.
    let shown: BTreeSet<&str> = acts().iter().filter_map(|act| act.hookpoint).collect();
    let catalogue = Catalogue::built_in(&BTreeMap::new()).expect("the built-in hookpoints");
    for entry in catalogue.entries().filter(|entry| entry.hookpoint.enabled) {
        assert!(shown.contains(entry.hookpoint.id.as_str()), "the demo does not show {}", entry.hookpoint.id);
    }
    for act in acts().iter().filter_map(|act| act.hookpoint) {
        assert!(messages.iter().any(|m| m.hookpoint == act && m.standing() == "delivered"), "{act}: {messages:#?}");
    }
    // What the phones show is what we say we sent, letter by letter.
    for message in &messages {
        let opaque = message.id.to_string();
        let shown: Vec<_> =
            bridge.phones().into_iter().filter(|m| m.biz_opaque_callback_data.as_deref() == Some(&opaque)).collect();
        assert_eq!(shown.len(), 1);
        assert_eq!(shown[0].to, message.to.as_str());
        let words = message.text.split("\n\n").next().unwrap_or_default();
        assert!(format!("{:?}", shown[0].content).contains(words), "{words}");
    }
    let reasons = bridge.reasons().await;
    for expected in ["client_closed", "phone_missing", "prospect", "actor_not_client", "same_transition"] {
        assert!(reasons.iter().any(|reason| reason == expected), "{expected} is missing in {reasons:?}");
    }
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_that_the_platform_passes_gets_behind_the_stub() {
    let bridge = Bridge::start().await;
    let stub = bridge.stub();
    for act in acts() {
        stub.fire(&act.lines).await.expect("the stub fires");
        if let Some(sql) = &act.sql {
            bridge.platform(sql).await;
        }
    }
    bridge.settle().await;
    let mut own = crate::support::database::connect(&bridge.db.bridge_url()).await;
    for (table, column) in [("event", "body"), ("event", "trail"), ("message", "body"), ("message", "parameters")] {
        use mysql_async::prelude::Queryable as _;
        let sql = format!("SELECT COUNT(*) FROM {table} WHERE {column} LIKE '%{CANARY}%'");
        let found: Option<u64> = own.query_first(sql).await.expect("the table can be read");
        assert_eq!(found, Some(0), "{table}.{column}");
    }
    assert!(!format!("{:?}", bridge.phones()).contains(CANARY));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_recipient_comes_from_the_rows_own_owner_where_all_ids_are_seven() {
    let bridge = Bridge::start().await;
    bridge.platform("UPDATE tblhosting SET domainstatus = 'Suspended' WHERE id = 7").await;
    bridge.fire(&[service("AfterModuleSuspend", CAST.service_seven)]).await;
    bridge.fire(&[line("InvoiceCreated", "cron", &json!({ "invoiceid": CAST.invoice_seven.id }))]).await;
    bridge.settle().await;
    for message in bridge.messages().await {
        let owner = if message.hookpoint == "invoice_created" { CAST.invoice_seven } else { CAST.service_seven };
        assert_eq!(message.client_id, u64::from(owner.client), "{}", message.hookpoint);
    }
    assert!(!bridge.messages().await.is_empty());
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_that_names_another_client_than_the_row_alerts_nobody() {
    let bridge = Bridge::start().await;
    let vars = json!({ "params": { "serviceid": CAST.service_active.id, "userid": CAST.client_english } });
    bridge.fire(&[line("AfterModuleSuspend", "cron", &vars)]).await;
    bridge.settle().await;
    assert_eq!(bridge.reasons().await, ["owner_mismatch"]);
    assert!(bridge.phones().is_empty());
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_of_unknown_shape_fails_where_everybody_sees_it() {
    let bridge = Bridge::start().await;
    bridge.fire(&[line("AfterModuleSuspend", "cron", &json!({ "serviceid": CAST.service_active.id }))]).await;
    bridge.settle().await;
    assert_eq!(bridge.reasons().await, ["field_missing"]);
    let text = bridge.app.metrics.text();
    assert!(text.contains("hookbridge_events_processed_total{result=\"failed\"} 1"), "{text}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn suspended_reactivated_suspended_are_three_alerts_and_a_hook_fired_thrice_is_one() {
    let bridge = Bridge::start().await;
    let it = CAST.service_english;
    for (hook, status) in
        [("AfterModuleSuspend", "Suspended"), ("AfterModuleUnsuspend", "Active"), ("AfterModuleSuspend", "Suspended")]
    {
        bridge.platform(&format!("UPDATE tblhosting SET domainstatus = '{status}' WHERE id = {}", it.id)).await;
        bridge.fire(&[service(hook, it), service(hook, it), service(hook, it)]).await;
        bridge.settle().await;
        bridge.wait_s(60);
    }
    let hookpoints: Vec<String> = bridge.messages().await.into_iter().map(|m| m.hookpoint).collect();
    assert_eq!(hookpoints, ["service_suspended", "service_reactivated", "service_suspended"]);
    assert_eq!(bridge.reasons().await, ["same_transition"; 6]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_invoices_of_one_client_in_one_second_are_two_alerts() {
    let bridge = Bridge::start().await;
    let [first, second] = CAST.invoices_same_second;
    let fire = |id: u32| line("InvoiceCreated", "cron", &json!({ "invoiceid": id }));
    bridge.fire(&[fire(first.id), fire(second.id), fire(first.id)]).await;
    bridge.settle().await;
    let messages = bridge.messages().await;
    assert_eq!(messages.len(), 2, "{messages:#?}");
    assert_ne!(messages[0].subject, messages[1].subject);
    assert_eq!(bridge.reasons().await, ["already_queued"]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_hooks_of_a_full_payment_are_one_alert_and_each_partial_payment_is_its_own() {
    let bridge = Bridge::start().await;
    let paid = json!({ "invoiceid": CAST.invoice_paid.id });
    bridge.fire(&[line("AddInvoicePayment", "api", &paid), json!({ "hook": "InvoicePaid", "vars": paid })]).await;
    let part = json!({ "invoiceid": CAST.invoice_partly_paid.id });
    bridge.fire(&[line("AddInvoicePayment", "api", &part)]).await;
    bridge.settle().await;
    let messages = bridge.messages().await;
    let to_owner = |invoice: u32| {
        messages
            .iter()
            .filter(|m| m.subject == format!("invoice:{invoice}") && m.contact_id.is_none())
            .collect::<Vec<_>>()
    };
    assert_eq!(to_owner(CAST.invoice_paid.id).len(), 1);
    let partial = to_owner(CAST.invoice_partly_paid.id);
    assert_eq!(partial.len(), 1);
    assert!(partial[0].text.contains("60.000,00") && partial[0].text.contains("85.200,00"), "{}", partial[0].text);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_with_script_entities_and_template_syntax_arrive_as_plain_words() {
    let bridge = Bridge::start().await;
    let fire = |id: u32| line("InvoiceCreated", "cron", &json!({ "invoiceid": id }));
    bridge
        .fire(&[fire(CAST.invoice_of_script.id), fire(CAST.invoice_of_template.id), fire(CAST.invoice_of_long_name.id)])
        .await;
    bridge.settle().await;
    let texts: Vec<String> = bridge.messages().await.into_iter().map(|m| m.text).collect();
    let read = |words: &str| texts.iter().any(|t| t.to_lowercase().contains(words));
    assert!(read("hola <script>alert(1)</script>,"), "{texts:#?}");
    assert!(read("hola {$smarty.version},"), "{texts:#?}");
    assert!(texts.iter().all(|t| !t.contains("&#") && !t.contains("&lt;") && !t.contains("49,")), "{texts:#?}");
    let page = bridge.http.get(bridge.sandbox.url()).send().await.expect("the page").text().await.expect("text");
    assert!(!page.contains("<script>alert(1)"), "the page shows a name as script");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_client_reads_his_own_language_and_currency() {
    let bridge = Bridge::start().await;
    let fire = |id: u32| line("InvoiceCreated", "cron", &json!({ "invoiceid": id }));
    bridge.fire(&[fire(CAST.invoice_unpaid.id), fire(CAST.invoice_portuguese.id), fire(CAST.invoice_english.id)]).await;
    bridge.settle().await;
    let messages = bridge.messages().await;
    let of = |client: u32| {
        messages.iter().find(|m| m.client_id == u64::from(client) && m.contact_id.is_none()).expect("a message")
    };
    assert!(of(CAST.client_spanish).text.contains("generamos la factura"));
    assert!(of(CAST.client_portuguese).text.contains("R$"));
    assert!(of(CAST.client_english).text.contains("1,234.56"), "{}", of(CAST.client_english).text);
    assert!(of(CAST.client_english).text.contains("viewinvoice.php?id="));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alert_class_that_cannot_be_sent_leaves_all_others_alone() {
    let bridge = Bridge::start().await;
    assert!(bridge.sandbox.set_template_status("invoice_created", "es_AR", TemplateStatus::Paused));
    bridge.fire(&[line("InvoiceCreated", "cron", &json!({ "invoiceid": CAST.invoice_unpaid.id }))]).await;
    bridge.fire(&[service("AfterModuleSuspend", CAST.service_suspended)]).await;
    bridge.settle().await;
    let messages = bridge.messages().await;
    let standing = |hookpoint: &str| {
        messages.iter().filter(|m| m.hookpoint == hookpoint).map(|m| m.standing().to_owned()).collect::<Vec<_>>()
    };
    assert!(standing("service_suspended").iter().all(|s| s == "delivered"), "{messages:#?}");
    assert!(standing("invoice_created").iter().all(|s| s == "queued"), "{messages:#?}");
    // Mended: the queue was kept.
    let _ = bridge.sandbox.set_template_status("invoice_created", "es_AR", TemplateStatus::Approved);
    bridge.wait_s(700);
    bridge.settle().await;
    assert!(bridge.messages().await.iter().all(|m| m.standing() == "delivered"));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_paid_while_its_alert_waited_is_not_announced() {
    let bridge = Bridge::with(&[("SENDERS__MAIN__PAIR_INTERVAL_S", "600")], |_| {}).await;
    let [first, second] = CAST.invoices_same_second;
    let fire = |id: u32| line("InvoiceCreated", "cron", &json!({ "invoiceid": id }));
    bridge.fire(&[fire(first.id), fire(second.id)]).await;
    bridge.settle().await;
    let waiting = bridge.messages().await.into_iter().find(|m| m.standing() == "queued").expect("one waits");
    assert_eq!(waiting.reason.as_deref(), Some("paced_recipient"));
    let id = waiting.subject.trim_start_matches("invoice:").to_owned();
    bridge.platform(&format!("UPDATE tblinvoices SET status = 'Paid' WHERE id = {id}")).await;
    bridge.wait_s(601);
    bridge.settle().await;
    let ended = bridge.messages().await.into_iter().find(|m| m.id == waiting.id).expect("still there");
    assert_eq!((ended.standing(), ended.reason.as_deref()), ("cancelled", Some("invoice_paid")));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_addons_suspension_does_not_hide_the_services_own() {
    let bridge = Bridge::start().await;
    let it = CAST.service_suspended;
    let addon = json!({ "params": { "serviceid": it.id, "userid": it.client, "addonId": 4 } });
    bridge.fire(&[line("AfterModuleSuspend", "cron", &addon), service("AfterModuleSuspend", it)]).await;
    bridge.settle().await;
    assert_eq!(bridge.reasons().await, ["service_addon"]);
    assert!(bridge.messages().await.iter().any(|m| m.hookpoint == "service_suspended"));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quote_that_was_withdrawn_and_delivered_again_is_alerted_again() {
    let bridge = Bridge::start().await;
    let quote = CAST.quote_english.id;
    for stage in ["Delivered", "Delivered", "On Hold", "Delivered"] {
        bridge.platform(&format!("UPDATE tblquotes SET stage = '{stage}' WHERE id = {quote}")).await;
        bridge.fire(&[line("QuoteStatusChange", "admin", &json!({ "quoteid": quote, "status": stage }))]).await;
        bridge.settle().await;
    }
    assert_eq!(bridge.messages().await.len(), 2);
    assert_eq!(bridge.reasons().await, ["quote_not_delivered", "same_transition"]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opts_out_gets_nothing_more_even_of_what_waits() {
    let bridge = Bridge::with(&[("SENDERS__MAIN__PAIR_INTERVAL_S", "600")], |_| {}).await;
    let [first, second] = CAST.invoices_same_second;
    let fire = |id: u32| line("InvoiceCreated", "cron", &json!({ "invoiceid": id }));
    bridge.fire(&[fire(first.id), fire(second.id)]).await;
    bridge.settle().await;
    let from = bridge.phones()[0].wa_id.clone();
    bridge.sandbox.reply(&Reply { from, text: Some("Baja".to_owned()), ..Reply::default() }).expect("a reply");
    bridge.sandbox.drain_receipts().await;
    // The confirmation goes first, and then has its pause as well.
    for _ in 0..2 {
        bridge.wait_s(601);
        bridge.settle().await;
    }
    assert!(bridge.messages().await.iter().any(|m| m.reason.as_deref() == Some("opted_out")));
    let phones = bridge.phones();
    assert!(phones.len() == 2 && phones[1].content.text.contains("no vas a recibir más avisos"), "{phones:?}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_owner_hears_of_each_change_of_his_contacts_and_the_contact_does_not() {
    let bridge = Bridge::start().await;
    let contact = CAST.contact_all;
    let ids = json!({ "userid": contact.client, "contactid": contact.id });
    let mut edit = ids.clone();
    edit["phonenumber"] = json!("+54.1144445555");
    edit["invoiceemails"] = json!(true);
    edit["olddata"] = json!({ "phonenumber": "+54.1100000000", "invoiceemails": 0 });
    let mut same = ids.clone();
    same["invoiceemails"] = json!(false);
    same["olddata"] = json!({ "invoiceemails": 0 });
    bridge
        .fire(&[
            line("ContactAdd", "admin", &ids),
            line("ContactEdit", "client", &edit),
            line("ContactEdit", "client", &same),
        ])
        .await;
    bridge.settle().await;
    bridge.platform(&format!("DELETE FROM tblcontacts WHERE id = {}", contact.id)).await;
    bridge.fire(&[line("ContactDelete", "client", &ids)]).await;
    bridge.settle().await;
    let messages = bridge.messages().await;
    assert!(
        messages.iter().all(|m| m.client_id == u64::from(contact.client) && m.contact_id.is_none()),
        "{messages:#?}"
    );
    let texts: Vec<&str> = messages.iter().map(|m| m.text.as_str()).collect();
    let [added, edited, deleted] = texts[..] else { panic!("three alerts: {texts:#?}") };
    assert!(added.contains("contacto nuevo "), "{added}");
    assert!(edited.contains("(teléfono y avisos que recibe)"), "{edited}");
    assert!(deleted.contains("contacto eliminado. "), "{deleted}");
    assert_eq!(bridge.reasons().await, ["nothing_changed"]);
    bridge.finish().await;
}
