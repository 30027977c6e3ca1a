//! What clients say on the platform itself: the preferences in the client area, and the field in which they are asked.

use std::process::Stdio;

use hookbridge::demo::data::CAST;
use serde_json::{Value, json};

use crate::support::bridge::{Answer, Bridge};

/// Asks as the addon does.
pub async fn ask(bridge: &Bridge, fields: Value) -> Answer {
    let body = json!({
        "v": 1, "hook": "ClientPreferences", "occurred_at": bridge.now().to_string(), "actor": { "kind": "client" }, "fields": fields,
    });
    let id = format!("prf_{}", bridge.now().as_millisecond());
    bridge.signed("/v1/preferences", &id, body.to_string().into_bytes(), |request| request).await
}

/// Whether a switch is on.
fn is_on(answer: &Value, key: &str, class: &str) -> Option<bool> {
    let person = answer["people"].as_array()?.iter().find(|one| one["key"] == key)?;
    person["kinds"].as_array()?.iter().find(|one| one["class"] == class)?["on"].as_bool()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_switches_kinds_and_persons_of_his_account_and_of_no_other() {
    let bridge = Bridge::start().await;
    let client = CAST.client_system_language;
    let (own, contact) = (format!("client:{client}"), "contact:1");
    let seen = ask(&bridge, json!({ "client_id": client })).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert_eq!(seen.body["title"], "Avisos por WhatsApp");
    assert_eq!(is_on(&seen.body, &own, "status"), Some(true), "{:#}", seen.body);
    assert_eq!(is_on(&seen.body, contact, "notice"), Some(true), "{:#}", seen.body);
    assert!(seen.body["people"][0]["number"].as_str().is_some_and(|number| number.contains('•')));
    for (changes, status) in [
        (format!("{own}/security=0"), 422),
        (format!("client:{}/status=0", CAST.client_english), 422),
        (format!("{own}/status=x"), 422),
        (format!("{own}/status=0;contact:1/notice=0"), 200),
    ] {
        bridge.wait_s(1);
        let seen = ask(&bridge, json!({ "client_id": client, "changes": changes })).await;
        assert_eq!(seen.status, status, "{changes}: {}", seen.body);
    }
    let seen = ask(&bridge, json!({ "client_id": client })).await.body;
    assert_eq!([is_on(&seen, &own, "status"), is_on(&seen, contact, "notice")], [Some(false), Some(false)], "{seen:#}");
    assert_eq!([is_on(&seen, &own, "notice"), is_on(&seen, &own, "security")], [Some(true), Some(true)]);
    assert_eq!(ask(&bridge, json!({ "client_id": 999_999 })).await.status, 404);
    assert_eq!(ask(&bridge, json!({ "client_id": "x" })).await.status, 422);
    let unsigned =
        bridge.http.post(bridge.url("/v1/preferences")).header("content-type", "application/json").body("{}");
    assert_eq!(crate::support::bridge::answer(unsigned).await.status, 401);
    bridge.finish().await;
}

/// The addon's page by real PHP.
async fn page(bridge: &Bridge, client: u32, post: Value) -> Value {
    let stub = bridge.stub();
    drop(stub);
    let config = walk(bridge.dir.path()).expect("the stub's config.php");
    let output = tokio::process::Command::new("php")
        .arg("tests/php/clientarea.php")
        .env("HOOKBRIDGE_STUB_CONFIG", config)
        .env("HB_CLIENT", client.to_string())
        .env("HB_POST", post.to_string())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("php runs");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stdout)))
}

fn walk(folder: &std::path::Path) -> Option<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.filter_map(Result::ok).map(|entry| entry.path());
    let (folders, files): (Vec<_>, Vec<_>) = entries.partition(|path| path.is_dir());
    let own = files.into_iter().find(|path| path.ends_with("config.php"));
    own.or_else(|| folders.iter().find_map(|folder| walk(folder)))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_addons_page_shows_and_switches_with_its_own_token_only() {
    let bridge = Bridge::start().await;
    let key = format!("client:{}/status", CAST.client_spanish);
    let form = |token: &str| json!({ "hb_token": token, "hb_shown": { &key: "1" } });
    let shown = page(&bridge, CAST.client_spanish, json!({})).await;
    assert_eq!((&shown["templatefile"], &shown["requirelogin"]), (&json!("templates/preferences"), &json!(true)));
    assert_eq!(shown["vars"]["hb"]["title"], "Avisos por WhatsApp", "{shown:#}");
    let on = |page: &Value| is_on(&page["vars"]["hb"], &format!("client:{}", CAST.client_spanish), "status");
    assert_eq!(
        on(&page(&bridge, CAST.client_spanish, form("another")).await),
        Some(true),
        "somebody else's form changes nothing"
    );
    let saved = page(&bridge, CAST.client_spanish, form(&"a".repeat(32))).await;
    assert_eq!((on(&saved), &saved["vars"]["hb"]["saved"]), (Some(false), &json!("Listo: quedó guardado.")));
    let nobody = page(&bridge, 0, json!({})).await;
    assert_eq!(nobody["vars"]["hb"], Value::Null);
    assert!(nobody["vars"]["hb_problem"].as_str().is_some_and(|text| !text.is_empty()), "{nobody}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_custom_field_counts_as_consent_or_refusal_with_its_row_as_evidence() {
    let settings = [
        ("SENDERS__MAIN__PAIR_INTERVAL_S", "0"),
        ("CONSENT__ASKED", "field"),
        ("CONSENT__FIELD", "Quiero avisos por WhatsApp"),
        ("CONSENT__UNANSWERED", "refuse"),
    ];
    let bridge = Bridge::with(&settings, |_| {}).await;
    let client = CAST.invoice_english.client;
    bridge
        .platform(
            "INSERT INTO tblcustomfields (id, type, relid, fieldname, fieldtype, description, fieldoptions, regexpr, adminonly, required, \
             showorder, showinvoice, sortorder) VALUES (900, 'client', 0, 'Quiero avisos por WhatsApp', 'tickbox', '', '', '', '', '', 'on', '', 0)",
        )
        .await;
    let told = async |id: &str| {
        let before = bridge.phones().len();
        let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
        bridge.post(id, &body).await;
        bridge.settle().await;
        bridge.phones().len() > before
    };
    assert!(!told("evt_silent").await, "who was never asked is taken to say no here");
    let value = |value: &str| {
        format!("REPLACE INTO tblcustomfieldsvalues (id, fieldid, relid, value) VALUES (901, 900, {client}, '{value}')")
    };
    bridge.platform(&value("")).await;
    assert!(!told("evt_no").await);
    let skips = bridge.event("evt_no").await.skips;
    assert_eq!(skips[0].reason, "opted_out");
    assert!(skips[0].detail.as_deref().is_some_and(|detail| detail.contains("tblcustomfieldsvalues 901")), "{skips:?}");
    bridge.platform(&value("on")).await;
    assert!(told("evt_yes").await);
    // Right before sending it counts once more.
    assert!(bridge.run(&["lanes", "pause", "main", "--minutes", "10", "--why", "a test"]).await.0);
    bridge.wait_s(10);
    let it = CAST.invoice_english.id;
    bridge.platform(&format!("UPDATE tblinvoices SET status = 'Cancelled' WHERE id = {it}")).await;
    bridge.post("evt_waits", &bridge.envelope("InvoiceCancelled", &json!({ "invoiceid": it }))).await;
    bridge.settle().await;
    bridge.platform(&value("no")).await;
    assert!(bridge.run(&["lanes", "resume", "main"]).await.0);
    bridge.wait_s(2);
    bridge.settle().await;
    let messages = bridge.messages().await;
    let waited = messages.iter().find(|one| one.hookpoint == "invoice_cancelled").expect("one that waited");
    assert_eq!((waited.standing(), waited.reason.as_deref()), ("cancelled", Some("opted_out")));
    let (ok, out, _) = bridge.run(&["doctor"]).await;
    assert!(out.contains("is custom field [900]"), "{ok} {out}");
    bridge.finish().await;
}
