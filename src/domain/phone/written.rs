//! Owns: from the characters that somebody typed to the numbers that stand in them, each with its digits, the words beside
//! it and the few marks that mean something.
//! Must not know: any country's plan.

use super::PhoneError;
use super::marks::{self, Label};

/// Characters that are read at most; nobody writes a number that long.
const STORED_CHARS_MAX: usize = 100;
/// Digits of one number at most: the longest, its calling code twice, `00`, trunk zeros.
const WRITTEN_DIGITS_MAX: usize = 24;
/// Digits of an extension at most.
const EXTENSION_DIGITS_MAX: usize = 6;
/// From so many digits on, brackets stand behind a number, not within it.
const WHOLE_DIGITS_MIN: usize = 8;
/// From so many digits on, a letter that touches them is taken for a mistyped digit.
const GLUED_DIGITS_MIN: usize = 5;

/// A number as written: ASCII digits and where its calling code is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "marks that stand beside a number, each asked by itself")]
pub(super) struct Part {
    pub digits: String,
    /// It began with `+`.
    pub plus: bool,
    /// Digits between `+` and the platform's dot: the code that its form put in front. 0: none.
    pub form_code: usize,
    /// The calling code is missing between `+` and the platform's dot: `+.1123456789`.
    pub code_missing: bool,
    /// An extension or a switchboard's word goes with it, so it is a landline.
    pub extension: bool,
    pub label: Label,
    /// Nothing but `+` and digits: as programs write a number.
    pub compact: bool,
    /// A letter touches a digit: one digit may be missing.
    pub glued: bool,
    /// How it is parted from the number before.
    pub joint: Joint,
}

/// What stands between two numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Joint {
    /// A word, or a mark that parts: two numbers.
    #[default]
    Hard,
    /// `/` or `,`: two numbers, or one that is written so (`030/1234567`).
    Slash,
    /// ` - `: the same.
    Dash,
}

/// The characters between two numbers.
#[derive(Debug, Default)]
pub(super) struct Gap {
    /// Folded.
    pub words: Vec<String>,
    /// Before which word the first mark stands that parts two numbers.
    pub mark_at: Option<usize>,
    /// The words stand in brackets.
    pub in_brackets: bool,
    joint: Option<Joint>,
}

impl Part {
    /// Why it cannot be a number, whatever the country.
    pub(super) fn flaw(&self) -> Option<PhoneError> {
        let zeros = self.digits.bytes().all(|b| b == b'0');
        if zeros || self.digits.len() > WRITTEN_DIGITS_MAX || (self.glued && self.digits.len() >= GLUED_DIGITS_MIN) {
            Some(PhoneError::Junk)
        } else if self.plus && self.digits.len() <= 3 {
            Some(PhoneError::Empty)
        } else {
            None
        }
    }

    /// It and the next as one number.
    pub(super) fn with(&self, next: &Self) -> Self {
        let digits = format!("{}{}", self.digits, next.own_digits());
        Self { digits, glued: self.glued || next.glued, extension: next.extension, ..self.clone() }
    }

    /// Its digits without the form's code.
    pub(super) fn own_digits(&self) -> &str {
        &self.digits[self.form_code..]
    }
}

/// The numbers in `text`, in their order.
///
/// # Errors
/// There is none.
pub(super) fn read(text: &str) -> Result<Vec<Part>, PhoneError> {
    if text.chars().count() > STORED_CHARS_MAX {
        return Err(PhoneError::Junk);
    }
    let exact = whole_of_scientific(text)?;
    let mut scan = Scan::default();
    let compact = text.strip_prefix('+').is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()));
    let chars: Vec<char> = exact.as_deref().unwrap_or(text).chars().filter(|c| !is_filler(*c)).collect();
    let mut at = 0;
    while at < chars.len() {
        at = scan.step(&chars, at)?;
    }
    let mut parts = scan.finish()?;
    parts[0].compact = compact;
    Ok(parts)
}

/// The parts and the gaps in front of, between and behind them.
#[derive(Default)]
struct Scan {
    parts: Vec<Part>,
    gaps: Vec<Gap>,
    gap: Gap,
    part: Part,
    /// The part has digits, and the gap in front of it is among `gaps`.
    begun: bool,
    /// The code that the platform's form put in front of the whole text.
    form: String,
}

impl Scan {
    /// Reads what stands at `at`; returns where to go on.
    fn step(&mut self, chars: &[char], at: usize) -> Result<usize, PhoneError> {
        let c = chars[at];
        let before = at.checked_sub(1).map(|at| chars[at]);
        if let Some(digit) = ascii_digit(c) {
            self.digit(digit);
        } else if c.is_numeric() {
            return Err(PhoneError::Junk);
        } else if matches!(c, '+' | '＋') {
            // `+54.+5491123456789`: the inner number is whole, what came before was the form's own code.
            if !self.is_form_only() {
                self.close(Joint::Hard);
            }
            self.part = Part { plus: true, ..Part::default() };
        } else if c == '.' && self.part.plus && self.part.form_code == 0 {
            match self.part.digits.len() {
                0 => self.part.code_missing = true,
                length @ 1..=3 => {
                    self.part.form_code = length;
                    self.form.clone_from(&self.part.digits);
                }
                _ => {}
            }
        } else if c.is_alphabetic() {
            return self.word(chars, at, before);
        } else {
            self.sign(c, before, chars.get(at + 1).copied());
        }
        Ok(at + 1)
    }

    /// Only what the platform's form writes by itself stands there so far.
    fn is_form_only(&self) -> bool {
        let Part { digits, plus, form_code, .. } = &self.part;
        digits.is_empty() || (*plus && digits.len() <= 3 && (*form_code == 0 || *form_code == digits.len()))
    }

    fn digit(&mut self, digit: char) {
        if !self.begun {
            self.begun = true;
            let gap = std::mem::take(&mut self.gap);
            self.part.joint = gap.joint.unwrap_or_default();
            self.gaps.push(gap);
            // The form's code goes for each number of the text.
            if !self.part.plus && !self.form.is_empty() {
                self.part.plus = true;
                self.part.form_code = self.form.len();
                self.part.digits.clone_from(&self.form);
            }
        }
        // Brackets within a number are no brackets around a word.
        self.gap.in_brackets = false;
        self.part.digits.push(digit);
    }

    fn word(&mut self, chars: &[char], at: usize, before: Option<char>) -> Result<usize, PhoneError> {
        let length = chars[at..].iter().take_while(|c| c.is_alphabetic()).count();
        let (word, mut end) = (marks::fold(&chars[at..at + length].iter().collect::<String>()), at + length);
        let digit_at = |at: usize| chars.get(at).copied().and_then(ascii_digit).is_some();
        let (after_digit, before_digit) = (before.and_then(ascii_digit).is_some(), digit_at(end));
        // Brazil: `0xx11` holds the place of a carrier's two digits.
        if matches!(word.as_str(), "xx" | "x") && matches!(self.part.digits.as_str(), "0" | "550") {
            return Ok(end);
        }
        let touching = (after_digit || before_digit) && !marks::may_touch(&word);
        // `i12` behind a number: an extension.
        let is_mark = !after_digit && marks::is_extension(&word) && !(self.parts.is_empty() && self.is_form_only());
        let glued = touching && !is_mark;
        if glued && after_digit && before_digit {
            return Err(PhoneError::Junk);
        }
        self.part.glued |= glued && after_digit;
        // A word behind the form's code belongs to the number that follows.
        if self.is_form_only() && (self.begun || self.parts.is_empty()) {
            let gap = if self.begun { self.gaps.last_mut() } else { None };
            gap.unwrap_or(&mut self.gap).words.push(word);
        } else {
            self.close(Joint::Hard);
            if marks::separates(&word) {
                self.gap.mark_at.get_or_insert(self.gap.words.len());
            } else {
                self.gap.words.push(word);
            }
        }
        self.part.glued |= glued && before_digit;
        // `Cel1: 11 …`: the first of several mobiles.
        if !glued && before_digit && !digit_at(end + 1) && chars.get(end + 1) == Some(&':') {
            end += 1;
        }
        Ok(end)
    }

    fn sign(&mut self, c: char, before: Option<char>, after: Option<char>) {
        match c {
            '/' | ',' => self.close(Joint::Slash),
            ';' | '|' | '\n' | '&' => self.close(Joint::Hard),
            '#' if !self.is_form_only() || !self.parts.is_empty() => {
                self.close(Joint::Hard);
                self.gap.words.push("#".to_owned());
                return;
            }
            '-' | '–' | '—' if before == Some(' ') && after == Some(' ') => self.close(Joint::Dash),
            '(' if self.part.own_digits().len() >= WHOLE_DIGITS_MIN => {
                self.close(Joint::Dash);
                self.gap.in_brackets = true;
                return;
            }
            '(' if !self.is_form_only() => return self.gap.in_brackets = true,
            '(' => return self.gap.in_brackets |= self.gap.words.is_empty() && !self.parts.is_empty(),
            _ => return,
        }
        self.gap.mark_at.get_or_insert(self.gap.words.len());
    }

    /// Ends the number that is being read, if there is one.
    fn close(&mut self, joint: Joint) {
        if !self.is_form_only() {
            self.begun = false;
            let in_brackets = std::mem::take(&mut self.gap.in_brackets);
            self.parts.push(std::mem::take(&mut self.part));
            self.gap = Gap { in_brackets, ..Gap::default() };
        }
        self.gap.joint = match (self.gap.joint, joint) {
            (None, joint) => Some(joint),
            (Some(before), joint) if before == joint => Some(joint),
            _ => Some(Joint::Hard),
        };
    }

    fn finish(mut self) -> Result<Vec<Part>, PhoneError> {
        let form_only = !self.part.digits.is_empty() && self.part.plus && self.part.digits.len() <= 3;
        let words = !self.gap.words.is_empty() || self.gaps.iter().any(|gap| !gap.words.is_empty());
        self.close(Joint::Hard);
        if self.parts.is_empty() {
            return Err(if words && !form_only && self.form.is_empty() { PhoneError::Junk } else { PhoneError::Empty });
        }
        self.gaps.truncate(self.parts.len());
        self.gaps.push(std::mem::take(&mut self.gap));
        Ok(labelled(self.parts, &self.gaps))
    }
}

/// Gives each number the words that belong to it, and takes extensions away from the list of numbers.
fn labelled(parts: Vec<Part>, gaps: &[Gap]) -> Vec<Part> {
    let last = parts.len();
    let mut before: Vec<Vec<String>> = Vec::with_capacity(last);
    let mut after: Vec<Vec<String>> = Vec::with_capacity(last);
    for (place, gap) in gaps.iter().enumerate() {
        let (to_former, to_next) = if place == 0 {
            (Vec::new(), gap.words.clone())
        } else if place == last {
            (gap.words.clone(), Vec::new())
        } else {
            marks::divide(gap)
        };
        if place > 0 {
            after.push(to_former);
        }
        before.push(to_next);
    }
    let mut numbers: Vec<Part> = Vec::with_capacity(last);
    for (place, mut part) in parts.into_iter().enumerate() {
        let marked = gaps[place].words.last().is_some_and(|word| marks::is_extension(word));
        if let Some(former) = numbers.last_mut().filter(|_| marked && part.own_digits().len() <= EXTENSION_DIGITS_MAX) {
            former.extension = true;
            continue;
        }
        let (front, back) = (&before[place], &after[place]);
        part.extension |= front.iter().chain(back).any(|word| marks::is_switchboard(word));
        part.label = match marks::label(front) {
            Label::None => marks::label(back),
            label => label,
        };
        numbers.push(part);
    }
    numbers
}

/// `5.491123456789E12`, as a spreadsheet or an export writes a number: its digits, if none is missing.
///
/// # Errors
/// Digits are missing: what is there may be another number.
fn whole_of_scientific(text: &str) -> Result<Option<String>, PhoneError> {
    let text = text.trim().trim_start_matches('+');
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return Ok(None) };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
    let (whole, decimals) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    if !digits(whole) || !digits(exponent) || (!decimals.is_empty() && !digits(decimals)) {
        return Ok(None);
    }
    let complete = whole.len() == 1 && exponent.parse() == Ok(decimals.len());
    if complete { Ok(Some(format!("{whole}{decimals}"))) } else { Err(PhoneError::Junk) }
}

/// Letters that show nothing, and the signs behind an ordinal.
fn is_filler(c: char) -> bool {
    matches!(c, '\u{115F}' | '\u{1160}' | '\u{3164}' | '\u{FFA0}' | 'º' | 'ª')
}

/// ASCII, full-width, Arabic, Persian and Devanagari digits. Others are refused rather than dropped: a number that
/// lacks one digit may be somebody else's.
fn ascii_digit(c: char) -> Option<char> {
    ['0', '\u{FF10}', '\u{0660}', '\u{06F0}', '\u{0966}'].into_iter().find_map(|zero| {
        let value = u32::from(c).checked_sub(u32::from(zero)).filter(|value| *value < 10)?;
        char::from_digit(value, 10)
    })
}
