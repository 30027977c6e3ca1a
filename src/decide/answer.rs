//! Owns: an answer in words, and its JSON for the stub and for `--json`.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use super::words::{Say, Writer};
use crate::domain::decision::{Decision, DecisionId, Rule, Value};
use crate::domain::locale::Locale;
use crate::domain::money::Money;

/// A decision with its id and its words.
#[derive(Clone, Debug)]
pub struct Answer {
    pub id: DecisionId,
    pub decision: Decision,
    pub locale: Locale,
    /// One per condition, in their order.
    pub texts: Vec<String>,
    pub message: Option<String>,
    pub notices: Vec<String>,
}

impl Answer {
    /// Puts `decision` into words.
    #[must_use]
    pub fn new(id: DecisionId, decision: Decision, locale: Locale, links: &BTreeMap<&'static str, String>) -> Self {
        let writer = Writer::new(locale, &decision, links);
        let texts = decision
            .conditions
            .iter()
            .map(|one| writer.write(Say::Condition { code: one.code, passed: one.passed }))
            .collect();
        let message = decision.message.map(|code| writer.write(Say::Message(code)));
        let notices = decision.notices.iter().map(|code| writer.write(Say::Notice(code))).collect();
        Self { id, decision, locale, texts, message, notices }
    }

    /// What the asker gets.
    #[must_use]
    pub fn json(&self) -> Json {
        let reasons: Vec<Json> = self
            .decision
            .conditions
            .iter()
            .zip(&self.texts)
            .map(|(one, text)| json!({ "code": one.code, "passed": one.passed, "text": text }))
            .collect();
        json!({
            "decision": self.decision.verdict.code(),
            "reasons": reasons,
            "values": self.values(),
            "id": self.id.to_string(),
        })
    }

    /// The values that the answer carries, besides its sentences, as people of its language write them.
    #[must_use]
    pub fn shown(&self) -> Vec<(&'static str, String)> {
        let links = BTreeMap::new();
        let writer = Writer::new(self.locale, &self.decision, &links);
        let named = exported(self.decision.rule).iter().filter(|name| !SENTENCES.contains(name));
        named.filter_map(|name| Some((*name, writer.shown(self.decision.values.get(name)?)))).collect()
    }

    /// What belongs to the contract of the rule; other values only serve the texts.
    fn values(&self) -> Json {
        let mut values = Map::new();
        for name in exported(self.decision.rule) {
            let value = match *name {
                "message" => self.message.clone().map(Json::String),
                "notices" | "warnings" => Some(json!(self.notices)),
                name => self.decision.values.get(name).map(as_json),
            };
            if let Some(value) = value {
                values.insert((*name).to_owned(), value);
            }
        }
        Json::Object(values)
    }
}

/// Values that are sentences.
const SENTENCES: [&str; 3] = ["message", "notices", "warnings"];

/// Names of the values that each rule answers with.
#[must_use]
pub fn exported(rule: Rule) -> &'static [&'static str] {
    match rule {
        Rule::Upgrade => &["price", "discount", "currency", "message"],
        Rule::Ownership => &["score", "differences", "message"],
        Rule::Cancellation => &["effective_date", "due_invoices", "message", "notices"],
        Rule::Termination => &["effective_date", "override", "message"],
        Rule::Identity => &["phone_e164", "warnings"],
    }
}

fn as_json(value: &Value) -> Json {
    match value {
        Value::Text(text) => json!(text),
        Value::Number(number) => json!(number),
        Value::Flag(flag) => json!(flag),
        Value::Money(money) => json!(decimal(*money)),
        Value::Date(date) => json!(date.to_string()),
        Value::List(list) => json!(list),
        Value::Debts(debts) => debts
            .iter()
            .map(|debt| {
                json!({
                    "id": debt.id.0, "number": debt.number, "balance": decimal(debt.balance),
                    "due": debt.due.map(|due| due.to_string()),
                })
            })
            .collect(),
    }
}

/// Always with two decimals, as the platform writes amounts.
#[must_use]
pub fn decimal(money: Money) -> String {
    format!("{:.2}", money.amount())
}
