//! Owns: one client's data: all that our own database holds about a client as one document, and erasing it.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{AdminError, Desk, consent};
use crate::domain::admin::{Role, Who};
use crate::domain::ids::ProviderUserId;
use crate::domain::phone::{E164, aliases};
use crate::domain::reason::Reason;
use crate::store::consent::carry_over;
use crate::store::erase::{self, Mask};
use crate::store::personal::{self, Held};
use crate::store::{moved, outbox, unknown, user_phone};

/// Rounds of cancelling what is open: each takes a thousand.
const ROUNDS_MAX: usize = 100;

/// What we hold about a client.
#[derive(Clone, Debug)]
pub struct Holding {
    pub client: u64,
    /// The numbers of the client and of the contacts, as they are on the platform and as we wrote to them.
    pub numbers: Vec<E164>,
    pub kinds: Vec<Held>,
}

/// What was erased.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// Open ones, cancelled first.
    pub cancelled: usize,
    pub messages: usize,
    pub events: u64,
    pub skips: u64,
    pub decisions: u64,
    pub exceptions: u64,
}

/// All that we hold about a client. Looking leaves no line in the audit log; [`export`] does.
///
/// # Errors
/// The role; the database.
pub async fn holding(desk: &Desk, who: &Who, client: u64) -> Result<Holding, AdminError> {
    desk.require(who, Role::Administrator)?;
    let numbers = numbers(desk, client).await?;
    let mut kinds = personal::of_client(&desk.store, client).await?;
    let portfolios = desk.config.senders.values().map(|sender| sender.portfolio.as_str()).collect();
    kinds.extend(personal::of_numbers(&desk.store, &portfolios, &spellings(&numbers)).await?);
    Ok(Holding { client, numbers, kinds })
}

/// All that we hold about a client as one document. An audit line says who took it.
///
/// # Errors
/// The role; the database.
pub async fn export(desk: &Desk, who: &Who, client: u64) -> Result<Value, AdminError> {
    let holding = holding(desk, who, client).await?;
    let rows: usize = holding.kinds.iter().map(|kind| kind.rows.len()).sum();
    let document = document(&holding, &desk.now().to_string());
    desk.note(who, "client.export", &target(client), Some(&format!("{rows} rows"))).await?;
    Ok(document)
}

fn document(holding: &Holding, made_at: &str) -> Value {
    let mut kinds = Map::new();
    for kind in &holding.kinds {
        kinds.insert(kind.kind.to_owned(), Value::Array(kind.rows.clone()));
    }
    json!({
        "client_id": holding.client,
        "made_at": made_at,
        "numbers": holding.numbers.iter().map(E164::as_str).collect::<Vec<_>>(),
        "incomplete": holding.kinds.iter().filter(|kind| kind.more).map(|kind| kind.kind).collect::<Vec<_>>(),
        "held": kinds,
    })
}

/// Erases what we hold about a client. `typed` is the client's id once more, as somebody typed it.
///
/// # Errors
/// The role; another id was typed; a message to the client is being sent right now; the database: what is erased stays so, and doing
/// it again goes on. Many transactions make it up, so one line says before the first that it begins, and one what was erased.
pub async fn erase(desk: &Desk, who: &Who, client: u64, typed: &str) -> Result<Erased, AdminError> {
    desk.require(who, Role::Administrator)?;
    if typed.trim() != client.to_string() {
        return Err(AdminError::invalid("confirm", "clients.confirm_bad"));
    }
    // Before the numbers are erased from the messages.
    let numbers = numbers(desk, client).await?;
    desk.note(who, "client.erase", &target(client), Some("begins")).await?;
    let mut mask = Mask::new();
    let mut erased = Erased { cancelled: cancel(desk, client).await?, ..Erased::default() };
    loop {
        let some = erase::messages(&desk.store, client, &mut mask).await?;
        erased.messages += some;
        if some == 0 {
            break;
        }
    }
    erased.events = erase::events(&desk.store, client).await?;
    (erased.skips, erased.decisions, erased.exceptions) = erase::records(&desk.store, client).await?;
    erase::replies(&desk.store, client, &mask).await?;
    erase::preferences(&desk.store, client).await?;
    // Before the ids go: what was said under them counts for the numbers.
    for number in &numbers {
        let spellings = aliases(number);
        let users = user_phone::users_of(&desk.store, &spellings).await?;
        let (from, to): (Vec<&str>, Vec<&str>) =
            (users.iter().map(ProviderUserId::as_str).collect(), spellings.iter().map(E164::as_str).collect());
        carry_over(&desk.store, &from, &to, desk.now()).await?;
    }
    let stored: BTreeSet<E164> = stored(desk, client).await?.iter().flat_map(aliases).collect();
    for number in spellings(&numbers) {
        let is_stored = stored.contains(&number);
        erase::number(&desk.store, &number, is_stored, &mut mask, desk.now()).await?;
    }
    let detail = format!(
        "{} messages ({} cancelled first), {} events, {} decisions",
        erased.messages, erased.cancelled, erased.events, erased.decisions
    );
    desk.note(who, "client.erase", &target(client), Some(&detail)).await?;
    Ok(erased)
}

/// No message to the client may go out any more.
async fn cancel(desk: &Desk, client: u64) -> Result<usize, AdminError> {
    let mut cancelled = 0;
    for _ in 0..ROUNDS_MAX {
        let open = erase::open(&desk.store, client).await?;
        if open.is_empty() {
            return Ok(cancelled);
        }
        if open.iter().any(|(_, state)| state == "sending") {
            break;
        }
        let (unsure, waiting): (Vec<_>, Vec<_>) = open.iter().partition(|(_, state)| state == "unknown");
        let waiting: Vec<_> = waiting.into_iter().map(|(id, _)| (*id, Reason::CancelledByOperator)).collect();
        outbox::cancel(&desk.store, &waiting, desk.now()).await?;
        for (id, _) in unsure {
            unknown::give_up(&desk.store, *id, desk.now()).await?;
        }
        cancelled += open.len();
    }
    Err(AdminError::Conflict("clients.sending".to_owned()))
}

/// The client's numbers on the platform, those of messages, and those that followed one of them. Whose account is deleted
/// there has only the latter.
async fn numbers(desk: &Desk, client: u64) -> Result<Vec<E164>, AdminError> {
    let written = personal::numbers_of(&desk.store, client).await?;
    let mut all: BTreeSet<E164> = stored(desk, client).await?.into_iter().chain(written).collect();
    let known: Vec<E164> = all.iter().flat_map(aliases).collect();
    all.extend(moved::targets(&desk.store, &known).await?);
    Ok(all.into_iter().filter(|one| !one.is_erased()).collect())
}

/// The client's numbers on the platform.
async fn stored(desk: &Desk, client: u64) -> Result<Vec<E164>, AdminError> {
    let now = consent::numbers_of(desk, client).await?.unwrap_or_default();
    Ok(now.into_iter().filter_map(|(_, phone)| phone.ok()).collect())
}

fn spellings(numbers: &[E164]) -> Vec<E164> {
    let all: BTreeSet<E164> = numbers.iter().flat_map(aliases).collect();
    all.into_iter().collect()
}

fn target(client: u64) -> String {
    format!("client:{client}")
}
