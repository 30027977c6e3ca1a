//! Owns: what a text was before, and what each version changed.

use similar::{ChangeTag, TextDiff};

use super::Key;
use crate::admin::{AdminError, Desk};
use crate::render::Templates;
use crate::store::version::{self, Kind, Version};

/// Versions shown at most.
pub const SHOWN_MAX: usize = 50;

/// One line of a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub change: Change,
    pub text: String,
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Same,
    Gone,
    New,
}

impl Change {
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Gone => "gone",
            Self::New => "new",
        }
    }
}

/// A version, and what it changed.
#[derive(Clone, Debug)]
pub struct Step {
    pub version: Version,
    pub difference: Vec<Line>,
}

/// The versions of a text, newest first.
///
/// # Errors
/// The database.
pub async fn all(desk: &Desk, key: &Key) -> Result<Vec<Version>, AdminError> {
    Ok(version::history(&desk.store, Kind::Template, &key.name(), SHOWN_MAX + 1).await?)
}

/// The same with what each changed, against the version before it; the first one against what is built in.
///
/// # Errors
/// The database.
pub async fn steps(desk: &Desk, key: &Key) -> Result<Vec<Step>, AdminError> {
    let all = all(desk, key).await?;
    let templates = Templates::built_in().map_err(|all| AdminError::Internal(all.join("\n")))?;
    let built_in = templates.get(&key.alert, key.locale).map(|template| template.source().to_toml());
    let content = |version: Option<&Version>| -> String {
        let own = version.and_then(|version| version.content.clone());
        own.or_else(|| built_in.clone()).unwrap_or_default()
    };
    let texts: Vec<String> = all.iter().map(|version| content(Some(version))).collect();
    let whole = all.len() <= SHOWN_MAX;
    let steps = all.into_iter().enumerate().take(SHOWN_MAX).map(|(n, version)| {
        let before = texts.get(n + 1).cloned().unwrap_or_else(|| if whole { content(None) } else { String::new() });
        Step { version, difference: difference(&before, &texts[n]) }
    });
    Ok(steps.collect())
}

/// What turns `old` into `new`, line by line.
#[must_use]
pub fn difference(old: &str, new: &str) -> Vec<Line> {
    TextDiff::from_lines(old, new)
        .iter_all_changes()
        .map(|change| Line {
            change: match change.tag() {
                ChangeTag::Equal => Change::Same,
                ChangeTag::Delete => Change::Gone,
                ChangeTag::Insert => Change::New,
            },
            text: change.value().trim_end_matches('\n').to_owned(),
        })
        .collect()
}
