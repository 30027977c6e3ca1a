//! Owns: what clients answered, for people: who wrote, to which alert, what the bridge made of it; and that somebody read it.

use super::{AdminError, Desk};
use crate::domain::admin::{Role, Who};
use crate::store::replies::{self, ReplyFilter, ReplyLine, Seen};

/// Replies, newest first, and the key of the next page.
///
/// # Errors
/// The role; the database.
pub async fn list(desk: &Desk, who: &Who, filter: &ReplyFilter) -> Result<(Vec<ReplyLine>, Option<u64>), AdminError> {
    desk.require(who, Role::Viewer)?;
    let more = ReplyFilter { limit: filter.limit + 1, ..filter.clone() };
    let mut all = replies::list(&desk.store, &more).await?;
    let next = (all.len() > filter.limit).then(|| all.get(filter.limit - 1).map(|one| one.id)).flatten();
    all.truncate(filter.limit);
    Ok((all, next))
}

/// Notes that replies were read. Returns how many nobody had read before.
///
/// # Errors
/// The role; there is no such reply; the database.
pub async fn seen(desk: &Desk, who: &Who, which: Seen) -> Result<u64, AdminError> {
    desk.require(who, Role::Operator)?;
    let (Seen::One(id) | Seen::UpTo(id)) = which;
    if !replies::exists(&desk.store, id).await? {
        return Err(AdminError::NotFound("reply"));
    }
    let record = desk.record(who, "reply.seen", (id.to_string(), None), false);
    Ok(replies::note_seen(&desk.store, which, &record).await?)
}
