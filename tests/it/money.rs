//! Amounts: shown as the platform shows them, exact, and never mixed.

use std::cmp::Ordering;
use std::str::FromStr;

use hookbridge::domain::ids::CurrencyId;
use hookbridge::domain::money::{Currency, Money, MoneyError, NumberFormat};
use proptest::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;

/// One row of `tests/vectors/money.json`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    amount: String,
    format: i64,
    prefix: String,
    suffix: String,
    expect: String,
}

const PESOS: CurrencyId = CurrencyId(1);
const DOLLARS: CurrencyId = CurrencyId(2);

fn pesos(text: &str) -> Money {
    Money::parse(text, PESOS).expect("an amount")
}

#[test]
fn every_amount_of_the_vectors_is_shown_as_written_there() {
    let rows: Vec<Row> = serde_json::from_str(include_str!("../vectors/money.json")).expect("money.json");
    for row in rows {
        let currency = Currency::from_platform(PESOS, "XXX", &row.prefix, &row.suffix, row.format).expect("a currency");
        let shown = pesos(&row.amount).format(&currency).expect("its own currency");
        assert_eq!(shown, row.expect, "{} in format {}", row.amount, row.format);
    }
}

#[test]
fn amounts_of_two_currencies_neither_add_nor_compare_nor_borrow_a_sign() {
    let (peso, dollar) = (pesos("1"), Money::parse("1", DOLLARS).expect("an amount"));
    let mixed = MoneyError::Currency(DOLLARS, PESOS);
    assert_eq!(peso.checked_add(dollar), Err(mixed.clone()));
    assert_eq!(peso.checked_sub(dollar), Err(mixed.clone()));
    assert_eq!(peso.compare(dollar), Err(mixed.clone()));
    let usd = Currency::from_platform(DOLLARS, "USD", "$", " USD", 2).expect("a currency");
    assert_eq!(peso.format(&usd), Err(mixed));
}

#[test]
fn sums_are_exact_and_overflow_is_an_error() {
    assert_eq!(pesos("0.10").checked_add(pesos("0.20")), Ok(pesos("0.30")));
    assert_eq!(pesos("0.10").checked_sub(pesos("0.30")), Ok(pesos("-0.20")));
    assert_eq!(pesos("2").compare(pesos("10")), Ok(Ordering::Less));
    let most = Money::new(Decimal::MAX, PESOS);
    assert_eq!(most.checked_add(most), Err(MoneyError::Overflow));
    assert_eq!(most.minor_units(), None);
}

#[test]
fn minor_units_are_hundredths() {
    assert_eq!(pesos("1234.56").minor_units(), Some(123_456));
    assert_eq!(pesos("-0.01").minor_units(), Some(-1));
    assert_eq!(pesos("7").minor_units(), Some(700));
    assert_eq!(pesos("99999999999999.99").minor_units(), Some(9_999_999_999_999_999));
}

#[test]
fn zero_has_no_sign() {
    let zero = pesos("-0.001");
    assert!(zero.is_zero() && !zero.is_negative());
    assert_eq!(zero, Money::zero(PESOS));
}

#[test]
fn only_a_plain_number_is_an_amount() {
    for bad in ["", "-", "1e5", "1,234.50", "1_000", "+1", " 1", "1 ", ".5", "5.", "1.2.3", "--1", "0x10", "NaN", "١"]
    {
        assert_eq!(Money::parse(bad, PESOS), Err(MoneyError::Unreadable), "{bad}");
    }
}

#[test]
fn the_platform_has_four_formats() {
    assert_eq!([1, 2, 3, 4].map(NumberFormat::from_platform), NumberFormat::ALL.map(Some));
    assert_eq!([0, 5, -1].map(NumberFormat::from_platform), [None; 3]);
    let unknown = Currency::from_platform(PESOS, "ARS", "$", "", 9);
    assert_eq!(unknown, Err(MoneyError::Format(9)));
}

#[test]
fn a_number_in_another_format_is_not_read() {
    let bad = |format: NumberFormat, text: &str| assert_eq!(format.read(text), None, "{format:?} {text}");
    bad(NumberFormat::Plain, "1,234.56");
    bad(NumberFormat::CommaPoint, "1.234,56");
    bad(NumberFormat::PointComma, "1,234.56");
    bad(NumberFormat::CommaNoDecimals, "1,234.56");
    for text in ["", "-", "12,34.00", "1234,567.00", ",123.00", "1.", "1.234", "--1.00", "- 1.00", "1e3"] {
        bad(NumberFormat::CommaPoint, text);
    }
    assert_eq!(NumberFormat::CommaPoint.read("1234.5"), Decimal::from_str("1234.5").ok());
}

proptest! {
    #[test]
    fn what_was_shown_reads_back_as_the_same_amount(
        hundredths in any::<i64>(), format in prop::sample::select(NumberFormat::ALL.to_vec()),
    ) {
        let amount = Decimal::new(hundredths, 2);
        let shown = format.write(amount);
        let shows = if format == NumberFormat::CommaNoDecimals { amount.round_dp_with_strategy(0,
            rust_decimal::RoundingStrategy::MidpointAwayFromZero) } else { amount };
        prop_assert_eq!(format.read(&shown), Some(shows), "{}", shown);
        prop_assert_eq!(Money::new(amount, PESOS).minor_units(), Some(hundredths));
    }

    #[test]
    fn reading_any_text_as_a_number_never_panics(text in any::<String>()) {
        for format in NumberFormat::ALL {
            let _ = format.read(&text);
        }
        let _ = Money::parse(&text, PESOS);
    }
}
