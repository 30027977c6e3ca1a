//! The house itself: which room may import which, who may touch what, how large things may become.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Floors from below. A room imports from lower floors only; rooms of one floor do not import each other.
const FLOORS: [&[&str]; 9] = [
    &["domain"],
    &[
        "clock",
        "signature",
        "seal",
        "config",
        "envelope",
        "expression",
        "sql",
        "metrics",
        "stop",
        "telemetry",
        "road",
        "tasks",
    ],
    &["catalogue", "rules", "render", "whatsapp", "billing", "store"],
    &["decide", "provider_texts", "i18n"],
    &["process", "dispatch", "retention", "figures", "health", "notify"],
    &["admin"],
    &["http"],
    &["app", "sandbox", "demo"],
    &["cli"],
];
/// Floors whose rooms may use each other: the skills of floor 1, and what floor 7 is wired from.
const NEIGHBOURLY: [usize; 2] = [1, 7];
/// Longest file in lines. Data and schemas apart.
const LINES_MAX: usize = 520;

fn sources(root: &str) -> Vec<(PathBuf, String)> {
    crate::support::files::below(root, "rs")
}

fn room(path: &Path) -> String {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("below src");
    let first = below.components().next().expect("a file").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

fn floor(room: &str) -> Option<usize> {
    FLOORS.iter().position(|rooms| rooms.contains(&room))
}

#[test]
fn imports_go_down_only() {
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let from = room(&path);
        if matches!(from.as_str(), "lib" | "main") {
            continue;
        }
        let here = floor(&from).unwrap_or_else(|| panic!("`{from}` stands on no floor"));
        for (number, line) in text.lines().enumerate() {
            for part in line.split("crate::").skip(1) {
                let to: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if to == from || to.is_empty() || line.trim_start().starts_with("//") {
                    continue;
                }
                let Some(there) = floor(&to) else { continue };
                let fine = there < here || (there == here && NEIGHBOURLY.contains(&here));
                if !fine {
                    wrong.push(format!("{}:{}: {from} imports {to}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether `line` uses `dependency`, and not a longer name that ends like it.
fn names(line: &str, dependency: &str) -> bool {
    line.match_indices(dependency).any(|(at, _)| !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[test]
fn each_dependency_stays_in_its_rooms() {
    let allowed: BTreeMap<&str, &[&str]> = BTreeMap::from([
        ("warp::", &["http", "sandbox"][..]),
        ("mysql_async::", &["store", "billing", "sql", "app", "demo"][..]),
        ("reqwest::", &["whatsapp", "sandbox", "notify"][..]),
        ("lettre::", &["notify"][..]),
        ("governor::", &["dispatch", "http"][..]),
        ("hmac::", &["signature"][..]),
        ("sha2::", &["signature"][..]),
        ("maud::", &["http", "sandbox"][..]),
        ("argon2::", &["admin"][..]),
        ("ring::aead", &["seal"][..]),
        ("minijinja::", &["expression", "catalogue", "render"][..]),
    ]);
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let here = room(&path);
        for (dependency, rooms) in &allowed {
            let uses = text.lines().any(|line| !line.trim_start().starts_with("//") && names(line, dependency));
            if uses && !rooms.contains(&here.as_str()) {
                wrong.push(format!("{} uses {dependency}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn rules_and_domain_are_pure() {
    for (path, text) in sources("src") {
        if !matches!(room(&path).as_str(), "rules" | "domain") {
            continue;
        }
        for word in ["async fn", "tracing::", "std::fs", "std::net", "Clock", "serde::"] {
            assert!(!text.contains(word), "{} holds `{word}`", path.display());
        }
    }
}

#[test]
fn files_say_what_they_own_and_stay_readable() {
    for (path, text) in sources("src") {
        assert!(text.starts_with("//!"), "{} does not begin with what it is", path.display());
        let lines = text.lines().count();
        assert!(lines <= LINES_MAX, "{} has {lines} lines", path.display());
    }
}

#[test]
fn no_test_waits_by_the_clock_or_is_left_out() {
    let (ignore, sleep) = (["#[", "ignore"].concat(), ["time::", "sleep"].concat());
    // A benchmark measures time, and a run of faults needs it to pass.
    let timed = |path: &Path| ["/tests/bench/", "/tests/chaos/"].iter().any(|one| path.to_string_lossy().contains(one));
    let tests = sources("tests").into_iter().filter(|(path, _)| !timed(path));
    for (path, text) in tests {
        assert!(!text.contains(&ignore), "{} leaves a test out", path.display());
        let waits = text.lines().filter(|line| line.contains(&sleep)).count();
        assert_eq!(waits, 0, "{} sleeps", path.display());
    }
}
