//! Owns: the desk of commands, and the text of a failed operation at a terminal.

use crate::admin::{AdminError, Desk};
use crate::app::{desk_at_the_command_line, desk_without_secrets};
use crate::config::Config;
use crate::domain::admin::Who;
use crate::domain::locale::Locale;
use crate::i18n;

/// Does something that neither seals nor opens a secret, with or without `admin.key`.
pub(super) async fn at_the_desk<T>(
    config: &Config,
    act: impl AsyncFnOnce(&Desk, &Who) -> Result<T, Failure>,
) -> anyhow::Result<T> {
    work(desk_without_secrets(config).await?, act).await
}

/// Does something with the desk's secrets: needs `admin.key`.
pub(super) async fn with_the_key<T>(
    config: &Config,
    act: impl AsyncFnOnce(&Desk, &Who) -> Result<T, Failure>,
) -> anyhow::Result<T> {
    work(desk_at_the_command_line(config).await?, act).await
}

async fn work<T>(desk: Desk, act: impl AsyncFnOnce(&Desk, &Who) -> Result<T, Failure>) -> anyhow::Result<T> {
    let done = act(&desk, &super::who()).await;
    desk.store.database().clone().close().await;
    desk.billing.database().clone().close().await;
    done.map_err(|failure| failure.0)
}

/// The text of a failed operation, instead of the page's keys.
#[derive(Debug)]
pub(super) struct Failure(anyhow::Error);

impl From<AdminError> for Failure {
    fn from(error: AdminError) -> Self {
        Self(match error {
            AdminError::Invalid(mistakes) => {
                let all: Vec<String> =
                    mistakes.iter().map(|one| format!("{}: {}{}", one.field, plain(&one.text), one.hint())).collect();
                anyhow::anyhow!(all.join("\n"))
            }
            AdminError::Conflict(text) => anyhow::anyhow!(plain(&text).to_owned()),
            other => other.into(),
        })
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self(error)
    }
}

/// In English, where it is a key of the pages' words.
pub(super) fn plain(text: &str) -> &str {
    i18n::text(Locale::En, text)
}
