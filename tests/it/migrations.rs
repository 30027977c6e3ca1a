//! Our own schema: brought up once, guarded against edits, and by two starters at a time.

use hookbridge::clock::Clock;
use hookbridge::sql::{Access, Address, Database};
use hookbridge::store::inbox::claim;
use hookbridge::store::{Store, migrate};
use mysql_async::prelude::Queryable as _;

use crate::support::database::{TestDb, connect};

fn store(db: &TestDb) -> Store {
    let url = db.bridge_url();
    let address =
        Address { url: &url, ca: "", pool_min: 0, pool_max: 4, acquire_timeout: std::time::Duration::from_secs(5) };
    Store::new(Database::open(&address, Access::Own, None).expect("a pool"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_schema_comes_up_once_even_with_several_starters() {
    let db = TestDb::new().await;
    let now = Clock::system().now();
    let (a, b) = (store(&db), store(&db));
    let (first, second) = tokio::join!(migrate::run(&a, now), migrate::run(&b, now));
    let applied = first.expect("one starter").len() + second.expect("the other").len();
    assert_eq!(applied, migrate::names().len());
    assert!(migrate::pending(&a).await.expect("readable").is_empty());
    assert!(migrate::run(&a, now).await.expect("again").is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_half_run_file_can_be_run_again_and_keeps_what_the_tables_hold() {
    let db = TestDb::new().await;
    let store = store(&db);
    let now = Clock::system().now();
    migrate::run(&store, now).await.expect("the schema comes up");
    let mut own = connect(&db.bridge_url()).await;
    own.query_drop(
        "INSERT INTO consent (recipient, opted_out, evidence, at) VALUES ('+5491155550101', 1, 'reply', '2026-01-01')",
    )
    .await
    .expect("a row");
    own.query_drop("DELETE FROM schema_migration").await.expect("as if it had been cut");
    own.query_drop("DROP TABLE contacted").await.expect("as if it had not come to that");
    migrate::run(&store, now).await.expect("the rest is made");
    let kept: Option<u64> = own.query_first("SELECT COUNT(*) FROM consent").await.expect("the table");
    assert_eq!(kept, Some(1));
    let made: Option<u64> = own.query_first("SELECT COUNT(*) FROM contacted").await.expect("the table");
    assert_eq!(made, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edited_or_a_newer_schema_is_refused_with_words() {
    let db = TestDb::new().await;
    let store = store(&db);
    migrate::run(&store, Clock::system().now()).await.expect("the schema comes up");
    let mut own = connect(&db.bridge_url()).await;
    own.query_drop("UPDATE schema_migration SET sha256 = REPEAT('x', 32)").await.expect("an edit");
    let error = migrate::pending(&store).await.expect_err("an edit").to_string();
    assert!(error.contains("never edit an applied migration"), "{error}");
    own.query_drop("DELETE FROM schema_migration WHERE name > '0001_z'").await.expect("as if there were one");
    own.query_drop("UPDATE schema_migration SET name = '9999_future.sql'").await.expect("the future");
    let error = migrate::pending(&store).await.expect_err("the future").to_string();
    assert!(error.contains("older than the schema"), "{error}");
}

/// What an installation of the first version holds: an event that waits, one that was finished.
const FIRST_VERSION: &[&str] = &[
    "INSERT INTO event (id, source, hook, occurred_at, received_at, key_index, body_sha256, body, state, processed_at) \
     VALUES ('evt_waits', 'billing', 'InvoiceCreated', '2026-01-02 03:04:05.678', '2026-01-02 03:04:06.789', 1, \
     UNHEX(REPEAT('ab', 32)), '{\"ñ\":1}', 'received', NULL), \
     ('evt_done', 'billing', 'InvoicePaid', '2026-01-01', '2026-01-01', 0, UNHEX(REPEAT('cd', 32)), '{}', 'processed', \
     '2026-01-01')",
    "INSERT INTO inbox (event_id, run_at, attempts, last_error) VALUES ('evt_waits', '2026-01-02 03:05:00', 3, 'later')",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_that_wait_move_into_the_whole_inbox_whenever_the_move_was_cut() {
    let db = TestDb::new().await;
    let store = store(&db);
    let now = Clock::system().now();
    let mut own = connect(&db.bridge_url()).await;
    for statement in migrate::statements_of("0001_main_road.sql") {
        own.query_drop(statement).await.expect("the first version");
    }
    for row in FIRST_VERSION {
        own.query_drop(*row).await.expect("its rows");
    }
    let all = migrate::statements_of("0002_inbox_whole.sql");
    for cut in 0..all.len() {
        // Prepared statements and variables end with a connection, as they do when the process is killed.
        let mut cut_off = connect(&db.bridge_url()).await;
        for statement in &all[..cut] {
            cut_off.query_drop(statement).await.expect("repeatable");
        }
    }
    migrate::run(&store, now).await.expect("the rest is made");
    let row: Option<(String, String, String, String)> = own
        .query_first(
            "SELECT CONCAT_WS(' ', event_id, source, hook, key_index, attempts, last_error), \
             CONCAT_WS(' ', occurred_at, received_at, run_at), HEX(body_sha256), body FROM inbox",
        )
        .await
        .expect("the whole inbox");
    let (row, times, checksum, body) = row.expect("what waited, waits");
    assert_eq!(row, "evt_waits billing InvoiceCreated 1 3 later");
    assert_eq!(times, "2026-01-02 03:04:05.678 2026-01-02 03:04:06.789 2026-01-02 03:05:00.000");
    assert_eq!((checksum, body), ("AB".repeat(32), "{\"ñ\":1}".to_owned()));
    let done: Vec<String> = own.query("SELECT CONCAT(id, ' ', state) FROM event").await.expect("the record");
    assert_eq!(done, ["evt_done processed"]);
    let claims = claim(&store, "token", now, jiff::SignedDuration::from_secs(30), 10).await.expect("claimable");
    assert_eq!(claims.len(), 1);
    assert_eq!((claims[0].attempts, claims[0].event.hook.as_str()), (4, "InvoiceCreated"));
}
