//! Owns: what administrators do, through page, API or command line. Each operation checks the role,
//! does one thing, and leaves a line in the audit log.
//! Must not know: HTTP, HTML, the terminal.

pub mod ahead;
pub mod care;
pub mod clients;
pub mod consent;
pub mod decisions;
pub mod difference;
mod evaluate;
pub mod events;
pub mod exceptions;
pub mod factor;
pub mod find;
pub mod guess;
pub mod hookpoints;
pub mod log;
pub mod login;
pub mod messages;
pub mod names;
pub mod notify;
pub mod number;
pub mod numbers;
pub mod overview;
pub mod password;
pub mod people;
pub mod phones;
pub mod reach;
pub mod replies;
pub mod retention;
pub mod rules;
pub mod shape;
pub mod shelf;
pub mod sso;
pub mod templates;
pub mod token;
pub mod why;
pub mod wish;

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use arc_swap::ArcSwap;
use jiff::Timestamp;

use crate::billing::{Billing, BillingError};
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::Config;
use crate::decide::{DecideError, Decider};
use crate::domain::admin::{Role, Who};
use crate::domain::near::nearest;
use crate::metrics::Metrics;
use crate::render::Templates;
use crate::seal::Sealer;
use crate::store::audit::Record;
use crate::store::{Store, StoreError, audit};
use shelf::Shelf;

/// Takes over, in this process, what was just changed in the database.
pub type Apply = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// What the operations work with.
#[derive(Clone)]
pub struct Desk {
    pub store: Store,
    pub billing: Billing,
    pub decider: Arc<Decider>,
    /// What is in force in this process.
    pub catalogue: Arc<ArcSwap<Catalogue>>,
    pub templates: Arc<ArcSwap<Templates>>,
    /// What somebody saved and this version cannot use.
    pub left_out: Arc<ArcSwap<Vec<LeftOut>>>,
    pub config: Arc<Config>,
    pub clock: Clock,
    pub metrics: Arc<Metrics>,
    pub sealer: Sealer,
    pub shelf: Arc<Shelf>,
    /// `None` at the command line: the running instances notice by themselves.
    pub apply: Option<Apply>,
}

/// Something that somebody saved, and that does not compile in this version: it is not in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The hookpoint's or text's name.
    pub name: String,
    /// Why not.
    pub mistake: String,
    /// When it was saved.
    pub at: Option<Timestamp>,
}

/// What looking at how things stand needs: no more than the service has without a page.
#[derive(Clone, Debug)]
pub struct View {
    pub store: Store,
    pub catalogue: Arc<ArcSwap<Catalogue>>,
    pub templates: Arc<ArcSwap<Templates>>,
    pub left_out: Arc<ArcSwap<Vec<LeftOut>>>,
    pub config: Arc<Config>,
    pub clock: Clock,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Desk")
    }
}

/// One thing that is wrong with what somebody entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The name of the field, as the form and the API call it.
    pub field: String,
    /// What is wrong, as a key of the pages' words, or in plain words.
    pub text: String,
    /// What may be entered, where that is a closed list.
    pub choices: Vec<&'static str>,
    /// The one of them, or of what there is, that was probably meant.
    pub meant: Option<String>,
}

impl Mistake {
    pub fn new(field: &str, text: impl Into<String>) -> Self {
        Self { field: field.to_owned(), text: text.into(), choices: Vec::new(), meant: None }
    }

    /// `given` is none of `choices`.
    #[must_use]
    pub fn none_of(field: &str, given: &str, choices: Vec<&'static str>) -> Self {
        let meant = nearest(given, choices.iter().copied()).map(str::to_owned);
        Self { choices, meant, ..Self::new(field, "form.unknown") }
    }

    /// Nothing is called `given`; something nearby is.
    #[must_use]
    pub fn misspelt(field: &str, meant: &str) -> Self {
        Self { meant: Some(meant.to_owned()), ..Self::new(field, "form.unknown") }
    }

    /// What would have been right, in plain English, for programs and terminals.
    #[must_use]
    pub fn hint(&self) -> String {
        let meant = self.meant.as_ref().map_or_else(String::new, |meant| format!(" Did you mean `{meant}`?"));
        if self.choices.is_empty() { meant } else { format!("{meant} One of: {}.", self.choices.join(", ")) }
    }
}

/// An operation failed.
#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error("this needs the role `{0}`")]
    Forbidden(Role),
    #[error("there is no such {0}")]
    NotFound(&'static str),
    #[error("{}", .0.iter().map(|m| format!("{}: {}", m.field, m.text)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Mistake>),
    /// It is not in the state that the operation needs.
    #[error("{0}")]
    Conflict(String),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Billing(#[from] BillingError),
    #[error("{0}")]
    Internal(String),
}

impl From<DecideError> for AdminError {
    fn from(error: DecideError) -> Self {
        match error {
            DecideError::Billing(error) => Self::Billing(error),
            DecideError::Store(error) => Self::Store(error),
        }
    }
}

impl AdminError {
    /// One field is wrong.
    pub fn invalid(field: &str, text: impl Into<String>) -> Self {
        Self::Invalid(vec![Mistake::new(field, text)])
    }
}

impl Desk {
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What looking at how things stand needs.
    #[must_use]
    pub fn view(&self) -> View {
        View {
            store: self.store.clone(),
            catalogue: self.catalogue.clone(),
            templates: self.templates.clone(),
            left_out: self.left_out.clone(),
            config: self.config.clone(),
            clock: self.clock.clone(),
        }
    }

    /// Refuses whoever may not.
    ///
    /// # Errors
    /// [`AdminError::Forbidden`].
    pub fn require(&self, who: &Who, role: Role) -> Result<(), AdminError> {
        if who.may(role) { Ok(()) } else { Err(AdminError::Forbidden(role)) }
    }

    /// Notes what `who` did. Never give it a secret.
    ///
    /// # Errors
    /// The database.
    pub async fn note(&self, who: &Who, action: &str, target: &str, detail: Option<&str>) -> Result<(), AdminError> {
        Ok(audit::note(&self.store, who, action, target, detail, self.now()).await?)
    }

    /// The record of an operation, to be written in its transaction; see [`Self::take_over`] where it `raises`.
    #[must_use]
    pub fn record<'a>(
        &self,
        who: &'a Who,
        action: &'a str,
        (target, detail): (impl Into<String>, Option<String>),
        raises: bool,
    ) -> Record<'a> {
        Record { who, action, target: target.into(), detail, raises, now: self.now() }
    }

    /// Takes over at once, in this process, what an operation changed for every instance.
    pub async fn take_over(&self) {
        if let Some(apply) = &self.apply {
            apply().await;
        }
    }
}
