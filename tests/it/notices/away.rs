//! The database of ours is away: no table can say what was told.

use super::{fresh, mail_server, settings};
use crate::hostile::ground::Ground;
use crate::support::bridge::Bridge;
use crate::support::hook::Receiver;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_takes_no_writes_is_told_once_and_that_it_is_back_too() {
    let dir = tempfile::tempdir().expect("a directory");
    let ((server, ca), receiver) = (mail_server(&dir, false).await, Receiver::start().await);
    let ground = Ground::hold().await;
    let settings = settings(&server, &ca, &receiver);
    let all: Vec<(&str, &str)> = settings.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let bridge = Bridge::on(ground.databases().await, &all, |_| {}).await;
    fresh(&bridge).await;
    ground.admin("SET GLOBAL read_only = 1").await;
    let mut sent = vec![bridge.app.notify().await];
    for seconds in [60, 59, 1, 60, 3_600] {
        bridge.wait_s(seconds);
        sent.push(bridge.app.notify().await);
    }
    ground.admin("SET GLOBAL read_only = 0").await;
    assert_eq!(sent, [0, 0, 0, 2, 0, 0], "a restart of the server is told to nobody, two minutes are, once");
    let mail = server.mails().pop().expect("a mail");
    assert!(mail.body.contains("the server is read-only"), "{}", mail.body);
    assert_eq!(receiver.posted()[0].body["type"], "database.away");
    fresh(&bridge).await;
    assert_eq!(bridge.app.notify().await, 2, "it is back");
    assert_eq!(receiver.posted()[1].body["type"], "database.back");
    assert_eq!(bridge.app.notify().await, 0);
    bridge.finish().await;
}
