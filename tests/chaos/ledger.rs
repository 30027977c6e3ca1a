//! Owns: the ledger that the firing side keeps: a file per PHP process, written to the disk before and after each hook. It
//! says what was fired and who must hear of it, and nothing in it comes from the bridge.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::acts::Act;

/// What is written before a hook.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Entry {
    pub act: u32,
    /// Which hook of the act.
    pub hook: usize,
    pub name: String,
    pub subject: u32,
    /// Template, recipients' numbers, or why nobody.
    pub expected: String,
    pub to: Vec<String>,
    pub reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Before(Entry),
    After { act: u32, hook: usize },
}

/// One hook that was fired.
#[derive(Clone, Debug)]
pub struct Fired {
    pub entry: Entry,
    /// The hook came to its end: from then on the event must not be lost.
    pub ended: bool,
}

impl Entry {
    pub fn of(act: &Act, hook: usize) -> Self {
        let (name, subject) = act.events[hook];
        Self {
            act: act.number,
            hook,
            name: name.to_owned(),
            subject,
            expected: act.must.template.to_owned(),
            to: act.must.to.iter().map(|(phone, _)| phone.clone()).collect(),
            reason: act.must.reason.map(str::to_owned),
        }
    }
}

/// All hooks of all files.
pub fn read(folder: &Path) -> anyhow::Result<Vec<Fired>> {
    let mut all: BTreeMap<(u32, usize), Fired> = BTreeMap::new();
    for file in std::fs::read_dir(folder)? {
        let text = std::fs::read_to_string(file?.path())?;
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for (index, line) in lines.iter().enumerate() {
            // The last line of a killed process may be half a line; its hook has not begun.
            if !line.ends_with('\n') && index + 1 == lines.len() {
                continue;
            }
            match serde_json::from_str(line).with_context(|| format!("a line of the ledger: {line}"))? {
                Line::Before(entry) => {
                    all.insert((entry.act, entry.hook), Fired { entry, ended: false });
                }
                Line::After { act, hook } => {
                    all.get_mut(&(act, hook)).context("an end without a beginning")?.ended = true;
                }
            }
        }
    }
    Ok(all.into_values().collect())
}
