//! Owns: the languages we have texts in, and their names at the platform and at the provider.

use std::fmt;
use std::str::FromStr;

/// A language that messages are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Locale {
    /// Spanish as written in Argentina.
    EsAr,
    /// Spanish for everywhere else: neutral, with "tú".
    Es,
    /// English.
    En,
    /// Portuguese as written in Brazil.
    PtBr,
}

/// A code that is none of [`Locale::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a language of ours: es_AR, es, en or pt_BR")]
pub struct LocaleError(String);

impl Locale {
    /// Every language that clients are written to in, in the order that pages show them.
    pub const ALL: [Self; 4] = [Self::EsAr, Self::Es, Self::En, Self::PtBr];
    /// The languages of pages, of alerts' titles and of decisions. Who reads neutral Spanish gets those of Argentina there.
    pub const PAGES: [Self; 3] = [Self::EsAr, Self::En, Self::PtBr];

    /// The code of the provider. Meta: case-sensitive with an underscore, and no fall-back from `es_AR` to `es`: a
    /// template that does not exist in exactly this language is refused.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::EsAr => "es_AR",
            Self::Es => "es",
            Self::En => "en",
            Self::PtBr => "pt_BR",
        }
    }

    /// The tag for `<html lang>` and such (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::EsAr => "es-AR",
            Self::Es => "es",
            Self::En => "en",
            Self::PtBr => "pt-BR",
        }
    }

    /// The same language as it is written in a country (ISO 3166 alpha-2): only around the Río de la Plata Spanish has "vos".
    #[must_use]
    pub fn written_in(self, country: &str) -> Self {
        match self {
            Self::EsAr if !["AR", "UY", "PY", ""].contains(&country.trim().to_uppercase().as_str()) => Self::Es,
            other => other,
        }
    }

    /// The language of ours that stands in where there is no text in this one.
    #[must_use]
    pub const fn nearest(self) -> Option<Self> {
        match self {
            Self::Es => Some(Self::EsAr),
            Self::EsAr => Some(Self::Es),
            Self::En | Self::PtBr => None,
        }
    }

    /// Reads the platform's language name: the name of a language file in any case (`spanish`, `Portuguese-BR`), with
    /// or without something behind it. Platform: a company's own file is one word (`spanishar`, `castellano`). `None` for the empty text (platform: use the system's language) and for a language that we
    /// have no texts in; the caller falls back. Portuguese of Portugal gets the Brazilian texts, nearer than Spanish.
    #[must_use]
    pub fn from_platform(language: &str) -> Option<Self> {
        let name = language.trim().to_lowercase();
        let begins = |words: &[&str]| words.iter().any(|word| name.starts_with(word));
        if begins(&["spanish", "español", "espanol", "castellano"]) {
            Some(Self::EsAr)
        } else if begins(&["english"]) {
            Some(Self::En)
        } else if begins(&["portuguese", "português", "portugues"]) {
            Some(Self::PtBr)
        } else {
            None
        }
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.code().fmt(f)
    }
}

impl FromStr for Locale {
    type Err = LocaleError;

    /// Reads a code. A hyphen and any case are accepted: Meta's webhooks print `es-AR` where its API wants `es_AR`.
    fn from_str(code: &str) -> Result<Self, LocaleError> {
        let plain = code.trim().replace('-', "_");
        let same = |one: &Self| one.code().eq_ignore_ascii_case(&plain);
        Self::ALL.into_iter().find(same).ok_or_else(|| LocaleError(code.chars().take(32).collect()))
    }
}
