//! Owns: who acts on the bridge, and what each role may do.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::CodePointSetData;
use icu_properties::props::DefaultIgnorableCodePoint;

use super::closed_list::closed_list;

closed_list! {
    /// What a person or token may do. The order is the order of power: each may do what those before it may.
    Role {
        /// Sees everything but secrets.
        Viewer = "viewer",
        /// Also answers: resend, cancel, settle, hold, pause.
        Operator = "operator",
        /// Also changes: hookpoints, texts, secrets, administrators, data of clients.
        Administrator = "administrator",
    }
}

closed_list! {
    /// The interface that somebody acts through.
    Via {
        Page = "page",
        Api = "api",
        Cli = "cli",
    }
}

/// Who does something: goes into the audit log with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The administrator's name, `token:<name>`, or `cli:<user of the machine>`.
    pub name: String,
    pub role: Role,
    pub via: Via,
    /// From where, if over the network.
    pub address: Option<String>,
    /// The account behind: the administrator's own, or that of whoever made the token.
    pub account: Option<u64>,
}

impl Who {
    /// A person at the command line. Whoever can read the configuration can do everything.
    #[must_use]
    pub fn at_the_command_line(user: &str) -> Self {
        Self { name: format!("cli:{user}"), role: Role::Administrator, via: Via::Cli, address: None, account: None }
    }

    /// Whether this role is enough for something that needs `needed`.
    #[must_use]
    pub fn may(&self, needed: Role) -> bool {
        self.role >= needed
    }

    /// Whether this is the person of that account at the page, and no token of theirs.
    #[must_use]
    pub fn is_in_person(&self, account: u64) -> bool {
        self.via == Via::Page && self.account == Some(account)
    }
}

/// Longest normal form of a name, in characters.
pub const NAME_KEY_CHARS_MAX: usize = 128;

/// A name as it is compared: compatibility forms (width, ligatures), case, blanks and characters without a shape do not matter,
/// accents do (NFKC, lower case, without Unicode's `Default_Ignorable_Code_Point`).
#[must_use]
pub fn name_key(name: &str) -> String {
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let lower = nfkc.normalize(name).to_lowercase();
    let kept: String = lower.chars().filter(|c| !ignorable.contains(*c) && !(c.is_control())).collect();
    nfkc.normalize(&kept.split_whitespace().collect::<Vec<_>>().join(" ")).into_owned()
}

/// Whether two names look the same to people: `ana` and one with a Cyrillic `а` (the skeletons of Unicode's UTS 39).
#[must_use]
pub fn look_alike(one: &str, other: &str) -> bool {
    let skeleton = |name: &str| unicode_security::skeleton(&name_key(name)).collect::<String>();
    skeleton(one) == skeleton(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_same_in_any_case_width_and_with_what_nobody_sees() {
        for same in ["ANA", " ana ", "a\u{200b}na", "\u{ff41}na", "an\u{ad}a"] {
            assert_eq!(name_key(same), "ana", "{same:?}");
        }
        for other in ["aná", "anna", "\u{430}na"] {
            assert_ne!(name_key(other), "ana", "{other:?}");
        }
        assert_eq!(name_key("Jose\u{301}"), name_key("JOSÉ"));
        assert_eq!(name_key("\u{200b}\u{3164}"), "");
    }

    #[test]
    fn names_that_look_alike_are_seen() {
        assert!(look_alike("ana", "\u{430}na") && look_alike("Ana", "ana"));
        assert!(!look_alike("ana", "aná") && !look_alike("ana", "luz"));
    }
}
