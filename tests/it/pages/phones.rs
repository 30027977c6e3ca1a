//! Clients who cannot be alerted.

use std::collections::BTreeSet;

use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::{Role, Who};
use serde_json::Value;

use crate::support::bridge::{Bridge, answer};
use crate::support::person::{Person, token};

async fn key(bridge: &Bridge) -> String {
    let desk = bridge.app.desk.clone().expect("a key is set");
    let who = Who::at_the_command_line("test");
    let token = token(&desk, &who, "phones", Role::Viewer).await;
    secrecy::ExposeSecret::expose_secret(&token).to_owned()
}

async fn api(bridge: &Bridge, key: &str, query: &str) -> (u16, Value) {
    let url = bridge.url(&format!("/api/v1/phones?{query}"));
    let seen = answer(bridge.http.get(url).header("authorization", format!("Bearer {key}"))).await;
    (seen.status, seen.body)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_cannot_be_alerted_is_listed_with_the_reason_and_the_number_only_for_who_may_mend_it() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    bridge
        .platform(&format!(
            "UPDATE tblclients SET phonenumber = '<script>x</script>{{{{7*7}}}}' WHERE id = {}",
            CAST.client_junk_phone
        ))
        .await;
    let viewer = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    let operator = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let page = viewer.get("/admin/phones").await;
    assert_eq!(page.status, 200);
    page.shows("sin teléfono");
    page.shows(&format!("/admin/why?client={}", CAST.client_without_phone));
    page.hides("7*7");
    page.hides(&format!("client={}\"", CAST.client_english));
    let page = operator.get("/admin/phones").await;
    page.shows("&lt;script&gt;x&lt;/script&gt;{{7*7}}");
    page.hides("<script>x");
    let page = operator.get("/admin/phones?reason=phone_missing").await;
    page.hides("7*7");
    page.shows(&format!("client={}\"", CAST.client_without_phone));
    for wrong in ["reason=elsewhere", "before=x", "before=-1"] {
        assert_eq!(viewer.get(&format!("/admin/phones?{wrong}")).await.status, 422, "{wrong}");
    }
    let counts = viewer.part("/admin/phones/counts").await;
    counts.shows("Se puede avisar a");
    assert!(counts.text.starts_with("<p>"), "{}", counts.text);
    let file = viewer.get("/admin/phones/export").await;
    assert_eq!(file.headers["content-type"], "text/csv; charset=utf-8");
    file.shows(&format!("{},AR,phone_missing,", CAST.client_without_phone));
    file.hides("7*7");
    let audit = hookbridge::store::audit::list(
        &bridge.app.store,
        &hookbridge::store::audit::Filter { action: Some("phones.export".to_owned()), limit: 9, ..Default::default() },
    )
    .await
    .expect("the audit log");
    assert_eq!(audit.len(), 1);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_number_that_the_provider_cannot_deliver_to_is_listed_until_it_can() {
    let bridge = Bridge::start().await;
    let key = key(&bridge).await;
    let listed = async || {
        let (status, body) = api(&bridge, &key, "reason=undeliverable&limit=200").await;
        assert_eq!(status, 200, "{body}");
        body["items"].as_array().expect("a list").iter().map(|one| one["client_id"].as_u64()).collect::<Vec<_>>()
    };
    let fields = serde_json::json!({ "invoiceid": CAST.invoice_unpaid.id, "source": "autogen" });
    bridge.post("evt_1", &bridge.envelope("InvoiceCreated", &fields)).await;
    bridge.settle().await;
    let sent = bridge.messages().await;
    let owner = sent.iter().find(|one| one.contact_id.is_none()).expect("the client himself");
    assert_eq!(listed().await, []);
    bridge
        .db
        .own(
            "UPDATE message SET receipt = 'failed' WHERE contact_id IS NULL AND user_id IS NULL; \
              UPDATE receipt r JOIN message m ON m.id = r.message_id SET r.status = 'failed', r.code = 131026 \
              WHERE r.status = 'delivered' AND m.contact_id IS NULL AND m.user_id IS NULL",
        )
        .await;
    // Whoever else has that number in the sample data cannot be reached either.
    assert!(listed().await.contains(&Some(owner.client_id)));
    let (_, out, _) = bridge.run(&["why", &owner.client_id.to_string()]).await;
    assert!(out.contains("could not deliver the last alert"), "{out}");
    // A later alert arrived.
    bridge
        .db
        .own("INSERT INTO message (id, event_id, hookpoint, subject, client_id, contact_id, recipient, locale, class, \
              lane, template, language, parameters, body, dedupe_key, created_at, expires_at, state, state_at, reason, detail, \
              attempts, provider_id, receipt, receipt_at) SELECT REPEAT('y', 16), event_id, hookpoint, subject, client_id, contact_id, recipient, \
              locale, class, lane, template, language, parameters, body, REPEAT('z', 32), created_at + INTERVAL 1 HOUR, \
              expires_at, 'sent', state_at, NULL, NULL, 1, 'wamid.later', 'read', receipt_at FROM message \
              WHERE contact_id IS NULL AND user_id IS NULL LIMIT 1")
        .await;
    assert_eq!(listed().await, []);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_walk_over_all_of_them_page_by_page() {
    let bridge = Bridge::start().await;
    let key = key(&bridge).await;
    let walk = async |limit: u32| {
        let (mut walked, mut before, mut seen) = (Vec::new(), "0".to_owned(), BTreeSet::new());
        loop {
            let (_, page) = api(&bridge, &key, &format!("limit={limit}&before={before}")).await;
            assert!(seen.insert(before.clone()), "it goes on");
            walked.extend(page["items"].as_array().expect("a list").clone());
            match page["next"].as_str() {
                Some(next) => before = next.to_owned(),
                None => return walked,
            }
        }
    };
    let (all, walked): (Vec<Value>, Vec<Value>) = (walk(200).await, walk(2).await);
    assert!(all.len() > 2, "{all:?}");
    assert_eq!(walked, all);
    for wrong in ["reason=x", "before=x", "limit=0", "limit=201"] {
        assert_eq!(api(&bridge, &key, wrong).await.0, 422, "{wrong}");
    }
    bridge.finish().await;
}
