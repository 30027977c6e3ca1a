//! Owns: how dates, times, lists and names read in each language.
//! Must not know: templates. Money formats itself (`domain::money`): it looks the same in every language, as on the
//! platform's own pages.

use icu_normalizer::ComposingNormalizerBorrowed;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::names::is_name;
use crate::domain::locale::Locale;

const MONTHS_ES: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_PT: [&str; 12] = [
    "janeiro",
    "fevereiro",
    "março",
    "abril",
    "maio",
    "junho",
    "julho",
    "agosto",
    "setembro",
    "outubro",
    "novembro",
    "dezembro",
];
/// Small words inside a Spanish or Portuguese name, written small.
const PARTICLES: [&str; 11] = ["de", "del", "la", "las", "los", "y", "e", "da", "do", "das", "dos"];

/// A date in digits: `23/11/2026`; in English `23 Nov 2026`, as its readers disagree on which number is the month.
#[must_use]
pub fn date(d: Date, locale: Locale) -> String {
    match locale {
        Locale::EsAr | Locale::Es | Locale::PtBr => format!("{:02}/{:02}/{:04}", d.day(), d.month(), d.year()),
        Locale::En => format!("{} {} {:04}", d.day(), &month(d, locale)[..3], d.year()),
    }
}

/// A date in words: `23 de noviembre de 2026`, `23 November 2026`, `23 de novembro de 2026`.
#[must_use]
pub fn date_long(d: Date, locale: Locale) -> String {
    let (day, month, year) = (d.day(), month(d, locale), d.year());
    match (locale, day) {
        (Locale::En, _) => format!("{day} {month} {year:04}"),
        // The first of a month is an ordinal in Portuguese.
        (Locale::PtBr, 1) => format!("1º de {month} de {year:04}"),
        (Locale::EsAr | Locale::Es | Locale::PtBr, _) => format!("{day} de {month} de {year:04}"),
    }
}

/// The month's name, small letters where the language writes it so.
#[must_use]
pub fn month(d: Date, locale: Locale) -> &'static str {
    let names = match locale {
        Locale::EsAr | Locale::Es => &MONTHS_ES,
        Locale::En => &MONTHS_EN,
        Locale::PtBr => &MONTHS_PT,
    };
    usize::try_from(d.month() - 1).ok().and_then(|index| names.get(index)).copied().unwrap_or_default()
}

/// Hours and minutes, 24 hours, in every language: `09:05`.
#[must_use]
pub fn time_of_day(t: Time) -> String {
    format!("{:02}:{:02}", t.hour(), t.minute())
}

/// A moment as the clocks of `zone` show it: `23/11/2026 14:05`, `23 Nov 2026, 14:05`.
#[must_use]
pub fn datetime(at: Timestamp, zone: &TimeZone, locale: Locale) -> String {
    let local = zone.to_datetime(at);
    let comma = if locale == Locale::En { "," } else { "" };
    format!("{}{comma} {}", date(local.date(), locale), time_of_day(local.time()))
}

/// The moment that a platform's `datetime` means. Platform: the local time of its server, so `zone` is the server's.
///
/// In the hour that a clock change skips, the time is moved forward by what was skipped; in the hour that comes twice,
/// the first one is meant. `None` only at the very ends of the calendar.
#[must_use]
pub fn instant(local: DateTime, zone: &TimeZone) -> Option<Timestamp> {
    zone.to_ambiguous_zoned(local).compatible().ok().map(|zoned| zoned.timestamp())
}

/// Names in a row: `a, b y c`, `a, b and c`, `a, b e c`. Spanish `y` turns to `e` before the sound of i (`a e Inés`).
#[must_use]
pub fn list<S: AsRef<str>>(names: &[S], locale: Locale) -> String {
    let Some((last, before)) = names.split_last() else { return String::new() };
    let last = last.as_ref();
    if before.is_empty() {
        return last.to_owned();
    }
    let and = match locale {
        Locale::EsAr | Locale::Es if sounds_like_i(last) => "e",
        Locale::EsAr | Locale::Es => "y",
        Locale::En => "and",
        Locale::PtBr => "e",
    };
    format!("{} {and} {last}", before.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", "))
}

/// Whether a Spanish word begins with the vowel i: `Inés`, `hijo`, `Yvonne`; not `hielo`, `Yolanda` (a consonant).
fn sounds_like_i(word: &str) -> bool {
    let mut letters = word.chars().flat_map(char::to_lowercase).skip_while(|c| !c.is_alphanumeric());
    let vowel = |c: Option<char>| c.is_some_and(|c| "aeouáéóú".contains(c));
    match letters.next() {
        Some('i' | 'í') => true,
        Some('h') => matches!(letters.next(), Some('i' | 'í')) && !vowel(letters.next()),
        Some('y') => letters.next().is_some_and(|c| c.is_alphabetic() && !vowel(Some(c))),
        _ => false,
    }
}

/// How to address somebody: the first name, the company where there is none, `None` where both are missing (the
/// template then greets without a name). Expects text whose entities are decoded.
///
/// A name must hold a letter: `-` and `.` are what people type to get past a required field. It must hold no link, address or
/// phone number ([`is_name`]). A first name all in
/// capitals or all in small letters is put right (`MARÍA DEL CARMEN` → `María del Carmen`); words of two capitals stay
/// (`JP`). A company stays as it is: capitals may be its name. An office (`Pagos`) is no name.
#[must_use]
pub fn greeting_name(first_name: &str, company: &str) -> Option<String> {
    let tidy = |text: &str| {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        (text.contains(char::is_alphabetic) && is_name(&text)).then_some(text)
    };
    let name = tidy(first_name).filter(|name| !is_office(name));
    name.map(|name| proper_case(&name)).or_else(|| tidy(company))
}

/// Offices and roles that people type where a contact's first name belongs: "Hola Pagos" greets nobody.
fn is_office(name: &str) -> bool {
    const OFFICES: [&str; 44] = [
        "accounts",
        "accounting",
        "admin",
        "administracion",
        "administración",
        "administrator",
        "administração",
        "administracao",
        "billing",
        "cobranza",
        "cobranzas",
        "cobrança",
        "compras",
        "contabilidad",
        "contabilidade",
        "contacto",
        "contaduría",
        "contaduria",
        "facturacion",
        "facturación",
        "faturamento",
        "finance",
        "financeiro",
        "finanzas",
        "gerencia",
        "hostmaster",
        "info",
        "oficina",
        "pago",
        "pagos",
        "pagamentos",
        "proveedores",
        "recepcion",
        "recepción",
        "sales",
        "secretaria",
        "secretaría",
        "sistemas",
        "soporte",
        "suporte",
        "support",
        "tesoreria",
        "tesorería",
        "ventas",
    ];
    OFFICES.contains(&name.to_lowercase().as_str())
}

fn proper_case(name: &str) -> String {
    let mixed = name.contains(char::is_lowercase) && name.contains(char::is_uppercase);
    // What is left of an entity (`&lt;`) is a name of its own; in capitals it would be none.
    if mixed || (name.contains('&') && name.contains(';')) {
        return name.to_owned();
    }
    let words: Vec<String> = name.split(' ').enumerate().map(|(index, word)| proper_word(word, index == 0)).collect();
    // `İ` becomes two characters on its way.
    ComposingNormalizerBorrowed::new_nfc().normalize(&words.join(" ")).into_owned()
}

fn proper_word(word: &str, first: bool) -> String {
    let small = word.to_lowercase();
    if !first && PARTICLES.contains(&small.as_str()) {
        return small;
    }
    if word.chars().count() <= 2 && word.contains(char::is_uppercase) {
        return word.to_owned();
    }
    let mut proper = String::with_capacity(small.len());
    let mut inside = false;
    for c in small.chars() {
        if inside {
            proper.push(c);
        } else {
            proper.extend(c.to_uppercase());
        }
        // A combining accent is part of its letter.
        inside = c.is_alphanumeric() || (inside && !matches!(c, '\'' | '’' | '-' | '.'));
    }
    proper
}
