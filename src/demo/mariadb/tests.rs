//! Owns: trying the private server: started, stopped, left behind, swept.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts};

use super::leftover::{OWNER, PID, runs_on};
use super::{MARKER, Options, PrivateMariaDb, sweep};

fn pid(server: &PrivateMariaDb) -> u32 {
    fs::read_to_string(server.dir().join(PID)).expect("a pid file").trim().parse().expect("a pid")
}

async fn run(server: &PrivateMariaDb, sql: &str) {
    let mut conn = Conn::new(Opts::from_url(&server.admin_url()).expect("a URL")).await.expect("answers");
    conn.query_drop(sql).await.expect(sql);
    conn.disconnect().await.expect("closes");
}

fn place() -> tempfile::TempDir {
    tempfile::Builder::new().prefix("hb").tempdir().expect("a directory")
}

#[tokio::test]
async fn a_stopped_server_is_gone_and_so_is_its_directory() {
    let place = place();
    let dir = place.path().join("server");
    let server = PrivateMariaDb::start(&dir, Options::default()).await.expect("starts");
    let (pid, dir) = (pid(&server), server.dir().to_owned());
    assert!(runs_on(pid, &dir));
    server.stop();
    assert!(!runs_on(pid, &dir));
    assert!(!dir.exists());
}

#[tokio::test]
async fn a_durable_server_that_is_kept_has_its_rows_when_it_starts_again() {
    let place = place();
    let options = Options { durable: true, keep: true, buffer_pool_mib: 32, connections_max: 20 };
    let server = PrivateMariaDb::start(place.path().join("kept"), options).await.expect("starts");
    run(&server, "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (7)").await;
    run(
        &server,
        "SELECT IF(@@max_connections = 20 AND @@innodb_flush_log_at_trx_commit = 1, 1, (SELECT 1 UNION SELECT 2))",
    )
    .await;
    server.stop();
    let server = PrivateMariaDb::start(place.path().join("kept"), options).await.expect("starts again");
    run(&server, "INSERT INTO d.t SELECT id + 1 FROM d.t WHERE id = 7; DELETE FROM d.t WHERE id = 8").await;
}

#[tokio::test]
async fn what_a_killed_run_left_is_ended_and_removed() {
    let place = place();
    let dir = place.path().join("hookbridge-x-1");
    let options = Options { keep: true, ..Options::default() };
    let mut server = PrivateMariaDb::start(&dir, options).await.expect("starts");
    let (pid, dir) = (pid(&server), server.dir().to_owned());
    server.guard.kill_without_a_word();
    assert!(runs_on(pid, &dir), "the server outlives its guard");
    // As long as the owner lives nobody touches it.
    sweep(place.path(), "hookbridge-x-").expect("sweeps");
    assert!(runs_on(pid, &dir));
    fs::write(dir.join(OWNER), ended_process().to_string()).expect("writes");
    sweep(place.path(), "hookbridge-y-").expect("sweeps");
    assert!(runs_on(pid, &dir), "another prefix is another's");
    sweep(place.path(), "hookbridge-x-").expect("sweeps");
    assert!(!runs_on(pid, &dir));
    assert!(!dir.exists());
}

#[tokio::test]
async fn a_start_ends_what_still_runs_in_its_directory() {
    let place = place();
    let dir = place.path().join("server");
    let options = Options { keep: true, ..Options::default() };
    let mut first = PrivateMariaDb::start(&dir, options).await.expect("starts");
    let old = pid(&first);
    first.guard.kill_without_a_word();
    let second = PrivateMariaDb::start(&dir, options).await.expect("starts again");
    assert_ne!(pid(&second), old);
    assert!(!runs_on(old, second.dir()));
}

#[tokio::test]
async fn a_pid_of_somebody_else_is_left_alone() {
    let place = place();
    let dir = place.path().join("server");
    fs::create_dir(&dir).expect("makes");
    fs::write(dir.join(MARKER), "").expect("writes");
    let mut stranger = Command::new("sleep").arg("60").spawn().expect("sleeps");
    fs::write(dir.join(PID), stranger.id().to_string()).expect("writes");
    PrivateMariaDb::start(&dir, Options::default()).await.expect("starts").stop();
    assert!(stranger.try_wait().expect("asks").is_none(), "still asleep");
    stranger.kill().expect("ends");
    stranger.wait().expect("ended");
}

#[tokio::test]
async fn a_directory_that_is_not_ours_is_refused_and_not_touched() {
    let place = place();
    fs::write(place.path().join("letter.txt"), "Dear Sir").expect("writes");
    let error = PrivateMariaDb::start(place.path(), Options::default()).await.expect_err("refused");
    assert!(error.to_string().contains("was not made by hookbridge"), "{error:#}");
    assert_eq!(fs::read_dir(place.path()).expect("reads").count(), 1);
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_is_refused_before_anything_starts() {
    let place = place();
    let dir: PathBuf = place.path().join("long".repeat(30));
    let error = PrivateMariaDb::start(&dir, Options::default()).await.expect_err("refused");
    assert!(error.to_string().contains("too long for a socket"), "{error:#}");
    assert!(!Path::new(&dir).join("data").exists());
}

/// The pid of a process that has ended.
fn ended_process() -> u32 {
    let mut child = Command::new("true").spawn().expect("runs");
    child.wait().expect("ends");
    child.id()
}
