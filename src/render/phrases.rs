//! Owns: the parts of sentences that depend on what the rows say, one list per language.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use crate::domain::locale::Locale;

type Phrases = BTreeMap<String, String>;

static ALL: LazyLock<BTreeMap<Locale, Phrases>> = LazyLock::new(|| {
    Locale::ALL.into_iter().map(|locale| (locale, toml::from_str(text(locale)).expect("embedded phrases"))).collect()
});

const fn text(locale: Locale) -> &'static str {
    match locale {
        Locale::EsAr => include_str!("phrases/es_AR.toml"),
        Locale::Es => include_str!("phrases/es.toml"),
        Locale::En => include_str!("phrases/en.toml"),
        Locale::PtBr => include_str!("phrases/pt_BR.toml"),
    }
}

/// The phrase `key`, with its `{names}` filled in. What is filled in is not looked at again: a name with braces stays.
#[must_use]
pub fn say(locale: Locale, key: &str, values: &[(&str, &str)]) -> String {
    let mut rest = ALL.get(&locale).and_then(|all| all.get(key)).map(String::as_str).unwrap_or_default();
    let mut said = String::with_capacity(rest.len() + 32);
    while let Some((before, behind)) = rest.split_once('{') {
        let Some((name, after)) = behind.split_once('}') else { break };
        said.push_str(before);
        said.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = after;
    }
    said.push_str(rest);
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_the_same_phrases_with_the_same_names() {
        let names = |text: &str| {
            let mut all: Vec<String> =
                text.split('{').skip(1).filter_map(|part| Some(part.split_once('}')?.0.to_owned())).collect();
            all.sort();
            all
        };
        let shape = |locale: Locale| -> Vec<(String, Vec<String>)> {
            ALL[&locale].iter().map(|(key, phrase)| (key.clone(), names(phrase))).collect()
        };
        for locale in Locale::ALL {
            assert_eq!(shape(locale), shape(Locale::EsAr), "{locale}");
        }
        assert_eq!(say(Locale::EsAr, "due_on", &[("date", "{date}")]), "que vence el {date}");
    }
}
