//! Owns: changes of owner that belong together. A merge of two accounts moves hundreds of services at once: that is one
//! message to each side, not hundreds.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::HookpointMatch;
use crate::billing::gather::Gathered;
use crate::domain::event::HookEvent;
use crate::domain::hookpoint::{Subject, SubjectKind};
use crate::domain::ids::ClientId;
use crate::domain::record::Facts;
use crate::store::{Store, StoreError, known_events};

/// The machine that a merge moves: the subject is the account that stays, the state the one that went into it.
const MERGE: &str = "merge";

/// Marks which moves of a batch one event covers, and which a merge covered already.
///
/// # Errors
/// The database.
pub async fn join(
    store: &Store,
    asked: &mut [(usize, HookpointMatch<'_>)],
    facts: &mut [Gathered],
) -> Result<(), StoreError> {
    let owners: BTreeSet<Subject> = facts.iter().flatten().flatten().filter_map(present).map(account).collect();
    let merged = known_events::states(store, &[MERGE], &owners.into_iter().collect::<Vec<_>>()).await?;
    let mut together: BTreeMap<(String, u64, u64), Vec<usize>> = BTreeMap::new();
    for (place, ((_, one), found)) in asked.iter().zip(facts.iter_mut()).enumerate() {
        let (Some(former), Ok(all)) = (one.want.former, found) else { continue };
        let Some(owner) = all.iter().find_map(present) else { continue };
        let state = merged.get(&(MERGE.to_owned(), account(owner)));
        let by_merge = state.is_some_and(|(state, _)| *state == former.to_string());
        for moved in all.iter_mut().filter_map(|facts| facts.moved.as_mut()) {
            moved.by_merge = by_merge;
        }
        if !by_merge && one.want.subject.kind != SubjectKind::Client {
            together.entry((one.entry.hookpoint.id.to_string(), former, owner.0)).or_default().push(place);
        }
    }
    for places in together.values().filter(|places| places.len() > 1) {
        for moved in facts[places[0]].iter_mut().flatten().filter_map(|facts| facts.moved.as_mut()) {
            moved.together = places.len();
        }
        for place in &places[1..] {
            asked[*place].1.told_with = true;
        }
    }
    Ok(())
}

/// The client that something moved to.
fn present(facts: &Facts) -> Option<ClientId> {
    facts.moved.filter(|moved| !moved.former).map(|_| facts.client.id)
}

fn account(client: ClientId) -> Subject {
    Subject { kind: SubjectKind::Client, id: client.0 }
}

/// The former owner, if that account is deleted.
pub(super) fn missing_former(asked: &HookpointMatch<'_>, all: &[Facts]) -> Option<ClientId> {
    let former = asked.want.former?;
    (!all.iter().any(|facts| facts.client.id.0 == former)).then_some(ClientId(former))
}

/// Whether one message tells of several moves.
pub(super) fn is_many(facts: &Facts) -> bool {
    facts.moved.is_some_and(|moved| moved.together > 1)
}

/// What makes two moves the same, where the hookpoint's own transition does not say: several at once are one thing of that
/// day, though a batch may not hold all of them; and the former owner's message has no part in the present one's state.
pub(super) fn key(event: &HookEvent, facts: &Facts) -> Option<String> {
    let moved = facts.moved?;
    if moved.together > 1 {
        let way = if moved.former { "to" } else { "from" };
        return Some(format!("moved {way} {} {}", moved.other, event.occurred_at.strftime("%Y-%m-%d")));
    }
    moved.former.then(|| event.request.clone().unwrap_or_else(|| event.id.to_string()))
}
