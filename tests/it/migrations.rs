//! Our own schema: brought up once, guarded against edits, and by two starters at a time.

use hookbridge::app::database;
use hookbridge::clock::Clock;
use hookbridge::store::{Store, migrate};
use mysql_async::prelude::Queryable as _;

use crate::support::database::{TestDb, connect};

fn store(db: &TestDb) -> Store {
    let second = std::time::Duration::from_secs(5);
    Store::new(database(&db.bridge_url().into(), 0, 4, second).expect("a pool"))
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
