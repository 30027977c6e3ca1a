//! Owns: what a client reads after opting out, in part, or in again. Free text, inside the provider's window: no
//! template of it has to be approved.

use crate::domain::consent::Meaning;
use crate::domain::locale::Locale;

/// A confirmation, and what its button says (Meta: 20 characters at most).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    pub text: String,
    pub button: Option<&'static str>,
}

/// The sentences of one language. `{in}` and `{out}` are the words by which everything begins and ends.
struct Sentences {
    out: &'static str,
    all: &'static str,
    security: &'static str,
    button: &'static str,
    /// The words that speakers of the language know best, if they are configured.
    words: (&'static str, &'static str),
}

const SPANISH_OF_ARGENTINA: Sentences = Sentences {
    out: "Listo: no vas a recibir más avisos por WhatsApp en este número. Si querés, podés recibir solo los de seguridad, como un cambio de \
          clave. Para volver a recibir todos, respondé {in}.",
    all: "Listo: vas a recibir nuestros avisos por WhatsApp en este número. Para no recibirlos más, respondé {out}.",
    security: "Listo: en este número vas a recibir solo los avisos de seguridad. Para volver a recibir todos, respondé {in}; para no recibir \
               ninguno, {out}.",
    button: "Solo seguridad",
    words: ("alta", "baja"),
};
const SPANISH: Sentences = Sentences {
    out: "Listo: no recibirás más avisos por WhatsApp en este número. Si quieres, puedes recibir solo los de seguridad, como un cambio de \
          contraseña. Para volver a recibir todos, responde {in}.",
    all: "Listo: recibirás nuestros avisos por WhatsApp en este número. Para no recibirlos más, responde {out}.",
    security: "Listo: en este número recibirás solo los avisos de seguridad. Para volver a recibir todos, responde {in}; para no recibir \
               ninguno, {out}.",
    ..SPANISH_OF_ARGENTINA
};
const ENGLISH: Sentences = Sentences {
    out: "Done: you will get no more alerts by WhatsApp on this number. If you like, you can keep the security alerts only, such as a change of \
          password. To get all of them again, reply {in}.",
    all: "Done: you will get our alerts by WhatsApp on this number. To stop them, reply {out}.",
    security: "Done: you will get security alerts only on this number. To get all of them again, reply {in}; to get none, {out}.",
    button: "Security only",
    words: ("start", "stop"),
};
const PORTUGUESE: Sentences = Sentences {
    out: "Pronto: você não vai mais receber avisos por WhatsApp neste número. Se quiser, pode receber só os de segurança, como uma troca de \
          senha. Para voltar a receber todos, responda {in}.",
    all: "Pronto: você vai receber nossos avisos por WhatsApp neste número. Para não receber mais, responda {out}.",
    security: "Pronto: neste número você vai receber só os avisos de segurança. Para voltar a receber todos, responda {in}; para não receber \
               nenhum, {out}.",
    button: "Só segurança",
    words: ("voltar", "sair"),
};

fn sentences(locale: Locale) -> &'static Sentences {
    match locale.code() {
        "en" => &ENGLISH,
        "pt_BR" => &PORTUGUESE,
        "es_AR" => &SPANISH_OF_ARGENTINA,
        _ => &SPANISH,
    }
}

/// Words that the button under the confirmation has, in every language: whoever types them is understood, too.
#[must_use]
pub fn button_texts() -> Vec<String> {
    Locale::ALL.iter().map(|locale| sentences(*locale).button.to_owned()).collect()
}

/// What confirms `meaning`; `None`: it asks for nothing. `start` and `stop` are the configured words.
#[must_use]
pub fn confirmation(
    meaning: Meaning,
    locale: Locale,
    company: &str,
    start: &[String],
    stop: &[String],
) -> Option<Confirmation> {
    let of = sentences(locale);
    let (sentence, button) = match meaning {
        Meaning::OptOut => (of.out, Some(of.button)),
        Meaning::OptIn => (of.all, None),
        Meaning::SecurityOnly => (of.security, None),
        Meaning::Near | Meaning::Other => return None,
    };
    let text = sentence.replace("{in}", &word(start, of.words.0)).replace("{out}", &word(stop, of.words.1));
    let text = if company.is_empty() { text } else { format!("{company}. {text}") };
    Some(Confirmation { text, button })
}

/// The language's own word where it is configured, else the first that is.
fn word(configured: &[String], own: &str) -> String {
    let known = configured.iter().any(|word| word.eq_ignore_ascii_case(own));
    let word = if known { own } else { configured.first().map_or(own, String::as_str) };
    word.to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmation_names_the_company_and_words_that_are_configured() {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let (start, stop) = (list(&["alta", "start"]), list(&["baja", "stop", "sair"]));
        for locale in Locale::ALL {
            for meaning in [Meaning::OptOut, Meaning::OptIn, Meaning::SecurityOnly] {
                let made = confirmation(meaning, locale, "Nube Austral", &start, &stop).expect("a confirmation");
                assert!(made.text.starts_with("Nube Austral. "), "{}", made.text);
                assert!(!made.text.contains('{') && made.text.chars().count() < 1024, "{}", made.text);
                assert_eq!(made.button.is_some(), meaning == Meaning::OptOut);
                assert!(made.button.is_none_or(|button| button.chars().count() <= 20));
            }
        }
        let text = |locale| confirmation(Meaning::OptOut, locale, "", &start, &stop).expect("a confirmation").text;
        assert!(text(Locale::EsAr).contains("respondé ALTA"));
        assert!(text(Locale::En).starts_with("Done") && text(Locale::En).contains("reply START"));
        assert!(text(Locale::PtBr).contains("responda ALTA"), "`voltar` is not configured here");
        assert_eq!(confirmation(Meaning::Near, Locale::En, "", &start, &stop), None);
    }
}
