//! Owns: from the characters that somebody typed to digits and the few marks that mean something.
//! Must not know: any country's plan.

use super::PhoneError;

/// Characters that are read at most; nobody writes a number that long.
const STORED_CHARS_MAX: usize = 100;
/// Digits that are read at most: the longest number, its calling code twice, `00`, trunk zeros.
const WRITTEN_DIGITS_MAX: usize = 24;
/// Words and signs before an extension, lower case.
const EXTENSION_MARKS: [&str; 6] = ["ext", "int", "anexo", "ramal", "x", "#"];

/// A number as written: ASCII digits and where its calling code is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub digits: String,
    /// It began with `+`.
    pub plus: bool,
    /// The calling code is missing between `+` and the platform's dot: `+.1123456789`.
    pub code_missing: bool,
    /// An extension followed: the number belongs to a switchboard, so it is a landline.
    pub extension: bool,
}

impl Written {
    /// Reads `text` up to the first word, mark or second number behind the digits.
    pub(super) fn read(text: &str) -> Result<Self, PhoneError> {
        if text.chars().count() > STORED_CHARS_MAX {
            return Err(PhoneError::Junk);
        }
        let mut written = Self { digits: String::new(), plus: false, code_missing: false, extension: false };
        let mut words = false;
        for (at, c) in text.char_indices() {
            if let Some(digit) = ascii_digit(c) {
                written.digits.push(digit);
            } else if c.is_numeric() {
                return Err(PhoneError::Junk);
            } else if matches!(c, '+' | '＋') {
                // `+54.+5491123456789`: the inner number is whole, what came before was the form's own code.
                if written.digits.is_empty() || (written.plus && written.digits.len() <= 3) {
                    written.plus = true;
                    written.code_missing = false;
                    written.digits.clear();
                } else {
                    break;
                }
            } else if c == '.' {
                written.code_missing |= written.plus && written.digits.is_empty();
            } else if c.is_alphabetic() || matches!(c, '#' | ';' | ',' | '|' | '\n') {
                words |= c.is_alphabetic();
                if !written.digits.is_empty() {
                    written.extension = is_extension(&text[at..]);
                    break;
                }
            }
        }
        written.judge(words)
    }

    fn judge(self, words: bool) -> Result<Self, PhoneError> {
        let zeros = !self.digits.is_empty() && self.digits.bytes().all(|b| b == b'0');
        if zeros || self.digits.len() > WRITTEN_DIGITS_MAX || (self.digits.is_empty() && words) {
            Err(PhoneError::Junk)
        } else if self.digits.is_empty() || (self.plus && self.digits.len() <= 3) {
            Err(PhoneError::Empty)
        } else {
            Ok(self)
        }
    }
}

/// ASCII, full-width, Arabic, Persian and Devanagari digits. Others are refused rather than dropped: a number that
/// lacks one digit may be somebody else's.
fn ascii_digit(c: char) -> Option<char> {
    ['0', '\u{FF10}', '\u{0660}', '\u{06F0}', '\u{0966}'].into_iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(zero)).filter(|value| *value < 10)?;
        char::from_digit(value, 10)
    })
}

fn is_extension(rest: &str) -> bool {
    let lower = rest.to_lowercase();
    let mark = lower.trim_start_matches(|c: char| matches!(c, ';' | ',') || c.is_whitespace());
    EXTENSION_MARKS.iter().any(|word| mark.starts_with(word)) && mark.contains(|c: char| ascii_digit(c).is_some())
}
