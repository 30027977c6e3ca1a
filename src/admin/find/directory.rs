//! Owns: who is meant by some words: clients and contacts in memory, folded, so that accents, case and a slip of the finger do not
//! matter, and a hundred thousand are looked through in some milliseconds. Pure.

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_properties::CodePointMapData;
use icu_properties::props::GeneralCategory;

use crate::billing::directory::{Directory as People, Person};

/// Digits at the end of a phone that are compared: calling codes and area codes are written in many ways.
const PHONE_DIGITS: usize = 8;
/// A phone is meant from so many digits on.
const PHONE_DIGITS_MIN: usize = 6;
/// What is found exactly is enough from here on: slips are not looked for.
const ENOUGH: usize = 5;
/// Words of a search that count.
const WORDS_MAX: usize = 5;

/// Everybody, in the order of the platform's rows.
#[derive(Debug, Default)]
pub struct Directory {
    /// The folded words of all, one blank between, and those of one behind those of another.
    text: String,
    words: Vec<Word>,
    entries: Vec<Entry>,
    /// False: there are more, older ones.
    pub is_whole: bool,
}

/// A word of the text: where it is, and which letters it has.
#[derive(Clone, Copy, Debug)]
struct Word {
    from: u32,
    bytes: u16,
    letters: u32,
}

#[derive(Clone, Debug)]
struct Entry {
    client: u64,
    contact: Option<u64>,
    from: u32,
    until: u32,
    words: (u32, u32),
    digits: Box<str>,
}

/// Somebody who may be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    pub client: u64,
    pub contact: Option<u64>,
    /// The more, the better.
    pub score: u32,
}

impl Directory {
    #[must_use]
    pub fn of(people: &People) -> Self {
        let mut all = Self { is_whole: people.is_whole, ..Self::default() };
        for one in &people.people {
            all.add(one);
        }
        all.text.shrink_to_fit();
        all.words.shrink_to_fit();
        all.entries.shrink_to_fit();
        all
    }

    fn add(&mut self, one: &Person) {
        let (from, first) = (place(self.text.len()), place(self.words.len()));
        for part in [&one.name, &one.company, &one.email] {
            for word in fold(part).split(' ').filter(|word| !word.is_empty()) {
                if let Ok(bytes) = u16::try_from(word.len()) {
                    let at = place(self.text.len());
                    self.words.push(Word { from: at, bytes, letters: letters(word) });
                    self.text.push_str(word);
                    self.text.push(' ');
                }
            }
        }
        let digits: String = one.phone.chars().filter(char::is_ascii_digit).collect();
        self.entries.push(Entry {
            client: one.client,
            contact: one.contact,
            from,
            until: place(self.text.len()),
            words: (first, place(self.words.len())),
            digits: digits.into_boxed_str(),
        });
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whoever `query` may mean, the likeliest first, at most `limit`; a person who is found twice counts once.
    #[must_use]
    pub fn find(&self, query: &str, limit: usize) -> Vec<Match> {
        if let Some(digits) = phone(query) {
            let with = |one: &&Entry| one.digits.len() >= PHONE_DIGITS_MIN && one.digits.contains(&digits);
            return best(self.entries.iter().filter(with).map(|one| one.is(1)).collect(), limit);
        }
        let folded = fold(query);
        let words: Vec<&str> = folded.split(' ').filter(|word| !word.is_empty()).take(WORDS_MAX).collect();
        if words.is_empty() {
            return Vec::new();
        }
        let mut found: Vec<Match> = self.entries.iter().filter_map(|one| self.exactly(one, &words)).collect();
        if found.len() < ENOUGH {
            let wanted: Vec<Wanted<'_>> = words.iter().map(|word| Wanted::of(word)).collect();
            let near = self.entries.iter().filter_map(|one| self.nearly(one, &wanted));
            let known: Vec<(u64, Option<u64>)> = found.iter().map(|one| (one.client, one.contact)).collect();
            found.extend(near.filter(|one| !known.contains(&(one.client, one.contact))));
        }
        best(found, limit)
    }

    /// Every word stands somewhere: at the beginning of one of theirs counts more, a whole one most.
    fn exactly(&self, one: &Entry, words: &[&str]) -> Option<Match> {
        let text = &self.text[one.from as usize..one.until as usize];
        let score = |word: &&str| {
            let mut at = text.find(*word)?;
            let mut best = 0;
            loop {
                let begins = at == 0 || text.as_bytes()[at - 1] == b' ';
                let ends = text.as_bytes().get(at + word.len()) == Some(&b' ');
                best = best.max(if begins && ends {
                    40
                } else if begins {
                    30
                } else {
                    10
                });
                if best == 40 {
                    return Some(best);
                }
                match text[at + 1..].find(*word).filter(|_| text.is_char_boundary(at + 1)) {
                    Some(next) => at += 1 + next,
                    None => return Some(best),
                }
            }
        };
        words.iter().map(score).sum::<Option<u32>>().map(|score| one.is(score))
    }

    /// The same with a slip of the finger in each word.
    fn nearly(&self, one: &Entry, wanted: &[Wanted<'_>]) -> Option<Match> {
        let words = &self.words[one.words.0 as usize..one.words.1 as usize];
        let score = |wanted: &Wanted<'_>| {
            let near = words.iter().filter_map(|word| self.slips(*word, wanted)).min()?;
            Some(20_u32.saturating_sub(6 * near))
        };
        wanted.iter().map(score).sum::<Option<u32>>().map(|score| one.is(score))
    }

    fn slips(&self, word: Word, wanted: &Wanted<'_>) -> Option<u32> {
        let bytes = usize::from(word.bytes);
        let far = bytes.abs_diff(wanted.word.len()) > wanted.slips as usize
            || (word.letters ^ wanted.letters).count_ones() > 2 * wanted.slips;
        if far {
            return None;
        }
        let text = &self.text.as_bytes()[word.from as usize..word.from as usize + bytes];
        distance(text, wanted.word.as_bytes(), wanted.slips)
    }
}

/// A word that is looked for, and how many slips it may have: short ones none, since another word is one slip away.
struct Wanted<'a> {
    word: &'a str,
    letters: u32,
    slips: u32,
}

impl<'a> Wanted<'a> {
    fn of(word: &'a str) -> Self {
        let slips = match word.len() {
            0..=3 => 0,
            4..=7 => 1,
            _ => 2,
        };
        Self { word, letters: letters(word), slips }
    }
}

impl Entry {
    fn is(&self, score: u32) -> Match {
        // The account itself before its contacts.
        Match { client: self.client, contact: self.contact, score: score * 2 + u32::from(self.contact.is_none()) }
    }
}

fn best(mut found: Vec<Match>, limit: usize) -> Vec<Match> {
    found.sort_by_key(|one| (std::cmp::Reverse(one.score), std::cmp::Reverse(one.client), one.contact));
    found.truncate(limit);
    found
}

fn place(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// The last digits of what is written like a phone.
fn phone(query: &str) -> Option<String> {
    if query.chars().any(char::is_alphabetic) || query.contains('@') {
        return None;
    }
    let digits: String = query.chars().filter(char::is_ascii_digit).collect();
    (digits.len() >= PHONE_DIGITS_MIN).then(|| digits[digits.len().saturating_sub(PHONE_DIGITS)..].to_owned())
}

/// Which of the letters a to z and other characters a word has.
fn letters(word: &str) -> u32 {
    word.bytes().fold(0, |all, byte| {
        all | match byte {
            b'a'..=b'z' => 1 << (byte - b'a'),
            b'0'..=b'9' => 1 << 26,
            _ => 1 << 27,
        }
    })
}

/// Small letters without accents, one blank between words.
#[must_use]
pub fn fold(text: &str) -> String {
    let nfkd = DecomposingNormalizerBorrowed::new_nfkd();
    let category = CodePointMapData::<GeneralCategory>::new();
    let lower = nfkd.normalize(text).to_lowercase();
    let mut out = String::with_capacity(lower.len());
    for c in lower.chars() {
        match c {
            'ß' => out.push_str("ss"),
            'ø' => out.push('o'),
            'ł' => out.push('l'),
            'æ' => out.push_str("ae"),
            c if c.is_alphanumeric() || matches!(c, '@' | '.' | '-' | '_' | '+') => out.push(c),
            c if category.get(c) == GeneralCategory::NonspacingMark => {}
            _ if out.ends_with(' ') => {}
            _ => out.push(' '),
        }
    }
    out.trim().to_owned()
}

/// Letters to change, add, drop or swap with their neighbour; `None`: more than `most`.
fn distance(a: &[u8], b: &[u8], most: u32) -> Option<u32> {
    const LETTERS_MAX: usize = 64;
    if most == 0 || a.len() > LETTERS_MAX || b.len() > LETTERS_MAX {
        return (a == b).then_some(0);
    }
    let mut two_up = [0_u32; LETTERS_MAX + 1];
    let mut up = [0_u32; LETTERS_MAX + 1];
    for (n, cell) in up.iter_mut().enumerate().take(b.len() + 1) {
        *cell = place(n);
    }
    for (i, x) in a.iter().enumerate() {
        let mut row = [0_u32; LETTERS_MAX + 1];
        row[0] = place(i + 1);
        let mut least = row[0];
        for (j, y) in b.iter().enumerate() {
            let mut cell = (up[j] + u32::from(x != y)).min(up[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *x == b[j - 1] && a[i - 1] == *y {
                cell = cell.min(two_up[j - 1] + 1);
            }
            row[j + 1] = cell;
            least = least.min(cell);
        }
        if least > most {
            return None;
        }
        (two_up, up) = (up, row);
    }
    Some(up[b.len()]).filter(|slips| *slips <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Directory {
        let person = |client, contact, name: &str, company: &str, email: &str, phone: &str| Person {
            client,
            contact,
            name: name.to_owned(),
            company: company.to_owned(),
            email: email.to_owned(),
            phone: phone.to_owned(),
        };
        Directory::of(&People {
            people: vec![
                person(1, None, "Lucía Fernández", "Panadería La Espiga", "lucia@espiga.example", "+54.1155550101"),
                person(2, None, "Iñaki Gómez", "", "inaki@example.es", "+34.612 34 56 78"),
                person(3, None, "Lucas Fernandes", "Açaí & Cia", "lucas@acai.example", "+55.11987654321"),
                person(1, Some(9), "Marta Ruiz", "", "pagos@espiga.example", ""),
            ],
            is_whole: true,
        })
    }

    fn found(query: &str) -> Vec<(u64, Option<u64>)> {
        directory().find(query, 10).into_iter().map(|one| (one.client, one.contact)).collect()
    }

    #[test]
    fn people_are_found_by_name_company_address_and_phone_with_slips_and_without_accents() {
        for query in [
            "lucia fernandez",
            "FERNÁNDEZ Lucía",
            "lucia fernadnez",
            "panaderia espiga",
            "lucia@espiga",
            "Lucia Fernandz",
        ] {
            assert_eq!(found(query).first(), Some(&(1, None)), "{query}");
        }
        for query in ["+54 9 11 5555-0101", "011 15-5555-0101", "55550101", "(11) 5555 0101"] {
            assert_eq!(found(query), [(1, None)], "{query}");
        }
        assert_eq!(found("acai"), [(3, None)]);
        assert_eq!(found("gomes"), [(2, None)], "one slip");
        assert_eq!(found("marta"), [(1, Some(9))]);
        assert_eq!(found("gom").len(), 1, "the beginning");
        assert!(found("zzz").is_empty() && found("  ").is_empty() && found("gxm").is_empty());
        assert_eq!(found("fernandez").first(), Some(&(1, None)), "what is exact comes first");
        assert!(found("fernandez").contains(&(3, None)), "what is near comes, too");
    }

    #[test]
    fn slips_are_counted_as_people_make_them() {
        let slips = |a: &str, b: &str| distance(a.as_bytes(), b.as_bytes(), 2);
        assert_eq!(slips("fernandez", "fernadnez"), Some(1));
        assert_eq!(slips("fernandez", "fernandz"), Some(1));
        assert_eq!(slips("fernandez", "hernandes"), Some(2));
        assert_eq!(slips("fernandez", "gonzalez"), None);
        assert_eq!(distance(b"ana", b"ano", 0), None);
    }
}
