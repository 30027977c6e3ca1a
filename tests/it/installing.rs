//! The first installation as a person does it: `setup`, `templates submit --all`, `stub install`; and what systemd hands over and
//! is told.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixDatagram;
use std::process::{Output, Stdio};
use std::time::Duration;

use hookbridge::clock::Clock;
use hookbridge::demo::data::Size;
use hookbridge::demo::stage::{Secrets, provider_without_texts, variables};
use hookbridge::sandbox::SandboxConfig;
use serde_json::Value;
use tokio::process::Command;

use crate::support::bridge::Bridge;
use crate::support::database::TestDb;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hookbridge"));
    command.args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    command
}

async fn run(arguments: &[&str]) -> (bool, String) {
    said(&command(arguments).output().await.expect("the command runs"))
}

fn said(output: &Output) -> (bool, String) {
    let text = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), text)
}

fn answers(platform: &str, schema: &str) -> String {
    format!(
        "platform_database = \"{platform}\"\ntimezone = \"America/Argentina/Buenos_Aires\"\nschema = \"{schema}\"\n\
         public_url = \"https://bridge.example.com\"\nphone_number_id = \"106540352242922\"\nwaba_id = \"102290129340398\"\n\
         token = \"EAAGm0PX4ZCpsBA\"\napp_secret = \"1d5a3f2e9b7c4d6e8f0a1b2c3d4e5f60\"\n"
    )
}

#[tokio::test]
async fn eight_answers_become_accounts_a_schema_and_settings_and_nothing_is_written_that_was_not_shown() {
    let db = TestDb::with_sample(Size::CAST, Clock::system().now()).await;
    let dir = tempfile::tempdir().expect("a folder");
    let (folder, file) = (dir.path().join("etc"), dir.path().join("answers.toml"));
    std::fs::create_dir(&folder).expect("a folder");
    let schema = format!("{}_s", db.own);
    std::fs::write(&file, answers(&db.billing, &schema)).expect("answers");
    let administrator = db.root_url();
    let (etc, file) = (folder.to_string_lossy().into_owned(), file.to_string_lossy().into_owned());
    let arguments = ["setup", "--answers", &file, "--administrator", &administrator, "--folder", &etc];

    let (ok, text) = run(&[&arguments[..], &["--dry-run"]].concat()).await;
    assert!(ok && text.contains("nothing was written"), "{text}");
    assert_eq!(std::fs::read_dir(&folder).expect("the folder").count(), 0);
    assert!(text.contains(&format!("CREATE DATABASE IF NOT EXISTS `{schema}`")), "{text}");
    assert!(!text.contains("EAAGm0PX4ZCpsBA") && !text.contains("1d5a3f2e9b7c4d6e8f0a1b2c3d4e5f60"), "{text}");

    let (ok, text) = run(&[&arguments[..], &["--yes"]].concat()).await;
    assert!(ok, "{text}");
    assert!(text.contains("https://bridge.example.com/v1/receipts/main"), "{text}");
    let mode = |name: &str| std::fs::metadata(folder.join(name)).expect(name).permissions().mode() & 0o777;
    for name in ["database_url", "billing_url", "token", "app_secret", "verify_token", "stub_secrets", "admin_key"] {
        assert_eq!(mode(name), 0o640, "{name}");
        let secret = std::fs::read_to_string(folder.join(name)).expect(name);
        assert!(!text.contains(secret.trim()), "{name} is shown");
    }
    let settings = folder.join("hookbridge.toml").to_string_lossy().into_owned();
    let output = command(&["--config", &settings, "doctor", "--json"]).output().await.expect("doctor");
    let checks: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    for check in ["database", "schema", "grants"] {
        let all = checks["checks"].as_array().expect("checks");
        assert!(all.iter().any(|one| one["check"] == check && one["state"] == "ok"), "{check}: {checks:#}");
    }

    // A second time nothing is overwritten.
    let (ok, text) = run(&[&arguments[..], &["--yes"]].concat()).await;
    assert!(!ok && text.contains("is there already"), "{text}");
}

#[tokio::test]
async fn wrong_answers_are_named_without_a_secret() {
    let db = TestDb::with_sample(Size::CAST, Clock::system().now()).await;
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("answers.toml");
    let good = answers(&db.billing, "s");
    let cases = [
        (good.replace("\"106540352242922\"", "\"+54 9 351\""), "phone_number_id"),
        (good.replace("America/Argentina/Buenos_Aires", "Buenos Aires"), "IANA"),
        (good.replace("https://bridge", "http://bridge"), "https://"),
        (good.replace(&format!("\"{}\"", db.billing), "\"mysql\""), "does not hold the platform's tables"),
        (good.replace("token = \"EAAGm0PX4ZCpsBA\"", "token = \"EAAGm0PX4ZCpsBA"), "line 7"),
    ];
    for (text, wanted) in cases {
        std::fs::write(&file, text).expect("answers");
        let path = file.to_string_lossy().into_owned();
        let folder = dir.path().to_string_lossy().into_owned();
        let (ok, said) =
            run(&["setup", "--answers", &path, "--administrator", &db.root_url(), "--folder", &folder, "--yes"]).await;
        assert!(!ok && said.contains(wanted) && !said.contains("EAAGm0PX4ZCpsBA"), "{wanted}: {said}");
        assert!(!dir.path().join("hookbridge.toml").exists());
    }
}

#[tokio::test]
async fn all_texts_are_made_at_the_provider_by_one_command_and_a_second_run_leaves_them_alone() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let db = TestDb::with_sample(Size::CAST, Clock::system().now()).await;
    let secrets = Secrets::new().expect("randomness");
    let sandbox = provider_without_texts(SandboxConfig::new(Clock::system()), &secrets).await.expect("a stand-in");
    let run = async |arguments: &[&str]| {
        let mut command = command(arguments);
        command.envs(variables(&db.bridge_url(), &db.reader_url(), &sandbox.url(), &secrets));
        command.output().await.expect("the command runs")
    };
    assert!(run(&["migrate"]).await.status.success());
    let arguments = ["templates", "submit", "--all", "--wait", "0", "--json"];
    let first = run(&arguments).await;
    let first: Value = serde_json::from_slice(&first.stdout).unwrap_or_else(|_| panic!("{:?}", said(&first)));
    let texts = first["texts"].as_array().expect("texts");
    assert!(texts.len() >= 60 && texts.iter().all(|one| one["result"] == "made"), "{first:#}");
    let second = run(&arguments).await;
    let second: Value = serde_json::from_slice(&second.stdout).expect("JSON");
    let again = second["texts"].as_array().expect("texts");
    assert!(again.len() == texts.len() && again.iter().all(|one| one["result"] == "there"), "{second:#}");
}

#[tokio::test]
async fn the_stub_is_installed_with_the_owner_and_modes_that_it_needs_and_taken_out_again() {
    let bridge = Bridge::start().await;
    let platform = bridge.dir.path().join("platform");
    std::fs::create_dir_all(platform.join("includes/hooks")).expect("folders");
    let (path, spool) = (platform.to_string_lossy().into_owned(), bridge.dir.path().join("waiting"));
    let (ok, out, err) = bridge.run(&["stub", "install", &path]).await;
    assert!(!ok && err.contains("configuration.php"), "{out}{err}");
    std::fs::write(platform.join("configuration.php"), "<?php\n").expect("a file");
    let me = std::fs::metadata("/proc/self").expect("this process").uid();
    let passwd = std::fs::read_to_string("/etc/passwd").expect("users");
    let user = passwd
        .lines()
        .find(|line| line.split(':').nth(2) == Some(&me.to_string()))
        .and_then(|line| line.split(':').next())
        .expect("this user");
    let spool_text = spool.to_string_lossy().into_owned();
    let url = bridge.url("");
    let arguments =
        ["stub", "install", &path, "--user", user, "--spool", &spool_text, "--settings-inside", "--url", &url];
    let (ok, out, err) = bridge.run(&arguments).await;
    assert!(ok, "{out}{err}");
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    let settings = platform.join("includes/hooks/hookbridge/config.php");
    assert_eq!((mode(&settings), mode(&spool)), (0o400, 0o700));
    assert!(!out.contains(&bridge.secrets.stub), "the secret is not shown");
    // All of it is there, what hides it from visitors of Apache, too.
    let shipped = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("php-hooks/hookbridge");
    for file in std::fs::read_dir(shipped).expect("the stub").flatten() {
        let copy = platform.join("includes/hooks/hookbridge").join(file.file_name());
        assert!(copy.exists(), "{}", copy.display());
    }
    // What PHP makes of it is what the bridge knows.
    let code = format!("echo json_encode(include '{}');", settings.display());
    let php = Command::new("php").args(["-r", &code]).output().await.expect("PHP");
    let read: Value = serde_json::from_slice(&php.stdout).expect("JSON");
    assert_eq!((&read["secret"], &read["source"]), (&bridge.secrets.stub.clone().into(), &"billing".into()));
    let (ok, out, err) = bridge.run(&["stub", "remove", &path]).await;
    assert!(ok && !platform.join("includes/hooks/hookbridge.php").exists() && spool.exists(), "{out}{err}");
    bridge.finish().await;
}

/// Python hands the process a socket as its file 3, as systemd does.
const HAND_OVER: &str = "import os, socket, sys\n\
    s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(64)\n\
    print(s.getsockname()[1], flush=True)\n\
    os.dup2(s.fileno(), 3)\n\
    os.set_inheritable(3, True)\n\
    os.environ.update(LISTEN_FDS='1', LISTEN_PID=str(os.getpid()))\n\
    os.execv(sys.argv[1], sys.argv[1:])\n";

#[tokio::test]
async fn systemd_hands_over_the_socket_and_hears_of_readiness_reload_and_end() {
    let bridge = Bridge::start().await;
    let notes = bridge.dir.path().join("notify");
    let socket = UnixDatagram::bind(&notes).expect("a socket");
    socket.set_read_timeout(Some(Duration::from_mins(1))).expect("a limit");
    let mut child = Command::new("python3")
        .args(["-c", HAND_OVER, env!("CARGO_BIN_EXE_hookbridge"), "serve"])
        .envs(bridge.environment())
        .env("NOTIFY_SOCKET", &notes)
        .stdout(Stdio::piped())
        .stderr(std::fs::File::create(bridge.dir.path().join("log")).expect("a log"))
        .kill_on_drop(true)
        .spawn()
        .expect("Python starts");
    let log = bridge.dir.path().join("log");
    let next = move || {
        let mut buffer = [0_u8; 4096];
        let length = socket.recv(&mut buffer).unwrap_or_else(|error| {
            panic!("systemd hears nothing ({error}): {}", std::fs::read_to_string(&log).unwrap_or_default())
        });
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let pid = child.id().expect("a process").to_string();
    let kill = async |signal: &str| {
        assert!(Command::new("kill").args([signal, &pid]).status().await.expect("kill").success());
    };
    let (heard, next) = tokio::task::spawn_blocking(move || (next(), next)).await.expect("a thread");
    assert!(heard.contains("READY=1"), "{heard}");
    let mut port = String::new();
    let mut out = tokio::io::BufReader::new(child.stdout.take().expect("its output"));
    tokio::io::AsyncBufReadExt::read_line(&mut out, &mut port).await.expect("a port");
    let health = bridge.http.get(format!("http://127.0.0.1:{}/healthz", port.trim())).send().await.expect("an answer");
    assert_eq!(health.status().as_u16(), 200);
    kill("-HUP").await;
    let (heard, next) =
        tokio::task::spawn_blocking(move || (format!("{}\n{}", next(), next()), next)).await.expect("it");
    assert!(heard.contains("RELOADING=1") && heard.contains("MONOTONIC_USEC=") && heard.contains("READY=1"), "{heard}");
    kill("-TERM").await;
    let heard = tokio::task::spawn_blocking(next).await.expect("a thread");
    assert!(heard.contains("STOPPING=1"), "{heard}");
    assert!(child.wait().await.expect("it ends").success());
    bridge.finish().await;
}

#[tokio::test]
async fn a_reader_that_leaves_ends_a_command_without_a_word() {
    let program = env!("CARGO_BIN_EXE_hookbridge");
    let line = format!("{program} config --defaults | true; echo \"ended ${{PIPESTATUS[0]}}\"");
    let output = Command::new("bash").args(["-c", &line]).output().await.expect("bash");
    let (_, text) = said(&output);
    assert!(!text.contains("panicked") && (text.contains("ended 141") || text.contains("ended 0")), "{text}");
}

#[tokio::test]
async fn shells_and_man_know_every_command() {
    let dir = tempfile::tempdir().expect("a folder");
    let (ok, text) = run(&["complete", "bash"]).await;
    assert!(ok && text.contains("templates") && text.contains("--dry-run"));
    let (ok, text) = run(&["complete", "--man", &dir.path().to_string_lossy()]).await;
    assert!(ok, "{text}");
    for page in ["hookbridge.1", "hookbridge-serve.1", "hookbridge-templates-submit.1"] {
        assert!(dir.path().join(page).exists(), "{page}");
    }
    let (ok, _) = run(&["complete"]).await;
    assert!(!ok, "it says what it wants");
}
