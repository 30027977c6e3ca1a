//! Owns: whether what somebody registered with is a name. Anybody may type a link in the place of a name and a stranger's number in the
//! place of the phone: our number must not carry it there.

use icu_normalizer::ComposingNormalizerBorrowed;

use super::clean;

/// So many digits are a phone number, not a name (`3M`, `Grupo 2000` and years have fewer).
const DIGITS: usize = 7;

/// Whether `text` may stand where people expect a name: no link, no address, no number to call. What phones make a link of counts
/// as one, with the forms that look or become the same (width, characters without a shape).
#[must_use]
pub fn is_name(text: &str) -> bool {
    let shown = clean::parameter(text, usize::MAX);
    let plain = ComposingNormalizerBorrowed::new_nfkc().normalize(&shown).to_lowercase().replace('。', ".");
    let digits = plain.chars().filter(char::is_ascii_digit).count();
    let address = plain.contains("://") || plain.contains("www.") || plain.contains('@');
    digits < DIGITS && !address && !plain.split(|c: char| !in_host(c)).any(is_host)
}

fn in_host(c: char) -> bool {
    c.is_alphanumeric() || c == '.' || c == '-'
}

/// Names that end like hosts though no domain of theirs exists (RFC 2606, 6761).
const RESERVED: [&str; 4] = ["example", "test", "invalid", "localhost"];

/// Whether this is a host under a domain that exists (`S.R.L.` and `Ma.Elena` are none), or an IPv4 address.
fn is_host(word: &str) -> bool {
    let word = word.trim_matches('.');
    let Some((before, last)) = word.rsplit_once('.') else { return false };
    let four = word.split('.').count() == 4 && word.split('.').all(|part| part.parse::<u8>().is_ok());
    let known = RESERVED.contains(&last) || psl::suffix(last.as_bytes()).is_some_and(|suffix| suffix.is_known());
    four || (known && !before.is_empty())
}

/// `domain` if it is nothing but a host's name: a service's domain is typed by whoever orders it.
#[must_use]
pub fn plain_host(domain: &str) -> &str {
    if domain.chars().all(in_host) { domain } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_addresses_and_numbers_are_no_names() {
        for text in [
            "Ganaste 1 premio: http://evil.example/x",
            "www.evil.example",
            "evil.com",
            "Entrá a EVIL.COM/x",
            "bit.ly/abc",
            "ev\u{200b}il.c\u{ad}om",
            "evil\u{ff0e}com",
            "evil。com",
            "пример.рф",
            "premio@acme",
            "evil.example",
            "192.0.2.7/x",
            "Llamá al +54 11 5555-0101",
        ] {
            assert!(!is_name(text), "{text}");
        }
        for text in [
            "Ana",
            "J.P. Morgan",
            "Ma.Elena",
            "Nube S.R.L.",
            "Pérez S.A.",
            "3M",
            "Grupo 2000",
            "O'Brien",
            "李",
            "Sr.Juan",
            "A.B.C.",
            "Estudio 1º de Mayo, piso 12",
            "...",
            "Juan.",
            "Node.js",
        ] {
            assert!(is_name(text), "{text}");
        }
    }

    #[test]
    fn a_service_s_domain_is_a_host_or_nothing() {
        assert_eq!(plain_host("www.acme.com"), "www.acme.com");
        for text in ["http://evil.example/x", "evil.example/pay", "you won: evil.example"] {
            assert_eq!(plain_host(text), "", "{text}");
        }
    }
}
