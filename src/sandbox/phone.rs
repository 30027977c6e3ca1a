//! Owns: numbers as the provider reads them: `to` → the account it is taken to mean (Meta's rules), and message ids.
//! Written without the sender's phone code, so that a mistake there cannot hide here.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::ApiError;
use crate::signature;

/// Fewest and most digits of an international number (E.164 allows 15).
const DIGITS: std::ops::RangeInclusive<usize> = 8..=15;

/// Brazilian area codes whose accounts keep the ninth digit (Meta's rules).
const BRAZIL_KEEPS_NINE: [&str; 14] =
    ["11", "12", "13", "14", "15", "16", "17", "18", "19", "21", "22", "24", "27", "28"];

/// The account (`wa_id`, digits only) that `to` is taken to mean.
///
/// # Errors
/// 100, when `to` has no leading `+` and country code. The real service puts the sender's country in front and reaches
/// a stranger (Meta's rules), which a stand-in must not hide.
pub fn wa_id(to: &str) -> Result<String, ApiError> {
    let digits = to
        .strip_prefix('+')
        .filter(|rest| rest.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '-' | '(' | ')')));
    let digits: String = digits.unwrap_or_default().chars().filter(char::is_ascii_digit).collect();
    if !DIGITS.contains(&digits.len()) || digits.starts_with('0') {
        return Err(ApiError::parameter("Parameter `to` must be a phone number with + and country code"));
    }
    Ok(canonical(digits))
}

/// The form under which `WhatsApp` knows the account: Argentina with 9, Mexico with 1, Brazil by area code.
#[must_use]
pub fn canonical(digits: String) -> String {
    if let Some(national) = digits.strip_prefix("54") {
        return argentina(national).map_or(digits.clone(), |mobile| format!("549{mobile}"));
    }
    if let Some(national) = digits.strip_prefix("52")
        && national.len() == 10
    {
        return format!("521{national}");
    }
    if let Some(national) = digits.strip_prefix("55") {
        return brazil(national).map_or(digits.clone(), |mobile| format!("55{mobile}"));
    }
    digits
}

/// Area and subscriber (10 digits), when the national part is not yet `9` + area + subscriber.
fn argentina(national: &str) -> Option<String> {
    match national.len() {
        10 => Some(national.to_owned()),
        // `15` stands between area (2 to 4 digits) and subscriber; only Buenos Aires has an area of two.
        12 => {
            let area = if national.starts_with("11") { 2..=2 } else { 3..=4 };
            let cut = area.into_iter().find(|&at| &national[at..at + 2] == "15")?;
            Some(format!("{}{}", &national[..cut], &national[cut + 2..]))
        }
        _ => None,
    }
}

fn brazil(national: &str) -> Option<String> {
    let (area, subscriber) = national.split_at_checked(2)?;
    match (BRAZIL_KEEPS_NINE.contains(&area), subscriber.len()) {
        (true, 8) => Some(format!("{area}9{subscriber}")),
        (false, 9) if subscriber.starts_with('9') => Some(format!("{area}{}", &subscriber[1..])),
        _ => None,
    }
}

/// A message id as the real one is built: base64 over a binary that holds the number in clear (Meta's rules).
#[must_use]
pub fn wamid(wa_id: &str, seed: u64, number: u64) -> String {
    let mut source = [0; 16];
    source[..8].copy_from_slice(&seed.to_be_bytes());
    source[8..].copy_from_slice(&number.to_be_bytes());
    let unique = signature::hex(&signature::sha256(&source)[..9]).to_ascii_uppercase();
    let mut binary = vec![0x1c, 0x18, u8::try_from(wa_id.len()).unwrap_or(u8::MAX)];
    binary.extend_from_slice(wa_id.as_bytes());
    binary.extend_from_slice(&[0x15, 0x02, 0x00, 0x11, 0x18, 0x12]);
    binary.extend_from_slice(unique.as_bytes());
    binary.push(0);
    format!("wamid.{}", STANDARD.encode(binary))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_the_account_that_is_meant() {
        for (to, expected) in [
            ("+5491123456789", "5491123456789"),
            ("+541123456789", "5491123456789"),
            ("+54 11 15 2345 6789", "5491123456789"),
            ("+54 351 15 234 5678", "5493512345678"),
            ("+54 2966 15 412345", "5492966412345"),
            ("+525512345678", "5215512345678"),
            ("+5215512345678", "5215512345678"),
            ("+5511987654321", "5511987654321"),
            ("+551187654321", "5511987654321"),
            ("+5551987654321", "555187654321"),
            ("+1 (631) 555-1234", "16315551234"),
        ] {
            assert_eq!(wa_id(to).unwrap(), expected, "{to}");
        }
    }

    #[test]
    fn a_number_without_plus_or_with_letters_is_refused() {
        for to in ["5491123456789", "", "+", "+54", "+54911ABC45678", "+0111555555555", "+5491123456789012345"] {
            assert_eq!(wa_id(to).unwrap_err().code, 100, "{to}");
        }
    }

    #[test]
    fn a_message_id_holds_the_number_and_differs_each_time() {
        let id = wamid("16467043595", 1, 2);
        let binary = STANDARD.decode(id.strip_prefix("wamid.").unwrap()).unwrap();
        assert_eq!(&binary[3..14], b"16467043595");
        assert_eq!(binary.last(), Some(&0));
        assert_ne!(id, wamid("16467043595", 1, 3));
        assert_ne!(id, wamid("16467043595", 2, 2));
    }
}
