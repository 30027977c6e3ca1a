//! Owns: what a client's reply means for further alerts. A message is obeyed when nothing is left of it but one of the configured words and
//! courtesies: "no quiero cancelar mi servicio" is not a request to hear nothing more. What only looks like one is for people to read.

use icu_normalizer::ComposingNormalizerBorrowed;

use crate::domain::consent::Meaning;
use crate::domain::receipt::{Reply, ReplyKind};

/// What the button under a confirmation sends back: nothing but security alerts.
pub const SECURITY_ONLY: &str = "hookbridge:security_only";
/// Longer messages are read by people.
const BYTES_MAX: usize = 400;
/// Words that change nothing about a request: courtesies, and what it is about.
const NEUTRAL: [&str; 66] = [
    "gracias",
    "muchas",
    "por",
    "favor",
    "porfavor",
    "porfa",
    "please",
    "pls",
    "thanks",
    "thank",
    "you",
    "thx",
    "obrigado",
    "obrigada",
    "hola",
    "buenas",
    "buenos",
    "buen",
    "dia",
    "dias",
    "tardes",
    "noches",
    "bom",
    "boa",
    "tarde",
    "noite",
    "hi",
    "hello",
    "ola",
    "saludos",
    "ok",
    "dale",
    "quiero",
    "quisiera",
    "necesito",
    "solicito",
    "pido",
    "quero",
    "i",
    "want",
    "to",
    "y",
    "e",
    "and",
    "ya",
    "now",
    "de",
    "del",
    "la",
    "las",
    "el",
    "los",
    "os",
    "as",
    "estos",
    "the",
    "avisos",
    "alertas",
    "mensajes",
    "notificaciones",
    "whatsapp",
    "messages",
    "alerts",
    "notifications",
    "mensagens",
    "notificacoes",
];
/// Where these stand, somebody may want less of us.
const HINTS: [&str; 21] = [
    "no quiero",
    "no me escriban",
    "no me manden",
    "no me envien",
    "no manden",
    "no envien",
    "no molest",
    "dejen de",
    "deja de",
    "remove me",
    "opt out",
    "spam",
    "nao quero",
    "nao envi",
    "pare de",
    "stop sending",
    "no mas",
    "basta",
    "no more",
    "nao mais",
    "leave me alone",
];

/// The configured words, folded.
#[derive(Clone, Debug, Default)]
pub struct Words {
    stop: Vec<String>,
    resume: Vec<String>,
    security: Vec<String>,
}

impl Words {
    #[must_use]
    pub fn new(stop: &[String], resume: &[String], security: &[String]) -> Self {
        let fold_all =
            |words: &[String]| words.iter().map(|word| plain(word)).filter(|word| !word.is_empty()).collect();
        Self { stop: fold_all(stop), resume: fold_all(resume), security: fold_all(security) }
    }

    /// What a reply asks for.
    #[must_use]
    pub fn meaning_of(&self, reply: &Reply) -> Meaning {
        match reply.kind {
            ReplyKind::Interactive if reply.text == SECURITY_ONLY => Meaning::SecurityOnly,
            ReplyKind::Reaction => Meaning::Other,
            _ => {
                let said = self.meaning(&reply.text);
                // A payload of somebody's own says nothing; what stands on the button may.
                let shown = || reply.shown.as_deref().map_or(Meaning::Other, |shown| self.meaning(shown));
                if said == Meaning::Other { shown() } else { said }
            }
        }
    }

    /// What `text` asks for.
    #[must_use]
    pub fn meaning(&self, text: &str) -> Meaning {
        if text.len() > BYTES_MAX {
            return if self.is_near(&plain(text)) { Meaning::Near } else { Meaning::Other };
        }
        let whole = plain(text);
        let bare = bare(&whole);
        self.exactly(&whole)
            .or_else(|| self.exactly(&bare))
            .unwrap_or_else(|| if self.is_near(&whole) { Meaning::Near } else { Meaning::Other })
    }

    fn exactly(&self, text: &str) -> Option<Meaning> {
        let lists =
            [(&self.stop, Meaning::OptOut), (&self.resume, Meaning::OptIn), (&self.security, Meaning::SecurityOnly)];
        let same = |word: &String| word == text || bare(word) == text;
        lists.into_iter().find(|(words, _)| !text.is_empty() && words.iter().any(same)).map(|(_, meaning)| meaning)
    }

    /// Whether one of the words stands in it, or begins a word of it; or something that people write instead.
    fn is_near(&self, text: &str) -> bool {
        let padded = format!(" {text}");
        let begins = |word: &str| padded.contains(&format!(" {word}"));
        self.stop.iter().chain(&self.security).any(|word| begins(word)) || HINTS.into_iter().any(begins)
    }
}

/// Without courtesies, and without saying a thing twice.
fn bare(text: &str) -> String {
    let mut left: Vec<&str> = text.split(' ').filter(|word| !NEUTRAL.contains(word)).collect();
    left.dedup();
    left.join(" ")
}

/// As [`fold`], with letters in their plain form (full width, bold and such) and without what nobody sees.
fn plain(text: &str) -> String {
    let seen: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    fold(&ComposingNormalizerBorrowed::new_nfkc().normalize(&seen))
}

/// Unicode's default-ignorable characters that turn up in messages: zero widths, marks of direction, variation selectors.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{e0000}'..='\u{e0fff}')
}

/// Small letters without accents and punctuation, single blanks: `¡No recibir MÁS!` is `no recibir mas`.
pub(super) fn fold(text: &str) -> String {
    let plain: String = text
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'á' | 'à' | 'ã' | 'â' => 'a',
            'é' | 'ê' => 'e',
            'í' => 'i',
            'ó' | 'ô' | 'õ' => 'o',
            'ú' | 'ü' => 'u',
            'ñ' => 'n',
            'ç' => 'c',
            c if c.is_alphanumeric() => c,
            _ => ' ',
        })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        Words::new(
            &list(&[
                "baja",
                "stop",
                "no recibir más",
                "darme de baja",
                "dar de baja",
                "unsubscribe",
                "parar",
                "sair",
                "stopall",
            ]),
            &list(&["alta", "start", "quiero recibir", "voltar"]),
            &list(&["solo seguridad", "security only", "só segurança"]),
        )
    }

    #[test]
    fn what_is_unmistakable_is_obeyed() {
        for text in [
            "BAJA",
            " ¡Baja! ",
            "*BAJA* 👍",
            "Stop. Gracias",
            "dar de baja",
            "BAJA por favor",
            "STOPALL",
            "B\u{200b}AJA",
            "ＢＡＪＡ",
            "𝐁𝐀𝐉𝐀",
            "baja baja",
            "Hola, quiero darme de baja, gracias",
            "No quiero recibir más avisos",
            "no recibir mas",
            "Ba\u{301}ja",
            "stop, please",
            "I want to unsubscribe",
            "\u{202b}baja\u{202c}",
            "Baja de los avisos de WhatsApp",
        ] {
            assert_eq!(words().meaning(text), Meaning::OptOut, "{text}");
        }
        for text in ["ALTA", "quiero recibir", "alta, gracias", "Start please"] {
            assert_eq!(words().meaning(text), Meaning::OptIn, "{text}");
        }
        for text in ["Solo seguridad", "sólo seguridad por favor", "Só segurança"] {
            assert_eq!(words().meaning(text), Meaning::SecurityOnly, "{text}");
        }
    }

    #[test]
    fn what_is_doubtful_is_for_people_and_the_rest_is_an_answer_like_any_other() {
        for text in [
            "no quiero darme de baja, gracias",
            "stop the suspension please",
            "quiero dar de baja el hosting",
            "bajaaa",
            "no me escriban más",
            "Unsubscribed!",
            "baja no",
            &"baja ".repeat(200),
        ] {
            assert_eq!(words().meaning(text), Meaning::Near, "{text}");
        }
        for text in ["Gracias!", "ya pagué", "", "👍", "cancelar", "no", "trabaja", "¿cuánto debo?"] {
            assert_eq!(words().meaning(text), Meaning::Other, "{text}");
        }
    }
}
