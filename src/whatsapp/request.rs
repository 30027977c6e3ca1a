//! Owns: the JSON of one message.
//!
//! Meta: `POST /{version}/{PHONE_NUMBER_ID}/messages`, type `template`; inside the 24 hours after a user wrote also `text`, and
//! `interactive` with up to three reply buttons (body ≤ 1024 characters, a button's title ≤ 20, its id ≤ 256). `to` carries its `+`: without it the country code
//! of the *sending* number is put in front. A button's `index` is a string in most of Meta's samples. `components` is
//! left out when the template has no variables. `biz_opaque_callback_data` (≤ 512 characters) comes back in every status
//! and is the only correlation of our own: there is no idempotency key.

use serde::Serialize;

use crate::domain::message::{FreeForm, Message, Parameters, TemplateCall};

#[derive(Serialize)]
pub(super) struct MessageWire<'a> {
    messaging_product: &'static str,
    recipient_type: &'static str,
    to: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    biz_opaque_callback_data: String,
    #[serde(flatten)]
    content: ContentWire<'a>,
}

/// Named as its type.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum ContentWire<'a> {
    Template(TemplateWire<'a>),
    Text { preview_url: bool, body: &'a str },
    Interactive(InteractiveWire<'a>),
}

#[derive(Serialize)]
struct InteractiveWire<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    body: BodyWire<'a>,
    action: ActionWire<'a>,
}

#[derive(Serialize)]
struct BodyWire<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct ActionWire<'a> {
    buttons: Vec<ButtonWire<'a>>,
}

#[derive(Serialize)]
struct ButtonWire<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    reply: ReplyWire<'a>,
}

#[derive(Serialize)]
struct ReplyWire<'a> {
    id: &'a str,
    title: &'a str,
}

#[derive(Serialize)]
struct TemplateWire<'a> {
    name: &'a str,
    language: LanguageWire<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    components: Vec<ComponentWire<'a>>,
}

#[derive(Serialize)]
struct LanguageWire<'a> {
    code: &'a str,
}

#[derive(Serialize)]
struct ComponentWire<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<&'static str>,
    parameters: Vec<ParameterWire<'a>>,
}

#[derive(Serialize)]
struct ParameterWire<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter_name: Option<&'a str>,
    text: &'a str,
}

impl<'a> MessageWire<'a> {
    pub(super) fn new(message: &'a Message) -> Self {
        let content = match &message.free_form {
            Some(free_form) => without_template(&message.text, free_form),
            None => ContentWire::Template(template(&message.call)),
        };
        Self {
            messaging_product: "whatsapp",
            recipient_type: "individual",
            to: message.to.as_str(),
            kind: match content {
                ContentWire::Template(_) => "template",
                ContentWire::Text { .. } => "text",
                ContentWire::Interactive(_) => "interactive",
            },
            biz_opaque_callback_data: message.id.to_string(),
            content,
        }
    }
}

fn template(call: &TemplateCall) -> TemplateWire<'_> {
    let button = call.button.as_deref().map(button);
    TemplateWire {
        name: &call.name,
        language: LanguageWire { code: &call.language },
        components: body(&call.parameters).into_iter().chain(button).collect(),
    }
}

fn without_template<'a>(text: &'a str, free_form: &'a FreeForm) -> ContentWire<'a> {
    if free_form.buttons.is_empty() {
        return ContentWire::Text { preview_url: false, body: text };
    }
    let button = |(id, title): &'a (String, String)| ButtonWire { kind: "reply", reply: ReplyWire { id, title } };
    ContentWire::Interactive(InteractiveWire {
        kind: "button",
        body: BodyWire { text },
        action: ActionWire { buttons: free_form.buttons.iter().map(button).collect() },
    })
}

fn body(parameters: &Parameters) -> Option<ComponentWire<'_>> {
    let parameters: Vec<_> = match parameters {
        Parameters::Positional(values) => values.iter().map(|text| parameter(None, text)).collect(),
        Parameters::Named(values) => values.iter().map(|(name, text)| parameter(Some(name), text)).collect(),
    };
    let component = ComponentWire { kind: "body", sub_type: None, index: None, parameters };
    (!component.parameters.is_empty()).then_some(component)
}

fn button(end: &str) -> ComponentWire<'_> {
    ComponentWire { kind: "button", sub_type: Some("url"), index: Some("0"), parameters: vec![parameter(None, end)] }
}

fn parameter<'a>(parameter_name: Option<&'a str>, text: &'a str) -> ParameterWire<'a> {
    ParameterWire { kind: "text", parameter_name, text }
}
