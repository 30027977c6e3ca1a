//! Owns: the order in which readings of a stored number are tried, and the repairs that no library makes.
//! Why an order: the first *valid* reading wins, and a valid number is never "repaired" (but for Argentina's 9). So
//! what comes out goes in again unchanged.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region};

use super::written::Written;
use super::{Certainty, E164, Phone, PhoneError, PhonePolicy};
use crate::domain::text::decode_entities;

/// National digits that are a short number when no calling code goes with them.
const SHORT_DIGITS_MAX: usize = 6;

const COUNTRY_DEFAULT: &str = "no country is stored: read as a number of the company's country";
const COUNTRY_OTHER: &str = "read as an international number without its plus sign";
const CODE_TWICE: &str = "the calling code was written twice";
const FIRST_OF_SEVERAL: &str = "the first of several numbers";
const AR_NINE: &str = "Argentina: the mobile 9 was inserted";
const AR_FIFTEEN: &str = "Argentina: 15 was replaced by the mobile 9";
const AR_AREA: &str = "Argentina: eight digits behind 15 are a mobile of area 11";
const MX_ONE: &str = "Mexico: the old mobile prefix was removed";
const BR_NINE: &str = "Brazil: the ninth digit was inserted";

/// Loads the numbering plans (about 5 ms), so that the first alert does not wait for them.
pub fn warm_up() {
    let _ = PHONE_NUMBER_UTIL.get_country_code_for_region(Region::AR);
}

/// Reads a phone number as the platform stores it.
///
/// Platform: since 7.4 `+CC.NUMBER` (`+54.1123456789`), where the number part is what the client typed: blanks, dashes,
/// trunk zeros, the calling code once more. Older rows and rows written by an API hold any text. HTML entities are
/// decoded here too. `country` is the client's (ISO 3166 alpha-2 in any case, may be empty), `default_country` the
/// company's; both matter only where no calling code is written.
///
/// # Errors
/// [`PhoneError`] says why there is no number; it never repeats the text.
pub fn normalize(
    stored: &str,
    country: &str,
    default_country: &str,
    policy: &PhonePolicy,
) -> Result<Phone, PhoneError> {
    let home = Home::new(country, default_country);
    let text = decode_entities(stored);
    let read = |part: &str| Written::read(part).and_then(|written| resolve(&written, &home, *policy));
    let whole = read(&text);
    match (whole, text.split_once('/')) {
        (Err(error), Some((first, _))) => {
            let certainty = Certainty::Assumed(FIRST_OF_SEVERAL);
            read(first).map(|phone| Phone { certainty, ..phone }).map_err(|_| error)
        }
        (whole, _) => whole,
    }
}

/// The countries that national digits may belong to.
struct Home {
    region: Option<Region>,
    fallback: Option<Region>,
}

impl Home {
    fn new(country: &str, default_country: &str) -> Self {
        Self { region: region(country), fallback: region(default_country) }
    }

    /// The region to read national digits in, and what is assumed by that.
    fn reading(&self) -> Option<(Region, Option<&'static str>)> {
        self.region.map(|own| (own, None)).or(self.fallback.map(|company| (company, Some(COUNTRY_DEFAULT))))
    }
}

/// A known country with a numbering plan.
fn region(code: &str) -> Option<Region> {
    let region = Region::from_code(code.trim()).ok()?;
    calling_code_of(region).is_some().then_some(region)
}

fn calling_code_of(region: Region) -> Option<String> {
    PHONE_NUMBER_UTIL.get_country_code_for_region(region).map(|code| code.to_string())
}

/// The calling code that international digits begin with. No code is the beginning of another.
pub(super) fn calling_code(digits: &str) -> Option<&str> {
    (1..=3).filter_map(|length| digits.get(..length)).find(|code| {
        let number = code.parse().unwrap_or_default();
        PHONE_NUMBER_UTIL.get_regions_for_country_calling_code(number).is_some()
    })
}

/// One way to read the digits.
struct Reading {
    text: String,
    region: Option<Region>,
    assumed: Option<&'static str>,
}

impl Reading {
    fn international(digits: &str, assumed: Option<&'static str>) -> Self {
        Self { text: format!("+{digits}"), region: None, assumed }
    }
}

fn resolve(written: &Written, home: &Home, policy: PhonePolicy) -> Result<Phone, PhoneError> {
    let mut error = None;
    for reading in readings(written, home) {
        let Ok(number) = PHONE_NUMBER_UTIL.parse(&reading.text, reading.region) else { continue };
        if number.is_valid() {
            return accept(&number, reading.assumed, written, policy);
        }
        if let Some((repaired, assumed)) = repair(&number) {
            return accept(&repaired, Some(assumed), written, policy);
        }
        error.get_or_insert_with(|| refusal(&number));
    }
    if !written.plus && written.digits.len() <= SHORT_DIGITS_MAX {
        return Err(PhoneError::Short);
    }
    let national = !written.plus || written.code_missing;
    let no_country = national && home.reading().is_none();
    Err(error.unwrap_or(if no_country { PhoneError::NoCountry } else { PhoneError::NotPossible }))
}

fn refusal(number: &PhoneNumber) -> PhoneError {
    match number.is_possible_with_reason() {
        Ok(rlibphonenumber::NumberLengthType::IsPossible) => PhoneError::NotValid,
        _ => PhoneError::NotPossible,
    }
}

/// The readings of what was written, the likeliest first.
fn readings(written: &Written, home: &Home) -> Vec<Reading> {
    let digits = written.digits.as_str();
    let bare = digits.trim_start_matches('0');
    let national = |text: &str| {
        home.reading().map(|(region, assumed)| Reading { text: text.to_owned(), region: Some(region), assumed })
    };
    let mut readings = Vec::new();
    if written.plus && digits.starts_with("00") {
        readings.push(Reading::international(bare, None));
    } else if written.plus && (written.code_missing || digits.starts_with('0')) {
        readings.extend(national(digits));
    } else if written.plus {
        readings.push(Reading::international(digits, None));
        readings.extend(code_twice(digits));
    } else {
        readings.extend(national(digits));
        readings.extend(foreign(written, home));
        readings.extend(home.reading().and_then(|(region, _)| {
            let rest = bare.strip_prefix(&calling_code_of(region)?)?;
            rest.starts_with(&calling_code_of(region)?).then(|| Reading::international(rest, Some(CODE_TWICE)))
        }));
    }
    readings
}

/// `+54 54 9 11…`: the client typed the code that the platform's form had put in front already.
fn code_twice(digits: &str) -> Option<Reading> {
    let code = calling_code(digits)?;
    let rest = digits[code.len()..].trim_start_matches('0');
    rest.starts_with(code).then(|| Reading::international(rest, Some(CODE_TWICE)))
}

/// A number of the company's country in full, stored without `+` by a client of another country. Only when it is too
/// long for a number of the client's own country: else a typing error there would make it a stranger's number here.
fn foreign(written: &Written, home: &Home) -> Option<Reading> {
    let (own, company) = (home.region?, home.fallback?);
    let code = calling_code_of(company)?;
    let number = PHONE_NUMBER_UTIL.parse(&written.digits, Some(own)).ok();
    let too_long = number.is_none_or(|n| n.is_possible_with_reason() == Err(rlibphonenumber::ValidationError::TooLong));
    let fits = own != company && too_long && written.digits.starts_with(&code);
    fits.then(|| Reading::international(&written.digits, Some(COUNTRY_OTHER)))
}

/// What countries changed or people write, and the library's plans do not know. Only for numbers that are not valid.
fn repair(number: &PhoneNumber) -> Option<(PhoneNumber, &'static str)> {
    let national = number.get_national_significant_number();
    let candidates: Vec<(String, &'static str)> = match number.country_code {
        54 => argentina(&national),
        52 => mexico(&national),
        55 => brazil(&national),
        _ => Vec::new(),
    };
    candidates.into_iter().find_map(|(digits, assumed)| {
        let repaired = PHONE_NUMBER_UTIL.parse(format!("+{}{digits}", number.country_code), None).ok()?;
        repaired.is_valid().then_some((repaired, assumed))
    })
}

fn argentina(national: &str) -> Vec<(String, &'static str)> {
    let mut candidates = Vec::new();
    // Area and subscriber are ten digits together, so eight digits behind 15 leave two for the area: 11 is the only one.
    if let (Some(subscriber), 10) = (national.strip_prefix("15"), national.len()) {
        candidates.push((format!("911{subscriber}"), AR_AREA));
    }
    // 9 and 15 say the same. The library moves the 15 away once the 9 is gone.
    if let (Some(rest), 13) = (national.strip_prefix('9'), national.len()) {
        candidates.push((rest.to_owned(), AR_FIFTEEN));
    }
    candidates
}

/// Until 2019 mobiles were dialled with 1, 044 or 045 in front; the provider kept the 1 in old accounts.
fn mexico(national: &str) -> Vec<(String, &'static str)> {
    let rest = ["044", "045", "01", "1"].iter().find_map(|prefix| national.strip_prefix(prefix));
    rest.filter(|rest| rest.len() == 10).map(|rest| (rest.to_owned(), MX_ONE)).into_iter().collect()
}

/// Mobiles got a 9 between area and subscriber; those that began with 6 to 9 before are mobiles.
fn brazil(national: &str) -> Vec<(String, &'static str)> {
    let national = national.trim_start_matches('0');
    let old_mobile = national.len() == 10 && matches!(national.as_bytes()[2], b'6'..=b'9');
    let inserted = || (format!("{}9{}", &national[..2], &national[2..]), BR_NINE);
    old_mobile.then(inserted).into_iter().collect()
}

/// The last gate, for valid numbers: the kind of line, Argentina's 9, and the shape.
fn accept(
    number: &PhoneNumber,
    assumed: Option<&'static str>,
    written: &Written,
    policy: PhonePolicy,
) -> Result<Phone, PhoneError> {
    let national = number.get_national_significant_number();
    if national.bytes().all(|b| b == national.as_bytes()[0]) {
        return Err(PhoneError::Junk);
    }
    let kind = number.get_type();
    refuse_kind(kind)?;
    if number.country_code == 54 && policy.assume_argentine_mobile && !national.starts_with('9') {
        if written.extension {
            return Err(PhoneError::NotMobile("a switchboard"));
        }
        let mobile = PHONE_NUMBER_UTIL.parse(format!("+549{national}"), None).ok();
        if let Some(mobile) = mobile.filter(PhoneNumber::is_valid) {
            return finish(&mobile, Some(AR_NINE));
        }
    }
    if kind == PhoneNumberType::FixedLine && !policy.allow_landlines {
        return Err(PhoneError::NotMobile("a landline"));
    }
    finish(number, assumed)
}

fn refuse_kind(kind: PhoneNumberType) -> Result<(), PhoneError> {
    let name = match kind {
        PhoneNumberType::TollFree => "a toll-free",
        PhoneNumberType::PremiumRate => "a premium-rate",
        PhoneNumberType::SharedCost => "a shared-cost",
        PhoneNumberType::Pager => "a pager",
        PhoneNumberType::UAN => "a universal access",
        PhoneNumberType::VoiceMail => "a voicemail",
        _ => return Ok(()),
    };
    Err(PhoneError::NotMobile(name))
}

fn finish(number: &PhoneNumber, assumed: Option<&'static str>) -> Result<Phone, PhoneError> {
    let text = number.format_as(PhoneNumberFormat::E164);
    // A number that reads differently the second time cannot be stored.
    let again = PHONE_NUMBER_UTIL.parse(&*text, None).map_err(|_| PhoneError::NotValid)?;
    if !again.is_valid() || again.format_as(PhoneNumberFormat::E164) != text {
        return Err(PhoneError::NotValid);
    }
    let e164 = E164::trusted(&text).ok_or(PhoneError::NotPossible)?;
    Ok(Phone { e164, certainty: assumed.map_or(Certainty::Certain, Certainty::Assumed) })
}
