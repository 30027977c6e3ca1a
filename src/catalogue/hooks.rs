//! Owns: the names of the platform's documented hooks, and what is known of each: its parameters, and why some are not to be
//! listened to. What a new hookpoint is made from.

use std::sync::LazyLock;

use crate::domain::closed_list::closed_list;
use crate::domain::hookpoint::SubjectKind;
closed_list! {
    /// Why no alert can be made of a hook.
    Unfit {
        /// It runs with every page view.
        Page = "page",
        /// The platform asks something; nothing has happened yet.
        Asks = "asks",
        /// It names no row that belongs to a client.
        Nobody = "nobody",
        /// It carries secrets.
        Secret = "secret",
        /// What the stub itself does would fire it.
        Loop = "loop",
    }
}

closed_list! {
    /// What to mind with a hook.
    Mind {
        /// It runs before the thing happens, which may yet fail.
        Before = "before",
        /// It runs whether the thing succeeded or not.
        Always = "always",
    }
}

/// One of the platform's hooks.
#[derive(Debug)]
pub struct Hook {
    pub name: &'static str,
    /// As the platform's documentation groups them.
    pub group: &'static str,
    /// Paths of parameters that are worth sending; empty where we know of none.
    pub parameters: Vec<&'static str>,
    pub unfit: Option<Unfit>,
    pub mind: Option<Mind>,
}

static HOOKS: LazyLock<Vec<Hook>> = LazyLock::new(|| read(include_str!("hooks.txt")));

fn read(text: &'static str) -> Vec<Hook> {
    let (mut all, mut group) = (Vec::new(), "");
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            group = name;
        }
        let mut words = line.split_whitespace();
        let Some(name) = words.next().filter(|name| !name.starts_with('[')) else { continue };
        let mut hook = Hook { name, group, parameters: Vec::new(), unfit: None, mind: None };
        for word in words {
            match word.split_at(1) {
                ("!", code) => hook.unfit = Unfit::parse(code),
                ("~", code) => hook.mind = Mind::parse(code),
                _ => hook.parameters.push(word),
            }
        }
        all.push(hook);
    }
    all
}

/// All of them, in the documentation's order.
#[must_use]
pub fn all() -> &'static [Hook] {
    &HOOKS
}

/// The hook called `name`.
#[must_use]
pub fn named(name: &str) -> Option<&'static Hook> {
    HOOKS.iter().find(|hook| hook.name == name)
}

/// Hooks whose name, group or parameters hold all words of `text`; those that can be used first.
#[must_use]
pub fn search(text: &str) -> Vec<&'static Hook> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let holds = |hook: &&Hook| {
        let all = format!("{} {} {}", hook.name, hook.group, hook.parameters.join(" ")).to_lowercase();
        words.iter().all(|word| all.contains(word.as_str()))
    };
    let mut found: Vec<&Hook> = HOOKS.iter().filter(holds).collect();
    found.sort_by_key(|hook| hook.unfit.is_some());
    found
}

impl Hook {
    /// Where it names which kind of row, by its parameters' names: the likeliest first.
    #[must_use]
    pub fn subjects(&self) -> Vec<(SubjectKind, Vec<&'static str>)> {
        let named = |names: &[&str]| -> Vec<&'static str> {
            let last = |path: &str| path.rsplit('.').next().unwrap_or(path).to_lowercase();
            self.parameters.iter().copied().filter(|path| names.contains(&last(path).as_str())).collect()
        };
        let of_user = self.group == "User" || self.name.starts_with("UserLog");
        let by_name: [(SubjectKind, Vec<&'static str>); 9] = [
            (SubjectKind::Invoice, named(&["invoiceid", "invocieid", "newinvoiceid"])),
            (SubjectKind::Quote, named(&["quoteid"])),
            (SubjectKind::Domain, named(&["domainid"])),
            (SubjectKind::Service, named(&["serviceid"])),
            (SubjectKind::Contact, named(&["contactid"])),
            (SubjectKind::Cancellation, if self.name == "CancellationRequest" { vec!["relid"] } else { Vec::new() }),
            (SubjectKind::User, if of_user { named(&["userid", "user_id", "id"]) } else { Vec::new() }),
            (
                SubjectKind::Client,
                if of_user { Vec::new() } else { named(&["client_id", "userid", "clientid", "touserid"]) },
            ),
            (SubjectKind::Ticket, named(&["ticketid"])),
        ];
        by_name.into_iter().filter(|(_, paths)| !paths.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_339_hooks_are_there_once_and_what_can_be_used_is_plain() {
        let mut names: Vec<&str> = all().iter().map(|hook| hook.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!((all().len(), names.len()), (339, 339));
        let marks =
            include_str!("hooks.txt").lines().filter(|line| !line.starts_with('#') && line.contains('!')).count();
        assert_eq!(all().iter().filter(|hook| hook.unfit.is_some()).count(), marks, "an unknown mark");
        for hook in all().iter().filter(|hook| hook.unfit.is_none()) {
            assert!(!hook.parameters.is_empty(), "{} says nothing", hook.name);
            assert!(!hook.parameters.iter().any(|path| super::super::secret::refuses(path)), "{}", hook.name);
        }
    }

    #[test]
    fn where_a_hook_names_its_row_is_suggested() {
        let first = |name: &str| named(name).and_then(|hook| hook.subjects().into_iter().next());
        assert_eq!(first("TicketOpen"), Some((SubjectKind::Client, vec!["userid"])));
        assert_eq!(first("AddonActivation"), Some((SubjectKind::Service, vec!["serviceid"])));
        assert_eq!(first("UserEdit"), Some((SubjectKind::User, vec!["user_id"])));
        // The platform passes an object there, of which the stub sends the id.
        assert_eq!(first("UserLogin"), Some((SubjectKind::User, vec!["user.id"])));
        assert_eq!(first("AfterModuleCustom"), Some((SubjectKind::Service, vec!["params.serviceid"])));
        assert_eq!(search("ticket open")[0].name, "TicketOpen");
    }

    #[test]
    fn what_the_built_in_hookpoints_listen_to_is_fit_for_it() {
        let catalogue = super::super::Catalogue::built_in(&std::collections::BTreeMap::new()).expect("the catalogue");
        for trigger in catalogue.entries().flat_map(|entry| &entry.hookpoint.triggers).filter(|trigger| !trigger.ours) {
            assert!(named(&trigger.hook).is_some_and(|hook| hook.unfit.is_none()), "{}", trigger.hook);
        }
    }
}
