//! Owns: a throw-away pair of databases per test, on one private server per test binary. The server ends with this
//! process, however that happens; what a killed run left is swept by the next.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, process, thread};

use hookbridge::demo::accounts::{self, BRIDGE, READER};
use hookbridge::demo::data::{self, Size};
use hookbridge::demo::mariadb::{self, Options, PrivateMariaDb};
use hookbridge::demo::schema::{self, Release};
use jiff::Timestamp;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, Row};
use tokio::sync::OnceCell;

/// Directories of test runs are called this and the pid.
const PREFIX: &str = "hookbridge-it-";

static SERVER: OnceCell<PrivateMariaDb> = OnceCell::const_new();
static SECOND: OnceCell<PrivateMariaDb> = OnceCell::const_new();
static NUMBER: AtomicU32 = AtomicU32::new(1);

/// The server of this test binary, started by whoever asks first.
pub async fn server() -> &'static PrivateMariaDb {
    SERVER.get_or_init(|| start("")).await
}

/// Another one, for what the tests beside must not notice.
pub async fn second_server() -> &'static PrivateMariaDb {
    SECOND.get_or_init(|| start("-b")).await
}

async fn start(suffix: &str) -> PrivateMariaDb {
    let parent = parent();
    mariadb::sweep(&parent, PREFIX).expect("the parent directory can be read");
    let dir = parent.join(format!("{PREFIX}{}{suffix}", process::id()));
    let server = PrivateMariaDb::start(dir, Options::default()).await.expect("a private MariaDB starts");
    accounts::create(&mut connect(&server.admin_url()).await).await.expect("the accounts can be made");
    server
}

/// Where the server's directory goes: into memory if there is plenty of it (a database per test is then three times as
/// quick to make), else, or if `TMPDIR` says so, where temporary files go.
pub fn parent() -> PathBuf {
    const MEMORY: &str = "/dev/shm";
    const PLENTY_KIB: u64 = 4 * 1024 * 1024;
    let free_kib = || {
        let table = Command::new("df").args(["-Pk", MEMORY]).output().ok()?;
        String::from_utf8(table.stdout).ok()?.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok()
    };
    match env::var_os("TMPDIR") {
        None if free_kib().is_some_and(|free| free >= PLENTY_KIB) => MEMORY.into(),
        _ => env::temp_dir(),
    }
}

/// A billing database with the platform's tables, and an empty one for our own schema.
pub struct TestDb {
    server: &'static PrivateMariaDb,
    /// The name of the platform's database.
    pub billing: String,
    /// The name of ours.
    pub own: String,
    /// The platform's.
    pub release: Release,
}

impl TestDb {
    /// The platform's tables, without a row.
    pub async fn new() -> Self {
        Self::on(server().await).await
    }

    /// The tables of another release of the platform.
    pub async fn of(release: Release) -> Self {
        Self::made(server().await, release).await
    }

    /// The same on a server of one's own.
    pub async fn on(server: &'static PrivateMariaDb) -> Self {
        Self::made(server, Release::default()).await
    }

    async fn made(server: &'static PrivateMariaDb, release: Release) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let db = Self { server, billing: format!("billing_{number}"), own: format!("bridge_{number}"), release };
        let mut conn = connect(&server.admin_url()).await;
        schema::create_billing(&mut conn, &db.billing, release).await.expect("the platform's tables can be made");
        let own = format!("CREATE DATABASE `{}` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", db.own);
        conn.query_drop(own).await.expect("our database can be made");
        accounts::grant(&mut conn, &db.billing, &db.own).await.expect("every readable column exists");
        conn.disconnect().await.expect("an idle connection closes");
        db
    }

    /// The same, with sample data as of `now`.
    pub async fn with_sample(size: Size, now: Timestamp) -> Self {
        let db = Self::new().await;
        data::load(&db.billing_admin_url(), size, now, db.release).await.expect("the sample data fits the tables");
        db
    }

    /// The platform itself: may change everything in its database.
    pub fn root_url(&self) -> String {
        self.server.admin_url()
    }

    /// For whoever fills the platform's tables.
    pub fn billing_admin_url(&self) -> String {
        self.server.url_for("root", &self.billing)
    }

    /// The bridge's reading account, in the platform's database.
    pub fn reader_url(&self) -> String {
        self.server.url_for(READER, &self.billing)
    }

    /// Where the server of this database is reached on this machine.
    pub fn socket(&self) -> &std::path::Path {
        self.server.socket()
    }

    /// The bridge's own account, in its own database.
    pub fn bridge_url(&self) -> String {
        self.server.url_for(BRIDGE, &self.own)
    }

    /// Runs a statement on our own schema.
    pub async fn own(&self, sql: &str) {
        let mut conn = connect(&self.bridge_url()).await;
        conn.query_drop(sql).await.expect("our own statement");
        conn.disconnect().await.expect("an idle connection closes");
    }

    /// Waits until `n` transactions of ours wait for a lock: the step that a test stops them at. (The server's tables of
    /// transactions are up to 100 ms old, and for ever if somebody reads them more often; its report is not.)
    pub async fn until_blocked(&self, n: usize) {
        let conn = tokio::sync::Mutex::new(connect(&self.server.admin_url()).await);
        super::poll::until("transactions wait for a lock", 20, async || {
            let mut conn = conn.lock().await;
            let ours: Vec<u64> = at_work(&mut conn, &self.own).await.into_iter().map(|(id, _)| id).collect();
            waiting_threads(&mut conn).await.iter().filter(|id| ours.contains(id)).count() >= n
        })
        .await;
    }

    /// Queues `n` notices like the newest message, to as many numbers.
    pub async fn crowd(&self, n: u32, now: Timestamp) {
        let at = now.strftime("%Y-%m-%d %H:%M:%S");
        self.own(&format!(
            "INSERT INTO message (id, event_id, hookpoint, subject, client_id, recipient, locale, class, lane, template, \
             language, parameters, body, dedupe_key, created_at, expires_at, state_at) \
             SELECT UNHEX(CONCAT('AA', LPAD(HEX(s.seq), 30, '0'))), m.event_id, m.hookpoint, m.subject, m.client_id, \
             CONCAT('+54911', 40000000 + s.seq), m.locale, 'notice', m.lane, m.template, m.language, m.parameters, m.body, \
             UNHEX(SHA2(CONCAT('crowd', s.seq), 256)), '{at}', '{at}' + INTERVAL 1 DAY, '{at}' \
             FROM (SELECT * FROM message ORDER BY created_at DESC, id LIMIT 1) m JOIN {}",
            sequence(n)
        ))
        .await;
        self.own(&format!(
            "INSERT INTO outbox (message_id, lane, priority, run_at, recipient, template, expires_at, hookpoint, client_id, \
             event_at) SELECT id, lane, 2, created_at, recipient, template, expires_at, hookpoint, client_id, created_at \
             FROM message WHERE recipient LIKE '+54911%' AND created_at = '{at}'"
        ))
        .await;
    }

    /// A connection as the platform, for a test that changes its rows.
    pub async fn platform(&self) -> Conn {
        connect(&self.billing_admin_url()).await
    }
}

impl Drop for TestDb {
    /// Drops both databases, in a runtime of its own: the test's may be ending. What fails here ends with the server.
    fn drop(&mut self) {
        let (url, billing, own) = (self.server.admin_url(), self.billing.clone(), self.own.clone());
        let worker = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut conn = Conn::new(Opts::from_url(&url)?).await?;
                conn.query_drop(format!("DROP DATABASE IF EXISTS `{billing}`; DROP DATABASE `{own}`")).await?;
                anyhow::Ok(conn.disconnect().await?)
            })
        });
        let _ = worker.join();
    }
}

/// A table with a column `seq` of 1 to `n`, on both kinds of server: SEQUENCE is MariaDB's own.
pub fn sequence(n: u32) -> String {
    format!(
        "(SELECT n AS seq FROM JSON_TABLE(CONCAT('[', REPEAT('0,', {n} - 1), '0]'), '$[*]' COLUMNS (n FOR ORDINALITY)) t) s"
    )
}

/// The connections to database `db`: their numbers, and what each does. (Not from `information_schema`: MySQL refuses that as soon
/// as a binary value stands in any statement at work.)
pub async fn at_work(conn: &mut Conn, db: &str) -> Vec<(u64, Vec<u8>)> {
    let all: Vec<Row> = conn.query("SHOW FULL PROCESSLIST").await.expect("the connections");
    let bytes = |row: &Row, name: &str| row.get::<Option<Vec<u8>>, _>(name).flatten().unwrap_or_default();
    let ours = all.iter().filter(|row| bytes(row, "db") == db.as_bytes());
    ours.map(|row| (row.get("Id").expect("a number"), bytes(row, "Info"))).collect()
}

/// The columns of `table` that a copy of its rows must name: all but those that the server generates.
pub async fn columns(conn: &mut Conn, table: &str) -> String {
    let sql = "SELECT CAST(COLUMN_NAME AS CHAR) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() \
               AND TABLE_NAME = ? AND COALESCE(GENERATION_EXPRESSION, '') = '' ORDER BY ORDINAL_POSITION";
    let names: Vec<String> = conn.exec(sql, (table,)).await.expect("columns");
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// A connection to `url`.
pub async fn connect(url: &str) -> Conn {
    Conn::new(Opts::from_url(url).expect("a good URL")).await.expect("the private server answers")
}

/// MySQL's table of transactions is read anew only if nobody looked within the last 100 ms: one test at a time.
static LOOK: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The connections that wait for a lock. MySQL's report leaves out those that only read with a lock so far; its table of
/// transactions has them.
async fn waiting_threads(conn: &mut Conn) -> Vec<u64> {
    let version: String = conn.query_first("SELECT VERSION()").await.expect("a version").unwrap_or_default();
    if !version.contains("MariaDB") {
        let _alone = LOOK.lock().await;
        conn.query_drop("DO SLEEP(0.15)").await.expect("the server waits");
        let sql = "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'";
        return conn.query(sql).await.expect("the transactions");
    }
    let report: Option<(String, String, String)> =
        conn.query_first("SHOW ENGINE INNODB STATUS").await.expect("the report");
    let report = report.unwrap_or_default().2;
    let thread = |one: &str| one.split(" thread id ").nth(1)?.split(',').next()?.parse::<u64>().ok();
    report.split("---TRANSACTION").filter(|one| one.contains("\nLOCK WAIT")).filter_map(thread).collect()
}
