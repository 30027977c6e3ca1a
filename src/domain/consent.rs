//! Owns: statements about consent to alerts, and what a series of such statements means.

use jiff::Timestamp;

use super::closed_list::closed_list;
use super::hookpoint::Class;
use super::ids::{ClientId, ContactId, UserId};

closed_list! {
    /// Which alerts a statement is about.
    Scope {
        All = "all",
        Security = "security",
        Status = "status",
        Notice = "notice",
    }
}

impl Scope {
    /// Whether alerts of `class` are meant.
    #[must_use]
    pub fn holds(self, class: Class) -> bool {
        match self {
            Self::All => true,
            Self::Security => class == Class::Security,
            Self::Status => class == Class::Status,
            Self::Notice => class == Class::Notice,
        }
    }
}

impl From<Class> for Scope {
    fn from(class: Class) -> Self {
        match class {
            Class::Security => Self::Security,
            Class::Status => Self::Status,
            Class::Notice => Self::Notice,
        }
    }
}

closed_list! {
    /// The way by which a statement came.
    How {
        /// The client's own message.
        Reply = "reply",
        /// Somebody of the company noted it.
        Operator = "operator",
        /// The preferences in the client area.
        ClientArea = "client_area",
        /// It was said of another number or user id of the same person.
        Moved = "moved",
    }
}

closed_list! {
    /// What a client's message was taken for.
    Meaning {
        OptOut = "opt_out",
        OptIn = "opt_in",
        /// Nothing but security alerts.
        SecurityOnly = "security_only",
        /// It looks like a request about alerts, and is not clear enough to be obeyed: somebody has to read it.
        Near = "near",
        Other = "other",
    }
}

impl Meaning {
    /// What it states about alerts, in the order in which it is kept.
    #[must_use]
    pub fn statements(self) -> &'static [(Scope, bool)] {
        match self {
            Self::OptOut => &[(Scope::All, true)],
            Self::OptIn => &[(Scope::All, false)],
            Self::SecurityOnly => &[(Scope::Security, false), (Scope::Status, true), (Scope::Notice, true)],
            Self::Near | Self::Other => &[],
        }
    }
}

/// One statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    pub scope: Scope,
    pub opted_out: bool,
    pub at: Timestamp,
}

/// Whether alerts of `class` are refused: the newest statement about them counts. Of two at the same moment the refusal does.
#[must_use]
pub fn refuses(said: &[Said], class: Class) -> bool {
    let about = said.iter().filter(|one| one.scope.holds(class));
    about.max_by_key(|one| (one.at, one.opted_out)).is_some_and(|newest| newest.opted_out)
}

/// Whether nothing at all is wanted.
#[must_use]
pub fn refuses_all(said: &[Said]) -> bool {
    Class::ALL.iter().all(|class| refuses(said, *class))
}

/// Somebody in an account, by the name in the ledger: `client:35`, `contact:7`, `login:9/35`. A statement there holds for this
/// account's alerts, and says nothing of the number.
#[must_use]
pub fn person(client: ClientId, contact: Option<ContactId>, login: Option<UserId>) -> String {
    match (contact, login) {
        (Some(contact), _) => format!("contact:{contact}"),
        (None, Some(login)) => format!("login:{login}/{client}"),
        (None, None) => format!("client:{client}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(scope: Scope, opted_out: bool, second: i64) -> Said {
        Said { scope, opted_out, at: Timestamp::from_second(second).expect("a time") }
    }

    #[test]
    fn the_newest_statement_about_a_class_counts_and_a_refusal_wins_a_draw() {
        use Class::{Notice, Security, Status};
        let out = said(Scope::All, true, 10);
        let keep = said(Scope::Security, false, 20);
        assert!(!refuses(&[], Notice));
        assert!(refuses_all(&[out]));
        assert_eq!([Security, Status, Notice].map(|class| refuses(&[out, keep], class)), [false, true, true]);
        assert!(refuses(&[out, keep, said(Scope::All, true, 30)], Security), "a later BAJA ends everything again");
        assert!(!refuses_all(&[keep, out]), "the order of the rows is not the order of time");
        assert!(!refuses(&[out, said(Scope::All, false, 30)], Status));
        assert!(refuses(&[out, said(Scope::Security, false, 10)], Security), "at the same moment the refusal counts");
    }
}
