//! Owns: reading what users wrote: their messages, and the system's notes about them.
//!
//! Meta: a user who took a user name may come without a number (`from`), with a business-scoped id (`from_user_id`) alone. The
//! `context` of an answer names the message that it answers. The id changes with the number; system messages tell.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::receipt::{lenient, seconds};
use crate::domain::ids::ProviderUserId;
use crate::domain::receipt::{Reply, ReplyKind, UserIdChange};

/// Characters of a reply that are kept. Meta: a text has 4096 at most.
const REPLY_CHARS_MAX: usize = 4096;
/// Kinds of messages without words of their own; a caption counts as words.
const MEDIA: [&str; 6] = ["audio", "document", "image", "sticker", "video", "voice"];

#[derive(Deserialize)]
pub(super) struct ReplyWire {
    id: String,
    timestamp: Value,
    #[serde(default, deserialize_with = "lenient")]
    from: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    from_user_id: Option<String>,
    #[serde(default)]
    context: Value,
    #[serde(rename = "type")]
    kind: String,
    /// What is named like the type: `text`, `button`, `image` …
    #[serde(flatten)]
    rest: serde_json::Map<String, Value>,
}

/// One message of a user.
pub(super) enum Heard {
    Reply(Reply),
    UserId(UserIdChange),
}

pub(super) fn heard(wire: &ReplyWire) -> Option<Heard> {
    if wire.kind == "system" { user_id_change(wire).map(Heard::UserId) } else { reply(wire).map(Heard::Reply) }
}

fn reply(wire: &ReplyWire) -> Option<Reply> {
    let part = wire.rest.get(&wire.kind).unwrap_or(&Value::Null);
    let first = |paths: &[&str]| {
        let mut texts = paths.iter().filter_map(|path| part.pointer(path)?.as_str());
        texts.find(|text| !text.is_empty()).map(|text| text.chars().take(REPLY_CHARS_MAX).collect::<String>())
    };
    let (kind, text, shown) = match wire.kind.as_str() {
        "text" => (ReplyKind::Text, first(&["/body"])?, None),
        "button" => (ReplyKind::Button, first(&["/payload", "/text"])?, first(&["/text"])),
        "interactive" => {
            let id = first(&["/button_reply/id", "/list_reply/id"])?;
            (ReplyKind::Interactive, id, first(&["/button_reply/title", "/list_reply/title"]))
        }
        "reaction" => (ReplyKind::Reaction, first(&["/emoji"])?, None),
        kind if MEDIA.contains(&kind) && part.is_object() => {
            (ReplyKind::Media, first(&["/caption"]).unwrap_or_default(), None)
        }
        _ => return None,
    };
    let answers = wire.context.pointer("/id").and_then(Value::as_str);
    let answers = answers.or_else(|| part.pointer("/message_id")?.as_str());
    Some(Reply {
        from: wire.from.as_deref().and_then(phone_digits),
        user_id: user_id(wire),
        answers: answers.filter(|id| !id.is_empty()).map(str::to_owned),
        provider_id: Some(wire.id.clone()).filter(|id| !id.is_empty())?,
        at: seconds(&wire.timestamp)?,
        kind,
        text,
        shown,
        number: None,
    })
}

/// Some send the id where the number would be.
fn user_id(wire: &ReplyWire) -> Option<ProviderUserId> {
    [wire.from_user_id.as_deref(), wire.from.as_deref()].into_iter().flatten().find_map(ProviderUserId::parse)
}

/// Meta: `user_changed_user_id`, and `user_changed_number`, with which the id changes as well. Some notes hold the ids in their
/// `body` alone: "User X changed from A to B".
fn user_id_change(wire: &ReplyWire) -> Option<UserIdChange> {
    let system = wire.rest.get("system")?;
    let kind = system.get("type")?.as_str()?;
    if !["user_changed_user_id", "user_changed_number"].contains(&kind) {
        return None;
    }
    let id = |name: &str| system.get(name).and_then(Value::as_str).and_then(ProviderUserId::parse);
    let (previous, new) = match (id("previous_user_id"), id("user_id")) {
        (Some(previous), Some(new)) => (previous, new),
        _ => in_words(system.get("body")?.as_str()?)?,
    };
    let at: Timestamp = seconds(&wire.timestamp)?;
    let with_number = kind == "user_changed_number";
    (previous != new).then_some(UserIdChange { previous, new, with_number, at })
}

fn in_words(body: &str) -> Option<(ProviderUserId, ProviderUserId)> {
    let (_, ids) = body.rsplit_once(" from ")?;
    let (previous, new) = ids.split_once(" to ")?;
    Some((ProviderUserId::parse(previous.trim())?, ProviderUserId::parse(new.trim().trim_end_matches('.'))?))
}

/// A number as digits only. Meta: missing for users who hide it; a business-scoped id is not a number.
pub(super) fn phone_digits(text: &str) -> Option<String> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let number = (1..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| digits.to_owned())
}
