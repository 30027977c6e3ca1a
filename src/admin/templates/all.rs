//! Owns: having every text in force made at the provider: what is missing there is made, what reads otherwise is edited, what is
//! the same is left alone. One text that is refused keeps no other from being made.

use super::check::differs;
use super::provider::{Answered, at_provider, forget, put};
use super::{Key, Text, list};
use crate::admin::{AdminError, Desk};
use crate::domain::admin::{Role, Who};
use crate::render::template::Template;

/// What became of one text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// The provider has it as it is, in this state.
    AsItIs(String),
    /// It was made or edited there.
    Put(Answered),
    /// The provider's own reason.
    Refused(String),
}

/// Submits every text of an enabled alert, and calls `each` after each of them.
///
/// # Errors
/// The role; a database; the provider's list cannot be had. A refused text is no error.
pub async fn submit_all(desk: &Desk, who: &Who, mut each: impl FnMut(&Key, &Submitted)) -> Result<(), AdminError> {
    desk.require(who, Role::Administrator)?;
    forget(desk);
    let before = at_provider(desk).await;
    if let Some(error) = &before.1.error {
        return Err(AdminError::Conflict(error.clone()));
    }
    for text in enabled(desk).await? {
        let Some(source) = text.draft().or_else(|| text.source.clone()) else { continue };
        let known = before.1.known(&source.name, text.key.locale);
        let same = |known| Template::of(source.clone()).is_ok_and(|template| !differs(&template, known));
        let step = match known {
            Some(known) if same(known) => Submitted::AsItIs(known.status.clone()),
            known => match put(desk, who, &text.key, &source, known).await {
                Ok(answered) => Submitted::Put(answered),
                Err(AdminError::Conflict(why)) => Submitted::Refused(why),
                Err(other) => return Err(other),
            },
        };
        each(&text.key, &step);
    }
    forget(desk);
    Ok(())
}

/// The texts of enabled alerts by their state at the provider: approved, waiting for its review, and the others with their state.
#[derive(Clone, Debug, Default)]
pub struct Review {
    pub approved: usize,
    pub waiting: usize,
    pub others: Vec<(Key, String)>,
}

/// How the provider's review stands, asked anew.
///
/// # Errors
/// A database; the provider's list cannot be had.
pub async fn review(desk: &Desk) -> Result<Review, AdminError> {
    forget(desk);
    let now = at_provider(desk).await;
    if let Some(error) = &now.1.error {
        return Err(AdminError::Conflict(error.clone()));
    }
    let mut review = Review::default();
    for text in enabled(desk).await? {
        let Some(source) = text.draft().or_else(|| text.source.clone()) else { continue };
        match now.1.known(&source.name, text.key.locale).map(|known| known.status.to_ascii_uppercase()) {
            Some(state) if state == "APPROVED" => review.approved += 1,
            Some(state) if state.starts_with("PENDING") || state == "IN_APPEAL" => review.waiting += 1,
            Some(state) => review.others.push((text.key, state)),
            None => review.others.push((text.key, "not there".to_owned())),
        }
    }
    Ok(review)
}

async fn enabled(desk: &Desk) -> Result<Vec<Text>, AdminError> {
    let all = list(desk).await?;
    Ok(all.into_iter().filter(|(hookpoint, _)| hookpoint.enabled).flat_map(|(_, texts)| texts).collect())
}
