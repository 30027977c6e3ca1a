//! Owns: a text as a phone would show it: with samples, or with a real record of the platform.

use super::{Key, Present, is_move};
use crate::admin::evaluate::aside;
use crate::admin::{AdminError, Desk};
use crate::billing::Want;
use crate::domain::hookpoint::{Hookpoint, Subject};
use crate::domain::ids::ClientId;
use crate::domain::record::Moved;
use crate::render::context::{About, build};
use crate::render::sample;
use crate::render::template::{Shown, Source, Template};

/// What the text speaks about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Sample,
    /// The newest record of the alert's kind.
    Newest,
    /// The record with this id.
    Record(u64),
    /// The newest record of this client.
    Client(u64),
}

/// A text, filled.
#[derive(Clone, Debug)]
pub struct Preview {
    pub shown: Shown,
    /// Which record it speaks about, and whose.
    pub subject: Option<(Subject, ClientId)>,
}

/// Fills `source`.
///
/// # Errors
/// There is no such alert or record; a mistake in the text; a database.
pub async fn fill(desk: &Desk, key: &Key, source: &Source, of: Of) -> Result<Preview, AdminError> {
    let present = Present::of(desk).await?;
    let hookpoint = present.hookpoint(&key.alert)?;
    let template = Template::of(source.clone()).map_err(|error| AdminError::invalid(error.field, error.text))?;
    let url = present.platform.system_url.clone();
    let record = match of {
        Of::Sample => {
            let values = sample::values_for(hookpoint.subject, is_move(hookpoint), key.locale, &present.platform);
            let locale = key.locale;
            let shown = aside(move || template.preview(locale, &values, &url)).await?;
            let shown = shown.map_err(|error| AdminError::invalid("body", error.to_string()))?;
            return Ok(Preview { shown, subject: None });
        }
        Of::Record(id) => Some(id),
        Of::Newest => desk.billing.newest(hookpoint.subject, None).await?,
        Of::Client(client) => desk.billing.newest(hookpoint.subject, Some(client)).await?,
    };
    let id = record.ok_or_else(|| AdminError::invalid("record", "templates.no_record"))?;
    real(desk, key, &present, hookpoint, template, Subject { kind: hookpoint.subject, id }).await
}

async fn real(
    desk: &Desk,
    key: &Key,
    present: &Present,
    hookpoint: &Hookpoint,
    template: Template,
    subject: Subject,
) -> Result<Preview, AdminError> {
    let now = desk.now();
    let mut found = desk.billing.gather(&[Want::of(subject)], now).await?;
    let missing = |error: String| AdminError::invalid("record", error);
    let facts = found.pop().ok_or_else(|| missing("templates.no_record".to_owned()))?;
    let facts = facts.map_err(|error| missing(error.to_string()))?;
    let mut facts = facts.into_iter().next().ok_or_else(|| missing("templates.no_record".to_owned()))?;
    if is_move(hookpoint) && facts.moved.is_none() {
        facts.moved = Some(Moved { former: false, other: facts.client.id, by_merge: false, together: 1 });
    }
    let zone = jiff::tz::TimeZone::get(&desk.config.billing.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    let (first_name, company) = (facts.client.first_name.clone(), facts.client.company.clone());
    let about = About {
        facts: &facts,
        platform: &present.platform,
        zone: &zone,
        occurred_at: now,
        hook: hookpoint.triggers.first().map_or("", |trigger| &trigger.hook),
        changed: &["phonenumber".to_owned(), "email".to_owned()],
        first_name: &first_name,
        company: &company,
    };
    let (values, locale, url) = (build(&about, key.locale), key.locale, present.platform.system_url.clone());
    let shown = aside(move || template.preview(locale, &values, &url)).await?;
    let shown = shown.map_err(|error| AdminError::invalid("body", error.to_string()))?;
    Ok(Preview { shown, subject: Some((subject, facts.client.id)) })
}
