//! `GET /sources`, `hookbridge sources list`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::AREA;
use crate::admin::AdminError;
use crate::admin::overview::need::stub_says;
use crate::domain::admin::Role;
use crate::figures::stubs::{StubLine, stubs};
use crate::ops::{Context, Operation, Read};
use crate::store::source_secret::{self, SourceSecret};

/// Secrets of a source that are over and still listed.
const OVER_SHOWN: usize = 5;

/// Sources of events, how their stubs are, and which secrets they have. Never the secrets themselves.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ListSources {}

#[derive(Debug, Serialize, ToSchema)]
pub struct Sources {
    pub items: Vec<Source>,
}

/// A source with its secrets.
#[derive(Debug, Serialize, ToSchema)]
pub struct Source {
    pub name: String,
    /// Secrets in the configuration.
    pub configured_secrets: usize,
    /// Those that were made here, newest first, the last ones that are over too.
    pub secrets: Vec<Secret>,
    /// Its stubs, as they reported themselves, the newest first.
    pub stubs: Vec<Stub>,
}

/// A secret that was made here: that it is there, not what it is.
#[derive(Debug, Serialize, ToSchema)]
pub struct Secret {
    pub id: u64,
    pub made_at: Timestamp,
    pub made_by: String,
    /// Null: until somebody ends it or makes the next one.
    pub until: Option<Timestamp>,
    /// Whether events that it signs are taken.
    pub valid: bool,
}

/// An installation of the platform, or one of its hosts, as its stub reported itself with its last heartbeat.
#[derive(Debug, Serialize, ToSchema)]
pub struct Stub {
    pub host: String,
    /// The user that PHP ran as.
    pub owner: String,
    pub received_at: Timestamp,
    /// Seconds that its clock is ahead of ours.
    pub clock_ahead_s: i64,
    /// The stub's version.
    pub stub: String,
    /// The platform's version.
    pub platform: String,
    pub php: String,
    pub sapi: String,
    /// PHP's extensions.
    pub extensions: Vec<String>,
    /// Hooks that it registered.
    pub hooks: Vec<String>,
    /// Hooks that are used here and that it did not register.
    pub hooks_missing: Vec<String>,
    /// Events in its journal.
    pub waiting: u64,
    pub oldest_at: Option<Timestamp>,
    pub set_aside: u64,
    pub lost: u64,
    pub lost_at: Option<Timestamp>,
    /// Why it cannot keep events; empty: it can.
    pub fault: String,
    /// What is wrong, the worst first.
    pub troubles: Vec<Trouble>,
    /// For pages, which say it in the reader's language.
    #[serde(skip)]
    #[schema(ignore)]
    pub line: StubLine,
}

/// Something that is wrong with a stub.
#[derive(Debug, Serialize, ToSchema)]
pub struct Trouble {
    pub code: String,
    pub says: String,
}

impl Operation for ListSources {
    const ID: &'static str = "sources";
    const AREA: &'static str = AREA;
    const ROLE: Role = Role::Viewer;
    type Output = Sources;
}

impl Read for ListSources {
    async fn read(self, context: Context<'_>) -> Result<Sources, AdminError> {
        let Context { desk, now, .. } = context;
        let secrets = source_secret::all(&desk.store).await?;
        let lines = stubs(&desk.store, &desk.config.sources, now).await?;
        let items = desk.config.sources.iter().map(|(name, source)| Source {
            name: name.clone(),
            configured_secrets: source.secrets.len(),
            secrets: listed(secrets.iter().filter(|one| one.source == *name), now),
            stubs: lines.iter().filter(|line| line.last.source == *name).cloned().map(Stub::from).collect(),
        });
        Ok(Sources { items: items.collect() })
    }
}

fn listed<'a>(secrets: impl Iterator<Item = &'a SourceSecret>, now: Timestamp) -> Vec<Secret> {
    let mut over = 0;
    let mut all = Vec::new();
    for one in secrets {
        let valid = one.is_valid(now);
        over += usize::from(!valid);
        if valid || over <= OVER_SHOWN {
            let (made_at, made_by) = (one.made_at, one.made_by.clone());
            all.push(Secret { id: one.id, made_at, made_by, until: one.until, valid });
        }
    }
    all
}

impl From<StubLine> for Stub {
    fn from(line: StubLine) -> Self {
        let (last, said) = (&line.last, line.last.said.clone());
        let trouble = |one: &crate::domain::heartbeat::Trouble| Trouble {
            code: one.code().to_owned(),
            says: stub_says(*one, last),
        };
        Self {
            received_at: last.received_at,
            clock_ahead_s: last.clock_ahead_s,
            hooks_missing: last.missing.clone(),
            lost_at: last.lost_at,
            troubles: line.troubles.iter().map(trouble).collect(),
            host: said.host,
            owner: said.owner,
            stub: said.stub,
            platform: said.platform,
            php: said.php,
            sapi: said.sapi,
            extensions: said.extensions,
            hooks: said.hooks,
            waiting: said.waiting,
            oldest_at: said.oldest,
            set_aside: said.aside,
            lost: said.lost,
            fault: said.fault,
            line,
        }
    }
}
