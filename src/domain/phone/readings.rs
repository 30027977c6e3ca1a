//! Owns: the ways to read one written number, the likeliest first, and which of them are only there to be compared with.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region, ValidationError};

use super::guess::{Guess, How};
use super::line::{self, Line};
use super::repair::repair;
use super::written::Part;
use super::{PhoneError, PhonePolicy};

/// Digits from which on a text is longer than what people dial inside any country.
const LONG_DIGITS_MIN: usize = 12;

/// The countries that national digits may belong to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Home {
    /// The client's.
    pub region: Option<Region>,
    /// The company's.
    pub fallback: Option<Region>,
}

impl Home {
    pub(super) fn new(country: &str, default_country: &str) -> Self {
        Self { region: region(country), fallback: region(default_country) }
    }

    /// The region to read national digits in, and what is assumed by that.
    pub(super) fn own(self) -> Option<(Region, Option<Guess>)> {
        self.region.map(|own| (own, None)).or(self.fallback.map(|company| (company, Some(Guess::CountryDefault))))
    }

    /// The company's country, where it is another than the client's.
    fn company(self) -> Option<Region> {
        self.fallback.filter(|company| self.region.is_some_and(|own| own != *company))
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

/// One way to read a number, and what comes of it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "what is known of a reading, each asked by itself")]
pub(super) struct Reading {
    pub how: How,
    pub region: Option<Region>,
    /// Whether it may be what is meant. Others are only compared with.
    pub may_win: bool,
    /// It was no valid number before it was repaired.
    pub repaired: bool,
    /// A landline, before a mobile 9 is put in.
    pub fixed: bool,
    /// A landline that is dialled with a zero in front, which is not there.
    pub zero_missing: bool,
    /// Without the zero that it begins with it is valid, too: Italy's landlines keep theirs, and people write one before mobiles.
    pub zero_doubtful: bool,
    pub line: Result<Line, PhoneError>,
}

/// What is read, and for whom.
pub(super) struct Reader<'a> {
    pub part: &'a Part,
    pub home: Home,
    pub policy: PhonePolicy,
}

impl Reader<'_> {
    /// The readings, the likeliest first.
    pub(super) fn readings(&self) -> Vec<Reading> {
        let (part, digits) = (self.part, self.part.digits.as_str());
        if part.plus && digits.starts_with("00") {
            vec![self.international(How::ZeroZero, digits.trim_start_matches('0'), None)]
        } else if part.plus && !part.code_missing && !digits.starts_with('0') {
            self.with_code()
        } else if digits.starts_with("00") {
            let mut all = vec![self.international(How::ZeroZero, digits.trim_start_matches('0'), None)];
            all.extend(self.national(How::OwnPrefix));
            all
        } else {
            self.without_code()
        }
    }

    /// `+54.…`, `+54 …`.
    fn with_code(&self) -> Vec<Reading> {
        let digits = self.part.digits.as_str();
        let mut all = vec![self.international(How::Explicit, digits, None)];
        let Some(code) = calling_code(digits) else { return all };
        let rest = &digits[code.len()..];
        let bare = rest.trim_start_matches('0');
        if bare.starts_with(code) {
            all.push(self.international(How::CodeTwice, bare, Some(Guess::CodeTwice)));
        } else if rest.starts_with("00") {
            all.push(self.international(How::TypedCode, bare, Some(Guess::TypedCode)));
        } else if self.part.form_code > 0 || all[0].line.is_err() {
            // Another code without 00 is believed where the client or the company is at home: else it may be a typing error.
            let codes = [self.home.region, self.home.fallback].into_iter().flatten().filter_map(calling_code_of);
            if codes.into_iter().any(|home| home != code && rest.starts_with(&home)) {
                all.push(self.international(How::TypedCode, rest, Some(Guess::TypedCode)));
            }
        }
        let own =
            self.home.region.filter(|own| self.part.form_code > 0 && calling_code_of(*own).as_deref() != Some(code));
        all.extend(own.map(|own| Reading { may_win: false, ..self.parse(How::ClientNational, rest, Some(own), None) }));
        all
    }

    /// `011 15-2345-6789`, `5491123456789`.
    fn without_code(&self) -> Vec<Reading> {
        let digits = self.part.digits.as_str();
        let bare = digits.trim_start_matches('0');
        let mut all: Vec<Reading> = self.national(How::National).into_iter().collect();
        if let Some((own, _)) = self.home.own()
            && let Some(code) = calling_code_of(own)
            && let Some(rest) = bare.strip_prefix(&code)
        {
            all.push(self.international(How::OwnCode, bare, None));
            if rest.trim_start_matches('0').starts_with(&code) {
                let rest = rest.trim_start_matches('0');
                all.push(self.international(How::CodeTwice, rest, Some(Guess::CodeTwice)));
            }
        }
        if let Some(company) = self.home.company() {
            if calling_code_of(company).is_some_and(|code| digits.starts_with(&code)) {
                let whole = self.international(How::CompanyCode, digits, Some(Guess::CountryOther));
                all.push(Reading { may_win: self.is_too_long(), ..whole });
            }
            all.push(Reading { may_win: false, ..self.parse(How::CompanyNational, digits, Some(company), None) });
        }
        all
    }

    /// Too long for a mobile of the client's own country: else a typing error there would make it a stranger's number here.
    fn is_too_long(&self) -> bool {
        let digits = &self.part.digits;
        let number = PHONE_NUMBER_UTIL.parse(digits, self.home.region).ok();
        let too_long = |number: &PhoneNumber| {
            let length = PHONE_NUMBER_UTIL.is_possible_number_for_type_with_reason(number, PhoneNumberType::Mobile);
            length == Err(ValidationError::TooLong)
        };
        digits.len() >= LONG_DIGITS_MIN || number.as_ref().is_none_or(too_long)
    }

    /// As dialled in the client's country, or the company's where that is unknown.
    fn national(&self, how: How) -> Option<Reading> {
        let (region, assumed) = self.home.own()?;
        Some(self.parse(how, &self.part.digits, Some(region), assumed))
    }

    fn international(&self, how: How, digits: &str, assumed: Option<Guess>) -> Reading {
        self.parse(how, &format!("+{digits}"), None, assumed)
    }

    fn parse(&self, how: How, text: &str, region: Option<Region>, assumed: Option<Guess>) -> Reading {
        let failed = |error| Reading {
            how,
            region,
            may_win: true,
            repaired: false,
            fixed: false,
            zero_missing: false,
            zero_doubtful: false,
            line: Err(error),
        };
        let Ok(number) = PHONE_NUMBER_UTIL.parse(text, region) else { return failed(PhoneError::NotPossible) };
        let is_landline = self.part.extension || self.part.label == super::marks::Label::Landline;
        let (number, assumed, repaired) = if number.is_valid() {
            (number, assumed, false)
        } else if let Some((number, guess)) = repair(&number, is_landline) {
            (number, Some(guess), true)
        } else {
            return failed(refusal(&number));
        };
        let fixed = number.get_type() == PhoneNumberType::FixedLine;
        let zero_missing = fixed && !text.starts_with(['0', '+']) && is_dialled_with_zero(&number);
        let zero_doubtful = !self.part.compact && is_valid_without_zero(&number);
        let line = line::accept(&number, assumed, self.part, self.policy);
        Reading { how, region, may_win: true, repaired, fixed, zero_missing, zero_doubtful, line }
    }
}

impl Reading {
    /// Whether the plan knows the number, fit for alerts or not.
    pub(super) fn is_valid(&self) -> bool {
        matches!(self.line, Ok(_) | Err(PhoneError::NotMobile(_) | PhoneError::Junk))
    }
}

fn refusal(number: &PhoneNumber) -> PhoneError {
    match PHONE_NUMBER_UTIL.is_possible_number_with_reason(number) {
        Ok(rlibphonenumber::NumberLengthType::IsPossible) => PhoneError::NotValid,
        _ => PhoneError::NotPossible,
    }
}

/// Whether inside its country the number is dialled with a zero that is no part of it.
fn is_dialled_with_zero(number: &PhoneNumber) -> bool {
    !number.get_national_significant_number().starts_with('0')
        && number.format_as(PhoneNumberFormat::National).trim_start_matches('(').starts_with('0')
}

fn is_valid_without_zero(number: &PhoneNumber) -> bool {
    let national = number.get_national_significant_number();
    let Some(rest) = national.strip_prefix('0') else { return false };
    PHONE_NUMBER_UTIL.parse(format!("+{}{rest}", number.country_code), None).is_ok_and(|other| other.is_valid())
}
