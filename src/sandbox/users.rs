//! Owns: users with an id of the provider's own, and those who took a user name: their number is left out of what they write (Meta's
//! rules of 2026). Statuses of messages that were sent to a number name number and id.

use serde_json::{Map, Value, json};

use super::error::ApiError;
use super::webhook::{Event, Update};
use super::world::World;

/// What the provider knows of a user besides the number.
#[derive(Clone, Debug, Default)]
pub struct User {
    /// Business-scoped: `CC.` and letters and digits.
    pub id: Option<String>,
    /// The user took a user name.
    pub username: Option<String>,
}

impl World {
    /// Gives a user an id, or a new one, and perhaps a user name. A change of the id is reported by a system message.
    ///
    /// # Errors
    /// 100, when the id has another shape.
    pub fn set_user(&mut self, wa_id: &str, id: &str, username: Option<String>, now_ms: i64) -> Result<(), ApiError> {
        let fits = id.split_once('.').is_some_and(|(country, rest)| {
            country.len() == 2
                && country.bytes().all(|byte| byte.is_ascii_uppercase())
                && (1..=128).contains(&rest.len())
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.')
        });
        if !fits {
            return Err(ApiError::parameter("A user id is two letters, a dot and up to 128 letters and digits"));
        }
        let user = User { id: Some(id.to_owned()), username };
        let before = self.users.insert(wa_id.to_owned(), user).and_then(|user| user.id);
        if let Some(previous) = before.filter(|previous| previous != id) {
            let message_id = super::phone::wamid(wa_id, self.config.seed, self.next_serial());
            let message = json!({"id": message_id, "timestamp": now_ms.div_euclid(1_000).to_string(), "type": "system",
                "from_user_id": id, "system": {"type": "user_changed_user_id", "user_id": id, "previous_user_id": previous,
                "body": format!("User changed from {previous} to {id}")}});
            let event = Event::Incoming { contact: self.contact(wa_id), message };
            self.queue(Update { phone: 0, event, wrong_signature: false, attempts: 0 }, now_ms);
        }
        Ok(())
    }

    /// The id of a user, if there is one.
    #[must_use]
    pub fn user_id(&self, wa_id: &str) -> Option<String> {
        self.users.get(wa_id)?.id.clone()
    }

    /// `contacts[0]` of a user's message.
    #[must_use]
    pub fn contact(&self, wa_id: &str) -> Value {
        let user = self.users.get(wa_id).cloned().unwrap_or_default();
        let name = self.client_name(wa_id).unwrap_or("Cliente");
        let mut contact = json!({"profile": {"name": name}, "wa_id": wa_id});
        if let Some(username) = user.username {
            contact = json!({"profile": {"name": name, "username": username}});
        }
        if let Some(id) = user.id {
            contact["user_id"] = id.into();
        }
        contact
    }

    /// Who wrote, as members of `messages[0]`.
    #[must_use]
    pub fn writer_members(&self, wa_id: &str) -> Map<String, Value> {
        let user = self.users.get(wa_id).cloned().unwrap_or_default();
        let mut members = Map::new();
        if user.username.is_none() {
            members.insert("from".to_owned(), wa_id.into());
        }
        if let Some(id) = user.id {
            members.insert("from_user_id".to_owned(), id.into());
        }
        members
    }
}
