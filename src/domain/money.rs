//! Owns: amounts of money: exact, rounded in one way, shown as the platform shows them, never mixed between currencies.
//! Must not know: exchange rates. No floats anywhere.

use std::cmp::Ordering;

use rust_decimal::prelude::ToPrimitive;
use rust_decimal::{Decimal, RoundingStrategy};

use super::ids::CurrencyId;
use super::text::decode_entities;

/// Decimals that an amount has. Platform: amounts are `decimal(16,2)` in every currency.
pub const DECIMALS: u32 = 2;

/// Why an amount cannot be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Amounts of two currencies met, or an amount met the description of another currency.
    #[error("currency {0} where currency {1} was meant")]
    Currency(CurrencyId, CurrencyId),
    #[error("the amount is too large")]
    Overflow,
    /// Not a plain decimal number.
    #[error("not an amount")]
    Unreadable,
    /// Platform: 1 to 4.
    #[error("number format {0} is unknown")]
    Format(i64),
}

/// How the platform writes the digits of a currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NumberFormat {
    /// `1234.56`
    Plain,
    /// `1,234.56`
    CommaPoint,
    /// `1.234,56`
    PointComma,
    /// `1,235`: shown without decimals, kept with them.
    CommaNoDecimals,
}

impl NumberFormat {
    pub const ALL: [Self; 4] = [Self::Plain, Self::CommaPoint, Self::PointComma, Self::CommaNoDecimals];

    /// Platform: `tblcurrencies.format`, 1 to 4 in the order of [`NumberFormat::ALL`].
    #[must_use]
    pub fn from_platform(number: i64) -> Option<Self> {
        Self::ALL.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
    }

    /// Group separator, decimal separator, decimals shown.
    const fn marks(self) -> (Option<char>, char, u32) {
        match self {
            Self::Plain => (None, '.', DECIMALS),
            Self::CommaPoint => (Some(','), '.', DECIMALS),
            Self::PointComma => (Some('.'), ',', DECIMALS),
            Self::CommaNoDecimals => (Some(','), '.', 0),
        }
    }

    /// Writes the number with halves rounded away from zero, as the platform does. Never `-0.00`.
    #[must_use]
    pub fn write(self, amount: Decimal) -> String {
        let (group, point, decimals) = self.marks();
        let rounded = round(amount, decimals);
        let plain = format!("{:.*}", decimals as usize, rounded.abs());
        let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
        let mut text = String::with_capacity(plain.len() + whole.len() / 3 + 1);
        if rounded.is_sign_negative() && !rounded.is_zero() {
            text.push('-');
        }
        for (index, digit) in whole.chars().enumerate() {
            if let Some(mark) = group.filter(|_| index > 0 && (whole.len() - index).is_multiple_of(3)) {
                text.push(mark);
            }
            text.push(digit);
        }
        if !fraction.is_empty() {
            text.push(point);
            text.push_str(fraction);
        }
        text
    }

    /// Reads what [`NumberFormat::write`] wrote: one leading `-`, group marks exactly every three digits or none at
    /// all, at most as many decimals as the format shows. `None` for everything else.
    #[must_use]
    pub fn read(self, text: &str) -> Option<Decimal> {
        let (group, point, decimals) = self.marks();
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = match unsigned.split_once(point) {
            Some((whole, fraction)) if (1..=decimals as usize).contains(&fraction.len()) => (whole, fraction),
            Some(_) => return None,
            None => (unsigned, "0"),
        };
        let groups: Vec<&str> = group.map_or_else(|| vec![whole], |mark| whole.split(mark).collect());
        let grouped_well = groups[1..].iter().all(|g| g.len() == 3) && (groups.len() == 1 || groups[0].len() <= 3);
        let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
        if !grouped_well || !groups.iter().all(|g| digits(g)) || !digits(fraction) {
            return None;
        }
        let sign = if unsigned.len() < text.len() { "-" } else { "" };
        Decimal::from_str_exact(&format!("{sign}{}.{fraction}", groups.concat())).ok()
    }
}

/// A currency as the platform describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency {
    pub id: CurrencyId,
    /// e.g. `ARS`. Free text at the platform.
    pub code: String,
    /// Shown before the number, e.g. `$`. May end in a blank.
    pub prefix: String,
    /// Shown behind the number, e.g. ` USD`. May begin with a blank.
    pub suffix: String,
    pub format: NumberFormat,
}

/// The currency of a row cannot be had: its amounts can be compared, but not written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoCurrency {
    pub id: CurrencyId,
    /// Table, column and id of the row that cannot be understood.
    pub why: String,
}

impl Currency {
    /// A row of `tblcurrencies`, as stored: entities in its texts (`&euro;`) are decoded here.
    ///
    /// # Errors
    /// [`MoneyError::Format`] when `format` is not 1 to 4.
    pub fn from_platform(
        id: CurrencyId,
        code: &str,
        prefix: &str,
        suffix: &str,
        format: i64,
    ) -> Result<Self, MoneyError> {
        let format = NumberFormat::from_platform(format).ok_or(MoneyError::Format(format))?;
        let code = decode_entities(code).trim().to_owned();
        Ok(Self { id, code, prefix: decode_entities(prefix), suffix: decode_entities(suffix), format })
    }
}

/// An amount in one currency, exact to the hundredth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Money {
    amount: Decimal,
    currency: CurrencyId,
}

impl Money {
    /// An amount; more than [`DECIMALS`] decimals are rounded, halves away from zero. Zero has no sign.
    #[must_use]
    pub fn new(amount: Decimal, currency: CurrencyId) -> Self {
        let mut amount = round(amount, DECIMALS);
        if amount.is_zero() {
            amount = Decimal::ZERO;
        }
        Self { amount, currency }
    }

    #[must_use]
    pub fn zero(currency: CurrencyId) -> Self {
        Self::new(Decimal::ZERO, currency)
    }

    /// Reads a plain number as the database and the stub write it (`-1234.50`): no blanks, no `+`, no exponent.
    ///
    /// # Errors
    /// [`MoneyError::Unreadable`] for any other text, also for one with more digits than a number can hold.
    pub fn parse(text: &str, currency: CurrencyId) -> Result<Self, MoneyError> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let plain = unsigned.starts_with(|c: char| c.is_ascii_digit())
            && unsigned.ends_with(|c: char| c.is_ascii_digit())
            && unsigned.bytes().all(|b| b == b'.' || b.is_ascii_digit());
        let amount = plain.then(|| Decimal::from_str_exact(text).ok()).flatten();
        amount.map(|amount| Self::new(amount, currency)).ok_or(MoneyError::Unreadable)
    }

    #[must_use]
    pub const fn amount(&self) -> Decimal {
        self.amount
    }

    #[must_use]
    pub const fn currency(&self) -> CurrencyId {
        self.currency
    }

    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.amount.is_zero()
    }

    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.amount.is_sign_negative()
    }

    /// The amount in hundredths. `None` when that does not fit into 64 bits (beyond the platform's columns).
    #[must_use]
    pub fn minor_units(&self) -> Option<i64> {
        self.amount.checked_mul(Decimal::ONE_HUNDRED)?.to_i64()
    }

    /// The amount as the platform shows it: sign, prefix, number, suffix; white space is single and never at an end.
    ///
    /// # Errors
    /// [`MoneyError::Currency`] when `currency` is not the amount's own: `$` of the wrong country is a wrong price.
    pub fn format(&self, currency: &Currency) -> Result<String, MoneyError> {
        self.same(currency.id)?;
        let number = currency.format.write(self.amount);
        let (sign, number) = number.strip_prefix('-').map_or(("", number.as_str()), |rest| ("-", rest));
        let joined = format!("{}{number}{}", currency.prefix, currency.suffix);
        let single = joined.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(format!("{sign}{single}"))
    }

    /// # Errors
    /// [`MoneyError::Currency`] or [`MoneyError::Overflow`].
    pub fn checked_add(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other.currency)?;
        let sum = self.amount.checked_add(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(sum, self.currency))
    }

    /// # Errors
    /// [`MoneyError::Currency`] or [`MoneyError::Overflow`].
    pub fn checked_sub(self, other: Self) -> Result<Self, MoneyError> {
        self.same(other.currency)?;
        let difference = self.amount.checked_sub(other.amount).ok_or(MoneyError::Overflow)?;
        Ok(Self::new(difference, self.currency))
    }

    /// Compares within one currency. There is no `PartialOrd`: it could not say that the currencies differ.
    ///
    /// # Errors
    /// [`MoneyError::Currency`].
    pub fn compare(self, other: Self) -> Result<Ordering, MoneyError> {
        self.same(other.currency)?;
        Ok(self.amount.cmp(&other.amount))
    }

    fn same(self, other: CurrencyId) -> Result<(), MoneyError> {
        if self.currency == other { Ok(()) } else { Err(MoneyError::Currency(other, self.currency)) }
    }
}

fn round(amount: Decimal, decimals: u32) -> Decimal {
    amount.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero)
}
