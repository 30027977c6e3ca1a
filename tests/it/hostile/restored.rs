//! The bridge's schema is put back from an older dump, as after a lost disk: what that dump holds as queued was sent since.

use hookbridge::admin::overview::need::Kind;
use hookbridge::admin::overview::now;
use hookbridge::app::App;
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::Who;
use hookbridge::domain::receipt::{Receipt, ReceiptStatus};
use hookbridge::store::receipt;
use mysql_async::Conn;
use mysql_async::prelude::Queryable as _;
use serde_json::json;

use crate::support::acts;
use crate::support::bridge::Bridge;
use crate::support::database::{columns, connect};

fn shell() -> Who {
    Who::at_the_command_line("test")
}

async fn tables(own: &mut Conn) -> Vec<String> {
    let all: Vec<String> = own.query("SHOW TABLES").await.expect("tables");
    all.into_iter().filter(|name| !name.starts_with("dump_")).collect()
}

async fn dump(bridge: &Bridge) {
    let mut own = connect(&bridge.db.bridge_url()).await;
    for table in tables(&mut own).await {
        own.query_drop(format!("CREATE TABLE dump_{table} LIKE {table}")).await.expect("a copy");
        let all = columns(&mut own, &table).await;
        own.query_drop(format!("INSERT INTO dump_{table} ({all}) SELECT {all} FROM {table}")).await.expect("its rows");
    }
}

/// As a dump is read in: each table is made anew.
async fn restore(bridge: &Bridge) {
    let mut own = connect(&bridge.db.bridge_url()).await;
    for table in tables(&mut own).await {
        own.query_drop(format!("DROP TABLE {table}")).await.expect("away");
        own.query_drop(format!("CREATE TABLE {table} LIKE dump_{table}")).await.expect("anew");
        let all = columns(&mut own, &table).await;
        own.query_drop(format!("INSERT INTO {table} ({all}) SELECT {all} FROM dump_{table}")).await.expect("its rows");
    }
}

async fn post(bridge: &Bridge, id: &str, client: u32) {
    let body = bridge.envelope("ClientAdd", &json!({ "client_id": client }));
    let sent = bridge.post(id, &body).await;
    assert_eq!(sent.status, 202, "{}", sent.body);
}

/// A bridge that sent six alerts since the dump was made: three were queued then, three were events that nobody had processed.
async fn after_a_dump(state_dir: &str) -> Bridge {
    let bridge = Bridge::with(&[("DATABASE__STATE_DIR", state_dir)], |_| {}).await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    // Over by the time of the restore, which brings it back.
    acts::pause(&desk, &shell(), "main", 1).await.expect("it can be paused");
    let clients = [CAST.client_spanish, CAST.client_portuguese, CAST.client_english];
    for (n, client) in clients.into_iter().enumerate() {
        post(&bridge, &format!("queued_{n}"), client).await;
    }
    bridge.settle().await;
    let others = [CAST.client_system_language, CAST.client_raw_phone, CAST.client_accents_as_entities];
    for (n, client) in others.into_iter().enumerate() {
        post(&bridge, &format!("received_{n}"), client).await;
    }
    dump(&bridge).await;
    bridge.wait_s(2);
    acts::resume(&desk, &shell(), "main").await.expect("it can go on");
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 6);
    bridge
}

/// Lets `app` work until it owns the sending and nothing is due.
async fn work(bridge: &Bridge, app: &App) {
    for _ in 0..4 {
        app.drain().await.expect("it works");
        bridge.wait_s(30);
    }
}

async fn waiting(app: &App) -> u64 {
    let desk = app.desk.clone().expect("a key is set");
    let state = now(&desk, &shell()).await.expect("it can be read");
    let named = state.needs.iter().find(|need| need.kind == Kind::Restored).map(|need| need.n);
    let held = acts::held_as_restored(&desk, &shell()).await;
    assert_eq!(named.unwrap_or(0), held, "what waits is on the first page");
    held
}

#[tokio::test]
async fn what_an_older_dump_holds_as_queued_is_held_and_nothing_goes_twice() {
    let state = tempfile::tempdir().expect("a directory");
    let bridge = after_a_dump(&state.path().display().to_string()).await;
    bridge.app.keep_house().await.expect("the database works");
    restore(&bridge).await;
    bridge.wait_s(120);
    let app = bridge.another().await;
    work(&bridge, &app).await;
    assert_eq!(bridge.phones().len(), 6, "none went twice");
    assert_eq!(waiting(&app).await, 6);
    // What comes now goes as ever.
    post(&bridge, "newer", CAST.client_doubled_calling_code).await;
    work(&bridge, &app).await;
    assert_eq!(bridge.phones().len(), 7);
    let (ok, said, _) = bridge.run(&["restored", "show"]).await;
    assert!(ok && said.contains("6 messages are held"), "{said}");
    let (ok, said, _) = bridge.run(&["restored", "discard"]).await;
    assert!(ok && said.contains("6 messages are cancelled"), "{said}");
    work(&bridge, &app).await;
    assert_eq!((bridge.phones().len(), waiting(&app).await), (7, 0));
    app.stop().await;
    // The next start has nothing to say any more.
    let app = bridge.another().await;
    assert_eq!(waiting(&app).await, 0);
    app.stop().await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_beat_that_falls_while_we_run_and_an_operator_say_it_too() {
    let bridge = after_a_dump("").await;
    bridge.app.keep_house().await.expect("the database works");
    restore(&bridge).await;
    bridge.app.keep_house().await.expect("the database works");
    bridge.wait_s(120);
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 6, "none went twice");
    assert_eq!(waiting(&bridge.app).await, 6);
    let (ok, said, _) = bridge.run(&["restored", "release"]).await;
    assert!(ok && said.contains("6 messages go"), "{said}");
    bridge.settle().await;
    bridge.wait_s(60);
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 12, "somebody wanted it so");
    // `finish` would say that messages went twice.
    bridge.app.stop().await;
    bridge.sandbox.stop().await;
}

#[tokio::test]
async fn a_receipt_for_what_is_queued_settles_it_and_holds_the_others() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    acts::pause(&desk, &shell(), "main", 600).await.expect("it can be paused");
    for (n, client) in [CAST.client_spanish, CAST.client_portuguese].into_iter().enumerate() {
        post(&bridge, &format!("queued_{n}"), client).await;
    }
    bridge.settle().await;
    let sent = bridge.messages().await[0].id;
    let receipt = Receipt {
        provider_id: "wamid.one".to_owned(),
        status: ReceiptStatus::Delivered,
        at: bridge.now(),
        message_id: Some(sent),
        code: None,
        detail: None,
        category: None,
        number: None,
    };
    receipt::record(&desk.store, "main", &[&receipt], bridge.now()).await.expect("it is recorded");
    let standing: Vec<String> = bridge.messages().await.into_iter().map(|one| one.standing().to_owned()).collect();
    assert!(standing.iter().any(|one| one == "delivered") && standing.iter().any(|one| one == "held"), "{standing:?}");
    assert_eq!(waiting(&bridge.app).await, 1);
    acts::discard_restored(&desk, &shell()).await.expect("it can be dropped");
    bridge.finish().await;
}
