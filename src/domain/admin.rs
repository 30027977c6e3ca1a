//! Owns: who acts on the bridge, and what each role may do.

use std::fmt;

use super::hookpoint::closed_list;

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
    /// By which door somebody acts.
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
}

impl Who {
    /// A person at the command line. Whoever can read the configuration can do everything.
    #[must_use]
    pub fn at_the_command_line(user: &str) -> Self {
        Self { name: format!("cli:{user}"), role: Role::Administrator, via: Via::Cli, address: None }
    }

    /// Whether this role is enough for something that needs `needed`.
    #[must_use]
    pub fn may(&self, needed: Role) -> bool {
        self.role >= needed
    }
}
