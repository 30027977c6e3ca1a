//! Owns: phone numbers: what is stored → a number that can be written to, or why not; and the other spellings
//! under which the provider may name the same account.
//! Must not know: where the text comes from, and whether the number really has an account (only a receipt tells).
//!
//! Landlines pass: a business account of the provider may live on one. Refused are kinds that no client is reached at, as a
//! policy (see [`Unfit`]). In Argentina a number that reads as a landline is taken to be a mobile whose 9 was left out, see
//! [`PhonePolicy`].

mod aliases;
mod guess;
mod line;
mod marks;
mod normalize;
mod readings;
mod repair;
mod written;

use std::fmt;

use super::reason::Reason;

pub use aliases::aliases;
pub use guess::{Guess, How, Unfit};
pub use marks::Label;
pub use normalize::{Explained, Tried, Written, explain, normalize, normalize_first, warm_up};

/// Digits of a number, calling code included, at least and at most (E.164 allows 15; Niue and Tokelau have 7).
pub const DIGITS_MIN: usize = 7;
/// See [`DIGITS_MIN`].
pub const DIGITS_MAX: usize = 15;

/// How numbers begin that stand for one that was erased (ITU: 999 is assigned to nobody).
pub const ERASED: &str = "+999";

/// A full international number, `+` and 7 to 15 digits: `+5491123456789`.
///
/// Personal data: `Display` and `Debug` show it masked. The number itself comes out of [`E164::as_str`] and
/// [`E164::digits`] only, so that it cannot slip into a log line.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct E164(String);

impl E164 {
    /// Takes a number that was normalized before (one of our own tables): only the shape is checked.
    #[must_use]
    pub fn trusted(text: &str) -> Option<Self> {
        Self::from_digits(text.strip_prefix('+')?)
    }

    /// Takes bare international digits. Meta: `wa_id` and `from` in webhooks have no `+`.
    #[must_use]
    pub fn from_digits(digits: &str) -> Option<Self> {
        let fits = (DIGITS_MIN..=DIGITS_MAX).contains(&digits.len());
        let good = fits && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
        good.then(|| Self(format!("+{digits}")))
    }

    /// Whether it stands for a number that was erased. No country has the calling code 999, and nothing is ever sent to it.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        self.0.starts_with(ERASED)
    }

    /// The whole number with `+`. Meta: without it the calling code of the *sending* number is put in front.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole number without `+`, as in `wa_id` and `https://wa.me/`.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0[1..]
    }

    /// The number for people who need not know it: `+549••••••789`. The dots do not tell how many digits they hide.
    #[must_use]
    pub fn masked(&self) -> String {
        let digits = self.digits();
        let (head, tail) = if digits.len() >= 11 { (3, 3) } else { (2, 2) };
        format!("+{}••••••{}", &digits[..head], &digits[digits.len() - tail..])
    }
}

impl fmt::Display for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.masked())
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E164({})", self.masked())
    }
}

/// How sure we are that the stored text means this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Certainty {
    /// No other reading of the text is a valid mobile, and nothing was repaired.
    Certain,
    /// Something was assumed. Should the provider refuse the number, look here first.
    Assumed(Guess),
}

/// A number that an alert can be sent to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Phone {
    pub e164: E164,
    pub certainty: Certainty,
}

impl Phone {
    /// What was assumed, if anything.
    #[must_use]
    pub fn assumed(&self) -> Option<Guess> {
        match self.certainty {
            Certainty::Certain => None,
            Certainty::Assumed(guess) => Some(guess),
        }
    }
}

/// What the company wants to be guessed and refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhonePolicy {
    /// An Argentine number without the 9 reads as a landline, but mostly is a mobile: people leave the 9 out, and the
    /// platform's form does not ask for it. `true` inserts it (assumed). No library can tell: the ranges overlap.
    pub assume_argentine_mobile: bool,
    /// Whether certain landlines pass: business accounts may live on them.
    pub allow_landlines: bool,
}

impl Default for PhonePolicy {
    fn default() -> Self {
        Self { assume_argentine_mobile: true, allow_landlines: true }
    }
}

/// Why a stored text gives no number. Never holds the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum PhoneError {
    /// Nothing, or only the calling code that the platform's form writes for an empty field (`+54.`).
    #[error("no phone number is stored")]
    Empty,
    /// Words, one digit repeated, a letter among the digits, digits that a spreadsheet lost, or far too long.
    #[error("the stored text is no phone number, or a digit of it is lost")]
    Junk,
    /// National digits, and neither the client nor the company has a usable country.
    #[error("no calling code is stored, and no country is known")]
    NoCountry,
    /// No number of that country has that many digits.
    #[error("the number has too few or too many digits for its country")]
    NotPossible,
    /// The right length, but the country never gave out such a number.
    #[error("no such number exists in its country")]
    NotValid,
    /// `100`, `*111#`.
    #[error("a short number, of use only within its network")]
    Short,
    /// A real number of a kind that gets no alerts.
    #[error("{}", .0.text())]
    NotMobile(Unfit),
}

impl PhoneError {
    /// The reason that the record of the event gets.
    #[must_use]
    pub const fn reason(self) -> Reason {
        match self {
            Self::Empty => Reason::PhoneMissing,
            Self::Junk | Self::NoCountry | Self::NotPossible | Self::NotValid => Reason::PhoneInvalid,
            Self::Short | Self::NotMobile(_) => Reason::PhoneNotMobile,
        }
    }

    /// A stable name for vectors and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Junk => "junk",
            Self::NoCountry => "no_country",
            Self::NotPossible => "not_possible",
            Self::NotValid => "not_valid",
            Self::Short => "short",
            Self::NotMobile(_) => "not_mobile",
        }
    }
}
