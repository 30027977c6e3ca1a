//! Owns: what a text was before, and what each version changed.

use super::Key;
use crate::admin::difference::{Line, difference};
use crate::admin::{AdminError, Desk};
use crate::render::Templates;
use crate::store::version::{self, Kind, Version};

/// Versions shown at most.
pub const SHOWN_MAX: usize = 50;

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
    let built_in = templates.exact(&key.alert, key.locale).map(|template| template.source().to_toml());
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
