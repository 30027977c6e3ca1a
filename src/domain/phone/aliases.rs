//! Owns: the spellings under which one account may come back from the provider.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};

use super::E164;
use super::readings::calling_code;

/// All spellings of a number, itself first, to match replies and receipts by.
///
/// Meta: for Brazil and Mexico the API alters the extra digit itself, so that `wa_id` differs from what was sent: old
/// Mexican accounts are `521…`, many Brazilian ones lack the ninth digit. Argentina: test numbers are stored without
/// the 9, some with 15. The set is the same whichever of its spellings it is asked for.
#[must_use]
pub fn aliases(e164: &E164) -> Vec<E164> {
    let digits = e164.digits();
    let national = |code: &str| digits[code.len()..].to_owned();
    let spellings = match calling_code(digits) {
        Some("54") => argentina(&national("54")),
        Some("52") => mexico(&national("52")),
        Some("55") => brazil(&national("55")),
        _ => Vec::new(),
    };
    let mut all = vec![e164.clone()];
    for spelling in spellings.iter().filter_map(|digits| E164::from_digits(digits)) {
        if !all.contains(&spelling) {
            all.push(spelling);
        }
    }
    all
}

fn argentina(national: &str) -> Vec<String> {
    // Area and subscriber: ten digits, behind a 9, or with a 15 between them that only the numbering plan finds.
    let bare = match national.len() {
        10 => national.to_owned(),
        11 if national.starts_with('9') => national[1..].to_owned(),
        12 => match without_fifteen(national) {
            Some(bare) => bare,
            None => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    let mut spellings = vec![format!("549{bare}"), format!("54{bare}")];
    spellings.extend(with_fifteen(&bare).map(|national| format!("54{national}")));
    spellings
}

/// `11 15 2345-6789` for the ten digits of a mobile: where the area ends, the plan knows. `None` where it does not.
fn with_fifteen(bare: &str) -> Option<String> {
    let mobile = PHONE_NUMBER_UTIL.parse(format!("+549{bare}"), None).ok()?;
    let dialled = mobile.format_as(PhoneNumberFormat::National);
    let digits: String = dialled.chars().filter(char::is_ascii_digit).collect();
    let national = digits.trim_start_matches('0').to_owned();
    (without_fifteen(&national)? == bare).then_some(national)
}

fn without_fifteen(national: &str) -> Option<String> {
    let number = PHONE_NUMBER_UTIL.parse(format!("+54{national}"), None).ok()?;
    let found = number.get_national_significant_number();
    (number.is_valid() && national.len() == 12).then(|| found.strip_prefix('9').map(str::to_owned))?
}

fn mexico(national: &str) -> Vec<String> {
    let bare = match national.len() {
        10 => national,
        11 if national.starts_with('1') => &national[1..],
        _ => return Vec::new(),
    };
    vec![format!("52{bare}"), format!("521{bare}")]
}

fn brazil(national: &str) -> Vec<String> {
    let (area, subscriber) = national.split_at(2.min(national.len()));
    let bare = match subscriber.len() {
        8 => subscriber,
        9 if subscriber.starts_with('9') => &subscriber[1..],
        _ => return Vec::new(),
    };
    // Below 6 it is a landline: not the mobile's other spelling, but perhaps another person's number.
    if !matches!(bare.as_bytes()[0], b'6'..=b'9') {
        return Vec::new();
    }
    let (new, old) = (format!("55{area}9{bare}"), format!("55{area}{bare}"));
    // A number of eight digits that the plan knows is somebody else's (the trunked radio's 7…, not a mobile of old).
    let known = PHONE_NUMBER_UTIL.parse(format!("+{old}"), None).is_ok_and(|number| number.is_valid());
    if known { Vec::new() } else { vec![new, old] }
}
