//! Owns: the languages we have texts in, and their names at the platform and at the provider.

use std::fmt;
use std::str::FromStr;

/// A language that messages are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Locale {
    /// Spanish as written in Argentina.
    EsAr,
    /// English.
    En,
    /// Portuguese as written in Brazil.
    PtBr,
}

/// A code that is none of [`Locale::ALL`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a language of ours: es_AR, en or pt_BR")]
pub struct LocaleError(String);

impl Locale {
    /// Every language, in the order that pages show them.
    pub const ALL: [Self; 3] = [Self::EsAr, Self::En, Self::PtBr];

    /// The code of the provider. Meta: case-sensitive with an underscore, and no fall-back from `es_AR` to `es`: a
    /// template that does not exist in exactly this language is refused.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::EsAr => "es_AR",
            Self::En => "en",
            Self::PtBr => "pt_BR",
        }
    }

    /// The tag for `<html lang>` and such (BCP 47).
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::EsAr => "es-AR",
            Self::En => "en",
            Self::PtBr => "pt-BR",
        }
    }

    /// Reads the platform's language name: the name of a language file in any case (`spanish`, `Portuguese-BR`), with
    /// or without a region. `None` for the empty text (platform: use the system's language) and for a language that we
    /// have no texts in; the caller falls back. Portuguese of Portugal gets the Brazilian texts, nearer than Spanish.
    #[must_use]
    pub fn from_platform(language: &str) -> Option<Self> {
        let name = language.trim().to_lowercase();
        match name.split(|c: char| !c.is_alphabetic()).next() {
            Some("spanish" | "español" | "espanol") => Some(Self::EsAr),
            Some("english") => Some(Self::En),
            Some("portuguese") => Some(Self::PtBr),
            _ => None,
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
