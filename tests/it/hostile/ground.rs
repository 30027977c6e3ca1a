//! Owns: a database server that may be spoiled: its global settings and its accounts are changed by one test at a time. It
//! listens on loopback, too, encrypted by a CA of its own.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use hookbridge::demo::accounts;
use hookbridge::demo::mariadb::{Extra, Options, PrivateMariaDb};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error};
use tokio::sync::{Mutex, MutexGuard, OnceCell};

use crate::support::database::{TestDb, connect, parent};

static GROUND: OnceCell<Mutex<Ground>> = OnceCell::const_new();

pub struct Ground {
    pub server: &'static PrivateMariaDb,
    /// Where it listens on 127.0.0.1.
    pub port: u16,
    /// The CA that signed its certificate for `localhost`, and another one that did not.
    pub ca: PathBuf,
    pub other_ca: PathBuf,
    _certificates: tempfile::TempDir,
}

impl Ground {
    /// For one test at a time.
    pub async fn hold() -> MutexGuard<'static, Self> {
        GROUND.get_or_init(|| async { Mutex::new(Self::new().await) }).await.lock().await
    }

    async fn new() -> Self {
        let certificates = tempfile::tempdir().expect("a directory");
        let at = |name: &str| certificates.path().join(name);
        authority(&at("ca"));
        authority(&at("other"));
        sign(&at("ca"), &at("server"));
        let port = TcpListener::bind("127.0.0.1:0").expect("a free port").local_addr().expect("its address").port();
        let pem = |name: &str| at(name).with_extension("pem").display().to_string();
        let arguments = vec![
            "--skip-networking=0".to_owned(),
            "--bind-address=127.0.0.1".to_owned(),
            format!("--port={port}"),
            format!("--ssl-cert={}", pem("server")),
            format!("--ssl-key={}", at("server").with_extension("key").display()),
        ];
        let extra = Extra { arguments, ..Extra::default() };
        let dir = parent().join(format!("hookbridge-it-{}-h", std::process::id()));
        let server = PrivateMariaDb::start_with(dir, Options::default(), &extra).await.expect("a server starts");
        let mut root = connect(&server.admin_url()).await;
        accounts::create(&mut root).await.expect("the accounts can be made");
        root.disconnect().await.expect("an idle connection closes");
        // It ends with this process.
        let server = Box::leak(Box::new(server));
        Self { server, port, ca: at("ca.pem"), other_ca: at("other.pem"), _certificates: certificates }
    }

    pub async fn databases(&self) -> TestDb {
        TestDb::on(self.server).await
    }

    pub async fn root(&self) -> Conn {
        connect(&self.server.admin_url()).await
    }

    /// Runs statements as the server's administrator.
    pub async fn admin(&self, sql: &str) {
        self.root().await.query_drop(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The same, where not every kind of server knows what is asked for.
    pub async fn try_admin(&self, sql: &str) -> bool {
        match self.root().await.query_drop(sql).await {
            Ok(()) => true,
            // Syntax, unknown variable, wrong value, PUBLIC taken for an account: another kind of server.
            Err(Error::Server(e)) if matches!(e.code, 1064 | 1193 | 1231 | 1238 | 1410) => false,
            Err(error) => panic!("{sql}: {error}"),
        }
    }

    /// Ends all sessions of `account`, as a restart of the server does.
    pub async fn kill_sessions(&self, account: &str) {
        let mut root = self.root().await;
        let sql = format!("SELECT id FROM information_schema.processlist WHERE user = '{account}'");
        let ids: Vec<u64> = root.query(sql).await.expect("the sessions");
        for id in ids {
            // It may have ended by itself.
            let _ = root.query_drop(format!("KILL {id}")).await;
        }
    }
}

fn openssl(arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).output().expect("openssl is there: scripts/setup.sh test");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn text(path: &Path, extension: &str) -> String {
    path.with_extension(extension).display().to_string()
}

pub fn authority(at: &Path) {
    let (key, pem) = (text(at, "key"), text(at, "pem"));
    let new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    openssl(&[&new[..], &["-subj", "/CN=A CA of our own", "-keyout", &key, "-out", &pem]].concat());
}

/// A certificate for the name `localhost` alone.
pub fn sign(ca: &Path, at: &Path) {
    let names = text(at, "names");
    fs::write(&names, "subjectAltName=DNS:localhost\n").expect("a file");
    let (key, request, pem) = (text(at, "key"), text(at, "csr"), text(at, "pem"));
    let new = ["req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=localhost"];
    openssl(&[&new[..], &["-keyout", &key, "-out", &request]].concat());
    let (ca_pem, ca_key) = (text(ca, "pem"), text(ca, "key"));
    let by = ["x509", "-req", "-days", "2", "-CAcreateserial", "-CA", &ca_pem, "-CAkey", &ca_key];
    openssl(&[&by[..], &["-in", &request, "-out", &pem, "-extfile", &names]].concat());
}
