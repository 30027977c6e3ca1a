//! Owns: reading a webhook of the provider, after its signature was checked.
//! Must not know: what we do about it.
//!
//! Meta: one POST holds up to 1000 updates, of several sending numbers, in any order, some of them twice; new fields,
//! types and statuses may appear at any time and must be answered 200, else Meta repeats the POST for 7 days. So every
//! list is walked to its end, each item is read on its own, and what cannot be read is counted and passed over.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::notice::{self, Notice};
use super::number_change::number_changes;
use super::redact::redact;
use super::reply::{Heard, ReplyWire, heard, phone_digits};
use crate::domain::ids::MessageId;
use crate::domain::ids::ProviderUserId;
use crate::domain::phone::E164;
use crate::domain::receipt::{KnownUser, NumberChange, Receipt, ReceiptStatus, Reply, UserIdChange};

/// All that one webhook says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Webhook {
    /// Meta's ids of the sending numbers it concerns, each once.
    pub phone_number_ids: Vec<String>,
    /// Their phone numbers, where the webhook says them: digits by id.
    pub phone_numbers: BTreeMap<String, String>,
    /// In the order of the webhook, which is not the order of what happened.
    pub receipts: Vec<Receipt>,
    pub replies: Vec<Reply>,
    /// Users of whom a status, a message or a contact names both number and id.
    pub users: Vec<KnownUser>,
    pub user_id_changes: Vec<UserIdChange>,
    pub notices: Vec<Notice>,
    pub number_changes: Vec<NumberChange>,
    /// Items passed over: unknown kinds and malformed ones.
    pub ignored: usize,
}

impl Webhook {
    /// Each status, reply and notice as a webhook of its own.
    #[must_use]
    pub fn apart(&self) -> Vec<Self> {
        let bare = || Self { phone_number_ids: self.phone_number_ids.clone(), ..Self::default() };
        let receipts = self.receipts.iter().map(|one| Self { receipts: vec![one.clone()], ..bare() });
        let replies = self.replies.iter().map(|one| Self { replies: vec![one.clone()], ..bare() });
        let notices = self.notices.iter().map(|one| Self { notices: vec![one.clone()], ..bare() });
        let users = self.users.iter().map(|one| Self { users: vec![one.clone()], ..bare() });
        let ids = self.user_id_changes.iter().map(|one| Self { user_id_changes: vec![one.clone()], ..bare() });
        let numbers = self.number_changes.iter().map(|one| Self { number_changes: vec![one.clone()], ..bare() });
        receipts.chain(users).chain(ids).chain(replies).chain(numbers).chain(notices).collect()
    }
}

/// Why a body is not a webhook. Shows nothing of it.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the webhook is not a JSON object (line {line}, column {column})")]
pub struct ParseError {
    pub line: usize,
    pub column: usize,
}

#[derive(Deserialize)]
struct WebhookWire<'a> {
    #[serde(default)]
    object: Value,
    #[serde(borrow, default)]
    entry: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct EntryWire<'a> {
    #[serde(borrow, default)]
    changes: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct ChangeWire<'a> {
    field: String,
    #[serde(borrow)]
    value: &'a RawValue,
}

/// `value` of field `messages`.
#[derive(Deserialize)]
struct MessagesWire<'a> {
    #[serde(default, deserialize_with = "lenient")]
    metadata: Option<MetadataWire>,
    #[serde(borrow, default)]
    statuses: Option<&'a RawValue>,
    #[serde(borrow, default)]
    messages: Option<&'a RawValue>,
    #[serde(default, deserialize_with = "lenient")]
    contacts: Option<Vec<Value>>,
    #[serde(borrow, default)]
    errors: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct MetadataWire {
    phone_number_id: String,
    #[serde(default, deserialize_with = "lenient")]
    display_phone_number: Option<String>,
}

#[derive(Deserialize)]
struct StatusWire {
    id: String,
    status: String,
    timestamp: Value,
    #[serde(default, deserialize_with = "lenient")]
    recipient_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    recipient_user_id: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    biz_opaque_callback_data: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    errors: Option<Vec<Value>>,
    #[serde(default, deserialize_with = "lenient")]
    pricing: Option<PricingWire>,
}

#[derive(Deserialize)]
struct PricingWire {
    category: String,
}

/// An error inside a webhook. Meta: `title` and `message` are the same words.
#[derive(Deserialize)]
pub(super) struct ErrorWire {
    #[serde(deserialize_with = "code")]
    pub(super) code: i64,
    #[serde(default)]
    title: Value,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    error_data: Value,
}

impl ErrorWire {
    pub(super) fn detail(&self) -> Option<String> {
        let details = self.error_data.get("details").unwrap_or(&self.error_data);
        let texts = [details, &self.message, &self.title].into_iter().filter_map(Value::as_str);
        texts.map(redact).find(|text| !text.is_empty())
    }
}

/// Reads the body of a webhook.
///
/// # Errors
/// [`ParseError`] only when the whole is not a JSON object; everything inside is passed over when it cannot be read.
pub fn parse(body: &[u8]) -> Result<Webhook, ParseError> {
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(ParseError { line: 1, column: 1 });
    }
    let wire: WebhookWire =
        serde_json::from_slice(body).map_err(|error| ParseError { line: error.line(), column: error.column() })?;
    let mut webhook = Webhook::default();
    if wire.object != "whatsapp_business_account" {
        webhook.ignored += 1;
        return Ok(webhook);
    }
    for entry in webhook.items::<EntryWire>(wire.entry) {
        for change in webhook.items::<ChangeWire>(entry.changes) {
            webhook.change(&change);
        }
    }
    Ok(webhook)
}

impl Webhook {
    fn change(&mut self, change: &ChangeWire) {
        match change.field.as_str() {
            "messages" => self.messages(change.value),
            "user_preferences" => self.preferences(change.value),
            field => {
                let read = notice::parse(field, change.value);
                self.keep(read, |webhook| &mut webhook.notices);
            }
        }
    }

    fn messages(&mut self, value: &RawValue) {
        let Some(wire) = object::<MessagesWire>(value) else {
            self.ignored += 1;
            return;
        };
        let number = self.number(wire.metadata);
        for status in self.items::<StatusWire>(wire.statuses) {
            self.user(status.recipient_id.as_deref(), status.recipient_user_id.as_deref());
            self.keep(receipt(status, number.as_deref()), |webhook| &mut webhook.receipts);
        }
        self.number_changes.extend(number_changes(wire.messages));
        for contact in wire.contacts.unwrap_or_default() {
            self.user(contact["wa_id"].as_str(), contact["user_id"].as_str());
        }
        for message in self.items::<ReplyWire>(wire.messages) {
            self.heard(&message, number.as_deref());
        }
        for error in self.items::<ErrorWire>(wire.errors) {
            let detail = error.detail().unwrap_or_default();
            self.notices.push(Notice::Error { phone_number_id: number.clone(), code: error.code, detail });
        }
    }

    fn heard(&mut self, message: &ReplyWire, number: Option<&str>) {
        match heard(message) {
            Some(Heard::Reply(mut reply)) => {
                reply.number = number.map(str::to_owned);
                self.user(reply.from.as_deref(), reply.user_id.as_ref().map(ProviderUserId::as_str));
                self.replies.push(reply);
            }
            Some(Heard::UserId(change)) => self.user_id_changes.push(change),
            None => self.ignored += 1,
        }
    }

    /// Notes a user of whom both are known.
    fn user(&mut self, number: Option<&str>, user_id: Option<&str>) {
        let phone = number.and_then(phone_digits).and_then(|digits| E164::from_digits(&digits));
        if let (Some(phone), Some(user_id)) = (phone, user_id.and_then(ProviderUserId::parse)) {
            self.users.push(KnownUser { user_id, phone });
        }
    }

    fn preferences(&mut self, value: &RawValue) {
        let Some(wire) = object::<notice::PreferencesWire>(value) else {
            self.ignored += 1;
            return;
        };
        self.number(wire.metadata);
        for preference in self.items::<notice::PreferenceWire>(wire.user_preferences) {
            self.keep(notice::preference(&preference), |webhook| &mut webhook.notices);
        }
    }

    /// Notes the sending number that a change is about.
    fn number(&mut self, metadata: Option<MetadataWire>) -> Option<String> {
        let MetadataWire { phone_number_id: id, display_phone_number } = metadata?;
        if let Some(digits) = display_phone_number.as_deref().map(digits).filter(|digits| !digits.is_empty()) {
            self.phone_numbers.insert(id.clone(), digits);
        }
        if !self.phone_number_ids.contains(&id) {
            self.phone_number_ids.push(id.clone());
        }
        Some(id)
    }

    fn keep<T>(&mut self, item: Option<T>, list: fn(&mut Self) -> &mut Vec<T>) {
        match item {
            Some(item) => list(self).push(item),
            None => self.ignored += 1,
        }
    }

    /// The readable items of a list. One that is malformed does not lose the others.
    fn items<'a, T: Deserialize<'a>>(&mut self, list: Option<&'a RawValue>) -> Vec<T> {
        let Some(list) = list else { return Vec::new() };
        let Ok(raw) = serde_json::from_str::<Vec<&'a RawValue>>(list.get()) else {
            self.ignored += 1;
            return Vec::new();
        };
        let all = raw.len();
        let read: Vec<T> = raw.into_iter().filter_map(object).collect();
        self.ignored += all - read.len();
        read
    }
}

/// Reads an object. Not an array: serde would take one for an object whose members have no names.
pub(super) fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    raw.get().starts_with('{').then(|| serde_json::from_str(raw.get()).ok()).flatten()
}

/// Meta's other statuses (`played`, `deleted`) say nothing about an alert.
fn receipt(wire: StatusWire, number: Option<&str>) -> Option<Receipt> {
    let errors = wire.errors.unwrap_or_default();
    let error = errors.into_iter().find_map(|error| serde_json::from_value::<ErrorWire>(error).ok());
    Some(Receipt {
        provider_id: Some(wire.id).filter(|id| !id.is_empty())?,
        status: ReceiptStatus::parse(&wire.status)?,
        at: seconds(&wire.timestamp)?,
        message_id: wire.biz_opaque_callback_data.as_deref().and_then(MessageId::parse),
        code: error.as_ref().map(|error| error.code),
        detail: error.as_ref().and_then(ErrorWire::detail),
        category: wire.pricing.map(|pricing| pricing.category),
        number: number.map(str::to_owned),
    })
}

/// The digits of a phone number, however it is written.
pub(super) fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Unix seconds. Meta: a string in statuses and messages, an integer elsewhere.
pub(super) fn seconds(value: &Value) -> Option<Timestamp> {
    let seconds = match value {
        Value::String(text) => text.parse().ok()?,
        other => other.as_i64()?,
    };
    Timestamp::from_second(seconds).ok()
}

/// An error's code. Meta: an integer; emulators send its digits as text.
fn code<'de, D: Deserializer<'de>>(source: D) -> Result<i64, D::Error> {
    let value = Value::deserialize(source)?;
    let read = value.as_i64().or_else(|| value.as_str()?.parse().ok());
    read.ok_or_else(|| serde::de::Error::custom("no code"))
}

/// A part that may be missing or have another shape than we know, without losing the whole.
pub(super) fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned>(source: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(source)?).ok())
}
