//! Owns: alerts that wait for somebody's word because there were more than usual: let them go, drop them, decide later.

use jiff::SignedDuration;

use super::{AdminError, Desk};
use crate::domain::admin::{Role, Who};
use crate::store::hold::{self, Hold, Scope};

/// For how many minutes an answer holds, if nothing else is said; and at most.
pub const MINUTES: u32 = 60;
pub const MINUTES_MAX: u32 = 10_080;

/// What is to become of held alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Send them, and hold no more of it for so many minutes.
    Go(u32),
    Drop,
    /// Ask again after so many minutes.
    Later(u32),
}

/// What waits, and what was let go.
///
/// # Errors
/// The database.
pub async fn all(desk: &Desk) -> Result<Vec<Hold>, AdminError> {
    Ok(hold::all(&desk.store).await?)
}

/// Answers a hold. Returns how many messages go or are cancelled.
///
/// # Errors
/// The role, no such hold; the database.
pub async fn answer(desk: &Desk, who: &Who, scope: &Scope, word: Word) -> Result<usize, AdminError> {
    desk.require(who, Role::Operator)?;
    let known = |hold: &Hold| hold.hookpoint == scope.hookpoint && hold.client_id == scope.client_id;
    if !hold::all(&desk.store).await?.iter().any(known) {
        return Err(AdminError::NotFound("hold"));
    }
    if let Word::Go(minutes) | Word::Later(minutes) = word
        && !(1..=MINUTES_MAX).contains(&minutes)
    {
        return Err(AdminError::invalid("minutes", "holds.minutes_bad"));
    }
    let (store, now) = (&desk.store, desk.now());
    let until = |minutes: u32| now + SignedDuration::from_mins(minutes.into());
    let action = match word {
        Word::Go(_) => "hold.go",
        Word::Drop => "hold.drop",
        Word::Later(_) => "hold.later",
    };
    let client = scope.client_id.map(|id| format!(", client {}", id.0));
    let record = desk.record(who, action, (scope.hookpoint.as_str(), client), false);
    Ok(match word {
        Word::Go(minutes) => hold::go(store, scope, until(minutes), now, Some(&record)).await?,
        Word::Drop => hold::discard(store, scope, now, Some(&record)).await?,
        Word::Later(minutes) => {
            hold::later(store, scope, until(minutes), Some(&record)).await?;
            0
        }
    })
}
