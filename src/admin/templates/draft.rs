//! Owns: whether a text may go live, and drafts that do when the provider has them. A text whose values do not fit what the
//! provider approved would be refused with every message: it waits, and the present one goes on.

use super::check::fits;
use super::provider::{at_provider, forget};
use super::{Key, Kind, Template, version};
use crate::admin::{AdminError, Desk};
use crate::domain::admin::Who;
use crate::render::template::Source;
use crate::store::outbox;

/// Whether `source` may be in force as the text of `key`.
pub async fn may_go_live(desk: &Desk, key: &Key, source: &Source) -> bool {
    let Ok(wanted) = Template::of(source.clone()) else { return true };
    let templates = desk.templates.load_full();
    let present = templates.exact(&key.alert, key.locale);
    if present.is_some_and(|present| same_values(present, &wanted)) {
        return true;
    }
    let kept = at_provider(desk).await;
    let at = &kept.1;
    if at.error.is_some() {
        // The provider's texts are not known. Without an account of its own to ask, nothing could ever go live.
        let asked = desk.config.senders.get(&desk.config.alerts.sender).is_some_and(|one| !one.waba_id.is_empty());
        return present.is_none() || !asked;
    }
    let sendable = |text: &Template| {
        at.known(&text.name, key.locale).is_some_and(|known| known.is_approved() && fits(text, known))
    };
    match at.known(&wanted.name, key.locale) {
        Some(known) if known.is_approved() => fits(&wanted, known),
        // Nothing is approved that it could contradict: only a text that works must not be lost for it.
        _ => !present.is_some_and(sendable),
    }
}

/// Whether the provider would be called in the same way.
fn same_values(a: &Template, b: &Template) -> bool {
    let names = |text: &Template| text.variables().map(Template::variable_name).collect::<Vec<_>>();
    let values = if a.named { names(a) == names(b) } else { a.variables().count() == b.variables().count() };
    a.name == b.name && a.named == b.named && values && a.has_button_variable() == b.has_button_variable()
}

/// Puts every draft in force that the provider has by now. Returns how many.
///
/// # Errors
/// The database.
pub async fn promote(desk: &Desk) -> Result<usize, AdminError> {
    let all = version::newest(&desk.store, Kind::Template).await?;
    let drafts: Vec<_> = all.into_iter().filter(|one| !one.live).collect();
    if drafts.is_empty() {
        return Ok(0);
    }
    // While something waits for it, the list is asked for more often.
    forget(desk);
    let kept = at_provider(desk).await;
    let mut live = 0;
    for draft in drafts {
        let key = draft.name.rsplit_once('.').and_then(|(alert, locale)| Key::read(alert, locale).ok());
        let text = draft.content.as_deref().and_then(|text| Template::read(text).ok());
        let (Some(key), Some(text)) = (key, text) else { continue };
        let known = kept.1.known(&text.name, key.locale);
        let has_it = known.is_some_and(|known| known.is_approved() && fits(&text, known));
        let bridge = Who::at_the_command_line("hookbridge");
        let about = (draft.name.as_str(), Some(format!("version {}", draft.id)));
        let record = desk.record(&bridge, "template.live", about, true);
        if has_it && version::go_live(&desk.store, &draft, Kind::Template, &record).await? {
            live += 1;
            desk.take_over().await;
            outbox::wake_held(&desk.store, &key.alert, desk.now()).await?;
            tracing::info!(text = draft.name, version = draft.id, "the provider has this text now: it is in force");
        }
    }
    Ok(live)
}
