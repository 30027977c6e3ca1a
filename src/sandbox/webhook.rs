//! Owns: the JSON of webhooks (Meta's rules), escaped as the real one and signed over the bytes.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use super::config::PhoneNumber;
use super::error;
use super::ledger::Status;

/// One update that waits to be posted.
#[derive(Clone, Debug)]
pub struct Update {
    /// Index of the sending number.
    pub phone: usize,
    pub event: Event,
    pub wrong_signature: bool,
    /// Tries so far.
    pub attempts: u32,
}

#[derive(Clone, Debug)]
pub enum Event {
    Status(StatusEvent),
    /// A message from a client: `contacts[0]` and `messages[0]`.
    Incoming {
        contact: Value,
        message: Value,
    },
    /// The `value` of a `message_template_status_update`.
    Template(Value),
}

/// A status of one message.
#[derive(Clone, Debug)]
pub struct StatusEvent {
    pub id: String,
    pub wa_id: String,
    pub user_id: Option<String>,
    pub status: Status,
    pub at_ms: i64,
    pub opaque: Option<String>,
    /// `utility`, `marketing`, `service`, …
    pub category: String,
    pub code: Option<u32>,
    pub with_conversation: bool,
}

#[derive(Serialize)]
struct StatusWire<'a> {
    id: &'a str,
    status: &'static str,
    timestamp: String,
    recipient_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient_user_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    biz_opaque_callback_data: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pricing: Option<PricingWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Value>,
}

#[derive(Serialize)]
struct PricingWire<'a> {
    billable: bool,
    pricing_model: &'static str,
    r#type: &'static str,
    category: &'a str,
}

#[derive(Serialize)]
struct EnvelopeWire<'a, T> {
    object: &'static str,
    entry: [EntryWire<'a, T>; 1],
}

#[derive(Serialize)]
struct EntryWire<'a, T> {
    id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    time: Option<i64>,
    changes: [ChangeWire<T>; 1],
}

#[derive(Serialize)]
struct ChangeWire<T> {
    value: T,
    field: &'static str,
}

#[derive(Serialize)]
struct StatusesWire<'a> {
    messaging_product: &'static str,
    metadata: MetadataWire<'a>,
    statuses: Vec<StatusWire<'a>>,
}

#[derive(Serialize)]
struct MetadataWire<'a> {
    display_phone_number: String,
    phone_number_id: &'a str,
}

/// The body of one POST: all the statuses of one number, or one other event.
#[must_use]
pub fn body(waba_id: &str, phone: &PhoneNumber, updates: &[Update], now_ms: i64) -> String {
    let metadata = MetadataWire { display_phone_number: phone.digits(), phone_number_id: &phone.id };
    match updates.first().map(|update| &update.event) {
        Some(Event::Incoming { contact, message }) => {
            let value = json!({"messaging_product": "whatsapp", "metadata": metadata, "contacts": [contact],
                "messages": [message]});
            envelope(waba_id, None, "messages", value)
        }
        Some(Event::Template(value)) => {
            envelope(waba_id, Some(now_ms.div_euclid(1_000)), "message_template_status_update", value)
        }
        _ => {
            let statuses = updates
                .iter()
                .filter_map(|update| match &update.event {
                    Event::Status(status) => Some(status_wire(status)),
                    _ => None,
                })
                .collect();
            envelope(waba_id, None, "messages", StatusesWire { messaging_product: "whatsapp", metadata, statuses })
        }
    }
}

fn envelope<T: Serialize>(waba_id: &str, time: Option<i64>, field: &'static str, value: T) -> String {
    let entry = [EntryWire { id: waba_id, time, changes: [ChangeWire { value, field }] }];
    let envelope = EnvelopeWire { object: "whatsapp_business_account", entry };
    escaped(&serde_json::to_string(&envelope).expect("plain members serialize"))
}

fn status_wire(event: &StatusEvent) -> StatusWire<'_> {
    let seconds = event.at_ms.div_euclid(1_000);
    // Pricing comes with `sent` and one of delivered/read.
    let priced = matches!(event.status, Status::Sent | Status::Delivered);
    let kind = if event.category == "service" { "free_customer_service" } else { "regular" };
    StatusWire {
        id: &event.id,
        status: event.status.as_str(),
        timestamp: seconds.to_string(),
        recipient_id: &event.wa_id,
        recipient_user_id: event.user_id.as_deref(),
        biz_opaque_callback_data: event.opaque.as_deref(),
        conversation: (event.with_conversation && event.status == Status::Sent).then(|| {
            json!({"id": conversation_id(&event.id), "expiration_timestamp": (seconds + 86_400).to_string(),
                "origin": {"type": event.category}})
        }),
        pricing: priced.then_some(PricingWire {
            billable: kind == "regular",
            pricing_model: "PMP",
            r#type: kind,
            category: &event.category,
        }),
        errors: event.code.map(|code| {
            let title = error::title(code);
            json!([{"code": code, "title": title, "message": title, "error_data": {"details": title},
                "href": "/documentation/business-messaging/whatsapp/support/error-codes"}])
        }),
    }
}

/// 32 hexadecimal digits, as before v24: fresh for each message.
fn conversation_id(wamid: &str) -> String {
    crate::signature::hex(&crate::signature::sha256(wamid.as_bytes())[..16])
}

/// Meta's escaping: everything outside ASCII as `\uXXXX`, and `/` as `\/`. Whoever parses and writes the JSON again
/// before checking the signature fails here, as with the real one (Meta's rules).
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + json.len() / 16);
    for c in json.chars() {
        match c {
            '/' => out.push_str("\\/"),
            c if c.is_ascii() => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn non_ascii_is_escaped_and_reads_back_the_same() {
        let text = "a/ñ 😀";
        let escaped = super::escaped(&serde_json::to_string(text).unwrap());
        assert_eq!(escaped, r#""a\/\u00f1 \ud83d\ude00""#);
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
    }
}
