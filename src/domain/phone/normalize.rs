//! Owns: from a stored text to one number: which of its numbers, which reading of it, and whether that is certain.
//! *Certain* means: no other reading of the same text is a valid mobile by the plans of the client's country or the company's,
//! or by a code that stands there; and nothing was repaired. What comes out goes in again unchanged.

use rlibphonenumber::{PHONE_NUMBER_UTIL, Region};

use super::guess::{Guess, How, Unfit};
use super::line::{Line, Reach};
use super::marks::{self, Label};
use super::readings::{Home, Reader, Reading};
use super::written::{self, Joint, Part};
use super::{Certainty, E164, Phone, PhoneError, PhonePolicy};
use crate::domain::text::decode_entities;

/// National digits that are a short number when no calling code goes with them.
const SHORT_DIGITS_MAX: usize = 6;
/// Digits behind a `/` that are another line of the same switchboard: `11 4567-8901/02`.
const LINE_DIGITS_MAX: usize = 4;

/// Loads the numbering plans (about 5 ms), so that the first alert does not wait for them.
pub fn warm_up() {
    let _ = PHONE_NUMBER_UTIL.get_country_code_for_region(Region::AR);
}

/// How a text was read, for people who ask why.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The numbers that stand in the text, in their order.
    pub numbers: Vec<Written>,
    pub result: Result<Phone, PhoneError>,
}

/// One number of a text.
#[derive(Clone, Debug)]
pub struct Written {
    /// Its digits as written, with a `+` where one stands.
    pub digits: String,
    /// What the words beside it say.
    pub label: Label,
    /// An extension or a switchboard goes with it.
    pub extension: bool,
    /// Each reading that was tried, the likeliest first.
    pub tried: Vec<Tried>,
    /// It is the one that is written to.
    pub chosen: bool,
    /// Why it cannot be read at all.
    pub flaw: Option<PhoneError>,
}

/// One reading of one number.
#[derive(Clone, Debug)]
pub struct Tried {
    pub how: How,
    /// ISO 3166 alpha-2 of the country whose plan was used; `None`: the plan of the code that stands there.
    pub country: Option<String>,
    pub number: Result<E164, PhoneError>,
    /// Its plan says that it is a mobile, or may be one.
    pub mobile: bool,
    pub assumed: Option<Guess>,
    /// It is the reading that was taken.
    pub chosen: bool,
}

/// Reads a phone number as the platform stores it.
///
/// Platform: since 7.4 `+CC.NUMBER` (`+54.1123456789`), where the number part is what the client typed: blanks, dashes,
/// trunk zeros, the calling code once more. Older rows and rows written by an API hold any text. HTML entities are
/// decoded here too. `country` is the client's (ISO 3166 alpha-2 in any case, may be empty), `default_country` the
/// company's; both matter where no calling code is written, and where the code disagrees with them.
///
/// # Errors
/// [`PhoneError`] says why there is no number; it never repeats the text.
pub fn normalize(
    stored: &str,
    country: &str,
    default_country: &str,
    policy: &PhonePolicy,
) -> Result<Phone, PhoneError> {
    explain(stored, country, default_country, policy).result
}

/// Reads the number of somebody who has two: a field for WhatsApp, and the phone column where that is empty or holds no
/// usable number. A word for "none" there means no alerts.
///
/// # Errors
/// As [`normalize`]; of the field, where neither can be used.
pub fn normalize_first(
    field: &str,
    column: &str,
    country: &str,
    default_country: &str,
    policy: &PhonePolicy,
) -> Result<Phone, PhoneError> {
    if field.trim().is_empty() {
        return normalize(column, country, default_country, policy);
    }
    if marks::is_denial(&decode_entities(field)) {
        return Err(PhoneError::NotMobile(Unfit::NoWhatsApp));
    }
    match normalize(field, country, default_country, policy) {
        Err(error @ PhoneError::NotMobile(Unfit::NoWhatsApp)) => Err(error),
        Err(error) => {
            let assumed = Certainty::Assumed(Guess::FieldUnusable);
            let phone = normalize(column, country, default_country, policy).map_err(|_| error)?;
            Ok(Phone { certainty: assumed, ..phone })
        }
        phone => phone,
    }
}

/// The same, with every reading that was tried.
#[must_use]
pub fn explain(stored: &str, country: &str, default_country: &str, policy: &PhonePolicy) -> Explained {
    let home = Home::new(country, default_country);
    let parts = match written::read(&decode_entities(stored)) {
        Ok(parts) => parts,
        Err(error) => return Explained { numbers: Vec::new(), result: Err(error) },
    };
    let mut outcomes = numbers(parts, home, *policy);
    let best = best(&outcomes);
    let result = match best {
        Some(best) => {
            outcomes[best].is_best = true;
            one_of(&outcomes, best)
        }
        None => Err(worst(&outcomes)),
    };
    Explained { numbers: outcomes.into_iter().map(Outcome::shown).collect(), result }
}

/// A number of the text, and what came of it.
struct Outcome {
    part: Part,
    readings: Vec<Reading>,
    chosen: Option<usize>,
    line: Result<Line, PhoneError>,
    is_best: bool,
}

/// The numbers of a text. Marks that may part two numbers part them only where the digits before are a number by themselves, or
/// all together are none.
fn numbers(parts: Vec<Part>, home: Home, policy: PhonePolicy) -> Vec<Outcome> {
    let read = |part: Part| Outcome::of(part, home, policy);
    let mut found: Vec<Outcome> = Vec::new();
    for part in parts {
        let Some(last) = found.last_mut().filter(|_| part.joint != Joint::Hard) else {
            found.push(read(part));
            continue;
        };
        let whole = last.part.with(&part);
        if last.line.is_err() {
            let whole = read(whole);
            let unfit = matches!(whole.line, Err(PhoneError::NotMobile(_)));
            if whole.line.is_ok() || unfit || part.own_digits().len() < SHORT_DIGITS_MAX {
                *last = whole;
                continue;
            }
        } else if part.joint == Joint::Slash && part.own_digits().len() <= LINE_DIGITS_MAX {
            last.part.extension = true;
            let rival = read(whole).line.is_ok();
            *last = read(last.part.clone());
            if let (true, Ok(line)) = (rival, &mut last.line) {
                line.assumed.get_or_insert(Guess::Ambiguous);
            }
            continue;
        }
        let next = read(part);
        let is_two = next.line.is_ok() || next.part.joint == Joint::Slash;
        if next.line.is_err()
            && next.part.joint == Joint::Slash
            && let Ok(line) = &mut last.line
            && read(last.part.with(&next.part)).line.is_ok()
        {
            // `12345/67890`: a short number and something else, or a long one.
            line.assumed.get_or_insert(Guess::Ambiguous);
        }
        if last.line.is_ok() && !is_two {
            // `0221 12345 - 67`: one number after all.
            let whole = read(last.part.with(&next.part));
            if whole.line.is_ok() {
                *last = whole;
                continue;
            }
        }
        found.push(next);
    }
    found
}

impl Outcome {
    fn of(part: Part, home: Home, policy: PhonePolicy) -> Self {
        if let Some(flaw) = part.flaw() {
            return Self { part, readings: Vec::new(), chosen: None, line: Err(flaw), is_best: false };
        }
        let readings = Reader { part: &part, home, policy }.readings();
        let chosen = choose(&readings, &part);
        let line = match chosen {
            // Few digits at a letter are a label (`M1`), unless they are a number: then the letter stands for one more.
            Some(_) if part.glued => Err(PhoneError::Junk),
            Some(chosen) => readings[chosen].line.clone().map(|line| certain(line, chosen, &readings, &part)),
            None => Err(refused(&readings, &part, home)),
        };
        Self { part, readings, chosen, line, is_best: false }
    }

    /// How surely it is a mobile: the smaller, the surer.
    fn rank(&self) -> Option<u8> {
        let line = self.line.as_ref().ok()?;
        Some(match (self.part.label, line.reach, line.assumed) {
            (Label::Landline, ..) => 4,
            (Label::Mobile, Reach::Mobile | Reach::Either, _) | (_, Reach::Mobile, None) => 0,
            (_, Reach::Mobile, Some(guess)) if guess != Guess::ArNine => 1,
            (_, Reach::Mobile | Reach::Either, _) => 2,
            _ => 3,
        })
    }

    fn shown(self) -> Written {
        let plus = if self.part.plus { "+" } else { "" };
        let tried = self.readings.into_iter().enumerate().map(|(place, reading)| Tried {
            how: reading.how,
            country: reading.region.map(|region| region.as_region_str().to_string()),
            mobile: reading.line.as_ref().is_ok_and(|line| line.reach.may_be_mobile()),
            assumed: reading.line.as_ref().ok().and_then(|line| line.assumed),
            number: reading.line.map(|line| line.e164),
            chosen: self.chosen == Some(place),
        });
        Written {
            digits: format!("{plus}{}", self.part.digits),
            label: self.part.label,
            extension: self.part.extension,
            tried: tried.collect(),
            chosen: self.is_best,
            flaw: self.part.flaw(),
        }
    }
}

/// The reading that is taken: the first that the plan knows. But a mobile with its calling code comes before a landline that
/// only a very wide plan allows, and so does a landline with its code where people would have dialled a zero.
fn choose(readings: &[Reading], part: &Part) -> Option<usize> {
    let first = readings.iter().position(|reading| reading.may_win && reading.is_valid())?;
    if readings[first].repaired {
        // What needs no repair is likelier: `+49.0049151…`.
        let sound = |reading: &Reading| reading.may_win && !reading.repaired && !reading.fixed && reading.line.is_ok();
        return Some(readings.iter().position(sound).unwrap_or(first));
    }
    if !readings[first].fixed {
        return Some(first);
    }
    let zero_missing = readings[first].zero_missing;
    let better = |reading: &Reading| {
        let Some(line) = reading.line.as_ref().ok().filter(|_| reading.may_win) else { return false };
        let mobile = line.reach == Reach::Mobile && !reading.fixed && !reading.repaired;
        match reading.how {
            How::OwnCode => mobile || (zero_missing && !reading.repaired),
            How::CodeTwice => mobile && !part.compact,
            How::CompanyCode => mobile && !part.digits.starts_with('0'),
            _ => false,
        }
    };
    let later = || readings.iter().enumerate().skip(first + 1).filter(|(_, reading)| better(reading));
    let mobile = later().find(|(_, reading)| !reading.fixed);
    Some(mobile.or_else(|| later().next()).map_or(first, |(place, _)| place))
}

/// Marks a line as assumed where another reading of the text is a number, too. Of other plans only mobiles count: a landline of
/// another country is not what somebody meant who stored it as a phone here.
fn certain(line: Line, chosen: usize, readings: &[Reading], part: &Part) -> Line {
    let rival = |(place, reading): (usize, &Reading)| {
        // A hotline with its code in front is what was meant rather than a landline that only a very wide plan allows; but what a
        // program wrote is taken as it is.
        let Ok(other) = &reading.line else {
            let counts = reading.how != How::CompanyCode && reading.may_win && !part.compact;
            return place != chosen && counts && reading.is_valid();
        };
        let counts = match reading.how {
            How::CompanyNational | How::ClientNational | How::CompanyCode => {
                other.reach.may_be_mobile() && !reading.repaired
            }
            _ => !reading.repaired,
        };
        place != chosen && counts && other.e164 != line.e164
    };
    let doubted = readings[chosen].zero_doubtful || readings.iter().enumerate().any(rival);
    Line { assumed: line.assumed.or(doubted.then_some(Guess::Ambiguous)), ..line }
}

/// Why no reading is a number.
fn refused(readings: &[Reading], part: &Part, home: Home) -> PhoneError {
    if !part.plus && part.digits.len() <= SHORT_DIGITS_MAX {
        return PhoneError::Short;
    }
    let first = readings.iter().filter(|reading| reading.may_win).find_map(|reading| reading.line.as_ref().err());
    let no_country = (!part.plus || part.code_missing) && home.own().is_none();
    first.copied().unwrap_or(if no_country { PhoneError::NoCountry } else { PhoneError::NotPossible })
}

/// The number that is surest to be a mobile; of equal ones the first.
fn best(outcomes: &[Outcome]) -> Option<usize> {
    let ranked = outcomes.iter().enumerate().filter_map(|(place, one)| Some((one.rank()?, place)));
    ranked.min().map(|(_, place)| place)
}

fn one_of(outcomes: &[Outcome], best: usize) -> Result<Phone, PhoneError> {
    let line = outcomes[best].line.clone()?;
    let is_other = |one: &&Outcome| {
        let whole = one.part.own_digits().len() > SHORT_DIGITS_MAX;
        whole && one.line.as_ref().map_or(true, |other| other.e164 != line.e164)
    };
    let several = outcomes.iter().any(|one| is_other(&one));
    let assumed = if several { Some(Guess::OneOfSeveral) } else { line.assumed };
    Ok(Phone { e164: line.e164, certainty: assumed.map_or(Certainty::Certain, Certainty::Assumed) })
}

/// Why none of several numbers can be used: what says most.
fn worst(outcomes: &[Outcome]) -> PhoneError {
    let errors = || outcomes.iter().filter_map(|one| one.line.as_ref().err()).copied();
    let unfit = |error: &PhoneError| matches!(error, PhoneError::NotMobile(_));
    let weak = |error: &PhoneError| matches!(error, PhoneError::Short | PhoneError::Empty);
    // A switchboard beside a hotline: whichever comes first.
    let found = errors().find(unfit).or_else(|| errors().find(|error| !weak(error))).or_else(|| errors().next());
    found.unwrap_or(PhoneError::NotMobile(Unfit::Switchboard))
}
