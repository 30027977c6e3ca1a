//! Owns: a phone number in every form in which platforms hold them. Numbers are area, fives and a running number, so that
//! no two clients of the crowd share one by chance and hardly anybody real is meant.

use super::draw::Draw;
use super::people::Country;

/// How a number got into the database.
#[derive(Clone, Copy)]
enum Form {
    /// `+54.91123456789`: country list on, written for mobiles.
    Dotted,
    /// `+54.1123456789`: Argentina without the 9, Brazil without the ninth digit, Mexico with its old 1.
    DottedOld,
    /// `+598.094123456`, `+54.111523456789`: with the digits that only matter inside the country.
    DottedTrunk,
    /// `+54.9 11 2345-6789`
    DottedSpaced,
    /// `011 15-2345-6789`: typed before the country list.
    Raw,
    /// `5491123456789`
    NoPlus,
    /// `+54.5491123456789`
    Twice,
    /// `+.1123456789`
    NoCountry,
    Empty,
    Junk,
}

const FORMS: &[(u32, Form)] = &[
    (46, Form::Dotted),
    (22, Form::DottedOld),
    (7, Form::DottedTrunk),
    (4, Form::DottedSpaced),
    (9, Form::Raw),
    (3, Form::NoPlus),
    (2, Form::Twice),
    (1, Form::NoCountry),
    (4, Form::Empty),
    (2, Form::Junk),
];

const JUNK: &[&str] = &["no tiene", "-", "consultar", "0000000", "11", "+54.", "sin telefono", "xxx", "1555"];

/// Digits at the end of a number that tell people of one place apart.
const SERIAL_DIGITS: usize = 4;

/// The phone of the `serial`th person of a place whose numbers start with `area`.
pub(super) fn phone(draw: &mut Draw, country: &Country, area: &str, serial: u32) -> String {
    // Odd and not divisible by five: every serial gives another number.
    let serial = (serial % 10_000) * 7_919 % 10_000;
    let fives = "5".repeat(country.digits.saturating_sub(area.len() + SERIAL_DIGITS));
    let rest = format!("{fives}{serial:04}");
    let (code, national) = (country.calling.as_str(), format!("{area}{rest}"));
    match *draw.weighted(FORMS) {
        Form::Dotted => format!("+{code}.{}{national}", mobile_prefix(country)),
        Form::DottedOld => format!("+{code}.{}", old_form(country, &national)),
        Form::DottedTrunk => match country.code.as_str() {
            "AR" => format!("+{code}.{area}15{rest}"),
            "BR" | "GB" | "UY" => format!("+{code}.0{national}"),
            _ => format!("+{code}.{national}"),
        },
        Form::DottedSpaced => format!("+{code}.{} {area} {rest} ", mobile_prefix(country)),
        Form::Raw => match country.code.as_str() {
            "AR" => format!("0{area} 15-{rest}"),
            "US" => format!("({area}) {rest}"),
            "BR" | "GB" | "UY" => format!("0{area} {rest}"),
            _ => format!("{area} {rest}"),
        },
        Form::NoPlus => format!("{code}{}{national}", mobile_prefix(country)),
        Form::Twice => format!("+{code}.{code}{}{national}", mobile_prefix(country)),
        Form::NoCountry => format!("+.{national}"),
        Form::Empty => String::new(),
        Form::Junk => (*draw.pick(JUNK)).to_owned(),
    }
}

/// What stands between country code and number of a mobile.
fn mobile_prefix(country: &Country) -> &'static str {
    if country.code == "AR" { "9" } else { "" }
}

fn old_form(country: &Country, national: &str) -> String {
    match country.code.as_str() {
        "BR" => format!("{}{}", &national[..2], &national[3..]),
        "MX" => format!("1{national}"),
        _ => national.to_owned(),
    }
}
