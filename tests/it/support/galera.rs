//! Owns: a Galera cluster of two nodes and the arbitrator, private and on loopback. The second node begins with a copy of the
//! first one's files, so that joining is a transfer of the last few transactions and takes a second.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use hookbridge::demo::accounts;
use hookbridge::demo::mariadb::{Extra, Options, PrivateMariaDb};
use mysql_async::prelude::Queryable as _;
use tempfile::TempDir;

use super::database::{connect, parent};
use super::poll::until;

/// The cluster library's usual places.
const PROVIDERS: [&str; 3] =
    ["/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so", "/usr/lib/libgalera_smm.so"];
/// A silent node is suspected and shut out early, as a cluster under test should; a busy machine must not look silent.
const EVS: &str = "evs.keepalive_period=PT0.3S;evs.inactive_check_period=PT0.2S;evs.suspect_timeout=PT1.5S;\
                   evs.inactive_timeout=PT6S;evs.install_timeout=PT6S";
/// Our own state transfer: none. The donor only says from where on the joiner gets transactions; one that would need
/// everything is refused.
const TRANSFER: &str = r#"#!/bin/sh
place=$(dirname "$0")/position
while [ $# -gt 0 ]; do
  case "$1" in --role) role=$2;; --gtid) gtid=$2;; --address) address=$2;; --bypass) bypass=1;; esac
  shift
done
case "$role" in
  joiner) rm -f "$place"; echo "ready $address/hb"
    tries=200; while [ ! -s "$place" ] && [ "$tries" -gt 0 ]; do sleep 0.05; tries=$((tries - 1)); done; cat "$place";;
  donor) [ -n "$bypass" ] || exit 93
    echo "$gtid" > "$place.new"; mv "$place.new" "$place"; echo "done $gtid";;
esac
"#;
/// The arbitrator ends when we do.
const ARBITER: &str = r#"exec 3<&0; "$@" </dev/null & garbd=$!; (read -r _ <&3; kill "$garbd") & wait "$garbd""#;

pub struct Cluster {
    nodes: [Option<PrivateMariaDb>; 2],
    arbiter: Child,
    _dir: TempDir,
}

impl Cluster {
    /// A running cluster with the bridge's accounts.
    pub async fn start() -> Self {
        let provider = PROVIDERS.into_iter().find(|place| Path::new(place).is_file());
        let provider = provider.expect("the Galera library is not installed: run `scripts/setup.sh test`");
        let dir = tempfile::Builder::new().prefix("hb-galera-").tempdir_in(parent()).expect("a directory");
        fs::write(dir.path().join("wsrep_sst_hb"), TRANSFER).expect("the transfer can be written");
        fs::set_permissions(dir.path().join("wsrep_sst_hb"), fs::Permissions::from_mode(0o700)).expect("its mode");
        let ports = free_ports::<5>();
        let place = |node: usize| dir.path().join(format!("node{node}"));
        let extra = |node: usize| node_arguments(provider, dir.path(), node, &ports);
        let keep = Options { keep: true, ..Options::default() };
        // Once up and down: now there is a cluster's history, which both nodes share.
        let mut founder = extra(0);
        founder.arguments.push("--wsrep-new-cluster".to_owned());
        let first = PrivateMariaDb::start_with(place(0), keep, &founder).await.expect("the first node starts");
        let mut root = connect(&first.admin_url()).await;
        accounts::create(&mut root).await.expect("the accounts can be made");
        root.disconnect().await.expect("an idle connection closes");
        first.stop();
        copy(&place(0), &place(1));
        let first = PrivateMariaDb::start_with(place(0), keep, &founder).await.expect("the first node starts again");
        let second = PrivateMariaDb::start_with(place(1), keep, &extra(1)).await.expect("the second node joins");
        let arbiter = arbiter(dir.path(), &ports);
        let cluster = Self { nodes: [Some(first), Some(second)], arbiter, _dir: dir };
        until("three members", 120, async || {
            cluster.members(0).await == Some(3) && cluster.members(1).await == Some(3)
        })
        .await;
        cluster
    }

    /// Makes our schema `own`, and lets the bridge rule over it.
    pub async fn create(&self, own: &str) {
        let mut root = connect(&self.node(0).admin_url()).await;
        root.query_drop(format!(
            "CREATE DATABASE `{own}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci; \
             GRANT ALL PRIVILEGES ON `{own}`.* TO '{}'@'localhost'",
            accounts::BRIDGE
        ))
        .await
        .expect("our schema can be made");
        root.disconnect().await.expect("an idle connection closes");
    }

    pub fn node(&self, node: usize) -> &PrivateMariaDb {
        self.nodes[node].as_ref().expect("it runs")
    }

    /// Members as `node` sees them, if it is in the part that may write.
    pub async fn members(&self, node: usize) -> Option<u32> {
        let mut root =
            mysql_async::Conn::new(mysql_async::Opts::from_url(&self.node(node).admin_url()).ok()?).await.ok()?;
        let sql = "SELECT IF((SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS \
                   WHERE VARIABLE_NAME = 'wsrep_cluster_status') = 'Primary', (SELECT VARIABLE_VALUE FROM \
                   information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'wsrep_cluster_size'), '0')";
        let size: Option<String> = root.query_first(sql).await.ok()?;
        let _ = root.disconnect().await;
        size?.parse().ok()
    }

    /// Kills a node's server, as a power cut would.
    pub fn kill(&mut self, node: usize) {
        let server = self.nodes[node].take().expect("it runs");
        let pid = server.pid().expect("a pid file").to_string();
        assert!(Command::new("kill").args(["-9", &pid]).status().expect("kill runs").success());
        server.stop();
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.arbiter.stdin.take());
        let _ = self.arbiter.wait();
    }
}

fn node_arguments(provider: &str, dir: &Path, node: usize, ports: &[u16; 5]) -> Extra {
    let address = |port: u16| format!("127.0.0.1:{port}");
    let other = if node == 0 { String::new() } else { address(ports[0]) };
    let options = format!(
        "gmcast.listen_addr=tcp://{};ist.recv_addr={};gcache.size=32M;{EVS}",
        address(ports[node]),
        address(ports[node + 3])
    );
    let arguments = [
        "--wsrep-on=ON".to_owned(),
        format!("--wsrep-provider={provider}"),
        "--wsrep-cluster-name=hookbridge".to_owned(),
        format!("--wsrep-cluster-address=gcomm://{other}"),
        format!("--wsrep-node-name=node{node}"),
        format!("--wsrep-node-address={}", address(ports[node])),
        "--wsrep-sst-method=hb".to_owned(),
        format!("--wsrep-provider-options={options}"),
        "--binlog-format=ROW".to_owned(),
        "--innodb-autoinc-lock-mode=2".to_owned(),
    ];
    let path = format!("{}:{}", dir.display(), std::env::var("PATH").unwrap_or_default());
    Extra { arguments: arguments.to_vec(), environment: vec![("PATH".to_owned(), path)] }
}

fn arbiter(dir: &Path, ports: &[u16; 5]) -> Child {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join(".work/garbd/usr/bin/garbd");
    let garbd = if here.is_file() { here } else { PathBuf::from("garbd") };
    let log = fs::File::create(dir.join("arbiter.log")).expect("a log");
    Command::new("/bin/sh")
        .args(["-c", ARBITER, "hookbridge-arbiter"])
        .arg(garbd)
        .args(["--group", "hookbridge", "--address", &format!("gcomm://127.0.0.1:{},127.0.0.1:{}", ports[0], ports[1])])
        .args(["--options", &format!("gmcast.listen_addr=tcp://127.0.0.1:{};{EVS}", ports[2])])
        .stdin(Stdio::piped())
        .stdout(log.try_clone().expect("a log"))
        .stderr(log)
        .spawn()
        .expect("the arbitrator starts: run `scripts/setup.sh test`")
}

/// Ports that nobody uses at this moment.
fn free_ports<const N: usize>() -> [u16; N] {
    let held: [TcpListener; N] = std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    held.map(|one| one.local_addr().expect("its address").port())
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status().expect("cp runs");
    assert!(copied.success());
    for stale in ["data/galera.cache", "data/gvwstate.dat", "pid"] {
        let _ = fs::remove_file(to.join(stale));
    }
    let state = to.join("data/grastate.dat");
    let text = fs::read_to_string(&state).expect("a stopped node's state");
    fs::write(state, text.replace("safe_to_bootstrap: 1", "safe_to_bootstrap: 0")).expect("it can be written");
}
