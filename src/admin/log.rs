//! Owns: reading the audit log, and taking it along as a file.

use std::fmt::Write as _;

use serde_json::json;

use super::{AdminError, Desk};
use crate::store::audit::{self, Entry, Filter};

/// Entries read at once.
const STEP: usize = 500;
/// Most entries of one file.
pub const EXPORT_MAX: usize = 10_000;

/// What a file is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    JsonLines,
}

/// Entries, newest first, and the key of the next page.
///
/// # Errors
/// The database.
pub async fn list(desk: &Desk, filter: &Filter) -> Result<(Vec<Entry>, Option<u64>), AdminError> {
    let more = Filter { limit: filter.limit + 1, ..filter.clone() };
    let mut entries = audit::list(&desk.store, &more).await?;
    let next = (entries.len() > filter.limit).then(|| entries.get(filter.limit - 1).map(|one| one.id)).flatten();
    entries.truncate(filter.limit);
    Ok((entries, next))
}

/// The newest [`EXPORT_MAX`] entries that fit, read in steps.
///
/// # Errors
/// The database.
pub async fn export(desk: &Desk, filter: &Filter, format: Format) -> Result<Vec<u8>, AdminError> {
    let mut out = String::new();
    if format == Format::Csv {
        out.push_str("id,at,actor,via,action,target,detail,address\r\n");
    }
    let (mut before, mut count) = (filter.before, 0);
    while count < EXPORT_MAX {
        let entries = audit::list(&desk.store, &Filter { before, limit: STEP, ..filter.clone() }).await?;
        for entry in &entries {
            write(&mut out, entry, format);
        }
        count += entries.len();
        before = entries.last().map(|entry| entry.id);
        if entries.len() < STEP {
            break;
        }
    }
    Ok(out.into_bytes())
}

fn write(out: &mut String, entry: &Entry, format: Format) {
    if format == Format::JsonLines {
        let _ = writeln!(out, "{}", as_json(entry));
        return;
    }
    let (id, at) = (entry.id.to_string(), entry.at.to_string());
    let cells = [
        &id,
        &at,
        &entry.actor,
        entry.via.code(),
        &entry.action,
        &entry.target,
        entry.detail.as_deref().unwrap_or_default(),
        entry.address.as_deref().unwrap_or_default(),
    ];
    let cells: Vec<String> = cells.iter().map(|text| cell(text)).collect();
    let _ = write!(out, "{}\r\n", cells.join(","));
}

/// Quoted, and never a formula for the spreadsheet that opens it.
fn cell(text: &str) -> String {
    let guard = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { "'" } else { "" };
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

/// An entry for programs.
#[must_use]
pub fn as_json(entry: &Entry) -> serde_json::Value {
    json!({
        "id": entry.id, "at": entry.at.to_string(), "actor": entry.actor, "via": entry.via.code(),
        "action": entry.action, "target": entry.target, "detail": entry.detail, "address": entry.address,
    })
}
