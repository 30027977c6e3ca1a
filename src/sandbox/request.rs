//! Owns: the body of `POST /{phone_number_id}/messages`, read strictly (Meta's rules): a misspelt member is a
//! refusal, never something that is passed over.

use serde_json::{Map, Value};

use super::error::ApiError;
use super::phone;

/// One send call whose shape is right; whether it may be sent is not known yet.
#[derive(Clone, Debug)]
pub struct SendRequest {
    /// As given: echoed in `contacts[0].input`.
    pub to: String,
    /// The account that is meant, digits only.
    pub wa_id: String,
    /// `biz_opaque_callback_data`.
    pub opaque: Option<String>,
    pub content: Content,
}

#[derive(Clone, Debug)]
pub enum Content {
    Text(String),
    /// Reply buttons: what comes back, and what is read.
    Interactive {
        body: String,
        footer: Option<String>,
        buttons: Vec<(String, String)>,
    },
    Template {
        name: String,
        language: String,
        components: Vec<Value>,
    },
}

impl SendRequest {
    /// The template's name, for faults that wait for one.
    #[must_use]
    pub fn template(&self) -> Option<&str> {
        match &self.content {
            Content::Template { name, .. } => Some(name),
            Content::Text(_) | Content::Interactive { .. } => None,
        }
    }
}

/// Other types that the real service takes: refused by name, so that nobody thinks they were sent.
const OTHER_TYPES: [&str; 9] =
    ["image", "document", "audio", "video", "sticker", "location", "contacts", "reaction", "pin"];

/// The members of a send call that the stand-in knows.
const MEMBERS: [&str; 10] = [
    "messaging_product",
    "recipient_type",
    "to",
    "type",
    "text",
    "template",
    "biz_opaque_callback_data",
    "recipient_identity_key_hash",
    "context",
    "interactive",
];

/// Reads a send call.
///
/// # Errors
/// 100, 131008, 131009 or 131051.
pub fn parse(body: &[u8]) -> Result<SendRequest, ApiError> {
    let Ok(Value::Object(mut members)) = serde_json::from_slice(body) else {
        return Err(ApiError::parameter("The request body is not a JSON object"));
    };
    if let Some(kind) = members.get("type").and_then(Value::as_str).filter(|kind| OTHER_TYPES.contains(kind)) {
        return Err(ApiError::new(131_051, format!("The stand-in sends text and template, not {kind}")));
    }
    only_members(&members, &MEMBERS, "the message")?;
    match members.get("messaging_product").and_then(Value::as_str) {
        Some("whatsapp") => {}
        Some(_) => return Err(ApiError::parameter("Param messaging_product must be one of {WHATSAPP}")),
        None => return Err(ApiError::parameter("The parameter messaging_product is required.")),
    }
    if members.get("recipient_type").is_some_and(|kind| kind != "individual") {
        return Err(ApiError::parameter("Param recipient_type must be individual: the stand-in has no groups"));
    }
    let to = take_text(&mut members, "to")?;
    let wa_id = phone::wa_id(&to)?;
    let opaque = members.remove("biz_opaque_callback_data").map(opaque).transpose()?;
    let content = content(&mut members)?;
    Ok(SendRequest { to, wa_id, opaque, content })
}

fn opaque(value: Value) -> Result<String, ApiError> {
    match value {
        Value::String(text) if text.chars().count() <= 512 => Ok(text),
        _ => Err(ApiError::parameter("Param biz_opaque_callback_data must be a string of at most 512 characters")),
    }
}

fn content(members: &mut Map<String, Value>) -> Result<Content, ApiError> {
    let kind = match members.get("type") {
        None => "text".to_owned(), // the documented default
        Some(Value::String(kind)) => kind.clone(),
        Some(_) => return Err(ApiError::parameter("Param type must be a string")),
    };
    if let Some(other) =
        ["text", "template", "interactive"].into_iter().find(|one| *one != kind && members.contains_key(*one))
    {
        return Err(ApiError::parameter(format!("Unexpected key \"{other}\" for type {kind}")));
    }
    match kind.as_str() {
        "text" => text(take_object(members, "text")?),
        "interactive" => interactive(take_object(members, "interactive")?),
        "template" => template(take_object(members, "template")?),
        other => Err(ApiError::parameter(format!("Param type must not be {other:?}"))),
    }
}

fn text(mut members: Map<String, Value>) -> Result<Content, ApiError> {
    only_members(&members, &["body", "preview_url"], "text")?;
    if members.get("preview_url").is_some_and(|value| !value.is_boolean()) {
        return Err(ApiError::parameter("Param text['preview_url'] must be a boolean"));
    }
    let body = take_text(&mut members, "body")?;
    match body.chars().count() {
        0 => Err(ApiError::parameter("Param text['body'] cannot be empty")),
        1..=4_096 => Ok(Content::Text(body)),
        _ => Err(ApiError::parameter("Param text['body'] must be at most 4096 characters long.")),
    }
}

/// Meta: body ≤ 1024, footer ≤ 60, one to three reply buttons with an id ≤ 256 and a title ≤ 20, each of its own.
fn interactive(mut members: Map<String, Value>) -> Result<Content, ApiError> {
    only_members(&members, &["type", "body", "footer", "action"], "interactive")?;
    if members.get("type").and_then(Value::as_str) != Some("button") {
        return Err(ApiError::parameter("The stand-in knows interactive messages of type button only"));
    }
    let limited = |name: &'static str, text: String, most: usize| match text.chars().count() {
        n if n == 0 || n > most => {
            Err(ApiError::parameter(format!("Param interactive {name} must be 1 to {most} characters")))
        }
        _ => Ok(text),
    };
    let mut part = |name: &'static str, most| -> Result<Option<String>, ApiError> {
        if !members.contains_key(name) {
            return Ok(None);
        }
        let mut object = take_object(&mut members, name)?;
        only_members(&object, &["text"], name)?;
        limited(name, take_text(&mut object, "text")?, most).map(Some)
    };
    let body = part("body", 1_024)?.ok_or_else(|| ApiError::new(131_008, "The parameter body is required."))?;
    let footer = part("footer", 60)?;
    let mut action = take_object(&mut members, "action")?;
    only_members(&action, &["buttons"], "interactive['action']")?;
    let Some(Value::Array(list)) = action.remove("buttons") else {
        return Err(ApiError::new(131_008, "The parameter buttons is required."));
    };
    let mut buttons: Vec<(String, String)> = Vec::new();
    for one in list {
        let Value::Object(mut one) = one else { return Err(ApiError::parameter("Param buttons must hold objects")) };
        only_members(&one, &["type", "reply"], "a button")?;
        if one.get("type").and_then(Value::as_str) != Some("reply") {
            return Err(ApiError::parameter("A button's type must be reply"));
        }
        let mut reply = take_object(&mut one, "reply")?;
        only_members(&reply, &["id", "title"], "a button's reply")?;
        let id = limited("button id", take_text(&mut reply, "id")?, 256)?;
        let title = limited("button title", take_text(&mut reply, "title")?, 20)?;
        if buttons.iter().any(|known| known.0 == id || known.1 == title) {
            return Err(ApiError::parameter("Buttons must differ in id and title"));
        }
        buttons.push((id, title));
    }
    if !(1..=3).contains(&buttons.len()) {
        return Err(ApiError::parameter("An interactive message has one to three buttons"));
    }
    Ok(Content::Interactive { body, footer, buttons })
}

fn template(mut members: Map<String, Value>) -> Result<Content, ApiError> {
    only_members(&members, &["name", "language", "components"], "template")?;
    let name = take_text(&mut members, "name")?;
    let mut language = take_object(&mut members, "language")?;
    only_members(&language, &["code", "policy"], "template['language']")?;
    if language.get("policy").is_some_and(|policy| policy != "deterministic") {
        return Err(ApiError::parameter("Param template['language']['policy'] must be deterministic"));
    }
    let language = take_text(&mut language, "code")?;
    let components = match members.remove("components") {
        None => Vec::new(),
        Some(Value::Array(list)) => list,
        Some(_) => return Err(ApiError::parameter("Param template['components'] must be an array")),
    };
    Ok(Content::Template { name, language, components })
}

fn only_members(members: &Map<String, Value>, known: &[&str], place: &str) -> Result<(), ApiError> {
    match members.keys().find(|key| !known.contains(&key.as_str())) {
        Some(unknown) => Err(ApiError::parameter(format!("Unexpected key \"{unknown}\" on {place}"))),
        None => Ok(()),
    }
}

fn take_text(members: &mut Map<String, Value>, member: &str) -> Result<String, ApiError> {
    match members.remove(member) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(ApiError::parameter(format!("Param {member} must be a string"))),
        None => Err(ApiError::new(131_008, format!("The parameter {member} is required."))),
    }
}

fn take_object(members: &mut Map<String, Value>, member: &str) -> Result<Map<String, Value>, ApiError> {
    match members.remove(member) {
        Some(Value::Object(object)) => Ok(object),
        Some(_) => Err(ApiError::parameter(format!("Param {member} must be an object"))),
        None => Err(ApiError::new(131_008, format!("The parameter {member} is required."))),
    }
}
