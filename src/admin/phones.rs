//! Owns: the clients who cannot be alerted, and why: page by page in the order of their ids, with bounded work for each.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::reach::{Seen, Standing, Walk};
use super::{AdminError, Desk};
use crate::domain::admin::{Role, Who};
use crate::domain::closed_list::closed_list;
use crate::domain::phone::E164;
use crate::domain::reason::Reason;
use crate::store::{Store, receipt};
/// A page stops looking after so many of the platform's pages of clients, or so long: the next goes on there.
const PAGES_MAX: usize = 5;
const LOOK_MAX: Duration = Duration::from_millis(60);
/// What the provider said is believed for so long.
pub(super) const SAID_MAX: SignedDuration = SignedDuration::from_hours(60 * 24);
/// Why such a client is listed, in plain English.
pub const UNDELIVERABLE: &str = "the provider could not deliver the last alert to this number";
/// Rows of an export, and how long it may take.
const EXPORT_ROWS_MAX: usize = 100_000;
const EXPORT_MAX: Duration = Duration::from_secs(20);

closed_list! {
    /// Why a client cannot be alerted.
    Problem {
        Missing = "phone_missing",
        Invalid = "phone_invalid",
        NotMobile = "phone_not_mobile",
        OptedOut = "opted_out",
        /// The provider says that its user changed to another number.
        NumberChanged = "number_changed",
        /// The provider could not deliver the last alert to it (131026): as a rule there is no WhatsApp behind the number.
        Undeliverable = "undeliverable",
        /// The client's row holds what nobody can read.
        Unreadable = "subject_unreadable",
        /// Can be alerted, at a number that was read with an assumption: listed only where it is asked for.
        Assumed = "assumed",
    }
}

impl Problem {
    fn of(reason: Reason) -> Self {
        Self::parse(reason.code()).unwrap_or(Self::Invalid)
    }
}

/// A client who cannot be alerted.
#[derive(Clone, Debug)]
pub struct Unreachable {
    pub client: u64,
    /// ISO 3166 alpha-2, or nothing.
    pub country: String,
    pub problem: Problem,
    /// In plain English, without the number.
    pub why: String,
    /// As the platform has it: personal data, for who may repair it.
    pub stored: String,
}

/// Some of them.
#[derive(Clone, Debug)]
pub struct Page {
    pub found: Vec<Unreachable>,
    /// Clients looked at for them.
    pub looked: u64,
    /// The id behind which the next page begins; `None`: these were the last.
    pub next: Option<u64>,
}

/// At most `limit` clients behind the id `after` who cannot be alerted, of one problem or any. There may be fewer, or none, and
/// more behind them.
///
/// # Errors
/// The role, or a database.
pub async fn page(
    desk: &Desk,
    who: &Who,
    problem: Option<Problem>,
    after: u64,
    limit: usize,
) -> Result<Page, AdminError> {
    desk.require(who, Role::Viewer)?;
    let started = Instant::now();
    let mut walk = Walk::start(&desk.billing, &desk.store, &desk.config, after, desk.now()).await?;
    let (mut found, mut last) = (Vec::new(), after);
    for _ in 0..PAGES_MAX {
        let Some(seen) = walk.next().await? else { return Ok(Page { found, looked: walk.counts.read, next: None }) };
        last = seen.last().map_or(last, |one| one.client);
        found.extend(pick(desk, seen, problem).await?);
        if found.len() >= limit || started.elapsed() > LOOK_MAX {
            break;
        }
    }
    if found.len() > limit {
        found.truncate(limit);
        last = found.last().map_or(last, |one| one.client);
    }
    Ok(Page { found, looked: walk.counts.read, next: Some(last) })
}

/// Those of a page of clients who cannot be alerted.
async fn pick(desk: &Desk, seen: Vec<Seen>, problem: Option<Problem>) -> Result<Vec<Unreachable>, AdminError> {
    let said = if problem.is_none_or(|problem| problem == Problem::Undeliverable) {
        undeliverable(&desk.store, &seen, desk.now()).await?
    } else {
        HashSet::new()
    };
    let assumed = problem == Some(Problem::Assumed);
    let found = seen.into_iter().filter_map(|one| {
        let (problem, why) = match &one.standing {
            Standing::Not { reason, why } => (Problem::of(*reason), why.clone()),
            Standing::Reachable { phone, .. } if said.contains(phone) => {
                (Problem::Undeliverable, UNDELIVERABLE.to_owned())
            }
            Standing::Reachable { assumed: Some(guess), .. } if assumed => (Problem::Assumed, guess.text().to_owned()),
            _ => return None,
        };
        let Seen { client, country, stored, .. } = one;
        Some(Unreachable { client, country, problem, why, stored })
    });
    Ok(found.filter(|one| problem.is_none_or(|problem| one.problem == problem)).collect())
}

/// Those numbers of a page of clients to which the provider could not deliver the last alert.
///
/// # Errors
/// The database.
pub async fn undeliverable(store: &Store, seen: &[Seen], now: Timestamp) -> Result<HashSet<E164>, AdminError> {
    let numbers: Vec<E164> = seen.iter().filter_map(|one| one.phone().cloned()).collect();
    Ok(receipt::undeliverable(store, &numbers, now - SAID_MAX).await?)
}

/// All of them as a table for spreadsheets: ids and reasons, no numbers and no names. An audit line says who took it.
///
/// # Errors
/// The role, or a database.
pub async fn export(desk: &Desk, who: &Who, problem: Option<Problem>) -> Result<Vec<u8>, AdminError> {
    desk.require(who, Role::Viewer)?;
    let until = Instant::now() + EXPORT_MAX;
    let mut walk = Walk::start(&desk.billing, &desk.store, &desk.config, 0, desk.now()).await?;
    let (mut csv, mut rows) = (String::from("client,country,reason,why\r\n"), 0);
    while let Some(seen) = walk.next().await? {
        for one in pick(desk, seen, problem).await? {
            let why = one.why.replace('"', "\"\"");
            csv.push_str(
                &[&one.client.to_string(), &one.country, one.problem.code(), &format!("\"{why}\"\r\n")]
                    .map(|s| s as &str)
                    .join(","),
            );
            rows += 1;
        }
        if rows >= EXPORT_ROWS_MAX || Instant::now() > until {
            csv.push_str(",,,\"there are more: `hookbridge audit phones --csv` has no limit\"\r\n");
            break;
        }
    }
    let which = problem.map_or("all", Problem::code);
    desk.note(who, "phones.export", which, Some(&format!("{rows} clients"))).await?;
    Ok(csv.into_bytes())
}
