//! A backup is tried before it is needed: a real dump is read into another schema, and `hookbridge backup-check` says whether it
//! can be lived with. Then a bridge starts on it.

use std::path::Path;
use std::process::{Command, Stdio};

use hookbridge::demo::accounts::BRIDGE;
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::Role;
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};

use crate::support::bridge::Bridge;
use crate::support::database::connect;
use crate::support::person::hire;

fn dumper() -> std::path::PathBuf {
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join(".work/mariadb/mariadb-dump");
    if unpacked.exists() { unpacked } else { "mariadb-dump".into() }
}

/// The schema as docs/OPERATIONS.md dumps it.
fn dump(bridge: &Bridge, more: &[&str]) -> Vec<u8> {
    let socket = format!("--socket={}", bridge.db.socket().display());
    let ran = Command::new(dumper())
        .args(["--no-defaults", &socket, "--user=root", "--single-transaction", "--hex-blob", &bridge.db.own])
        .args(more)
        .output()
        .expect("mariadb-dump runs: scripts/setup.sh test unpacks it");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    ran.stdout
}

/// Reads a dump into a schema of its own, which the bridge's account may read.
async fn read_in(bridge: &Bridge, dump: &[u8], schema: &str) {
    let mut root = connect(&bridge.db.root_url()).await;
    for sql in [
        format!("CREATE DATABASE `{schema}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"),
        format!("GRANT ALL ON `{schema}`.* TO '{BRIDGE}'@'localhost'"),
    ] {
        root.query_drop(sql).await.expect("a schema");
    }
    root.disconnect().await.expect("an idle connection closes");
    let socket = format!("--socket={}", bridge.db.socket().display());
    let mut client = Command::new("mariadb")
        .args(["--no-defaults", &socket, "--user=root", schema])
        .stdin(Stdio::piped())
        .spawn()
        .expect("the client runs");
    std::io::Write::write_all(client.stdin.as_mut().expect("its input"), dump).expect("it reads");
    drop(client.stdin.take());
    assert!(client.wait().expect("it ends").success());
}

/// What the command says: whether all is well, and each check's state and words.
async fn checked(bridge: &Bridge, schema: &str, environment: &[(&str, &str)]) -> (bool, Value) {
    let (ok, out, err) = bridge.run_with(environment, &["backup-check", "--json", "--schema", schema]).await;
    let said: Value = serde_json::from_str(&out).unwrap_or_else(|e| panic!("{e}: {out}{err}"));
    assert_eq!(said["ok"], json!(ok), "{said}");
    (ok, said)
}

fn says(said: &Value, check: &str) -> String {
    let all = said["checks"].as_array().expect("checks");
    let one = all.iter().find(|one| one["check"] == json!(check)).unwrap_or_else(|| panic!("no {check}: {said}"));
    format!("{}: {}", one["state"].as_str().unwrap_or_default(), one["says"].as_str().unwrap_or_default())
}

/// A bridge with something queued, somebody with a second factor, and a secret of a source.
async fn lived_in() -> Bridge {
    let settle = [("SENDERS__MAIN__PAIR_INTERVAL_S", "0"), ("HOOKPOINTS__CLIENT_REGISTERED__SETTLE_S", "600")];
    let bridge = Bridge::with(&settle, |_| {}).await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    hire(&desk, "Ana", Role::Administrator).await;
    let sealed = desk.sealer.seal(hookbridge::admin::factor::SEAL, b"01234567890123456789");
    let mut own = connect(&bridge.db.bridge_url()).await;
    let factor = own.exec_drop("UPDATE admin SET totp_sealed = ? WHERE name = 'Ana'", (sealed,)).await;
    factor.expect("Ana has a second factor");
    own.disconnect().await.expect("an idle connection closes");
    let (ok, out, err) = bridge.run(&["sources", "rotate", "billing"]).await;
    assert!(ok, "{out}{err}");
    let body = bridge.envelope("ClientAdd", &json!({ "client_id": CAST.client_english }));
    assert_eq!(bridge.post("evt_1", &body).await.status, 202);
    bridge.settle().await;
    bridge
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_that_is_whole_passes_and_a_bridge_that_starts_on_it_holds_what_was_queued() {
    let bridge = lived_in().await;
    let copy = format!("{}_copy", bridge.db.own);
    read_in(&bridge, &dump(&bridge, &[]), &copy).await;
    let (ok, said) = checked(&bridge, &copy, &[]).await;
    assert!(ok, "{said}");
    assert!(says(&said, "tables").contains("of this version"), "{said}");
    assert_eq!(says(&said, "secrets"), "ok: `admin.key` opens all 2 that lie sealed in it");
    assert!(says(&said, "queued").starts_with("ok: 1 messages and 0 events were not done with"), "{said}");
    // The live schema passes as well: what a dump of it needs is there.
    let (ok, out, err) = bridge.run(&["backup-check"]).await;
    assert!(ok, "{out}{err}");
    // The drill's end: on the restored schema the alert waits for somebody's answer.
    let url = bridge.db.bridge_url().replace(&format!("/{}", bridge.db.own), &format!("/{copy}"));
    let (ok, out, err) = bridge.run_with(&[("DATABASE__URL", &url)], &["restored", "say"]).await;
    assert!(ok && out.contains("1 messages are held"), "{out}{err}");
    bridge.wait_s(601);
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_dump_is_said_with_what_to_do() {
    let bridge = lived_in().await;
    let own = bridge.db.own.clone();
    let case = |name: &str| format!("{own}_{name}");
    // A dump of some tables only.
    let partly = case("partly");
    read_in(&bridge, &dump(&bridge, &[&format!("--ignore-table={own}.consent")]), &partly).await;
    let (ok, said) = checked(&bridge, &partly, &[]).await;
    assert!(!ok && says(&said, "tables").starts_with("failed: not in it: consent."), "{said}");
    // Nothing was read in.
    let empty = case("empty");
    read_in(&bridge, b"", &empty).await;
    let (ok, said) = checked(&bridge, &empty, &[]).await;
    assert!(!ok && says(&said, "tables").contains("the schema is empty"), "{said}");
    // Of an older version: fine, and it says what follows.
    let whole = dump(&bridge, &[]);
    let old = case("old");
    read_in(&bridge, &whole, &old).await;
    let mut root = connect(&bridge.db.root_url()).await;
    let last = hookbridge::store::migrate::names().pop().expect("a migration");
    let older = format!("DELETE FROM `{old}`.schema_migration WHERE name = '{last}'");
    root.query_drop(older).await.expect("an older version");
    let (ok, said) = checked(&bridge, &old, &[]).await;
    assert!(ok && says(&said, "tables").contains("`hookbridge migrate` applies 1 files"), "{said}");
    // Of a newer one: this binary cannot.
    let newer = format!("UPDATE `{old}`.schema_migration SET name = '9999_of_tomorrow.sql' LIMIT 1");
    root.query_drop(newer).await.expect("a newer version");
    let (ok, said) = checked(&bridge, &old, &[]).await;
    assert!(!ok && says(&said, "tables").contains("9999_of_tomorrow.sql"), "{said}");
    // Another key than the one that sealed.
    let (_, key, _) = bridge.run(&["config", "--new-secret"]).await;
    let (ok, said) = checked(&bridge, &own, &[("ADMIN__KEY", key.trim())]).await;
    let closed = says(&said, "secrets");
    assert!(
        !ok && closed.contains("the second factor of Ana") && closed.contains("a secret of source billing"),
        "{said}"
    );
    root.disconnect().await.expect("an idle connection closes");
    bridge.wait_s(601);
    bridge.settle().await;
    bridge.finish().await;
}
