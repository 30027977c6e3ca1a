//! Owns: what somebody meant who mistyped a name.

/// Letters that may be wrong at most.
const SLIPS_MAX: usize = 3;

/// The one of `known` that `word` was probably meant to be. Short words have other words nearby: a third of the letters may be wrong.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.trim().to_lowercase();
    let most = SLIPS_MAX.min(word.chars().count() / 3 + 1);
    let slips = |one: &&str| distance(&one.to_lowercase(), &word);
    known.into_iter().min_by_key(slips).filter(|one| slips(one) <= most)
}

/// Letters to change, add or drop to get from `a` to `b`.
#[must_use]
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_seen_and_another_word_is_none() {
        let states = ["queued", "sent", "failed", "cancelled"];
        assert_eq!(nearest("sended", states), Some("sent"));
        assert_eq!(nearest("Canceled", states), Some("cancelled"));
        assert_eq!(nearest("xyz", states), None);
        assert_eq!(nearest("invoice_create", ["invoice_created", "invoice_cancelled"]), Some("invoice_created"));
    }
}
