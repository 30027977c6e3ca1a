//! 202 means committed, whatever the database server's defaults are.

use hookbridge::app::{App, open_store};
use hookbridge::clock::Clock;
use hookbridge::config::load;
use hookbridge::demo::accounts::BRIDGE;
use hookbridge::store::migrate;
use mysql_async::prelude::Queryable as _;
use serde_json::json;

use super::ground::Ground;
use crate::support::bridge::Bridge;
use crate::support::database::connect;

/// A default that harms, and how it is taken back.
const DEFAULTS: &[(&str, &str)] = &[
    ("SET GLOBAL autocommit = 0", "SET GLOBAL autocommit = 1"),
    ("SET GLOBAL init_connect = 'SET autocommit = 0'", "SET GLOBAL init_connect = ''"),
    ("SET GLOBAL init_connect = 'START TRANSACTION'", "SET GLOBAL init_connect = ''"),
    ("SET GLOBAL completion_type = 1", "SET GLOBAL completion_type = 0"),
    ("SET GLOBAL completion_type = 2", "SET GLOBAL completion_type = 0"),
    ("SET GLOBAL sql_select_limit = 1", "SET GLOBAL sql_select_limit = DEFAULT"),
    ("SET GLOBAL sql_safe_updates = 1", "SET GLOBAL sql_safe_updates = 0"),
    ("SET GLOBAL init_connect = 'SET NAMES latin1'", "SET GLOBAL init_connect = ''"),
    ("SET GLOBAL init_connect = 'SET unique_checks = 0, sql_big_selects = 0'", "SET GLOBAL init_connect = ''"),
    ("SET GLOBAL init_connect = 'SET max_join_size = 1'", "SET GLOBAL init_connect = ''"),
    ("SET GLOBAL tx_read_only = 1", "SET GLOBAL tx_read_only = 0"),
    ("SET GLOBAL transaction_read_only = 1", "SET GLOBAL transaction_read_only = 0"),
    ("SET GLOBAL sql_mode = 'ANSI,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES'", "SET GLOBAL sql_mode = ''"),
    ("SET GLOBAL TRANSACTION ISOLATION LEVEL SERIALIZABLE", "SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ"),
];
const EVENTS: usize = 5;

async fn count(bridge: &Bridge, sql: &str) -> usize {
    let mut root = connect(&bridge.db.billing_admin_url()).await;
    // What the administrator's session sees is what is committed.
    root.query_drop("SET SESSION sql_select_limit = DEFAULT").await.expect("a session");
    let count: Option<usize> = root.query_first(sql).await.expect(sql);
    count.expect("a row")
}

/// Posts some events to `app` and kills its sessions without warning; how many of them are there after that.
async fn committed(ground: &Ground, bridge: &Bridge, app: &App, name: &str) -> usize {
    for n in 0..EVENTS {
        let body = bridge.envelope("ClientAdd", &json!({ "client_id": 1, "note": "¡ñandú 😀!" })).to_string();
        let url = format!("http://{}/v1/events", app.address);
        let answer = bridge.signed_at(&url, &format!("{name}_{n}"), body.into_bytes(), |request| request).await;
        assert_eq!(answer.status, 202, "{name}: {:?}", answer.body);
    }
    ground.kill_sessions(BRIDGE).await;
    // No escapes: what they mean is one of the defaults.
    let ours = format!("LOCATE('{name}_', event_id) = 1 AND LOCATE('¡ñandú 😀!', body) > 0");
    count(bridge, &format!("SELECT COUNT(*) FROM `{}`.inbox WHERE {ours}", bridge.db.own)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_answered_202_is_committed_whatever_the_servers_defaults_are() {
    let ground = Ground::hold().await;
    let bridge = Bridge::on(ground.databases().await, &[], |_| {}).await;
    let mut known = 0;
    for (index, (spoil, mend)) in DEFAULTS.iter().enumerate() {
        if !ground.try_admin(spoil).await {
            continue;
        }
        known += 1;
        let app = bridge.another().await;
        let there = committed(&ground, &bridge, &app, &format!("evt{index}")).await;
        app.stop().await;
        ground.admin(mend).await;
        assert_eq!(there, EVENTS, "{spoil}");
    }
    assert!(known >= DEFAULTS.len() - 1, "one of the two names of the read-only default exists: {known}");
    // All of them can be processed, too.
    bridge.settle().await;
    assert_eq!(count(&bridge, &format!("SELECT COUNT(*) FROM `{}`.inbox", bridge.db.own)).await, 0);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schema_comes_up_whole_whatever_the_servers_defaults_are_and_doctor_names_them() {
    let ground = Ground::hold().await;
    for (spoil, mend) in DEFAULTS {
        let db = ground.databases().await;
        let bridge_url = db.bridge_url();
        if !ground.try_admin(spoil).await {
            continue;
        }
        let settings = hookbridge::demo::stage::variables(
            &bridge_url,
            &db.reader_url(),
            "http://127.0.0.1:1",
            &hookbridge::demo::stage::Secrets::new().expect("randomness"),
        );
        let store = open_store(&load(None, settings).expect("settings")).expect("a pool");
        let applied = migrate::run(&store, Clock::system().now()).await;
        let corrected = store.database().corrected();
        store.database().clone().close().await;
        ground.admin(mend).await;
        assert_eq!(applied.unwrap_or_else(|error| panic!("{spoil}: {error}")), migrate::names(), "{spoil}");
        let mut own = connect(&bridge_url).await;
        let rows: Option<usize> = own.query_first("SELECT COUNT(*) FROM schema_migration").await.expect("the schema");
        assert_eq!(rows, Some(migrate::names().len()), "{spoil}");
        if spoil.contains("autocommit") {
            assert_eq!(corrected, ["autocommit=OFF"], "{spoil}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn doctor_names_what_would_lose_or_refuse_events_and_start_refuses_what_cannot_store_any() {
    let ground = Ground::hold().await;
    let bridge = Bridge::on(ground.databases().await, &[], |_| {}).await;
    let state = |said: &serde_json::Value, check: &str| {
        let all = said["checks"].as_array().expect("checks");
        let one = all.iter().find(|one| one["check"] == check).unwrap_or_else(|| panic!("{check}: {said}"));
        (one["state"].as_str().expect("a state").to_owned(), one["says"].as_str().expect("words").to_owned())
    };
    let doctor = async || {
        let (ok, said, _) = bridge.run(&["doctor", "--json"]).await;
        (ok, serde_json::from_str::<serde_json::Value>(&said).expect("JSON"))
    };
    let (ok, said) = doctor().await;
    assert!(ok, "{said}");
    assert_eq!(state(&said, "writable").0, "ok");
    assert_eq!(state(&said, "session defaults").0, "ok");
    assert_eq!(state(&said, "durability").0, "warn", "the tests' server does not flush: {said}");
    ground.admin("SET GLOBAL autocommit = 0").await;
    let said = doctor().await.1;
    ground.admin("SET GLOBAL autocommit = 1").await;
    let found = state(&said, "session defaults");
    assert!(found.0 == "warn" && found.1.contains("autocommit=OFF"), "{found:?}");
    ground.admin("SET GLOBAL read_only = 1").await;
    let (ok, said) = doctor().await;
    let (started, _, why) = bridge.run(&["serve"]).await;
    ground.admin("SET GLOBAL read_only = 0").await;
    let found = state(&said, "writable");
    assert!(!ok && found.0 == "failed" && found.1.contains("read_only"), "{found:?}");
    assert!(!started && why.contains("the server only reads (read_only)"), "{why}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_urls_host_and_port_are_where_the_bridge_goes_and_its_socket_if_it_names_one() {
    let ground = Ground::hold().await;
    let db = ground.databases().await;
    ground
        .admin(&format!(
            "CREATE USER IF NOT EXISTS 'wire'@'127.0.0.1'; GRANT ALL PRIVILEGES ON `{0}`.* TO 'wire'@'127.0.0.1'; \
             CREATE USER IF NOT EXISTS 'wire'@'localhost'; GRANT ALL PRIVILEGES ON `{0}`.* TO 'wire'@'localhost'",
            db.own
        ))
        .await;
    let seen_from = async |url: String| {
        let secrets = hookbridge::demo::stage::Secrets::new().expect("randomness");
        let settings = hookbridge::demo::stage::variables(&url, &db.reader_url(), "http://127.0.0.1:1", &secrets);
        let store = open_store(&load(None, settings).expect("settings")).expect("a pool");
        store.ping().await.expect("it answers");
        let mut root = ground.root().await;
        let sql = "SELECT host FROM information_schema.processlist WHERE user = 'wire'";
        let hosts: Vec<String> = root.query(sql).await.expect("the sessions");
        store.database().clone().close().await;
        hosts
    };
    let hosts = seen_from(format!("mysql://wire@127.0.0.1:{}/{}", ground.port, db.own)).await;
    assert!(!hosts.is_empty() && hosts.iter().all(|host| host.starts_with("127.0.0.1:")), "{hosts:?}");
    let socket = ground.server.socket().display().to_string();
    let hosts = seen_from(format!("mysql://wire@localhost/{}?socket={socket}", db.own)).await;
    assert!(!hosts.is_empty() && hosts.iter().all(|host| host == "localhost"), "{hosts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_schema_may_have_a_name_of_any_length() {
    let ground = Ground::hold().await;
    let name = "x".repeat(64);
    ground
        .admin(&format!(
            "CREATE DATABASE `{name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci; \
             GRANT ALL PRIVILEGES ON `{name}`.* TO '{BRIDGE}'@'localhost'"
        ))
        .await;
    let secrets = hookbridge::demo::stage::Secrets::new().expect("randomness");
    let url = ground.server.url_for(BRIDGE, &name);
    let settings = hookbridge::demo::stage::variables(&url, &url, "http://127.0.0.1:1", &secrets);
    let store = open_store(&load(None, settings).expect("settings")).expect("a pool");
    let now = Clock::system().now();
    let (first, second) = tokio::join!(migrate::run(&store, now), migrate::run(&store, now));
    let applied = first.expect("one").len() + second.expect("the other").len();
    assert_eq!(applied, migrate::names().len());
    store.database().clone().close().await;
    ground.admin(&format!("DROP DATABASE `{name}`")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_of_the_database_is_said_once_at_the_end_of_a_command() {
    let ground = Ground::hold().await;
    let secrets = hookbridge::demo::stage::Secrets::new().expect("randomness");
    let socket = ground.server.socket().display().to_string();
    for (url, says) in [
        (format!("mysql://{BRIDGE}:wrong@localhost/own?socket={socket}"), "ERROR 1045"),
        ("mysql://nobody:wrong@127.0.0.1:1/own".to_owned(), "refused"),
        ("mysql://nobody:wrong@127.0.0.1:1/own?ssl=yes".to_owned(), "an option `ssl` that does not exist"),
    ] {
        let settings = hookbridge::demo::stage::variables(&url, &url, "http://127.0.0.1:1", &secrets);
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_hookbridge"));
        let output = command.arg("migrate").envs(settings).kill_on_drop(true).output().await.expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.matches(says).count() == 1, "{said}");
        assert!(!said.contains("wrong"), "{said}");
    }
}
