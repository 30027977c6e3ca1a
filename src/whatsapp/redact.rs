//! Owns: making the provider's words fit to be stored and logged. Meta quotes the recipient's number ("Recipient …"),
//! message ids that hold it in clear (wamid) and even the token ("Malformed access token EAA…").

/// Characters of a detail at most.
pub(super) const DETAIL_CHARS_MAX: usize = 300;
/// A run of this many digits may be a phone number.
const DIGITS_MIN: usize = 6;
/// A word of this many characters may be a token.
const TOKEN_CHARS_MIN: usize = 20;
const MASK: char = '…';

/// `text` on one line, without what may be a phone number, a message id or a token, and cut to
/// [`DETAIL_CHARS_MAX`] characters. Doing it twice changes nothing.
pub(super) fn redact(text: &str) -> String {
    let words: Vec<String> = text.split(|c: char| c.is_whitespace() || c.is_control()).map(word).collect();
    let line = words.iter().filter(|word| !word.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" ");
    digits(&line).chars().take(DETAIL_CHARS_MAX).collect()
}

/// Masks message ids and tokens inside one word, which may carry quotes or brackets.
fn word(text: &str) -> String {
    let of_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '=' | '+' | '.' | '/');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let run = rest.find(|c: char| !of_token(c)).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(run);
        if head.starts_with("wamid.") || looks_secret(head) {
            out.push(MASK);
        } else {
            out.push_str(head);
        }
        let next = tail.find(of_token).unwrap_or(tail.len());
        out.push_str(&tail[..next]);
        rest = &tail[next..];
    }
    out
}

/// Long, and neither the name of a template (`lower_case_2`) nor a word of the provider's lists (`UPPER_CASE`), which an
/// operator needs.
fn looks_secret(run: &str) -> bool {
    let lower = |c: char| c.is_ascii_lowercase() || matches!(c, '_' | '-' | '.' | '/');
    let one_case = !run.chars().any(|c| c.is_ascii_lowercase()) || !run.chars().any(|c| c.is_ascii_uppercase());
    let named = run.contains('_') && one_case;
    run.chars().count() >= TOKEN_CHARS_MIN && !named && !run.chars().all(lower)
}

/// Masks runs of digits, also with one separator between two digits as in `+54 9 11 2345-6789`.
fn digits(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let (end, count) = digit_run(&chars[at..]);
        if count >= DIGITS_MIN {
            out.push(MASK);
            at += end;
        } else {
            let keep = end.max(1);
            out.extend(&chars[at..at + keep]);
            at += keep;
        }
    }
    out
}

/// How long the run of digits at the start is, and how many digits it has. Numerals of any script count.
fn digit_run(chars: &[char]) -> (usize, usize) {
    let (mut end, mut count, mut gap) = (0, 0, 0);
    for (index, one) in chars.iter().enumerate() {
        if one.is_numeric() {
            (end, count, gap) = (index + 1, count + 1, 0);
        } else if count > 0 && gap < 2 && matches!(one, ' ' | '-' | '.' | '(' | ')' | '/') {
            gap += 1;
        } else {
            break;
        }
    }
    (end, count)
}

#[cfg(test)]
mod tests {
    use super::redact;

    #[test]
    fn numbers_ids_and_tokens_go_and_template_names_stay() {
        assert_eq!(redact("to +5491123456789 failed"), "to +… failed");
        assert_eq!(redact("to +54 9 11 2345-6789."), "to +….");
        assert_eq!(redact("to (011) 15-2345-6789"), "to (…");
        assert_eq!(redact("(wamid.HBgLMTY1MDM4Nzk0MzkVAgA=)"), "(…)");
        assert_eq!(redact("Malformed access token EAAGm0PX4ZCpsBAKZC9xYz"), "Malformed access token …");
        assert_eq!(
            redact("template name (invoice_payment_reminder_2) in es_AR"),
            "template name (invoice_payment_reminder_2) in es_AR"
        );
        assert_eq!(redact("expected 4,\n\tgot 12345"), "expected 4, got 12345");
    }

    #[test]
    fn a_detail_is_short_and_masking_it_again_changes_nothing() {
        let long = redact(&"ñandú 12 ".repeat(400));
        assert_eq!(long.chars().count(), super::DETAIL_CHARS_MAX);
        let once = redact("a 12345 6 b +5491123456789 c");
        assert_eq!(redact(&once), once);
    }
}
