//! Owns: what a client's reply means for his alerts. Only a whole message that is one of the configured words counts:
//! "no quiero cancelar mi servicio" is not a wish to hear nothing more.

/// The configured words, folded.
#[derive(Clone, Debug, Default)]
pub struct Words {
    stop: Vec<String>,
    resume: Vec<String>,
}

/// What somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    Stop,
    Resume,
}

impl Words {
    #[must_use]
    pub fn new(stop: &[String], resume: &[String]) -> Self {
        let fold_all = |words: &[String]| words.iter().map(|word| fold(word)).filter(|word| !word.is_empty()).collect();
        Self { stop: fold_all(stop), resume: fold_all(resume) }
    }

    /// What `text` asks for, if anything.
    #[must_use]
    pub fn wish(&self, text: &str) -> Option<Wish> {
        // Longer than any word could be: not worth folding.
        if text.len() > 200 {
            return None;
        }
        let folded = fold(text);
        if self.stop.contains(&folded) {
            Some(Wish::Stop)
        } else if self.resume.contains(&folded) {
            Some(Wish::Resume)
        } else {
            None
        }
    }
}

/// Small letters without accents and punctuation, single blanks: `¡No recibir MÁS!` is `no recibir mas`.
pub(super) fn fold(text: &str) -> String {
    let plain: String = text
        .chars()
        .flat_map(char::to_lowercase)
        .map(|c| match c {
            'á' | 'à' | 'ã' | 'â' => 'a',
            'é' | 'ê' => 'e',
            'í' => 'i',
            'ó' | 'ô' | 'õ' => 'o',
            'ú' | 'ü' => 'u',
            'ñ' => 'n',
            'ç' => 'c',
            c if c.is_alphanumeric() => c,
            _ => ' ',
        })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}
