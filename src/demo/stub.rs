//! Owns: the real stub under a minimal platform runtime: installed as an administrator would, fired by `php`.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, ensure};
use rust_embed::RustEmbed;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::schema::Release;

#[derive(RustEmbed)]
#[folder = "php-hooks/"]
struct StubFiles;

/// The runtime that has `add_hook`, and what fires hooks through it.
const RUNTIME: [(&str, &str); 3] = [
    ("runtime.php", include_str!("../../tests/php/runtime.php")),
    ("entrypoint.php", include_str!("../../tests/php/entrypoint.php")),
    ("fire.php", include_str!("../../tests/php/fire.php")),
];

/// An installed stub.
#[derive(Debug)]
pub struct Stub {
    dir: PathBuf,
    release: Release,
}

/// What an administrator writes into the stub's `config.php`.
#[derive(Clone, Copy, Debug)]
pub struct StubSettings<'a> {
    pub url: &'a str,
    pub source: &'a str,
    pub secret: &'a str,
    /// 150 and 400 are the stub's own defaults.
    pub connect_timeout_ms: u32,
    pub total_timeout_ms: u32,
}

impl Stub {
    /// Copies the stub into `dir` with a `config.php`.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn install(dir: &Path, settings: &StubSettings<'_>) -> anyhow::Result<Self> {
        let put = |path: PathBuf, content: &[u8]| -> anyhow::Result<()> {
            std::fs::create_dir_all(path.parent().context("a file lies in a directory")?)?;
            std::fs::write(&path, content).with_context(|| format!("cannot write {}", path.display()))
        };
        for name in StubFiles::iter() {
            let file = StubFiles::get(&name).context("an embedded file")?;
            put(dir.join("hooks").join(name.as_ref()), &file.data)?;
        }
        for (name, content) in RUNTIME {
            put(dir.join("runtime").join(name), content.as_bytes())?;
        }
        let spool = dir.join("spool");
        let config = format!(
            "<?php\nreturn ['url' => '{}', 'source' => '{}', 'secret' => '{}', 'spool_dir' => '{}', \
             'connect_timeout_ms' => {}, 'total_timeout_ms' => {}, 'page_send_ms' => {}];\n",
            settings.url,
            settings.source,
            settings.secret,
            spool.display(),
            settings.connect_timeout_ms,
            settings.total_timeout_ms,
            settings.total_timeout_ms,
        );
        put(dir.join("config.php"), config.as_bytes())?;
        Ok(Self { dir: dir.to_owned(), release: Release::default() })
    }

    /// The same in a platform of that release.
    #[must_use]
    pub fn of(self, release: Release) -> Self {
        Self { release, ..self }
    }

    /// Where the stub keeps what the bridge did not take.
    #[must_use]
    pub fn spool(&self) -> PathBuf {
        self.dir.join("spool")
    }

    /// Events that wait in it.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let files = |folder: &str| std::fs::read_dir(self.spool().join(folder)).into_iter().flatten().flatten();
        let lines = |file: std::fs::DirEntry| {
            let text = std::fs::read(file.path()).unwrap_or_default();
            // Whole lines only: what a PHP that was killed wrote in part is no event.
            text.split_inclusive(|byte| *byte == b'\n')
                .filter(|line| line.starts_with(b"+") && line.ends_with(b"\n"))
                .count()
        };
        files("journal").map(lines).sum()
    }

    /// Events that the bridge refused for good.
    #[must_use]
    pub fn set_aside(&self) -> usize {
        let files = std::fs::read_dir(self.spool().join("rejected")).into_iter().flatten().flatten();
        files.filter(|file| !file.file_name().to_string_lossy().starts_with('.')).count()
    }

    /// The rows that the stub can look up in this runtime, by table.
    ///
    /// # Errors
    /// The directory cannot be written.
    pub fn rows(&self, tables: &Value) -> anyhow::Result<()> {
        Ok(std::fs::write(self.dir.join("rows.json"), tables.to_string())?)
    }

    /// Fires hooks in one PHP process, in order; `fire.php` documents the lines. Returns what it measured of each.
    ///
    /// # Errors
    /// PHP is missing or failed, or the stub printed, returned or complained about something.
    pub async fn fire(&self, lines: &[Value]) -> anyhow::Result<Vec<Value>> {
        let shots = self.decide(lines).await?;
        for shot in &shots {
            ensure!(shot["returned"] == serde_json::json!([]), "the stub returned something: {shot}");
        }
        Ok(shots)
    }

    /// The same for hooks whose return value the platform honours: what each returned is in `returned`.
    ///
    /// # Errors
    /// As [`Stub::fire`], but for what was returned.
    pub async fn decide(&self, lines: &[Value]) -> anyhow::Result<Vec<Value>> {
        let mut php = Command::new("php")
            .arg(self.dir.join("runtime/fire.php"))
            .env("HB_STUB_DIR", self.dir.join("hooks"))
            .env("HB_STUB_CONFIG", self.dir.join("config.php"))
            .env("HB_CAPSULE_JSON", self.dir.join("rows.json"))
            .env("HB_PLATFORM_VERSION", self.release.version())
            .env("HB_ACTIVITY_LOG", self.dir.join("activity.log"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("php does not start (package php-cli)")?;
        let mut stdin = php.stdin.take().context("php's input")?;
        let mut text = lines.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
        text.push('\n');
        let writing = tokio::spawn(async move { stdin.write_all(text.as_bytes()).await });
        let output = php.wait_with_output().await?;
        writing.await??;
        ensure!(output.status.success(), "php failed: {}", String::from_utf8_lossy(&output.stderr));
        let mut shots = Vec::new();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let shot: Value = serde_json::from_str(line).with_context(|| format!("php printed: {line}"))?;
            let quiet = shot["printed"] == "" && shot["errors"] == serde_json::json!([]);
            ensure!(quiet, "the stub was not silent: {shot}");
            shots.push(shot);
        }
        Ok(shots)
    }
}
