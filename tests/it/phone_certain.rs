//! What "certain" means, held against the library itself: no other reading of the same text is a valid mobile by the plan of the
//! client's country or the company's, or by a code that stands there.

use hookbridge::domain::phone::{Certainty, PhonePolicy, explain, normalize};
use proptest::prelude::*;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region};

/// Wide plans, closed plans, shared codes, other prefixes for calls abroad, and those that clients of the company live in.
const REGIONS: &[&str] = &[
    "AR", "BR", "CL", "CO", "UY", "PY", "BO", "PE", "EC", "VE", "MX", "CR", "PA", "CU", "DO", "US", "CA", "JM", "ES",
    "PT", "IT", "FR", "DE", "AT", "CH", "GB", "IE", "SE", "FI", "NO", "DK", "NL", "BE", "PL", "RU", "KZ", "TR", "UA",
    "XK", "IN", "ID", "TH", "VN", "JP", "KR", "CN", "HK", "SG", "AU", "NZ", "ZA", "NG", "KE", "TZ", "UG", "EG", "MA",
    "IL", "AE", "IR",
];

fn region(code: &str) -> Region {
    Region::from_code(code).expect("a region")
}

/// A valid number near the plan's example.
fn number(of: Region, kind: PhoneNumberType, seed: u64, changed: usize) -> Option<PhoneNumber> {
    let example = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(of, kind).ok()?;
    let national = example.get_national_significant_number();
    let kept = national.len().saturating_sub(changed);
    (0..200_u64).find_map(|turn| {
        let mut state = seed.wrapping_add(turn).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let tail: String = std::iter::repeat_with(|| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            char::from(b'0' + u8::try_from((state >> 33) % 10).expect("a digit"))
        })
        .take(national.len() - kept)
        .collect();
        let text = format!("+{}{}{tail}", example.country_code, &national[..kept]);
        let found = PHONE_NUMBER_UTIL.parse(text, None).ok()?;
        (found.is_valid() && found.get_type() == kind).then_some(found)
    })
}

fn spelled(number: &PhoneNumber, way: usize) -> String {
    let (code, national) = (number.country_code, number.get_national_significant_number());
    let dialled = number.format_as(PhoneNumberFormat::National).into_owned();
    match way {
        0 => dialled,
        1 => national,
        2 => format!("+{code}.{national}"),
        3 => format!("+{code} {dialled}"),
        4 => format!("00{code}{national}"),
        5 => format!("{code}{national}"),
        6 => format!("+{code}.{code}{national}"),
        7 => format!("+{code}.{dialled}"),
        8 => format!("+{code}{national}"),
        9 => format!("+54.{national}"),
        10 => format!("+1.{national}"),
        11 => format!("{code} {code} {national}"),
        12 => format!("0{national}"),
        _ => format!("+{code}.00{code}{national}"),
    }
}

/// Readings of `text` by the library alone, without any of our own rules.
fn readings(text: &str, client: Region, company: Region) -> Vec<PhoneNumber> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let code = |of: Region| PHONE_NUMBER_UTIL.get_country_code_for_region(of).expect("a code").to_string();
    let mut all = vec![PHONE_NUMBER_UTIL.parse(text, Some(client))];
    if let Some(rest) = digits.strip_prefix("00").filter(|_| !text.starts_with('+')) {
        all.push(PHONE_NUMBER_UTIL.parse(format!("+{rest}"), None));
    } else if !text.starts_with('+') {
        all.push(PHONE_NUMBER_UTIL.parse(text, Some(company)));
        for own in [code(client), code(company)] {
            if digits.starts_with(&own) {
                all.push(PHONE_NUMBER_UTIL.parse(format!("+{digits}"), None));
            }
        }
    } else if let Some((form, rest)) = text.split_once('.') {
        if form[1..] != code(client) {
            all.push(PHONE_NUMBER_UTIL.parse(rest, Some(client)));
        }
        let typed: String = rest.chars().filter(char::is_ascii_digit).collect();
        if let Some(typed) = typed.strip_prefix("00") {
            all.push(PHONE_NUMBER_UTIL.parse(format!("+{typed}"), None));
        } else if typed.starts_with(&form[1..]) || typed.starts_with(&code(client)) || typed.starts_with(&code(company))
        {
            all.push(PHONE_NUMBER_UTIL.parse(format!("+{typed}"), None));
        }
    }
    all.into_iter().flatten().filter(PhoneNumber::is_valid).collect()
}

fn is_mobile(number: &PhoneNumber) -> bool {
    matches!(number.get_type(), PhoneNumberType::Mobile | PhoneNumberType::FixedLineOrMobile)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn certain_means_that_no_other_reading_is_a_valid_mobile(
        of in 0..REGIONS.len(), client in 0..REGIONS.len(), at_home in any::<bool>(), company in 0..REGIONS.len(),
        landline in any::<bool>(), seed in any::<u64>(), changed in 4_usize..9, way in 0_usize..14,
    ) {
        let kind = if landline { PhoneNumberType::FixedLine } else { PhoneNumberType::Mobile };
        let Some(meant) = number(region(REGIONS[of]), kind, seed, changed) else { return Ok(()) };
        let (client, company) = (REGIONS[if at_home { of } else { client }], REGIONS[company]);
        let text = spelled(&meant, way);
        let read = normalize(&text, client, company, &PhonePolicy::default());
        if let Ok(phone) = &read && phone.certainty == Certainty::Certain {
            for other in readings(&text, region(client), region(company)).iter().filter(|other| is_mobile(other)) {
                let other = other.format_as(PhoneNumberFormat::E164);
                prop_assert_eq!(phone.e164.as_str(), &*other, "{} for a client in {} of a company in {}: {:?}",
                    text, client, company, explain(&text, client, company, &PhonePolicy::default()));
            }
            // Where the client is at home, what he stores is his number.
            if at_home && !matches!(way, 9 | 10) {
                prop_assert_eq!(phone.e164.as_str(), &*meant.format_as(PhoneNumberFormat::E164), "{} {}", text, client);
            }
        }
    }
}
