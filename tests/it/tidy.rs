//! The house itself: which room may import which, who may touch what, how large things may become.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Longest file in lines. Data and schemas apart.
const LINES_MAX: usize = 520;
/// Longest line of prose or code in a Markdown source, in characters.
const WIDTH_MAX: usize = 120;
/// Longest row of a table there: a cell cannot be wrapped. What is longer becomes a list.
const ROW_WIDTH_MAX: usize = 160;
/// The same in docs/RULES.md, whose tables of cases and of states are written and compared by tests as a whole.
const COMPARED_ROW_WIDTH_MAX: usize = 230;

fn sources(root: &str) -> Vec<(PathBuf, String)> {
    crate::support::files::below(root, "rs")
}

fn room(path: &Path) -> String {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).expect("below src");
    let first = below.components().next().expect("a file").as_os_str().to_string_lossy().into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// The floors of the diagram in docs/ARCHITECTURE.md.
struct Floors(Vec<Floor>);

struct Floor {
    rooms: Vec<String>,
    /// The diagram puts `│` between rooms that must not use each other, and blanks between those that may.
    apart: bool,
}

impl Floors {
    /// The list is there and nowhere else; from below.
    fn read() -> Self {
        let text = crate::support::files::read("docs/ARCHITECTURE.md");
        let mut floors: Vec<Floor> = Vec::new();
        for line in text.lines().rev().filter_map(|line| line.strip_prefix("floor ")) {
            let (number, rooms) = line.split_once(' ').expect("a number and rooms");
            assert_eq!(
                number.parse(),
                Ok(floors.len()),
                "docs/ARCHITECTURE.md: the floors are in order, the top first"
            );
            let apart = rooms.contains('│');
            let rooms = rooms.replace('│', " ").split_whitespace().map(str::to_owned).collect();
            floors.push(Floor { rooms, apart });
        }
        assert!(floors.len() > 5, "docs/ARCHITECTURE.md has its diagram of floors");
        Self(floors)
    }

    fn of(&self, room: &str) -> Option<usize> {
        self.0.iter().position(|floor| floor.rooms.iter().any(|one| one == room))
    }

    fn may_import(&self, here: usize, there: usize) -> bool {
        there < here || (there == here && !self.0[here].apart)
    }
}

#[test]
fn imports_go_down_only() {
    let floors = Floors::read();
    let mut wrong = Vec::new();
    for (path, text) in sources("src") {
        let from = room(&path);
        if matches!(from.as_str(), "lib" | "main") {
            continue;
        }
        let here = floors.of(&from).unwrap_or_else(|| panic!("docs/ARCHITECTURE.md gives `{from}` no floor"));
        for (number, line) in text.lines().enumerate() {
            for part in line.split("crate::").skip(1) {
                let to: String = part.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                if to == from || to.is_empty() || line.trim_start().starts_with("//") {
                    continue;
                }
                let Some(there) = floors.of(&to) else { continue };
                if !floors.may_import(here, there) {
                    wrong.push(format!("{}:{}: {from} imports {to}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_rooms_of_the_library_stand_in_the_order_of_their_floors() {
    let floors = Floors::read();
    let library = crate::support::files::read("src/lib.rs");
    let rooms: Vec<&str> =
        library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let heights: Vec<Option<usize>> = rooms.iter().map(|room| floors.of(room)).collect();
    assert!(heights.iter().all(Option::is_some), "a room without a floor: {rooms:?} {heights:?}");
    assert!(heights.is_sorted(), "src/lib.rs names the rooms from below: {rooms:?} {heights:?}");
    let listed = floors.0.iter().flat_map(|floor| &floor.rooms);
    let lost: Vec<&String> = listed.filter(|room| !rooms.contains(&room.as_str())).collect();
    assert!(lost.is_empty(), "docs/ARCHITECTURE.md names rooms that are not there: {lost:?}");
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
fn every_dependency_is_used() {
    let manifest = crate::support::files::read("Cargo.toml");
    let code = |root: &str| sources(root).into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n");
    let (service, tests) = (code("src"), code("tests"));
    let mut idle = Vec::new();
    for section in manifest.split("\n[").filter(|section| section.contains("dependencies]\n")) {
        let hay = if section.starts_with("dev-") { &tests } else { &service };
        let lines = section.lines().skip(1).filter(|line| line.starts_with(|c: char| c.is_ascii_lowercase()));
        for name in lines.filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.replace('-', "_")) {
            if !hay.lines().any(|line| names(line, &format!("{name}::")) || names(line, &format!("{name};"))) {
                idle.push(name);
            }
        }
    }
    assert!(idle.is_empty(), "Cargo.toml names what nothing uses: {idle:?}");
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

#[test]
fn no_line_of_a_document_is_too_long_to_read() {
    let mut wrong = Vec::new();
    let documents = [".", "docs", "php-hooks", "findings", "fuzz"];
    let mut paths: Vec<PathBuf> = vec![PathBuf::from("tests/README.md")];
    for folder in documents {
        let entries = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).expect("a folder");
        let found = entries.map(|entry| Path::new(folder).join(entry.expect("an entry").file_name()));
        paths.extend(found.filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    assert!(paths.len() > 12, "{paths:?}");
    for path in paths {
        let text = crate::support::files::read(&path.to_string_lossy());
        for (number, line) in text.lines().enumerate() {
            let width = line.chars().count();
            let most = match line.starts_with('|') {
                true if path.ends_with("RULES.md") => COMPARED_ROW_WIDTH_MAX,
                true => ROW_WIDTH_MAX,
                false => WIDTH_MAX,
            };
            // An address cannot be broken.
            let address = line.split_whitespace().any(|part| part.contains("://") && part.chars().count() > 100);
            if width > most && !address {
                wrong.push(format!("{}:{}: {width} characters, {most} at most", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
