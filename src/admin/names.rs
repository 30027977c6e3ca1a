//! Owns: what people and things are called at the platform: read anew for each page, one read of each kind, never kept in our tables;
//! hidden where the configuration or the role says so. Without the platform's database everything keeps its number.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Desk;
use super::why::Answer;
use crate::billing::find::Candidate;
use crate::billing::lookup::Called;
use crate::domain::admin::{Role, Who};
use crate::domain::hookpoint::{Subject, SubjectKind};

/// A page waits so long for names; then it comes without.
const PATIENCE: Duration = Duration::from_millis(400);
/// Rows of a page that are called by name.
const ROWS_MAX: usize = 500;

/// Names, by row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    all: BTreeMap<Subject, String>,
}

impl Names {
    /// What a row is called; `None`: it is deleted, has no name, or names are not known.
    #[must_use]
    pub fn of(&self, subject: Subject) -> Option<&str> {
        self.all.get(&subject).map(String::as_str).filter(|name| !name.is_empty())
    }

    /// What a client is called.
    #[must_use]
    pub fn client(&self, id: u64) -> Option<&str> {
        self.of(Subject { kind: SubjectKind::Client, id })
    }
}

impl Desk {
    /// Whether `who` sees people's names.
    #[must_use]
    pub fn shows_names(&self, who: &Who) -> bool {
        let privacy = &self.config.privacy;
        privacy.show_names && who.may(Role::parse(&privacy.names_from).unwrap_or(Role::Viewer))
    }
}

impl Desk {
    /// Clients to choose from, as `who` may see them.
    #[must_use]
    pub fn shown(&self, who: &Who, mut all: Vec<Candidate>) -> Vec<Candidate> {
        if !self.shows_names(who) {
            for one in &mut all {
                one.name = masked(&one.name);
                one.company.clear();
                one.email.clear();
            }
        }
        all
    }

    /// An answer to why, as `who` may see it.
    #[must_use]
    pub fn shown_answer(&self, who: &Who, mut answer: Answer) -> Answer {
        if !self.shows_names(who) {
            for one in answer.client.iter_mut().chain(&mut answer.contacts) {
                one.name = masked(&one.name);
            }
        }
        answer
    }
}

/// What the rows are called.
pub async fn names(desk: &Desk, who: &Who, subjects: BTreeSet<Subject>) -> Names {
    let some: BTreeSet<Subject> = subjects.into_iter().filter(|one| one.id > 0).take(ROWS_MAX).collect();
    if some.is_empty() {
        return Names::default();
    }
    // The server ends what takes longer, and nobody waits for a connection either.
    let billing = desk.billing.within(PATIENCE);
    let called = match tokio::time::timeout(PATIENCE, billing.call(&some)).await {
        Ok(Ok(called)) => called,
        Ok(Err(error)) => {
            tracing::debug!(%error, "a page comes without names");
            return Names::default();
        }
        Err(_) => return Names::default(),
    };
    let shows = desk.shows_names(who);
    Names { all: called.into_iter().map(|(subject, one)| (subject, shown(one, shows))).collect() }
}

/// What clients are called.
pub async fn people_of(desk: &Desk, who: &Who, clients: BTreeSet<u64>) -> Names {
    let subjects = clients.into_iter().map(|id| Subject { kind: SubjectKind::Client, id }).collect();
    names(desk, who, subjects).await
}

/// Numbers and domains are no names of people; what is free text may hold some.
fn shown(one: Called, shows: bool) -> String {
    match one.subject.kind {
        _ if shows => one.name,
        SubjectKind::Client | SubjectKind::Contact => masked(&one.name),
        SubjectKind::Quote | SubjectKind::User => String::new(),
        _ => one.name,
    }
}

/// A name for those who need not know it: `L. F.`
#[must_use]
pub fn masked(name: &str) -> String {
    let initials = name.split_whitespace().filter_map(|word| word.chars().next());
    initials.map(|letter| format!("{letter}.")).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_name_is_its_initials() {
        assert_eq!(masked("Lucía  Fernández"), "L. F.");
        assert_eq!(masked(""), "");
    }
}
