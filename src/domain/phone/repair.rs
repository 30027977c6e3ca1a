//! Owns: what countries changed or people write, and the library's plans do not know. Only for numbers that are not valid.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber};

use super::guess::Guess;

/// A valid number in place of one that is not, and what that assumes.
pub(super) fn repair(number: &PhoneNumber, is_landline: bool) -> Option<(PhoneNumber, Guess)> {
    let national = number.get_national_significant_number();
    let candidates: Vec<(String, Guess)> = match number.country_code {
        54 if !is_landline => argentina(&national),
        55 if !is_landline => brazil(&national),
        52 => mexico(&national),
        57 => colombia(&national),
        229 => benin(&national),
        _ => Vec::new(),
    };
    let read = |digits: &str| {
        let repaired = PHONE_NUMBER_UTIL.parse(format!("+{}{digits}", number.country_code), None).ok()?;
        (repaired.is_valid() && repaired.country_code == number.country_code).then_some(repaired)
    };
    let known = candidates.into_iter().find_map(|(digits, assumed)| Some((read(&digits)?, assumed)));
    // Where no zero is dialled in front, people put one there all the same, or remember one that was. Where one is dialled, the
    // library took it away already, and a second one means something else.
    let zero_removed = || {
        let rest = national.strip_prefix('0')?;
        let repaired = read(rest).filter(|repaired| repaired.get_national_significant_number() == rest)?;
        Some((repaired, Guess::TrunkZero))
    };
    known.or_else(zero_removed)
}

/// A mobile is written with 9 in front of the area or 15 behind it, with both, with 15 in front of the area, and with the
/// trunk zero within.
fn argentina(national: &str) -> Vec<(String, Guess)> {
    let mut candidates = Vec::new();
    let marked = national.starts_with('9') && national.len() > 10;
    let rest = if marked { &national[1..] } else { national };
    let area = rest.trim_start_matches('0');
    if marked && area.len() < rest.len() {
        candidates.push((format!("9{area}"), Guess::TrunkZero));
    }
    // Area and subscriber are ten digits together, so eight digits behind 15 leave two for the area: 11 is the only one.
    if let (Some(subscriber), 10) = (area.strip_prefix("15"), area.len()) {
        candidates.push((format!("911{subscriber}"), Guess::ArArea));
    }
    if let (Some(number), 12) = (area.strip_prefix("15"), area.len()) {
        candidates.push((format!("9{number}"), Guess::ArFifteen));
    }
    // 9 and 15 say the same. The library moves the 15 away once the 9 is removed.
    if marked && area.len() == 12 {
        candidates.push((area.to_owned(), Guess::ArFifteen));
    }
    candidates
}

/// Until 2019 mobiles were dialled with 1, 044 or 045 in front; the provider kept the 1 in old accounts.
fn mexico(national: &str) -> Vec<(String, Guess)> {
    let rest = ["044", "045", "01", "1"].iter().find_map(|prefix| national.strip_prefix(prefix));
    rest.filter(|rest| rest.len() == 10).map(|rest| (rest.to_owned(), Guess::MxOne)).into_iter().collect()
}

/// Mobiles got a 9 between area and subscriber; those that began with 6 to 9 before are mobiles.
fn brazil(national: &str) -> Vec<(String, Guess)> {
    let national = national.trim_start_matches('0');
    let old_mobile = national.len() == 10 && matches!(national.as_bytes()[2], b'6'..=b'9');
    let inserted = || (format!("{}9{}", &national[..2], &national[2..]), Guess::BrNine);
    old_mobile.then(inserted).into_iter().collect()
}

/// Since 2021 the one-digit areas of landlines are dialled with 60 in front.
fn colombia(national: &str) -> Vec<(String, Guess)> {
    let old_landline = national.len() == 8 && matches!(national.as_bytes()[0], b'1' | b'2' | b'4'..=b'8');
    old_landline.then(|| (format!("60{national}"), Guess::CoSixty)).into_iter().collect()
}

/// Since 2024-11-30 all numbers have 01 in front of their former eight digits.
fn benin(national: &str) -> Vec<(String, Guess)> {
    (national.len() == 8).then(|| (format!("01{national}"), Guess::BjOne)).into_iter().collect()
}
