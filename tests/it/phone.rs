//! Stored phone numbers: the shared vectors, and what must hold for any text.

use hookbridge::domain::phone::{Certainty, E164, Guess, Phone, PhoneError, PhonePolicy, aliases, normalize};
use hookbridge::domain::reason::Reason;
use proptest::prelude::*;
use serde::Deserialize;

/// One row of `tests/vectors/phones.json`; PHP reads them too.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    stored: String,
    country: String,
    #[serde(default = "company")]
    default_country: String,
    expect: Option<String>,
    error: Option<String>,
    certainty: Option<String>,
    note: String,
}

fn company() -> String {
    "AR".to_owned()
}

fn rows() -> Vec<Row> {
    serde_json::from_str(include_str!("../vectors/phones.json")).expect("phones.json")
}

fn read(stored: &str) -> Result<String, PhoneError> {
    normalize(stored, "AR", "AR", &PhonePolicy::default()).map(|phone| phone.e164.as_str().to_owned())
}

/// Nothing is assumed of it but what is doubtful about the number itself.
fn is_settled(phone: &Phone) -> bool {
    matches!(phone.assumed(), None | Some(Guess::Repeated | Guess::Satellite | Guess::Personal))
}

fn e164(text: &str) -> E164 {
    E164::trusted(text).expect("a number")
}

#[test]
fn every_stored_number_of_the_vectors_is_read_as_written_there() {
    let rows = rows();
    assert!(rows.len() >= 290);
    let mut wrong = Vec::new();
    for row in &rows {
        let result = normalize(&row.stored, &row.country, &row.default_country, &PhonePolicy::default());
        let (number, certainty, error) = match &result {
            Ok(phone) => {
                let certainty = if phone.certainty == Certainty::Certain { "certain" } else { "assumed" };
                (Some(phone.e164.as_str()), Some(certainty), None)
            }
            Err(error) => (None, None, Some(error.code())),
        };
        if (number, certainty, error) != (row.expect.as_deref(), row.certainty.as_deref(), row.error.as_deref()) {
            let guess = result.as_ref().map(|phone| phone.certainty);
            wrong.push(format!(
                "{:?} ({}): {number:?} {guess:?} instead of {:?} {:?} {:?}",
                row.stored, row.note, row.expect, row.certainty, row.error
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn a_number_that_was_read_once_reads_the_same_again_and_with_certainty() {
    // An Argentine landline that the text calls one: the number alone does not say so.
    let lasting = |row: &&String| !row.starts_with("+5411");
    for row in rows().iter().filter_map(|row| row.expect.as_ref()).filter(lasting) {
        for country in ["", "AR", "BR", "US"] {
            let again = normalize(row, country, "MX", &PhonePolicy::default()).expect("a number");
            assert_eq!(again.e164.as_str(), row.as_str());
            assert!(is_settled(&again), "{row} ({country}): {:?}", again.certainty);
        }
    }
}

#[test]
fn a_policy_that_assumes_nothing_leaves_argentine_landlines_alone() {
    let policy = PhonePolicy { assume_argentine_mobile: false, ..PhonePolicy::default() };
    let phone = normalize("+54.1145678901", "AR", "AR", &policy).expect("a number");
    assert_eq!((phone.e164.as_str(), phone.certainty), ("+541145678901", Certainty::Certain));
}

#[test]
fn a_policy_without_landlines_refuses_certain_ones_only() {
    let policy = PhonePolicy { allow_landlines: false, ..PhonePolicy::default() };
    let refused = normalize("+34.912345678", "ES", "AR", &policy).expect_err("a landline");
    assert_eq!(refused.reason(), Reason::PhoneNotMobile);
    assert!(normalize("+34.612345678", "ES", "AR", &policy).is_ok());
    assert!(normalize("+1.2125550123", "US", "AR", &policy).is_ok(), "may be a mobile");
    assert!(normalize("+54.1145678901", "AR", "AR", &policy).is_ok(), "taken to be a mobile");
}

#[test]
fn each_refusal_has_one_of_the_three_reasons() {
    let reason = |stored: &str| read(stored).expect_err("refused").reason();
    assert_eq!(reason("+54."), Reason::PhoneMissing);
    assert_eq!(reason("no tengo"), Reason::PhoneInvalid);
    assert_eq!(reason("4567-8901"), Reason::PhoneInvalid);
    assert_eq!(reason("911"), Reason::PhoneNotMobile);
    assert_eq!(reason("0800 555 1234"), Reason::PhoneNotMobile);
}

#[test]
fn a_number_shows_itself_masked_everywhere_but_where_it_is_asked_for() {
    let number = e164("+5491123456789");
    assert_eq!(number.masked(), "+549••••••789");
    assert_eq!(format!("{number}"), "+549••••••789");
    assert_eq!(format!("{number:?}"), "E164(+549••••••789)");
    assert_eq!((number.as_str(), number.digits()), ("+5491123456789", "5491123456789"));
    assert_eq!(e164("+68820123").masked(), "+68••••••23", "a short number shows less");
}

#[test]
fn only_the_shape_of_a_full_number_is_trusted() {
    for bad in ["", "+", "5491123456789", "+0491123456789", "+123456", "+1234567890123456", "+54 91123456789", "+٥٤٩١١"]
    {
        assert!(E164::trusted(bad).is_none(), "{bad}");
    }
    assert_eq!(E164::from_digits("5491123456789"), E164::trusted("+5491123456789"));
}

#[test]
fn an_account_is_known_under_each_of_its_spellings() {
    let families: [&[&str]; 7] = [
        &["+5491123456789", "+541123456789", "+54111523456789"],
        &["+5492966412345", "+542966412345", "+54296615412345"],
        &["+525512345678", "+5215512345678"],
        &["+5511987654321", "+551187654321"],
        &["+551134567890"],
        // The plan does not know where this area ends: no spelling with 15, rather than one that reads differently.
        &["+546750000000", "+5496750000000"],
        &["+34612345678"],
    ];
    for family in families {
        for asked in family {
            let mut found: Vec<String> = aliases(&e164(asked)).iter().map(|a| a.as_str().to_owned()).collect();
            assert_eq!(found[0], *asked, "itself first");
            found.sort_unstable();
            let mut wanted = family.to_vec();
            wanted.sort_unstable();
            assert_eq!(found, wanted, "of {asked}");
        }
    }
}

/// Texts near to numbers, which plain random text never hits.
fn near_numbers() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[+＋]?[0-9 .()/x#-]{0,24}",
        "\\+(54|52|55|1|34|598|)\\.?[0-9 ]{6,14}",
        "(54|0|00|15|9|\\+54\\.54)?9?(11|351|2966)(15)?[0-9]{6,8}( (int|ext|o|/) [0-9]{1,10})?",
        "\\PC{0,120}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_refused_or_gives_a_well_formed_number_that_stays(
        stored in near_numbers(), country in "AR|BR|MX|CL|US|es||ZZ|\\PC{2}", assume in any::<bool>(), landlines in any::<bool>(),
    ) {
        let policy = PhonePolicy { assume_argentine_mobile: assume, allow_landlines: landlines };
        if let Ok(phone) = normalize(&stored, &country, "AR", &policy) {
            let text = phone.e164.as_str();
            let digits = text.strip_prefix('+').expect("a plus");
            prop_assert!((7..=15).contains(&digits.len()) && !digits.starts_with('0'));
            prop_assert!(digits.bytes().all(|b| b.is_ascii_digit()));
            let again = normalize(text, &country, "AR", &policy).expect("what came out goes in");
            prop_assert_eq!(&again.e164, &phone.e164);
            prop_assert!(is_settled(&again), "{:?}", again.certainty);
            let family = aliases(&phone.e164);
            prop_assert!(family.contains(&phone.e164));
            for other in &family {
                prop_assert!(aliases(other).contains(&phone.e164), "{:?}", other.as_str());
            }
        }
    }
}
