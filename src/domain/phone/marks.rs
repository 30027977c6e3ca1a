//! Owns: the words that people write beside a number, and what they say about it.

use super::written::Gap;

/// What the words beside a number say it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Label {
    #[default]
    None,
    Mobile,
    Landline,
    Fax,
    NoWhatsApp,
}

const MOBILE: &[&str] = &[
    "cel",
    "celu",
    "celular",
    "celulares",
    "cell",
    "cellphone",
    "handy",
    "mob",
    "mobil",
    "mobile",
    "movil",
    "moviles",
    "telemovel",
    "wa",
    "wap",
    "zap",
    "zapzap",
];
/// How WhatsApp is spelled, at the beginning of a word.
const WHATSAPP: &[&str] = &["whats", "whast", "wats", "wasap", "wassap", "wsp", "wpp", "wapp", "guasap"];
const LANDLINE: &[&str] = &["fijo", "fija", "fixo", "fixa", "landline", "festnetz"];
const FAX: &[&str] = &["fax", "telefax", "faks"];
const PHONE: &[&str] = &["tel", "tels", "telef", "telefono", "telefone", "telephone", "phone", "fono", "fone"];
const NOT: &[&str] = &["no", "sin", "sem", "nao", "not", "without", "ohne"];
/// Words before an extension: digits follow.
const EXTENSION: &[&str] = &["x", "i", "al", "of", "op", "opc", "ofic", "linea", "linha", "line", "lineas", "#"];
/// The same, at the beginning of a word.
const EXTENSION_STEMS: &[&str] = &["ext", "int", "anexo", "ramal", "oficina", "opci", "opca", "opti"];
/// Words that alone say that a switchboard answers, at their beginning.
const SWITCHBOARD: &[&str] = &["conm", "central", "pbx", "switchb", "recepcion", "recepcao", "rotativ"];

/// Small letters without the accents that Spanish and Portuguese have.
pub(super) fn fold(word: &str) -> String {
    let plain = |c| match c {
        'á' | 'à' | 'ã' | 'â' => 'a',
        'é' | 'ê' => 'e',
        'í' => 'i',
        'ó' | 'ô' | 'õ' => 'o',
        'ú' | 'ü' => 'u',
        'ç' => 'c',
        c => c,
    };
    word.chars().flat_map(char::to_lowercase).map(plain).collect()
}

fn starts(word: &str, stems: &[&str]) -> bool {
    stems.iter().any(|stem| word.starts_with(stem))
}

fn is_whatsapp(word: &str) -> bool {
    starts(word, WHATSAPP)
}

/// Whether digits behind `word` are an extension.
pub(super) fn is_extension(word: &str) -> bool {
    EXTENSION.contains(&word) || starts(word, EXTENSION_STEMS) || is_switchboard(word)
}

/// Whether `word` alone says that a switchboard answers.
pub(super) fn is_switchboard(word: &str) -> bool {
    starts(word, SWITCHBOARD)
}

/// Whether `word` may touch a digit: it says something of the number, and is no digit that was mistyped as a letter.
pub(super) fn may_touch(word: &str) -> bool {
    let single = word.chars().count() == 1;
    let label = [MOBILE, LANDLINE, FAX, PHONE].iter().any(|list| list.contains(&word)) || is_whatsapp(word);
    (label && !single) || word == "x" || (is_extension(word) && !single)
}

/// What `words` say of the number that they belong to.
pub(super) fn label(words: &[String]) -> Label {
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
    let denied = words.iter().position(|word| NOT.contains(&word.as_str()));
    let whatsapp = words.iter().rposition(|word| is_whatsapp(word));
    if denied.zip(whatsapp).is_some_and(|(no, whatsapp)| no < whatsapp) {
        Label::NoWhatsApp
    } else if has(MOBILE) || whatsapp.is_some() {
        Label::Mobile
    } else if has(FAX) && !has(PHONE) {
        Label::Fax
    } else if has(LANDLINE) || has(FAX) {
        Label::Landline
    } else {
        Label::None
    }
}

/// Whether a text without digits says that there is no number: `no`, `no tengo`, `ninguno`.
pub(super) fn is_denial(text: &str) -> bool {
    let folded = fold(text);
    let first = folded.split(|c: char| !c.is_alphabetic()).find(|word| !word.is_empty());
    let denies =
        |word: &str| NOT.contains(&word) || word.starts_with("ning") || word.starts_with("nenhum") || word == "none";
    !text.contains(|c: char| c.is_numeric()) && first.is_some_and(denies)
}

/// Words of a gap that stand between two numbers rather than belong to one.
pub(super) fn separates(word: &str) -> bool {
    ["o", "y", "e", "u", "ou", "or", "and", "und", "oder"].contains(&word)
}

/// Which words of the gap between two numbers belong to the first, and which to the second.
pub(super) fn divide(gap: &Gap) -> (Vec<String>, Vec<String>) {
    match gap.mark_at {
        Some(at) => (gap.words[..at].to_vec(), gap.words[at..].to_vec()),
        None if gap.in_brackets => (gap.words.clone(), Vec::new()),
        None => (Vec::new(), gap.words.clone()),
    }
}
