//! SIGTERM ends the service in its time, whatever hangs: a pipe in place of the configuration, outcomes that cannot be written.

use std::process::Stdio;
use std::time::Duration;

use hookbridge::clock::Clock;
use hookbridge::demo::data::Size;
use hookbridge::demo::stage::{Secrets, variables};
use hookbridge::sandbox::{Fault, Trouble};
use mysql_async::prelude::Queryable as _;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::fleet::{Ground, QUICK, count};
use crate::support::database::{TestDb, connect};
use crate::support::fleet::Fleet;
use crate::support::poll::until;

/// Far more than a stop may take; what hangs would hang for ever.
const ENDS_WITHIN: Duration = Duration::from_mins(2);

fn signal(pid: u32, name: &str) {
    let sent = std::process::Command::new("kill").args([name, &pid.to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pipe_in_place_of_the_configuration_stops_neither_the_service_nor_its_end() {
    let db = TestDb::with_sample(Size::CAST, Clock::system().now()).await;
    let secrets = Secrets::new().expect("randomness");
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("hookbridge.toml");
    std::fs::write(&file, "").expect("a file");
    let mut child = Command::new(env!("CARGO_BIN_EXE_hookbridge"))
        .args(["serve", "--migrate", "--config"])
        .arg(&file)
        .envs(variables(&db.bridge_url(), &db.reader_url(), "http://127.0.0.1:9", &secrets))
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the service starts");
    let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines();
    while !lines.next_line().await.expect("a log").expect("it runs").contains("listening") {}
    std::fs::remove_file(&file).expect("it is ours");
    assert!(std::process::Command::new("mkfifo").arg(&file).status().expect("it runs").success());
    let pid = child.id().expect("it runs");
    signal(pid, "-HUP");
    signal(pid, "-TERM");
    let rest = tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let ended = tokio::time::timeout(ENDS_WITHIN, child.wait()).await.expect("it ends in its time");
    assert!(ended.expect("it ends").success());
    rest.await.expect("no panic");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outcomes_that_cannot_be_written_do_not_keep_the_service_and_are_unknown_to_the_next() {
    let ground = Ground::new(1).await;
    let mut settings = QUICK.to_vec();
    settings.extend([
        ("SENDERS__MAIN__PAIR_INTERVAL_S", "0"),
        ("SENDERS__MAIN__TIMEOUT_MS", "5000"),
        ("SENDERS__MAIN__CONNECT_TIMEOUT_MS", "4000"),
        ("DISPATCH__UNKNOWN_WAIT_S", "3600"),
    ]);
    let fleet = Fleet::new(&settings, |_| {}).await;
    fleet.sandbox.fault(Fault::next(Trouble::AnswerLate { ms: 3_000 }));
    let url = ground.db.bridge_url();
    let mut instance = fleet.start(&url, &ground.db.reader_url()).await;
    fleet.fire(&ground.invoices).await;
    until("the provider took it", 30, async || fleet.sandbox.stats().accepted > 0).await;
    let mut lock = connect(&url).await;
    lock.query_drop("LOCK TABLES attempt WRITE, lease WRITE").await.expect("a lock");
    let stopped = tokio::time::timeout(ENDS_WITHIN, instance.stop()).await;
    assert!(stopped.is_ok(), "it ends in its time");
    lock.query_drop("UNLOCK TABLES").await.expect("unlocked");
    let sql = "SELECT COUNT(*) FROM outbox WHERE state = 'sending'";
    let left = count(&url, sql).await;
    let sent = count(&url, "SELECT COUNT(*) FROM message WHERE state = 'sent'").await;
    assert_eq!(left + sent, 1, "it is not lost");
    // The next owner knows nothing of it, and the receipt tells.
    let mut next = fleet.start(&url, &ground.db.reader_url()).await;
    fleet.sandbox.drain_receipts().await;
    until("its receipt settles it", 60, async || {
        count(&url, "SELECT COUNT(*) FROM message WHERE state = 'sent'").await == 1
    })
    .await;
    assert_eq!(fleet.taken().len(), 1);
    next.stop().await;
}
