//! Owns: a built `hookbridge`: of this tree, or of an older commit (taken out of git and built once, below `target/`).

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use hookbridge::demo::data::SYSTEM_URL;
use hookbridge::sandbox::Sandbox;
use serde_json::Value;
use tokio::process::Child;

/// Until a started program answers.
const LOOK: Duration = Duration::from_millis(5);
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub struct Program {
    pub name: String,
    path: PathBuf,
}

/// A running `hookbridge serve`; killed when dropped.
pub struct Running {
    pub address: SocketAddr,
    pub process: Child,
}

impl Program {
    pub fn ours() -> Self {
        Self { name: "this tree".to_owned(), path: env!("CARGO_BIN_EXE_hookbridge").into() }
    }

    /// The commit's own program. Some minutes the first time.
    pub fn of_commit(commit: &str) -> anyhow::Result<Self> {
        let tree = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("baseline-{commit}"));
        let path = folder.join("target/release/hookbridge");
        if !path.exists() {
            crate::say(&format!("building {commit} in {} (the first time takes some minutes)", folder.display()));
            std::fs::create_dir_all(&folder)?;
            let archive =
                Command::new("git").current_dir(tree).args(["archive", commit]).stdout(Stdio::piped()).spawn();
            let mut archive = archive.context("git does not start")?;
            let files = archive.stdout.take().context("git's output")?;
            let unpacked = Command::new("tar").arg("x").current_dir(&folder).stdin(files).status()?;
            ensure!(archive.wait()?.success() && unpacked.success(), "git does not have {commit}");
            let built = Command::new(env!("CARGO"))
                .args(["build", "--release", "--locked", "--bin", "hookbridge", "--target-dir", "target"])
                .current_dir(&folder)
                .status()?;
            ensure!(built.success(), "{commit} cannot be built");
        }
        Ok(Self { name: commit.to_owned(), path })
    }

    fn command(&self, args: &[&str], variables: &[(String, String)]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(args).envs(variables.iter().cloned()).stdin(Stdio::null());
        command
    }

    /// Makes the tables as this version wants them.
    pub fn migrate(&self, variables: &[(String, String)]) -> anyhow::Result<()> {
        let done = self.command(&["migrate"], variables).output()?;
        ensure!(done.status.success(), "{}: migrate: {}", self.name, String::from_utf8_lossy(&done.stderr));
        Ok(())
    }

    /// Has `provider` approve this version's texts.
    pub fn templates(&self, provider: &Sandbox) -> anyhow::Result<()> {
        let done = self.command(&["templates", "export", "--system-url", SYSTEM_URL], &[]).output()?;
        ensure!(done.status.success(), "{}: templates export failed", self.name);
        for text in serde_json::from_slice::<Vec<Value>>(&done.stdout)? {
            provider.add_template(&text).map_err(|e| anyhow::anyhow!("the stand-in refuses a text: {e:?}"))?;
        }
        Ok(())
    }

    /// Starts it, without waiting until it answers.
    pub fn serve(&self, variables: &[(String, String)]) -> anyhow::Result<Running> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let mut command = self.command(&["serve"], variables);
        command
            .env("HOOKBRIDGE__SERVER__LISTEN", address.to_string())
            .env("HOOKBRIDGE__LOG__LEVEL", "error")
            .stdout(Stdio::null());
        let process = tokio::process::Command::from(command).kill_on_drop(true).spawn().context("it does not start")?;
        Ok(Running { address, process })
    }
}

impl Running {
    pub async fn answers(&self) -> anyhow::Result<()> {
        let until = tokio::time::Instant::now() + PATIENCE;
        while tokio::net::TcpStream::connect(self.address).await.is_err() {
            ensure!(tokio::time::Instant::now() < until, "it does not answer");
            tokio::time::sleep(LOOK).await;
        }
        Ok(())
    }

    pub fn pid(&self) -> anyhow::Result<u32> {
        self.process.id().context("hookbridge ended")
    }

    pub async fn end(mut self) -> anyhow::Result<()> {
        Ok(self.process.kill().await?)
    }
}
