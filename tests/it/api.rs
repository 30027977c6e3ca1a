//! The API as a whole: what is described is what is there, and what a fuzzer finds.

use std::collections::BTreeSet;
use std::process::Stdio;

use hookbridge::domain::admin::{Role, Who};
use hookbridge::http::{api, openapi};
use secrecy::ExposeSecret as _;
use serde_json::json;
use tokio::process::Command;

use crate::support::lively::lively;
use crate::support::person::token;
use crate::support::turn::turn;

#[test]
fn the_description_names_every_address_and_no_other() {
    let there: BTreeSet<String> =
        api::endpoints().iter().map(|one| format!("{} {}", one.method, openapi::braced(one.pattern))).collect();
    let document = openapi::document();
    let mut described = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in
            methods.as_object().expect("methods").iter().filter(|(name, _)| *name != "parameters")
        {
            described.insert(format!("{} {path}", method.to_uppercase()));
            for status in ["401", "503"] {
                assert!(operation["responses"][status].is_object(), "{method} {path} lacks {status}");
            }
            assert!(operation["operationId"].is_string() && operation["summary"].is_string(), "{method} {path}");
        }
    }
    assert_eq!(described, there);
}

/// The rows of the table in docs/API.md: endpoints, and the commands beside them.
fn rows() -> Vec<(Vec<String>, Vec<String>)> {
    let text = std::fs::read_to_string("docs/API.md").expect("docs/API.md");
    let quoted = |cell: &str| -> Vec<String> { cell.split('`').skip(1).step_by(2).map(str::to_owned).collect() };
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.contains("hookbridge "));
    rows.map(|line| {
        let cells: Vec<&str> = line.split(" | ").collect();
        assert_eq!(cells.len(), 3, "{line}");
        (quoted(cells[2]), quoted(cells[1]))
    })
    .collect()
}

#[tokio::test]
async fn whatever_the_api_does_a_command_does_and_the_table_says_which() {
    let rows = rows();
    // A token asks of itself who it is: at the command line nobody needs to.
    let lacking: Vec<String> = api::endpoints()
        .iter()
        .map(|one| format!("{} {}", one.method, openapi::braced(one.pattern)))
        .filter(|one| one != "GET /me" && !rows.iter().any(|(endpoints, _)| endpoints.contains(one)))
        .collect();
    assert!(lacking.is_empty(), "docs/API.md names no command for {lacking:?}");
    let there: BTreeSet<String> =
        api::endpoints().iter().map(|one| format!("{} {}", one.method, openapi::braced(one.pattern))).collect();
    for (endpoints, commands) in &rows {
        assert!(endpoints.iter().all(|one| there.contains(one)), "docs/API.md names what is not there: {endpoints:?}");
        for command in commands {
            let words: Vec<&str> =
                command.split(' ').skip(1).take_while(|word| word.starts_with(char::is_lowercase)).collect();
            let output = Command::new(env!("CARGO_BIN_EXE_hookbridge")).args(&words).arg("--help").output().await;
            let output = output.expect("it runs");
            let help = String::from_utf8_lossy(&output.stdout);
            assert!(
                output.status.success() && help.contains(&format!("Usage: hookbridge {}", words.join(" "))),
                "{command}"
            );
            let flags = command.split(' ').filter(|word| word.starts_with("--"));
            for flag in flags {
                assert!(help.contains(flag), "{command}: no {flag}");
            }
        }
    }
}

#[tokio::test]
async fn a_fuzzer_finds_no_answer_that_is_not_described() {
    let _turn = turn().await;
    let bridge = lively().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let who = Who::at_the_command_line("test");
    // Small ids are what a fuzzer guesses: they end these tokens, not the one it uses, whose id it does not guess.
    for n in 0..20 {
        token(&desk, &who, &format!("decoy {n}"), Role::Viewer).await;
    }
    bridge.db.own("ALTER TABLE api_token AUTO_INCREMENT = 4000000007").await;
    let held = token(&desk, &who, "fuzzer", Role::Administrator).await;
    // It keeps what it found in the folder that it runs in.
    let program = std::env::current_dir().expect("a folder").join(".work/venv/bin/schemathesis");
    let output = Command::new(program)
        .current_dir(bridge.dir.path())
        .args(["run", &bridge.url("/api/v1/openapi.json"), "--url", &bridge.url("/api/v1"), "--no-color"])
        .args(["--header", &format!("Authorization: Bearer {}", held.expose_secret())])
        .args(["--phases", "examples,coverage,fuzzing", "--max-examples", "12", "--seed", "7", "--workers", "1"])
        // What a field must hold is often more than a schema says (a password that is not easy, a hook that exists): whether good data
        // is taken and bad data refused is for the tests of each area.
        .args([
            "--exclude-checks",
            "unsupported_method,missing_required_header,positive_data_acceptance,negative_data_rejection",
        ])
        .args(["--request-timeout", "90"])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .expect("schemathesis runs: scripts/setup.sh test installs it");
    let report = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{report}\n{}", String::from_utf8_lossy(&output.stderr));
    let me =
        bridge.http.get(bridge.url("/api/v1/me")).header("authorization", format!("Bearer {}", held.expose_secret()));
    let me = crate::support::bridge::answer(me).await;
    assert_eq!(
        me.body["name"],
        json!("token:fuzzer"),
        "the fuzzer lost its own token on the way: it saw only refusals"
    );
    bridge.app.stop().await;
    bridge.sandbox.stop().await;
}

/// The description as it stands in docs/openapi.json: what programs are made from, and what a change of a type shows.
#[test]
fn the_description_in_the_docs_is_the_one_that_is_served() {
    let made = serde_json::to_string_pretty(&openapi::document()).expect("JSON") + "\n";
    let path = "docs/openapi.json";
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(path, &made).expect("it can be written");
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        kept == made,
        "{path} is not what the types say: UPDATE_OPENAPI=1 cargo test --test it api::the_description"
    );
}
