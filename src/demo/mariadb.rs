//! Owns: a MariaDB server of our own, in a directory of our own, on a Unix socket that nobody else can open. Must not
//! know: what is stored in it. Why: `hookbridge demo`, the tests and the benchmarks need a real server and may not touch
//! the one that the machine runs.
//!
//! A small shell guard stands between us and the server. It holds the reading end of a pipe whose other end we hold, so
//! the server ends when we do, however that happens. If the guard is killed too, the pid file lets the next start find
//! what was left.

mod guard;
mod leftover;
mod programs;
#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use mysql_async::{Conn, Opts};

pub use leftover::sweep;

/// How long a server may take to answer its first connection.
const READY_MS_MAX: u64 = 30_000;
/// Between two attempts to connect.
const READY_POLL_MS: u64 = 10;
/// The kernel's limit for the path of a Unix socket, the closing zero included.
const SOCKET_PATH_BYTES_MAX: usize = 108;
/// Marks a directory as ours: no other directory is ever written to or removed.
const MARKER: &str = "hookbridge-private-mariadb";

/// How the private server is to run.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Every commit reaches the disk, as in production. Off: a power cut may lose data, and tests are much quicker.
    pub durable: bool,
    /// Memory for the pages of tables.
    pub buffer_pool_mib: u32,
    /// Connections that may be open at once.
    pub connections_max: u32,
    /// Leave the directory where it is when the server ends, so that the next start finds the data again.
    pub keep: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { durable: false, buffer_pool_mib: 128, connections_max: 200, keep: false }
    }
}

/// What one server gets beside its [`Options`]: a node of a cluster needs its own addresses.
#[derive(Clone, Debug, Default)]
pub struct Extra {
    pub arguments: Vec<String>,
    pub environment: Vec<(String, String)>,
}

/// A running private server. Dropping it stops the server and, unless [`Options::keep`], removes its directory.
#[derive(Debug)]
pub struct PrivateMariaDb {
    guard: guard::Guard,
    dir: PathBuf,
    socket: PathBuf,
}

impl PrivateMariaDb {
    /// Starts a server in `dir` (made if missing; must be empty or an earlier one of ours) and waits until it answers.
    /// A server that a killed run left in `dir` is ended first.
    ///
    /// # Errors
    /// When MariaDB is not installed (the message names the packages), when `dir` is not ours or too long for a socket,
    /// when the server cannot start (the message carries the end of its log).
    pub async fn start(dir: impl AsRef<Path>, options: Options) -> anyhow::Result<Self> {
        Self::start_with(dir, options, &Extra::default()).await
    }

    /// The same, with more arguments for the server.
    ///
    /// # Errors
    /// As [`PrivateMariaDb::start`].
    pub async fn start_with(dir: impl AsRef<Path>, options: Options, extra: &Extra) -> anyhow::Result<Self> {
        let programs = programs::find()?;
        let dir = own_directory(dir.as_ref())?;
        let socket = dir.join("sock");
        ensure!(
            socket.as_os_str().len() < SOCKET_PATH_BYTES_MAX,
            "the path {} is too long for a socket (at most {} bytes): choose a shorter directory",
            socket.display(),
            SOCKET_PATH_BYTES_MAX - 1
        );
        leftover::end_server(&dir)?;
        let mut log = OpenOptions::new().create(true).truncate(true).read(true).write(true).open(dir.join("log"))?;
        let data = dir.join("data");
        if !data.join("mysql").is_dir() {
            // On a machine under load the installer's own server was seen to give up: once more, from the start.
            if install(&programs, &dir, &log).await.is_err() {
                let _ = fs::remove_dir_all(&data);
                install(&programs, &dir, &log).await.with_context(|| tail(&mut log))?;
            }
        }
        let mut arguments = arguments(&dir, &socket, options)?;
        arguments.extend(extra.arguments.iter().cloned());
        let call = guard::Call { server: &programs.server, arguments: &arguments, environment: &extra.environment };
        let guard = guard::Guard::spawn(&call, (!options.keep).then_some(&*dir), &log)?;
        let mut server = Self { guard, dir, socket };
        server.wait_ready().await.with_context(|| tail(&mut log))?;
        Ok(server)
    }

    /// The address of the account that may do everything.
    #[must_use]
    pub fn admin_url(&self) -> String {
        self.url_for("root", "")
    }

    /// The address of database `db` (empty: none) for account `user`, which has no password: only the owner of the
    /// directory can reach the socket.
    #[must_use]
    pub fn url_for(&self, user: &str, db: &str) -> String {
        let socket = percent_encoded(&self.socket.to_string_lossy());
        format!("mysql://{}@localhost/{}?socket={socket}", percent_encoded(user), percent_encoded(db))
    }

    /// The path of the server's socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The server's process, as its pid file names it.
    #[must_use]
    pub fn pid(&self) -> Option<u32> {
        leftover::read_pid(&self.dir.join(leftover::PID))
    }

    /// The directory that holds the server.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Stops the server and waits until it has ended (dropping does the same).
    pub fn stop(self) {
        drop(self);
    }

    async fn wait_ready(&mut self) -> anyhow::Result<()> {
        let opts = Opts::from_url(&self.admin_url())?;
        let deadline = Instant::now() + Duration::from_millis(READY_MS_MAX);
        loop {
            if let Some(status) = self.guard.ended()? {
                bail!("the private MariaDB ended while it started ({status})");
            }
            match Conn::new(opts.clone()).await {
                Ok(conn) => return Ok(conn.disconnect().await?),
                Err(error) if Instant::now() >= deadline => {
                    return Err(error).context(format!("the private MariaDB did not answer within {READY_MS_MAX} ms"));
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(READY_POLL_MS)).await,
            }
        }
    }
}

/// Makes `dir` if it is missing and refuses one that holds anything that is not ours.
fn own_directory(dir: &Path) -> anyhow::Result<PathBuf> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.with_context(|| format!("cannot make the directory {}", dir.display()))?;
    let dir = dir.canonicalize()?;
    let empty = fs::read_dir(&dir)?.next().is_none();
    ensure!(
        empty || dir.join(MARKER).is_file(),
        "{} is not empty and was not made by hookbridge: choose another directory",
        dir.display()
    );
    // The owner first: a sweep only looks at directories that bear the marker.
    fs::write(dir.join(leftover::OWNER), std::process::id().to_string())?;
    fs::write(dir.join(MARKER), "A private server of hookbridge. Removed when it ends.\n")?;
    Ok(dir)
}

/// What the installer and the server both need to know.
fn common_arguments(dir: &Path) -> anyhow::Result<Vec<String>> {
    let mut all = vec!["--no-defaults".to_owned(), leftover::datadir_argument(dir)];
    if fs::metadata(dir)?.uid() == 0 {
        all.push("--user=root".to_owned());
    }
    Ok(all)
}

async fn install(programs: &programs::Programs, dir: &Path, log: &File) -> anyhow::Result<()> {
    let status = tokio::process::Command::new(&programs.installer)
        .args(common_arguments(dir)?)
        // Forced: else the installer wants its machine's name to be known, which in a container it need not be.
        .args(["--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve", "--force"])
        .stdin(std::process::Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log.try_clone()?)
        .kill_on_drop(true)
        .status()
        .await
        .with_context(|| format!("cannot run {}", programs.installer.display()))?;
    ensure!(status.success(), "{} failed ({status})", programs.installer.display());
    Ok(())
}

fn arguments(dir: &Path, socket: &Path, options: Options) -> anyhow::Result<Vec<String>> {
    let mut all = common_arguments(dir)?;
    all.extend([
        format!("--socket={}", socket.display()),
        format!("--pid-file={}", dir.join(leftover::PID).display()),
        format!("--innodb-buffer-pool-size={}M", options.buffer_pool_mib),
        format!("--max-connections={}", options.connections_max),
    ]);
    all.extend(FIXED_ARGUMENTS.iter().map(|&argument| argument.to_owned()));
    let more = if options.durable { DURABLE_ARGUMENTS } else { QUICK_ARGUMENTS };
    all.extend(more.iter().map(|&argument| argument.to_owned()));
    Ok(all)
}

/// The platform asks for `sql_mode=''` and keeps its server's local time; a session that needs another zone or mode must
/// say so, as it must in production.
const FIXED_ARGUMENTS: &[&str] = &[
    "--skip-networking",
    "--skip-name-resolve",
    "--sql-mode=",
    "--default-time-zone=-03:00",
    "--character-set-server=utf8mb4",
    "--collation-server=utf8mb4_unicode_ci",
    "--performance-schema=OFF",
    "--max-allowed-packet=64M",
];

const DURABLE_ARGUMENTS: &[&str] = &["--innodb-flush-log-at-trx-commit=1", "--innodb-doublewrite=1"];

const QUICK_ARGUMENTS: &[&str] = &[
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-flush-method=nosync",
    "--innodb-doublewrite=0",
    "--innodb-file-per-table=0",
    "--innodb-stats-persistent=0",
    "--innodb-fast-shutdown=2",
    "--sync-frm=0",
];

/// The end of the server's log, for the person who must find out why it did not start.
fn tail(log: &mut File) -> String {
    const LINES: usize = 15;
    let mut bytes = Vec::new();
    if log.seek(SeekFrom::Start(0)).is_err() || log.read_to_end(&mut bytes).is_err() {
        return "the private MariaDB did not start, and its log cannot be read".to_owned();
    }
    let text = String::from_utf8_lossy(&bytes);
    let lines: Vec<&str> = text.lines().collect();
    let end = lines[lines.len().saturating_sub(LINES)..].join("\n");
    format!("the private MariaDB did not start; the end of its log:\n{end}")
}

fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
