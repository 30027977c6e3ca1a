//! Owns: operations: what people and programs look at and change. One file an operation: its input, role, output, and what it
//! does. Pages, API and command line call [`read`], [`change`] and [`act`]; the API's addresses and description are made from the types.
//! Must not know: HTTP, HTML, the terminal.

mod code;
pub mod input;
pub mod schema;
mod secret;

pub mod events;
pub mod holds;
pub mod messages;
pub mod numbers;
pub mod people;
pub mod restored;
pub mod sources;
pub mod tokens;

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;

pub use code::{Code, codes};

use crate::admin::{AdminError, Desk};
use crate::domain::admin::{Role, Who};
use crate::store::audit::Record;
use crate::store::{StoreError, Tx, audit, repeated};

/// An operation's input is the type itself. Its comment is what the API's description says of it: the first sentence is the
/// summary.
pub trait Operation: DeserializeOwned + ToSchema + Send + Sync + 'static {
    /// The operation's id in the API's description.
    const ID: &'static str;
    /// What it belongs to, for lists of operations.
    const AREA: &'static str;
    /// Who may.
    const ROLE: Role;
    /// It may find that what it is about is not there, other than by its address.
    const MISSING: bool = false;
    /// It may find its object in another state than it needs.
    const CONFLICTS: bool = false;
    type Output: Serialize + ToSchema + Send + 'static;
}

/// Who acts, when, and with what.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub desk: &'a Desk,
    pub who: &'a Who,
    pub now: Timestamp,
}

/// An operation that changes nothing.
pub trait Read: Operation {
    fn read(self, context: Context<'_>) -> impl Future<Output = Result<Self::Output, AdminError>> + Send;
}

/// An operation that changes something, in one transaction with its line in the audit log.
pub trait Change: Operation {
    type Prepared: Send + Sync;

    /// What needs no transaction, or must not happen inside of one: checks of the input, hashes of passwords, the provider, the
    /// platform's database.
    fn prepare(&self, context: Context<'_>) -> impl Future<Output = Result<Self::Prepared, AdminError>> + Send;

    /// All that must hold together. May run again after a lost deadlock, so it only changes the database.
    fn run(
        &self,
        tx: &mut Tx,
        context: Context<'_>,
        prepared: &Self::Prepared,
    ) -> impl Future<Output = Result<Done<Self::Output>, AdminError>> + Send;
}

/// An operation in several transactions, because it is too large for one or acts at the provider. Each of its transactions
/// writes its own line in the audit log; ended early, the same operation again goes on.
pub trait Act: Operation {
    fn act(self, context: Context<'_>) -> impl Future<Output = Result<Self::Output, AdminError>> + Send;
}

/// A change that was made, and the line that it leaves in the audit log.
#[derive(Debug)]
pub struct Done<T> {
    pub output: T,
    /// E.g. `source.rotate`.
    pub action: &'static str,
    pub target: String,
    /// Never a secret.
    pub detail: Option<String>,
    /// Every instance must take the change over.
    pub raises: bool,
}

/// The output of a change that has nothing to say.
#[derive(Debug, Serialize, ToSchema)]
pub struct Nothing {}

/// Runs an operation that changes nothing.
///
/// # Errors
/// The role; the operation's own.
pub async fn read<T: Read>(desk: &Desk, who: &Who, operation: T) -> Result<T::Output, AdminError> {
    desk.require(who, T::ROLE)?;
    operation.read(Context { desk, who, now: desk.now() }).await
}

/// Runs a change. The only place where a transaction of an operation begins and ends: the change, its line in the audit log
/// and the revision that other instances follow are there together, or none of them is.
///
/// # Errors
/// The role; the operation's own; the database.
pub async fn change<T: Change>(desk: &Desk, who: &Who, operation: T) -> Result<T::Output, AdminError> {
    desk.require(who, T::ROLE)?;
    let context = Context { desk, who, now: desk.now() };
    let prepared = operation.prepare(context).await?;
    let done = repeated(|| once(context, &operation, &prepared)).await?;
    if done.raises {
        desk.take_over().await;
    }
    Ok(done.output)
}

/// Runs an operation in several transactions.
///
/// # Errors
/// The role; the operation's own.
pub async fn act<T: Act>(desk: &Desk, who: &Who, operation: T) -> Result<T::Output, AdminError> {
    desk.require(who, T::ROLE)?;
    operation.act(Context { desk, who, now: desk.now() }).await
}

async fn once<T: Change>(
    context: Context<'_>,
    operation: &T,
    prepared: &T::Prepared,
) -> Result<Done<T::Output>, AdminError> {
    let Context { desk, who, now } = context;
    let mut tx = desk.store.begin().await?;
    let done = operation.run(&mut tx, context, prepared).await?;
    let (target, detail) = (done.target.clone(), done.detail.clone());
    audit::write(&mut tx, &Record { who, action: done.action, target, detail, raises: done.raises, now }).await?;
    tx.commit().await?;
    Ok(done)
}

impl crate::store::Passing for AdminError {
    fn is_passing_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if StoreError::is_passing_conflict(error))
    }
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("who", &self.who).field("now", &self.now).finish_non_exhaustive()
    }
}
