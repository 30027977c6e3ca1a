//! The sentences of decisions: every one in every language, none too many, none with a hole.

use std::collections::BTreeMap;

use hookbridge::decide::words::{Say, Writer, catalogue, template};
use hookbridge::domain::decision::Rule;
use hookbridge::domain::locale::Locale;
use hookbridge::rules::{cancellation, identity, ownership, termination, upgrade};
use toml::{Table, Value};

use super::cases::conditions;
use super::facts::{Case, cases};

/// Codes of the sentences that sum up, and of the further ones.
pub fn sentences(rule: Rule) -> Vec<&'static str> {
    match rule {
        Rule::Upgrade => upgrade::MESSAGES.to_vec(),
        Rule::Ownership => ownership::MESSAGES.to_vec(),
        Rule::Cancellation => [cancellation::MESSAGES.as_slice(), cancellation::NOTICES.as_slice()].concat(),
        Rule::Termination => termination::MESSAGES.to_vec(),
        Rule::Identity => identity::NOTICES.to_vec(),
    }
}

/// All paths of a catalogue with the names that its sentences use.
fn flat(table: &Table, path: &str, out: &mut BTreeMap<String, Vec<String>>) {
    for (key, value) in table {
        let here = format!("{path}/{key}");
        match value {
            Value::Table(inner) => flat(inner, &here, out),
            Value::String(text) => {
                let mut names: Vec<String> = text
                    .split('{')
                    .skip(1)
                    .filter_map(|part| part.split_once('}'))
                    .map(|(n, _)| n.to_owned())
                    .collect();
                names.sort();
                assert!(!text.trim().is_empty() && text.len() < 300, "{here}: {text}");
                out.insert(here, names);
            }
            other => panic!("{here} is {other}"),
        }
    }
}

#[test]
fn the_languages_say_the_same_about_the_same_values() {
    let read = |locale| {
        let mut out = BTreeMap::new();
        flat(catalogue(locale), "", &mut out);
        out
    };
    let spanish = read(Locale::EsAr);
    assert!(spanish.len() > 90, "{}", spanish.len());
    for locale in [Locale::En, Locale::PtBr] {
        assert_eq!(read(locale), spanish, "{locale}");
    }
}

#[test]
fn every_condition_and_sentence_of_a_rule_has_words_and_no_other_has() {
    for rule in Rule::ALL.iter().copied() {
        let count = |section: &str| {
            catalogue(Locale::EsAr)[rule.code()].get(section).and_then(Value::as_table).map_or(0, Table::len)
        };
        assert_eq!(count("conditions"), conditions(rule).len(), "{rule}");
        assert_eq!(count("messages") + count("notices"), sentences(rule).len(), "{rule}");
        for locale in Locale::PAGES {
            for code in conditions(rule) {
                for passed in [true, false] {
                    assert!(
                        template(locale, rule, Say::Condition { code, passed }).is_some(),
                        "{rule} {code} {locale}"
                    );
                }
            }
            for code in sentences(rule) {
                let said = template(locale, rule, Say::Message(code)).or(template(locale, rule, Say::Notice(code)));
                assert!(said.is_some(), "{rule} {code} {locale}");
            }
        }
        for code in ["override", "rule_enabled"] {
            assert!(template(Locale::PtBr, rule, Say::Condition { code, passed: true }).is_some());
        }
    }
}

#[test]
fn what_a_client_reads_has_no_holes_and_no_code() {
    let link = |name| (name, format!("https://a.example/{name}"));
    let links = BTreeMap::from(["ask_url", "invoices_url", "domains_url", "details_url"].map(link));
    for case in Rule::ALL.iter().flat_map(|rule| cases(*rule)) {
        let decision = case.decide();
        for locale in Locale::PAGES {
            let writer = Writer::new(locale, &decision, &links);
            let texts = decision.conditions.iter().map(|one| Say::Condition { code: one.code, passed: one.passed });
            let rest =
                decision.message.map(Say::Message).into_iter().chain(decision.notices.iter().map(|n| Say::Notice(n)));
            for say in texts.chain(rest) {
                let text = writer.write(say);
                let hole = text.is_empty() || text.contains(['{', '}']) || text.contains(" - ") || text.contains("(-)");
                assert!(!hole, "{}: {}: {say:?}: {text}", case.rule, case.name);
            }
        }
    }
}

#[test]
fn amounts_and_dates_read_as_the_client_writes_them() {
    let case = |rule, begins: &str| -> Case {
        cases(rule).into_iter().find(|case| case.name.starts_with(begins)).unwrap_or_else(|| panic!("{begins}"))
    };
    let say = |case: &Case, locale| {
        let decision = case.decide();
        let message = decision.message.expect("a message");
        Writer::new(locale, &decision, &BTreeMap::new()).write(Say::Message(message))
    };
    let pesos = case(Rule::Upgrade, "In pesos");
    assert!(say(&pesos, Locale::EsAr).contains("$60.000,00"), "{}", say(&pesos, Locale::EsAr));
    let end = case(Rule::Cancellation, "At the end of the period");
    assert!(say(&end, Locale::EsAr).contains("31/12/2026"));
    assert!(say(&end, Locale::En).contains("31 Dec 2026"));
    let due = case(Rule::Cancellation, "The same where the company refuses");
    assert!(say(&due, Locale::PtBr).contains("31 (239,20 €)"), "{}", say(&due, Locale::PtBr));
}

/// A refused upgrade shows what failed, and then what to do: said once.
#[test]
fn what_failed_does_not_say_what_to_do_as_the_sentence_behind_it_does() {
    for locale in Locale::PAGES {
        let ask = template(locale, Rule::Upgrade, Say::Message("ask")).expect("a sentence");
        assert!(ask.contains("{ask_url}"), "{ask}");
        for code in conditions(Rule::Upgrade) {
            let failed = template(locale, Rule::Upgrade, Say::Condition { code, passed: false }).expect("a sentence");
            assert!(!failed.contains("{ask_url}"), "{locale} {code}: {failed}");
        }
    }
}
