//! One odd row costs itself, and no batch is larger than what the server takes.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use hookbridge::domain::ids::EventId;
use hookbridge::signature::sha256;
use hookbridge::store::inbox::{Inserted, NewEvent};
use hookbridge::store::writer::InboxWriter;
use mysql_async::prelude::Queryable as _;
use tokio::sync::Notify;

use super::ground::Ground;
use crate::support::bridge::Bridge;

fn event(bridge: &Bridge, id: &str, body: String) -> NewEvent {
    NewEvent {
        id: EventId::parse(id).expect("an id"),
        source: "billing".to_owned(),
        hook: "NobodyListens".to_owned(),
        occurred_at: bridge.now(),
        received_at: bridge.now(),
        key_index: 0,
        body_sha256: sha256(body.as_bytes()),
        body,
        urgent: false,
    }
}

fn writer(bridge: &Bridge) -> InboxWriter {
    let (writer, writing) = InboxWriter::new(&bridge.app.store, 1024, Duration::from_secs(20), Arc::new(Notify::new()));
    tokio::spawn(async move { writing.run().await });
    writer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_the_database_does_not_take_costs_one_answer_of_its_batch() {
    let bridge = Bridge::start().await;
    bridge.db.own("ALTER TABLE inbox ADD CONSTRAINT no_poison CHECK (body NOT LIKE '%poison%')").await;
    let writer = writer(&bridge);
    // All are in the queue before the writer looks, so that they go as few batches.
    let stored = join_all((0..60).map(|n| {
        let body = if n % 20 == 7 { format!("poison {n}") } else { format!("good {n}") };
        let (writer, event) = (writer.clone(), event(&bridge, &format!("evt_{n}"), body));
        async move { writer.insert(event).await.map(|(_, inserted)| inserted) }
    }))
    .await;
    for (n, result) in stored.iter().enumerate() {
        match result {
            Ok(inserted) => assert!(n % 20 != 7 && *inserted == Inserted::New, "{n}"),
            Err(error) => assert!(n % 20 == 7 && error.to_string().contains("did not take it"), "{n}: {error}"),
        }
    }
    // The same ones again, with the poison gone: each is known, or new.
    bridge.db.own("ALTER TABLE inbox DROP CONSTRAINT no_poison").await;
    let again = writer.insert(event(&bridge, "evt_7", "poison 7".to_owned())).await.expect("it is taken now");
    assert_eq!(again.1, Inserted::New);
    bridge.db.own("DELETE FROM inbox").await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_events_that_come_at_once_are_all_stored_by_a_server_that_takes_small_statements() {
    let ground = Ground::hold().await;
    let mut root = ground.root().await;
    let before: Option<u64> = root.query_first("SELECT @@GLOBAL.max_allowed_packet").await.expect("a setting");
    root.query_drop("SET GLOBAL max_allowed_packet = 1048576").await.expect("a setting");
    let bridge = Bridge::on(ground.databases().await, &[], |_| {}).await;
    let writer = writer(&bridge);
    let stored = join_all((0..200).map(|n| {
        let (writer, event) = (writer.clone(), event(&bridge, &format!("evt_{n}"), "x".repeat(50_000)));
        async move { writer.insert(event).await }
    }))
    .await;
    root.query_drop(format!("SET GLOBAL max_allowed_packet = {}", before.expect("a row"))).await.expect("a setting");
    for result in stored {
        assert_eq!(result.expect("it is stored").1, Inserted::New);
    }
    bridge.db.own("DELETE FROM inbox").await;
    bridge.finish().await;
}
