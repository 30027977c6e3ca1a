//! Owns: how things look on a terminal.

use std::io::IsTerminal as _;

use comfy_table::{ContentArrangement, Table, presets};
use jiff::Timestamp;

use crate::store::walk::Place;

/// A table that fits the terminal; in a pipe, plain columns.
pub(super) fn table(head: &[&str]) -> Table {
    let mut table = Table::new();
    if std::io::stdout().is_terminal() {
        table.load_style(presets::UTF8_FULL_CONDENSED);
        table.set_content_arrangement(ContentArrangement::Dynamic);
    } else {
        table.load_style(presets::NOTHING);
    }
    table.set_header(head.to_vec());
    table
}

/// A time for people: UTC, to the second.
pub(super) fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// `word` in a colour that says how it stands, on a terminal. Not for tables, which would measure the colour, too.
pub(super) fn state(word: &str) -> String {
    let colour = match word {
        "delivered" | "read" | "processed" | "ok" | "allow" | "adjust" => "32",
        "failed" | "unknown" | "deny" => "31",
        "skipped" | "cancelled" | "warn" | "review" => "33",
        _ => "36",
    };
    if std::io::stdout().is_terminal() { format!("\u{1b}[{colour}m{word}\u{1b}[0m") } else { word.to_owned() }
}

/// What people wrote, without what would steer the terminal.
pub(super) fn written(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Whether a list goes on, and how.
pub(super) fn more(next: Option<&Place>, looked_until: Option<Timestamp>) {
    if let Some(until) = looked_until {
        println!("Looked back to {}, not further.", time(until));
    }
    if let Some(next) = next {
        println!("There may be more: --before {next}");
    }
}

pub(super) fn json(value: &serde_json::Value) {
    println!("{}", serde_json::to_string_pretty(value).unwrap_or_default());
}

/// An operation's output as JSON.
pub(super) fn output(output: &impl serde::Serialize) {
    json(&serde_json::to_value(output).unwrap_or_default());
}
