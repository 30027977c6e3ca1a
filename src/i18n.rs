//! Owns: the texts of pages and needs in every language. One file per area of the page; each text stands there in all three
//! languages, side by side, so that none is forgotten.

use std::collections::HashMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rust_embed::RustEmbed;

use crate::domain::locale::Locale;
use crate::render::format;

#[derive(RustEmbed)]
#[folder = "src/i18n/"]
struct Files;

/// One word in the order of [`Locale::PAGES`].
type Word = [String; 3];

static WORDS: LazyLock<HashMap<String, Word>> = LazyLock::new(|| {
    let mut words = HashMap::new();
    for file in Files::iter() {
        let text = String::from_utf8_lossy(&Files::get(&file).expect("an embedded file").data).into_owned();
        read(&file, &text, &mut words).unwrap_or_else(|mistake| panic!("{mistake}"));
    }
    words
});

fn read(file: &str, text: &str, words: &mut HashMap<String, Word>) -> Result<(), String> {
    let table: toml::Table = text.parse().map_err(|e| format!("{file}: {e}"))?;
    for (section, inner) in table {
        let inner = inner.as_table().ok_or_else(|| format!("{file}: `{section}` is no section"))?.clone();
        for (key, entry) in inner {
            let name = format!("{section}.{key}");
            let word =
                Locale::PAGES.map(|locale| entry.get(locale.code()).and_then(toml::Value::as_str).map(str::to_owned));
            let [Some(es), Some(en), Some(pt)] = word else {
                return Err(format!("{file}: `{name}` needs es_AR, en and pt_BR"));
            };
            if words.insert(name.clone(), [es, en, pt]).is_some() {
                return Err(format!("{file}: `{name}` is there twice"));
            }
        }
    }
    Ok(())
}

/// All keys, for tests and for lists of words that come from data.
pub fn keys() -> impl Iterator<Item = &'static str> {
    WORDS.keys().map(String::as_str)
}

/// A word; its key in brackets if there is none (a test looks for it on every page).
#[must_use]
pub fn text(locale: Locale, key: &str) -> &str {
    let column = Locale::PAGES.iter().position(|one| *one == locale).unwrap_or(0);
    match WORDS.get(key) {
        Some(word) => word[column].as_str(),
        None => key,
    }
}

/// In which language, and by which clock, a page is written.
#[derive(Clone, Debug)]
pub struct Localizer {
    pub locale: Locale,
    /// The platform's zone: what its people have on their walls.
    pub zone: TimeZone,
}

impl Localizer {
    /// A word.
    #[must_use]
    pub fn t<'a>(&self, key: &'a str) -> &'a str {
        // Both the words and the key live at least as long as the key.
        text(self.locale, key)
    }

    /// A word that may be missing: for codes that come from data.
    #[must_use]
    pub fn known(&self, key: &str) -> Option<&'static str> {
        WORDS.get_key_value(key).map(|(key, _)| text(self.locale, key))
    }

    /// A sentence with `{name}` replaced by values.
    #[must_use]
    pub fn tf(&self, key: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
        values.iter().fold(self.t(key).to_owned(), |text, (name, value)| {
            text.replace(&format!("{{{name}}}"), &value.to_string())
        })
    }

    /// A moment as text.
    #[must_use]
    pub fn clock(&self, at: Timestamp) -> String {
        format::datetime(at, &self.zone, self.locale)
    }

    /// A whole number with the language's separators.
    #[must_use]
    pub fn number(&self, n: u64) -> String {
        let digits = n.to_string();
        let separator = if self.locale == Locale::En { "," } else { "." };
        let mut text = String::new();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                text.push_str(separator);
            }
            text.push(digit);
        }
        text
    }

    /// How long ago, roughly: `hace 26 h`.
    #[must_use]
    pub fn ago(&self, at: Timestamp, now: Timestamp) -> String {
        self.tf("time.ago", &[("span", &self.span(now.duration_since(at).as_secs()))])
    }

    /// A length of time, roughly, from seconds.
    #[must_use]
    pub fn span(&self, seconds: i64) -> String {
        let (n, key) = match seconds.max(0) {
            s if s < 120 => (s, "time.s"),
            s if s < 7_200 => (s / 60, "time.min"),
            s if s < 172_800 => (s / 3_600, "time.h"),
            s => (s / 86_400, "time.d"),
        };
        self.tf(key, &[("n", &n)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_the_same_in_every_language_and_no_word_is_empty() {
        let names = |text: &str| {
            let mut names: Vec<String> = text
                .split('{')
                .skip(1)
                .filter_map(|part| part.split_once('}'))
                .map(|(name, _)| name.to_owned())
                .collect();
            names.sort();
            names
        };
        for (key, word) in WORDS.iter() {
            assert!(word.iter().all(|text| !text.trim().is_empty()), "{key} is empty in a language");
            assert!(word.iter().all(|text| names(text) == names(&word[0])), "{key}: {word:?}");
        }
    }

    #[test]
    fn numbers_and_spans_read_as_people_write_them() {
        let spanish = Localizer { locale: Locale::EsAr, zone: TimeZone::UTC };
        let english = Localizer { locale: Locale::En, zone: TimeZone::UTC };
        assert_eq!((spanish.number(1_234_567), english.number(999)), ("1.234.567".to_owned(), "999".to_owned()));
        assert_eq!(english.number(1_000), "1,000");
        assert_eq!(spanish.span(26 * 3_600), "26 h");
    }
}
