//! Owns: the JSON of one message.
//!
//! Meta: `POST /{version}/{PHONE_NUMBER_ID}/messages`, type `template`. `to` carries its `+`: without it the country code
//! of the *sending* number is put in front. A button's `index` is a string in most of Meta's samples. `components` is
//! left out when the template has no variables. `biz_opaque_callback_data` (≤ 512 characters) comes back in every status
//! and is the only correlation of our own: there is no idempotency key.

use serde::Serialize;

use crate::domain::message::{Message, Parameters};

#[derive(Serialize)]
pub(super) struct MessageWire<'a> {
    messaging_product: &'static str,
    recipient_type: &'static str,
    to: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    biz_opaque_callback_data: String,
    template: TemplateWire<'a>,
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
        let call = &message.call;
        let body = body(&call.parameters);
        let button = call.button.as_deref().map(button);
        Self {
            messaging_product: "whatsapp",
            recipient_type: "individual",
            to: message.to.as_str(),
            kind: "template",
            biz_opaque_callback_data: message.id.to_string(),
            template: TemplateWire {
                name: &call.name,
                language: LanguageWire { code: &call.language },
                components: body.into_iter().chain(button).collect(),
            },
        }
    }
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
