//! `hookbridge backup-check`: whether the schema that the configuration names, or a copy of it that was read in from a dump, is all
//! that a restore needs. It only reads.

use std::process::ExitCode;

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};

use super::doctor::{Finding, finding, shown};
use super::show;
use crate::admin::factor;
use crate::app::open_store;
use crate::config::Config;
use crate::config::section::is_empty;
use crate::ops::sources::opened;
use crate::seal::Sealer;
use crate::store::migrate::MigrateError;
use crate::store::{Store, account, backup, migrate, source_secret};

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Look at this schema of the same server instead, into which a dump was read. The bridge's account must be able to read it
    #[arg(long, value_name = "NAME")]
    schema: Option<String>,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args, config: &Config) -> anyhow::Result<ExitCode> {
    let mut config = config.clone();
    if let Some(schema) = &args.schema {
        config.database.url = of_schema(&config.database.url, schema)?;
    }
    let store = open_store(&config)?;
    let mut findings = vec![tables(&store).await];
    if findings.iter().all(|one| !one.has_failed()) {
        findings.push(secrets(&store, &config).await);
        findings.push(held(&store).await);
    }
    findings.push(key_file(&config));
    store.database().clone().close().await;
    Ok(shown(&findings, args.json))
}

/// The same server and account, another schema.
fn of_schema(url: &SecretString, schema: &str) -> anyhow::Result<SecretString> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    anyhow::ensure!(!schema.is_empty() && schema.chars().all(plain), "--schema takes letters, digits and _");
    let (address, parameters) = url.expose_secret().split_once('?').unwrap_or((url.expose_secret(), ""));
    let (server, _) = address.rsplit_once('/').context("`database.url` names no schema")?;
    let mark = if parameters.is_empty() { "" } else { "?" };
    Ok(format!("{server}/{schema}{mark}{parameters}").into())
}

/// Which tables there should be follows from the version that the schema says it has.
async fn tables(store: &Store) -> Finding {
    const CHECK: &str = "tables";
    let (there, pending) = match (backup::tables(store).await, migrate::pending(store).await) {
        (Ok(there), Ok(pending)) => (there, pending),
        (Err(error), _) => return finding(CHECK, "failed", error.to_string()),
        (_, Err(error @ MigrateError::Newer(_))) => {
            return finding(
                CHECK,
                "failed",
                format!("{error}: restore with the version that wrote it, or a newer one"),
            );
        }
        (_, Err(error)) => return finding(CHECK, "failed", error.to_string()),
    };
    if there.is_empty() {
        return finding(CHECK, "failed", "the schema is empty: was the dump read into it?");
    }
    let applied: Vec<String> = migrate::names().into_iter().filter(|name| !pending.contains(name)).collect();
    let lacking: Vec<String> = migrate::tables_of(&applied).difference(&there).cloned().collect();
    if !lacking.is_empty() {
        let says = format!("not in it: {}. Dump the whole schema, without a list of tables", lacking.join(", "));
        return finding(CHECK, "failed", says);
    }
    let version = applied.last().cloned().unwrap_or_default();
    match pending.len() {
        0 => finding(CHECK, "ok", format!("all {} are there, of this version ({version})", there.len())),
        n => {
            let says = format!(
                "all of an older version ({version}): `hookbridge migrate` applies {n} files after the restore"
            );
            finding(CHECK, "ok", says)
        }
    }
}

/// What lies sealed in the schema is lost without the key that sealed it, which no dump holds.
async fn secrets(store: &Store, config: &Config) -> Finding {
    const CHECK: &str = "secrets";
    let (people, sources) = match (account::all(store).await, source_secret::all(store).await) {
        (Ok(people), Ok(sources)) => (people, sources),
        (Err(error), _) | (_, Err(error)) => return finding(CHECK, "failed", error.to_string()),
    };
    let factors: Vec<_> = people.iter().filter(|one| one.totp_sealed.is_some()).collect();
    let secrets: Vec<_> = sources.iter().filter(|one| !one.sealed.is_empty()).collect();
    let count = factors.len() + secrets.len();
    if count == 0 {
        return finding(CHECK, "ok", "none lie in it");
    }
    let Some(sealer) = (!is_empty(&config.admin.key)).then(|| Sealer::new(&config.admin.key).ok()).flatten() else {
        return finding(CHECK, "failed", format!("{count} lie sealed in it, and there is no usable `admin.key`"));
    };
    let closed_factor =
        |sealed: &Option<Vec<u8>>| sealed.as_ref().is_some_and(|one| sealer.open(factor::SEAL, one).is_err());
    let mut closed: Vec<String> = Vec::new();
    closed.extend(
        factors
            .iter()
            .filter(|one| closed_factor(&one.totp_sealed))
            .map(|one| format!("the second factor of {}", one.name)),
    );
    closed.extend(
        secrets
            .iter()
            .filter(|one| opened(&sealer, one).is_err())
            .map(|one| format!("a secret of source {}", one.source)),
    );
    if closed.is_empty() {
        return finding(CHECK, "ok", format!("`admin.key` opens all {count} that lie sealed in it"));
    }
    let says = format!(
        "`admin.key` is not the one that sealed {}: put the old key back, or make these anew",
        closed.join(", ")
    );
    finding(CHECK, "failed", says)
}

/// What a bridge that is started on it would ask about.
async fn held(store: &Store) -> Finding {
    const CHECK: &str = "queued";
    match backup::held(store).await {
        Err(error) => finding(CHECK, "failed", error.to_string()),
        Ok(held) => {
            let newest = held.newest.map_or_else(
                || "there is no event in it".to_owned(),
                |at| format!("its newest event is of {}", show::time(at)),
            );
            let says = format!(
                "{} messages and {} events were not done with: after a restore they are held until somebody looks \
                 (`hookbridge restored`); {newest}",
                held.messages, held.events
            );
            finding(CHECK, "ok", says)
        }
    }
}

/// The one file without which sealed secrets are lost.
fn key_file(config: &Config) -> Finding {
    const CHECK: &str = "beside the dump";
    if is_empty(&config.admin.key) {
        return finding(CHECK, "ok", "the configuration and its secret files; there is no `admin.key`");
    }
    match Sealer::new(&config.admin.key) {
        Ok(_) => finding(CHECK, "ok", "the configuration and its secret files, `admin.key` first: no dump holds them"),
        Err(error) => finding(CHECK, "failed", format!("`admin.key`: {error}")),
    }
}
