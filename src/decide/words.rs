//! Owns: the words of decisions, out of one catalogue per language. A test compares the catalogues with each other and
//! with what the rules can say.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use toml::{Table, Value as Toml};

use crate::domain::decision::{Decision, Rule, Value};
use crate::domain::locale::Locale;
use crate::render::format;

static WORDS: LazyLock<BTreeMap<Locale, Table>> = LazyLock::new(|| {
    let read = |text: &str| text.parse::<Table>().expect("the embedded words are TOML");
    BTreeMap::from([
        (Locale::EsAr, read(include_str!("words/es_AR.toml"))),
        (Locale::En, read(include_str!("words/en.toml"))),
        (Locale::PtBr, read(include_str!("words/pt_BR.toml"))),
    ])
});

/// What stands where a value is not known.
const UNKNOWN: &str = "-";

/// What a sentence is about.
#[derive(Clone, Copy, Debug)]
pub enum Say {
    Condition { code: &'static str, passed: bool },
    Message(&'static str),
    Notice(&'static str),
}

/// The sentence, with its `{names}`.
#[must_use]
pub fn template(locale: Locale, rule: Rule, say: Say) -> Option<&'static str> {
    // Neutral Spanish has no decisions of its own.
    let words = WORDS.get(&locale).or_else(|| WORDS.get(&locale.nearest()?))?;
    let at = |section: &str| {
        let section = words.get(section)?;
        match say {
            Say::Condition { code, passed } => {
                section.get("conditions")?.get(code)?.get(if passed { "yes" } else { "no" })
            }
            Say::Message(code) => section.get("messages")?.get(code),
            Say::Notice(code) => section.get("notices")?.get(code),
        }
    };
    at(rule.code()).or_else(|| at("common")).and_then(Toml::as_str)
}

/// What a condition of a stored decision says in `locale`. `None` where the sentence names values that only the answer knew,
/// or the catalogue no longer has the condition.
#[must_use]
pub fn restored(
    locale: Locale,
    (rule, code, passed): (Rule, &str, bool),
    links: &BTreeMap<&'static str, String>,
) -> Option<String> {
    let known = crate::rules::conditions(rule).iter().chain(&["override", "rule_enabled"]);
    let code = known.copied().find(|known| *known == code)?;
    let mut text = template(locale, rule, Say::Condition { code, passed })?.to_owned();
    for (name, link) in links {
        text = text.replace(&format!("{{{name}}}"), link);
    }
    (!text.contains('{')).then_some(text)
}

/// The catalogue of a language, for the test that compares them.
#[must_use]
pub fn catalogue(locale: Locale) -> &'static Table {
    &WORDS[&locale]
}

/// Fills sentences of one decision.
#[derive(Clone, Debug)]
pub struct Writer<'a> {
    locale: Locale,
    decision: &'a Decision,
    links: &'a BTreeMap<&'static str, String>,
}

impl<'a> Writer<'a> {
    #[must_use]
    pub fn new(locale: Locale, decision: &'a Decision, links: &'a BTreeMap<&'static str, String>) -> Self {
        Self { locale, decision, links }
    }

    /// The whole sentence; empty where the catalogue lacks it, which a test excludes.
    #[must_use]
    pub fn write(&self, say: Say) -> String {
        let mut rest = template(self.locale, self.decision.rule, say).unwrap_or_default();
        let mut text = String::with_capacity(rest.len() + 64);
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
            text.push_str(before);
            text.push_str(&self.value(name));
            rest = after;
        }
        text.push_str(rest);
        text
    }

    fn value(&self, name: &str) -> String {
        if let Some(link) = self.links.get(name) {
            return link.clone();
        }
        // What is due is named with its amounts.
        let name = if name == "due" { "due_invoices" } else { name };
        let shown = match self.decision.values.get(name) {
            None => String::new(),
            Some(value) => self.shown(value),
        };
        if shown.trim().is_empty() { UNKNOWN.to_owned() } else { shown }
    }

    /// A value as people of this language write it.
    #[must_use]
    pub fn shown(&self, value: &Value) -> String {
        match value {
            Value::Text(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Flag(flag) => flag.to_string(),
            Value::Money(money) => self.money(*money),
            Value::Date(date) => format::date(*date, self.locale),
            Value::List(list) => format::list(list, self.locale),
            Value::Debts(debts) => {
                let each: Vec<String> =
                    debts.iter().map(|debt| format!("{} ({})", debt.number, self.money(debt.balance))).collect();
                format::list(&each, self.locale)
            }
        }
    }

    fn money(&self, money: crate::domain::money::Money) -> String {
        let currency = self.decision.currency.as_ref();
        currency.and_then(|currency| money.format(currency).ok()).unwrap_or_else(|| money.amount().to_string())
    }
}
