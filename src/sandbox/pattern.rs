//! Owns: texts with `{{variables}}`: reading, checking and filling them (Meta's rules).

/// How a template names its variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `{{1}}`, `{{2}}`: by order.
    Positional,
    /// `{{nombre}}`: by name.
    Named,
}

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// Braces or names that cannot be read, gaps in the numbers, neighbours without a word between.
    Shape,
    /// A variable is the first or last thing.
    Edge,
    /// Fewer than 2x+1 words around x variables.
    FewWords,
}

/// A text cut at its variables.
#[derive(Clone, Debug)]
pub struct Pattern {
    pieces: Vec<Piece>,
    /// Positional: `1`, `2`, …; named: in the order of first use.
    pub names: Vec<String>,
}

#[derive(Clone, Debug)]
enum Piece {
    Text(String),
    /// Index into `names`.
    Variable(usize),
}

impl Pattern {
    /// Cuts `text` at its variables.
    ///
    /// # Errors
    /// [`Flaw::Shape`].
    pub fn parse(text: &str, format: Format) -> Result<Self, Flaw> {
        let mut found: Vec<(&str, &str)> = Vec::new(); // (the text before, the variable)
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (name, behind) = after.split_once("}}").ok_or(Flaw::Shape)?;
            if !name_fits(name, format) {
                return Err(Flaw::Shape);
            }
            found.push((before, name));
            rest = behind;
        }
        if rest.contains("}}") || found.iter().any(|(before, _)| before.contains("}}")) {
            return Err(Flaw::Shape);
        }
        let names = names(&found, format)?;
        let mut pieces = Vec::new();
        for (before, name) in found {
            pieces.push(Piece::Text(before.to_owned()));
            pieces.extend(names.iter().position(|known| known == name).map(Piece::Variable));
        }
        pieces.push(Piece::Text(rest.to_owned()));
        pieces.retain(|piece| !matches!(piece, Piece::Text(text) if text.is_empty()));
        Ok(Self { pieces, names })
    }

    /// The rules of a body: words between and around the variables.
    ///
    /// # Errors
    /// [`Flaw`]
    pub fn check_as_body(&self) -> Result<(), Flaw> {
        let is_variable = |piece: Option<&Piece>| matches!(piece, Some(Piece::Variable(_)));
        let blank = |piece: &Piece| matches!(piece, Piece::Text(text) if text.trim().is_empty());
        let mut visible = self.pieces.iter().filter(|piece| !blank(piece));
        let first = visible.next();
        if is_variable(first) || is_variable(visible.next_back()) {
            return Err(Flaw::Edge);
        }
        let adjacent = self.pieces.windows(2).any(|pair| pair.iter().all(|piece| is_variable(Some(piece))))
            || self.pieces.windows(3).any(|three| is_variable(three.first()) && blank(&three[1]));
        if adjacent {
            return Err(Flaw::Shape);
        }
        let words: usize = self.pieces.iter().map(Piece::words).sum();
        let variables = self.names.len();
        if variables > 0 && words < 2 * variables + 1 { Err(Flaw::FewWords) } else { Ok(()) }
    }

    /// Whether the only variable, if any, is the last thing: the rule of a button's address.
    #[must_use]
    pub fn ends_with_its_variable(&self) -> bool {
        let variables = self.pieces.iter().filter(|piece| matches!(piece, Piece::Variable(_))).count();
        variables == 0 || (variables == 1 && matches!(self.pieces.last(), Some(Piece::Variable(_))))
    }

    /// The text with `values` (as many as `names`, same order) in place of the variables.
    #[must_use]
    pub fn fill(&self, values: &[String]) -> String {
        self.pieces
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.as_str(),
                Piece::Variable(index) => values[*index].as_str(),
            })
            .collect()
    }
}

impl Piece {
    fn words(&self) -> usize {
        match self {
            Self::Text(text) => text.split_whitespace().filter(|word| word.chars().any(char::is_alphanumeric)).count(),
            Self::Variable(_) => 0,
        }
    }
}

fn name_fits(name: &str, format: Format) -> bool {
    match format {
        Format::Positional => name.parse::<u16>().is_ok_and(|number| number > 0 && number.to_string() == name),
        Format::Named => {
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        }
    }
}

fn names(found: &[(&str, &str)], format: Format) -> Result<Vec<String>, Flaw> {
    let mut names: Vec<String> = Vec::new();
    for (_, name) in found {
        if !names.iter().any(|known| known == name) {
            names.push((*name).to_owned());
        }
    }
    if format == Format::Positional {
        names.sort_by_key(|name| name.parse::<u16>().unwrap_or(u16::MAX));
        if names.iter().enumerate().any(|(index, name)| *name != (index + 1).to_string()) {
            return Err(Flaw::Shape);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positional_variables_are_filled_by_number_and_named_ones_by_first_use() {
        let pattern = Pattern::parse("a {{2}} b {{1}} c {{2}} d", Format::Positional).unwrap();
        assert_eq!(pattern.names, ["1", "2"]);
        assert_eq!(pattern.fill(&["x".into(), "y".into()]), "a y b x c y d");
        let pattern = Pattern::parse("Hola {{nombre}}: {{importe}}.", Format::Named).unwrap();
        assert_eq!(pattern.fill(&["Ana".into(), "$ 1".into()]), "Hola Ana: $ 1.");
    }

    #[test]
    fn unreadable_variables_are_refused() {
        for text in ["a {{1 b", "a {{3}} b", "a {{0}} b", "a {{01}} b", "a {{x}} b", "a }} b", "a {{1}} {{3}} b"] {
            assert_eq!(Pattern::parse(text, Format::Positional).unwrap_err(), Flaw::Shape, "{text}");
        }
        for text in ["a {{Nombre}} b", "a {{1}} b", "a {{ nombre }} b", "a {{}} b"] {
            assert_eq!(Pattern::parse(text, Format::Named).unwrap_err(), Flaw::Shape, "{text}");
        }
    }

    #[test]
    fn a_body_needs_words_around_its_variables() {
        let flaw = |text| Pattern::parse(text, Format::Positional).unwrap().check_as_body().unwrap_err();
        assert_eq!(flaw("{{1}} es la factura nueva"), Flaw::Edge);
        assert_eq!(flaw("la factura nueva es {{1}}"), Flaw::Edge);
        assert_eq!(flaw("la factura {{1}} {{2}} vence el martes que viene"), Flaw::Shape);
        assert_eq!(flaw("factura {{1}} vence"), Flaw::FewWords);
    }
}
