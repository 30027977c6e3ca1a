//! Owns: the two other books that the ledger is held against: what the provider took, and what the bridge has on record.

use std::collections::HashMap;

use anyhow::Context as _;
use hookbridge::sandbox::{Message, Status};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Row};
use serde_json::Value;

use crate::acts::subject_of;

/// What makes a message that of one act and one recipient.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub template: String,
    /// What it is about; empty where the recipient says it all.
    pub about: String,
    pub to: String,
}

/// A message that the provider took.
#[derive(Clone, Debug)]
pub struct Taken {
    pub key: Key,
    pub locale: String,
    pub text: String,
    /// The bridge's own id, given back.
    pub opaque: String,
    pub delivered: bool,
    pub failed: bool,
}

/// A message in the bridge's own tables.
#[derive(Clone, Debug)]
pub struct Kept {
    pub key: Key,
    pub state: String,
    pub reason: String,
    pub receipt: String,
    /// Outcomes of its attempts, in order.
    pub attempts: Vec<String>,
}

/// An event in the bridge's own tables.
#[derive(Clone, Debug)]
pub struct Event {
    pub hook: String,
    pub subject: u64,
    pub state: String,
    pub reasons: Vec<String>,
}

/// What a template says it is about: its button's variable end, or the domain.
fn about<'a>(template: &str, mut values: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let found = match template {
        "password_changed" | "details_edited" | "client_registered" => None,
        "domain_deleted" => values.find(|(_, value)| value.ends_with(".example.com.ar")).map(|(_, value)| value),
        // Their buttons lead elsewhere; the service's name holds `s1003.example.com`.
        "service_terminated" | "service_suspended" => values.find_map(|(_, value)| {
            let (before, _) = value.split_once(".example.com")?;
            before.rsplit_once('s').map(|(_, id)| id)
        }),
        _ => values.find(|(part, _)| *part == "button").map(|(_, value)| value),
    };
    found.unwrap_or_default().to_owned()
}

pub fn taken(messages: &[Message]) -> Vec<Taken> {
    let one = |message: &Message| {
        let template = message.template.clone().unwrap_or_default();
        let values = message.content.params.iter().map(|param| (param.part, param.value.as_str()));
        Taken {
            key: Key { about: about(&template, values), template, to: message.to.clone() },
            locale: message.language.clone().unwrap_or_default(),
            text: message.content.text.clone(),
            opaque: message.biz_opaque_callback_data.clone().unwrap_or_default(),
            delivered: message.statuses.iter().any(|at| at.status == Status::Delivered),
            failed: message.statuses.iter().any(|at| at.status == Status::Failed),
        }
    };
    messages.iter().map(one).collect()
}

pub async fn kept(root: &mut Conn) -> anyhow::Result<Vec<Kept>> {
    let mut attempts: HashMap<String, Vec<String>> = HashMap::new();
    let rows: Vec<(String, String)> =
        root.query("SELECT LOWER(HEX(message_id)), CONCAT(outcome, '') FROM attempt ORDER BY id").await?;
    for (id, outcome) in rows {
        attempts.entry(id).or_default().push(outcome);
    }
    let sql = "SELECT LOWER(HEX(id)) AS id, template, recipient, parameters, CONCAT(state, '') AS state, \
               COALESCE(reason, '') AS reason, COALESCE(CONCAT(receipt, ''), '') AS receipt FROM message";
    let rows: Vec<Row> = root.query(sql).await?;
    rows.into_iter()
        .map(|row| {
            let text = |name: &str| row.get_opt::<String, _>(name).and_then(Result::ok).context("a text");
            let (template, id) = (text("template")?, text("id")?);
            let parameters: Value = serde_json::from_str(&text("parameters")?)?;
            let about = about(&template, values(&parameters).into_iter());
            let attempts = attempts.remove(&id).unwrap_or_default();
            let key = Key { template, about, to: text("recipient")? };
            Ok(Kept { key, state: text("state")?, reason: text("reason")?, receipt: text("receipt")?, attempts })
        })
        .collect()
}

fn values(parameters: &Value) -> Vec<(&str, &str)> {
    let button = parameters["button"].as_str().map(|value| ("button", value));
    let body = parameters["body"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let named = parameters["named"].as_array().into_iter().flatten().filter_map(|pair| pair[1].as_str());
    button.into_iter().chain(body.chain(named).map(|value| ("body", value))).collect()
}

pub async fn events(root: &mut Conn) -> anyhow::Result<Vec<Event>> {
    let mut reasons: HashMap<String, Vec<String>> = HashMap::new();
    let rows: Vec<(String, String)> = root.query("SELECT event_id, reason FROM skip").await?;
    for (id, reason) in rows {
        reasons.entry(id).or_default().push(reason);
    }
    let rows: Vec<(String, String, String, String)> =
        root.query("SELECT id, hook, body, CONCAT(state, '') FROM event UNION ALL SELECT event_id, hook, body, 'received' FROM inbox").await?;
    rows.into_iter()
        .map(|(id, hook, body, state)| {
            let body: Value = serde_json::from_str(&body)?;
            let subject = subject_of(&body["fields"]).context("a subject")?;
            Ok(Event { hook, subject, state, reasons: reasons.remove(&id).unwrap_or_default() })
        })
        .collect()
}
