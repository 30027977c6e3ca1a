//! Owns: what the provider accepts as the value of a template's variable.
//! Must not know: which template. Why: a company name with a line break is the commonest refusal of all.

use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory, GeneralCategoryGroup};
use icu_properties::{CodePointMapData, CodePointSetData};
use unicode_segmentation::UnicodeSegmentation;

/// What is sent where there is nothing to say. Meta: an empty value is refused (code 131008 or 100).
pub const NOTHING: &str = "-";
/// Stands for what was cut off.
const ELLIPSIS: char = '…';

/// Makes a value fit: white space of any kind becomes one blank, control and direction characters go, both ends are
/// trimmed, and what is longer than `max_chars` characters is cut between graphemes and ends in `…`. What would show
/// nothing is [`NOTHING`].
///
/// Meta: no new-line, no tab, no more than four blanks in a row (code 132018), not empty. Line and paragraph
/// separators count as new-lines. Direction overrides could show a link or an amount backwards. `max_chars` is at least 1, and
/// counts UTF-16 units: what the provider counts is documented nowhere, and no other count is larger.
#[must_use]
pub fn parameter(value: &str, max_chars: usize) -> String {
    let kept: String = value.chars().filter(|c| c.is_whitespace() || !is_unwanted(*c)).collect();
    let clean = kept.split_whitespace().collect::<Vec<_>>().join(" ");
    if !clean.chars().any(is_visible) {
        return NOTHING.to_owned();
    }
    cut(clean, max_chars.max(1))
}

fn cut(text: String, max_chars: usize) -> String {
    if text.encode_utf16().count() <= max_chars {
        return text;
    }
    let room = max_chars - 1;
    let mut used = 0;
    let mut end = 0;
    for (at, grapheme) in text.grapheme_indices(true) {
        used += grapheme.encode_utf16().count();
        if used > room {
            break;
        }
        end = at + grapheme.len();
    }
    let mut short = text[..end].trim_end().to_owned();
    short.push(ELLIPSIS);
    short
}

/// Controls (white space among them is blanked before), direction marks, and characters without width or meaning.
/// The joiners U+200C and U+200D stay: emoji and some scripts need them.
fn is_unwanted(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{00AD}' | '\u{061C}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{FFFE}' | '\u{FFFF}')
}

/// Whether a character alone shows anything: not blanks, joiners, variation selectors, "filler" letters, accents without a letter,
/// what only formats, and what no font has.
fn is_visible(c: char) -> bool {
    let shows_nothing = GeneralCategoryGroup::Control
        .union(GeneralCategoryGroup::Format)
        .union(GeneralCategoryGroup::PrivateUse)
        .union(GeneralCategoryGroup::Unassigned)
        .union(GeneralCategoryGroup::NonspacingMark)
        .union(GeneralCategoryGroup::EnclosingMark);
    !c.is_whitespace()
        && !matches!(c, '\u{2800}' | '\u{FFFC}' | '\u{FFFD}')
        && !CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
        && !shows_nothing.contains(CodePointMapData::<GeneralCategory>::new().get(c))
}
