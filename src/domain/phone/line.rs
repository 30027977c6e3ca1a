//! Owns: the last gate for valid numbers: the kind of line, Argentina's 9, and the shape.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType};

use super::guess::{Guess, Unfit};
use super::marks::Label;
use super::written::Part;
use super::{E164, PhoneError, PhonePolicy};

/// A number that an alert can be sent to, as one reading of a text gives it.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub e164: E164,
    pub reach: Reach,
    pub assumed: Option<Guess>,
}

/// Whether a number is a mobile, as far as its plan tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Mobile,
    /// Landlines and mobiles share a range, e.g. in North America.
    Either,
    Other,
}

impl Reach {
    pub(super) fn may_be_mobile(self) -> bool {
        self != Self::Other
    }
}

/// Takes a valid number, or says why no alert goes there.
pub(super) fn accept(
    number: &PhoneNumber,
    assumed: Option<Guess>,
    part: &Part,
    policy: PhonePolicy,
) -> Result<Line, PhoneError> {
    let national = number.get_national_significant_number();
    let kind = number.get_type();
    let repeated = national.bytes().all(|b| b == national.as_bytes()[0]);
    if repeated && kind != PhoneNumberType::Mobile {
        return Err(PhoneError::Junk);
    }
    if let Some(unfit) = unfit(kind).or(unfit_by_label(part.label)) {
        return Err(PhoneError::NotMobile(unfit));
    }
    let bare_argentine = number.country_code == 54 && !national.starts_with('9');
    if bare_argentine && policy.assume_argentine_mobile && part.label != Label::Landline {
        if part.extension {
            return Err(PhoneError::NotMobile(Unfit::Switchboard));
        }
        let mobile = PHONE_NUMBER_UTIL.parse(format!("+549{national}"), None).ok();
        if let Some(mobile) = mobile.filter(PhoneNumber::is_valid) {
            return finish(&mobile, Reach::Mobile, Some(Guess::ArNine));
        }
    }
    if kind == PhoneNumberType::FixedLine && !policy.allow_landlines {
        return Err(PhoneError::NotMobile(Unfit::Landline));
    }
    let reach = match kind {
        PhoneNumberType::Mobile => Reach::Mobile,
        PhoneNumberType::FixedLineOrMobile => Reach::Either,
        _ => Reach::Other,
    };
    let doubt = repeated.then_some(Guess::Repeated).or_else(|| doubtful(number.country_code, kind));
    finish(number, reach, assumed.or(doubt))
}

fn unfit(kind: PhoneNumberType) -> Option<Unfit> {
    Some(match kind {
        PhoneNumberType::TollFree => Unfit::TollFree,
        PhoneNumberType::PremiumRate => Unfit::Premium,
        PhoneNumberType::SharedCost => Unfit::SharedCost,
        PhoneNumberType::Pager => Unfit::Pager,
        PhoneNumberType::UAN => Unfit::UniversalAccess,
        PhoneNumberType::VoiceMail => Unfit::VoiceMail,
        _ => return None,
    })
}

fn unfit_by_label(label: Label) -> Option<Unfit> {
    match label {
        Label::Fax => Some(Unfit::Fax),
        Label::NoWhatsApp => Some(Unfit::NoWhatsApp),
        Label::None | Label::Mobile | Label::Landline => None,
    }
}

/// Numbers that are real and very seldom have WhatsApp.
fn doubtful(calling_code: i32, kind: PhoneNumberType) -> Option<Guess> {
    // ITU: 870, 881 satellites; 878, 882, 883 global networks.
    match calling_code {
        870 | 878 | 881..=883 => Some(Guess::Satellite),
        _ if kind == PhoneNumberType::PersonalNumber => Some(Guess::Personal),
        _ => None,
    }
}

fn finish(number: &PhoneNumber, reach: Reach, assumed: Option<Guess>) -> Result<Line, PhoneError> {
    let text = number.format_as(PhoneNumberFormat::E164);
    // A number that reads differently the second time cannot be stored.
    let again = PHONE_NUMBER_UTIL.parse(&*text, None).map_err(|_| PhoneError::NotValid)?;
    if !again.is_valid() || again.format_as(PhoneNumberFormat::E164) != text {
        return Err(PhoneError::NotValid);
    }
    let e164 = E164::trusted(&text).ok_or(PhoneError::NotPossible)?;
    Ok(Line { e164, reach, assumed })
}
