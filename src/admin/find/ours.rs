//! Owns: finding messages and events: by id, by the provider's id, by phone. What belongs to a client or an invoice is a list of its own.

use super::query::Query;
use super::{HITS_MAX, Hit, Kind};
use crate::admin::{AdminError, Desk};
use crate::domain::ids::{EventId, MessageId};
use crate::domain::phone::aliases;
use crate::store::reply::by_provider_id;
use crate::store::search::{MessageSearch, messages};
use crate::store::trail::{self, MessageFilter, MessageTrail};

/// Digits from which on something written like a phone is one.
const PHONE_DIGITS_MIN: usize = 8;

pub(super) async fn find(desk: &Desk, query: &Query) -> Result<Vec<Hit>, AdminError> {
    let mut hits = Vec::new();
    let mut add = |all: Vec<MessageTrail>| hits.extend(all.iter().map(message));
    if query.wants(Kind::Message) {
        if let Some(id) = query.message {
            let filter = MessageFilter { id: Some(MessageId(id)), limit: 1, ..MessageFilter::default() };
            add(trail::messages(&desk.store, &filter).await?);
        }
        if let Some(word) = query.word.as_deref().filter(|word| word.starts_with("wamid."))
            && let Some(found) = by_provider_id(&desk.store, word).await?
        {
            let filter = MessageFilter { id: Some(found.id), limit: 1, ..MessageFilter::default() };
            add(trail::messages(&desk.store, &filter).await?);
        }
        add(by_phone(desk, query).await?);
    }
    if let Some(id) = query.word.as_deref().and_then(EventId::parse).filter(|_| query.wants(Kind::Event))
        && let Some(found) = trail::event(&desk.store, &id).await?
    {
        hits.push(Hit {
            kind: Kind::Event,
            id: found.id.clone(),
            title: found.hook.clone(),
            detail: found.state.clone(),
            client: None,
            at: Some(found.received_at),
        });
    }
    Ok(hits)
}

/// The newest messages to a number, in all its spellings.
async fn by_phone(desk: &Desk, query: &Query) -> Result<Vec<MessageTrail>, AdminError> {
    let digits = query.text.chars().filter(char::is_ascii_digit).count();
    if digits < PHONE_DIGITS_MIN || query.text.chars().any(char::is_alphabetic) {
        return Ok(Vec::new());
    }
    let Ok(phone) = desk.phone(&query.text).await else { return Ok(Vec::new()) };
    let mut all = Vec::new();
    for to in aliases(&phone) {
        let search = MessageSearch { recipient: Some(to), limit: HITS_MAX, ..MessageSearch::default() };
        all.extend(messages(&desk.store, &search).await?.items);
    }
    all.sort_by_key(|one| std::cmp::Reverse((one.created_at, one.id)));
    Ok(all)
}

fn message(m: &MessageTrail) -> Hit {
    Hit {
        kind: Kind::Message,
        id: m.id.to_string(),
        title: m.hookpoint.clone(),
        detail: m.standing().to_owned(),
        client: Some(m.client_id).filter(|client| *client > 0),
        at: Some(m.created_at),
    }
}
