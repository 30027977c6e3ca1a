//! Owns: reading the rows of `SHOW GRANTS`, of MariaDB and MySQL: which rights they give beyond reading, and which roles.
//!
//! ```text
//! GRANT SELECT (`a`, `b`), UPDATE (`c`) ON `db`.`t` TO `u`@`h` WITH GRANT OPTION
//! GRANT `role` TO `u`@`h`                 GRANT `role`@`%` TO `u`@`h` WITH ADMIN OPTION
//! GRANT ALL PRIVILEGES ON `test`.* TO PUBLIC          (MariaDB 10.11 and later)
//! REVOKE INSERT ON `db`.* FROM `u`@`h`                (MySQL's partial revokes)
//! SET DEFAULT ROLE `role` FOR `u`@`h`                 (MariaDB)
//! ```

/// Rights that only read.
const HARMLESS: [&str; 3] = ["SELECT", "USAGE", "SHOW VIEW"];

/// What one row says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Granted {
    /// Rights that do more than read: `INSERT`, `UPDATE`.
    pub beyond: Vec<String>,
    /// Where they hold, as the server writes it.
    pub place: String,
    /// Roles that are given instead of rights, as the server writes them.
    pub roles: Vec<String>,
    /// Who has them, as the server writes it.
    pub to: String,
    /// The rights, or the roles, may be passed on.
    pub passes_on: bool,
}

/// A part of a row.
#[derive(Debug, PartialEq, Eq)]
enum Token {
    /// Between backticks or quotes, with them.
    Quoted(String),
    Word(String),
    Sign(char),
}

/// Reads a row. `None`: it cannot be understood, and must not be taken for harmless.
pub(super) fn read(row: &str) -> Option<Granted> {
    let tokens = tokens(row)?;
    match tokens.first()? {
        // Takes away, or says which roles are active at the start: gives nothing that no other row gives.
        Token::Word(word) if word == "REVOKE" || word == "SET" => return Some(Granted::default()),
        Token::Word(word) if word == "GRANT" => {}
        _ => return None,
    }
    let to = tokens.iter().position(|token| is(token, "TO"))?;
    let on = tokens[..to].iter().position(|token| is(token, "ON"));
    let mut granted =
        Granted { passes_on: passes_on(&tokens[to..]), to: account(&tokens[to + 1..]), ..Granted::default() };
    match on {
        None => granted.roles = list(&tokens[1..to])?.into_iter().map(|one| written(&one)).collect(),
        Some(on) => {
            granted.place = written(&tokens[on + 1..to].iter().collect::<Vec<_>>());
            for one in list(&tokens[1..on])? {
                let right = right(&one)?;
                if !HARMLESS.contains(&right.as_str()) {
                    granted.beyond.push(right);
                }
            }
        }
    }
    Some(granted)
}

fn is(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(one) if one == word)
}

/// Names are kept whole, whatever is in them; words are in capitals.
fn tokens(row: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = row.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '`' | '\'' | '"' => {
                let mut text = String::from(c);
                loop {
                    let next = rest.next()?;
                    text.push(next);
                    // A doubled one is a part of the name.
                    if next == c {
                        match rest.next_if_eq(&c) {
                            Some(again) => text.push(again),
                            None => break,
                        }
                    }
                }
                tokens.push(Token::Quoted(text));
            }
            c if c.is_alphanumeric() || c == '_' || c == '$' => {
                let mut word = String::from(c);
                while let Some(c) = rest.next_if(|c| c.is_alphanumeric() || *c == '_' || *c == '$') {
                    word.push(c);
                }
                tokens.push(Token::Word(word.to_uppercase()));
            }
            c if c.is_whitespace() => {}
            c => tokens.push(Token::Sign(c)),
        }
    }
    Some(tokens)
}

/// The parts between commas that stand in no bracket.
fn list(tokens: &[Token]) -> Option<Vec<Vec<&Token>>> {
    let (mut parts, mut depth) = (vec![Vec::new()], 0_u32);
    for token in tokens {
        match token {
            Token::Sign(',') if depth == 0 => parts.push(Vec::new()),
            _ => {
                match token {
                    Token::Sign('(') => depth += 1,
                    Token::Sign(')') => depth = depth.checked_sub(1)?,
                    _ => {}
                }
                parts.last_mut()?.push(token);
            }
        }
    }
    (depth == 0 && parts.iter().all(|part| !part.is_empty())).then_some(parts)
}

/// `UPDATE (…)` is the right `UPDATE`. Anything but words before the bracket is not understood.
fn right(part: &[&Token]) -> Option<String> {
    let words: Option<Vec<&str>> = part
        .iter()
        .take_while(|token| ***token != Token::Sign('('))
        .map(|token| match token {
            Token::Word(word) => Some(word.as_str()),
            _ => None,
        })
        .collect();
    words.filter(|words| !words.is_empty()).map(|words| words.join(" "))
}

fn written(part: &[&Token]) -> String {
    let text = |token: &&Token| match token {
        Token::Quoted(text) => text.clone(),
        Token::Word(word) => word.clone(),
        Token::Sign(sign) => sign.to_string(),
    };
    part.iter().map(text).collect()
}

/// `` `u`@`h` ``, a role's name, or PUBLIC.
fn account(after_to: &[Token]) -> String {
    let end = match after_to.get(1) {
        Some(Token::Sign('@')) => 3,
        _ => 1,
    };
    written(&after_to.iter().take(end).collect::<Vec<_>>())
}

fn passes_on(after_to: &[Token]) -> bool {
    after_to.windows(2).any(|two| (is(&two[0], "GRANT") || is(&two[0], "ADMIN")) && is(&two[1], "OPTION"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beyond(row: &str) -> Vec<String> {
        read(row).unwrap_or_else(|| panic!("{row}")).beyond
    }

    #[test]
    fn reading_is_harmless_and_the_rest_is_not() {
        for row in [
            "GRANT USAGE ON *.* TO `r`@`localhost`",
            "GRANT USAGE ON *.* TO `r`@`%` IDENTIFIED BY PASSWORD '*00' REQUIRE SSL WITH MAX_USER_CONNECTIONS 5",
            "GRANT SELECT (`id`, `order`), SHOW VIEW ON `w`.`t` TO `r`@`localhost`",
            "REVOKE INSERT ON `w`.* FROM `r`@`%`",
            "SET DEFAULT ROLE `ro` FOR `r`@`localhost`",
        ] {
            let granted = read(row).unwrap_or_else(|| panic!("{row}"));
            assert!(granted.beyond.is_empty() && !granted.passes_on && granted.roles.is_empty(), "{row}");
        }
        assert_eq!(beyond("GRANT SELECT, INSERT, CREATE TEMPORARY TABLES ON `w`.* TO `r`@`%`").len(), 2);
        assert_eq!(beyond("GRANT ALL PRIVILEGES ON *.* TO `r`@`%`"), ["ALL PRIVILEGES"]);
        assert_eq!(beyond("GRANT PROXY ON ''@'' TO 'r'@'%'"), ["PROXY"]);
        assert_eq!(beyond("GRANT EXECUTE ON PROCEDURE `w`.`p` TO `r`@`%`"), ["EXECUTE"]);
        assert_eq!(beyond("GRANT BACKUP_ADMIN,FLUSH_TABLES ON *.* TO `r`@`%`"), ["BACKUP_ADMIN", "FLUSH_TABLES"]);
    }

    #[test]
    fn what_stands_between_backticks_is_a_name_whatever_it_says() {
        assert_eq!(beyond("GRANT SELECT (`a(b`), UPDATE (`note`) ON `addon`.`t` TO `r`@`%`"), ["UPDATE"]);
        assert_eq!(beyond("GRANT SELECT (`a``(b`, `c)`), DELETE ON `x`.`t` TO `r`@`%`"), ["DELETE"]);
        assert!(beyond("GRANT SELECT (`x ON y`, `UPDATE (`) ON `a TO b`.`GRANT ALL` TO `r`@`%`").is_empty());
        let row = "GRANT SELECT ON ` WITH GRANT OPTION`.* TO `r`@`%`";
        assert!(!read(row).expect("a row").passes_on);
    }

    #[test]
    fn roles_passing_on_and_public_are_told_apart() {
        let granted = read("GRANT `ro`@`%`,`two` TO `r`@`%` WITH ADMIN OPTION").expect("a row");
        assert_eq!((granted.roles, granted.passes_on), (vec!["`ro`@`%`".to_owned(), "`two`".to_owned()], true));
        let granted = read("GRANT INSERT ON `test`.* TO PUBLIC").expect("a row");
        assert_eq!((granted.to.as_str(), granted.place.as_str()), ("PUBLIC", "`test`.*"));
        assert!(read("GRANT SELECT ON `w`.* TO `r`@`%` WITH GRANT OPTION").expect("a row").passes_on);
        assert_eq!(read("GRANT SELECT ON `w`.* TO `r`@`%`").expect("a row").to, "`r`@`%`");
    }

    #[test]
    fn what_is_not_understood_is_never_harmless() {
        for row in [
            "",
            "hello",
            "GRANT",
            "GRANT SELECT",
            "GRANT SELECT ON `w",
            "GRANT SELECT (`a` ON `w`.`t` TO `r`@`%`",
            "GRANT SELECT), UPDATE ( ON `w`.`t` TO `r`@`%`",
            "GRANT , ON `w`.* TO `r`@`%`",
            "GRANT `x` ON `w`.* TO `r`@`%`",
        ] {
            assert_eq!(read(row), None, "{row}");
        }
    }
}
