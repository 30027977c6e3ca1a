//! Owns: what clients do: they write or press a button, which opens the 24-h window and becomes a webhook
//! (Meta's rules).

use serde_json::json;

use super::error::ApiError;
use super::fill::Rendered;
use super::ledger::Message;
use super::phone;
use super::webhook::{Event, Update};
use super::world::World;

/// A client's message opens the window for this long (Meta's rules).
const WINDOW_MS: i64 = 24 * 3_600_000;
/// Clients with a window that are remembered before closed ones are swept out.
const WINDOWS_SWEPT_AT: usize = 50_000;

/// What is known about somebody who wrote to us.
#[derive(Clone, Debug)]
pub struct Client {
    name: Option<String>,
    window_until_ms: i64,
}

/// A message from a client, as `POST /_sandbox/reply` takes it.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// With `+` and country code, or `wa_id` digits.
    pub from: String,
    /// Free text; or a button of the last template.
    pub text: Option<String>,
    pub button: Option<ReplyButton>,
    /// The client's profile name.
    pub name: Option<String>,
    /// The message that is answered; a button's is the last one with it.
    pub answers: Option<String>,
    /// The number written to; the first when left out.
    pub phone_number_id: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyButton {
    pub payload: String,
    pub text: String,
}

impl World {
    /// Until when free text to this client is taken.
    #[must_use]
    pub fn window_until_ms(&self, wa_id: &str) -> Option<i64> {
        self.clients.get(wa_id).map(|client| client.window_until_ms)
    }

    /// The client's profile name, when it gave one.
    #[must_use]
    pub fn client_name(&self, wa_id: &str) -> Option<&str> {
        self.clients.get(wa_id)?.name.as_deref()
    }

    /// A client writes: opens the window, is kept, and becomes a webhook. The message's id.
    ///
    /// # Errors
    /// 100, when the number, the content or the addressee cannot be read.
    pub fn reply(&mut self, reply: &Reply, now_ms: i64) -> Result<String, ApiError> {
        let wa_id = phone::wa_id(&format!("+{}", reply.from.trim_start_matches('+')))?;
        let phone = match &reply.phone_number_id {
            Some(id) => self.phone(id).ok_or_else(|| ApiError::no_object(id))?,
            None => 0,
        };
        let serial = self.next_serial();
        let id = phone::wamid(&wa_id, self.config.seed, serial);
        let seconds = now_ms.div_euclid(1_000).to_string();
        let (message, text) = match (&reply.text, &reply.button) {
            (Some(text), None) => (json!({"type": "text", "text": {"body": text}}), text.clone()),
            (None, Some(button)) => {
                let body = if self.is_interactive(&wa_id, button) {
                    json!({"type": "interactive", "interactive": {"type": "button_reply",
                        "button_reply": {"id": button.payload, "title": button.text}}})
                } else {
                    json!({"type": "button", "button": {"payload": button.payload, "text": button.text}})
                };
                (body, button.text.clone())
            }
            _ => return Err(ApiError::parameter("A reply has either text or button")),
        };
        let mut message = message;
        message["id"] = id.clone().into();
        message["timestamp"] = seconds.into();
        for (name, value) in self.writer_members(&wa_id) {
            message[name] = value;
        }
        let answers = reply.answers.clone().or_else(|| self.answered(&wa_id, reply.button.as_ref()?));
        if let Some(answers) = answers {
            message["context"] = json!({"from": self.config.phone_numbers[phone].digits(), "id": answers});
        }
        self.open_window(&wa_id, reply.name.clone(), now_ms);
        let contact = self.contact(&wa_id);
        self.throughput[phone].note(now_ms);
        self.ledger.keep(Message {
            id: id.clone(),
            phone_number_id: self.config.phone_numbers[phone].id.clone(),
            to: wa_id.clone(),
            wa_id,
            incoming: true,
            template: None,
            language: None,
            content: Rendered { text, ..Rendered::default() },
            biz_opaque_callback_data: None,
            accepted_at_ms: now_ms,
            statuses: Vec::new(),
        });
        let event = Event::Incoming { contact, message };
        self.queue(Update { phone, event, wrong_signature: false, attempts: 0 }, now_ms);
        Ok(id)
    }

    fn open_window(&mut self, wa_id: &str, name: Option<String>, now_ms: i64) {
        if self.clients.len() >= WINDOWS_SWEPT_AT {
            self.clients.retain(|_, client| now_ms < client.window_until_ms);
        }
        let name = name.or_else(|| self.client_name(wa_id).map(str::to_owned));
        self.clients.insert(wa_id.to_owned(), Client { name, window_until_ms: now_ms + WINDOW_MS });
    }

    /// The message whose button was pressed: the last one with it, else the last template.
    fn answered(&self, wa_id: &str, button: &ReplyButton) -> Option<String> {
        let to_him = || self.ledger.messages().rev().filter(|one| one.wa_id == wa_id && !one.incoming);
        let has =
            |one: &&Message| one.content.buttons.iter().any(|known| known.payload.as_deref() == Some(&button.payload));
        to_him().find(has).or_else(|| to_him().find(|one| one.template.is_some())).map(|one| one.id.clone())
    }

    /// Whether the button is one of a message without a template.
    fn is_interactive(&self, wa_id: &str, button: &ReplyButton) -> bool {
        let answered = self.answered(wa_id, button);
        let found = self.ledger.messages().rev().find(|one| Some(&one.id) == answered.as_ref());
        found.is_some_and(|one| one.template.is_none())
    }
}
