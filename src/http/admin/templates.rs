//! Owns: texts: versions, preview, checks, test.

mod editor;
mod form;
mod list;
mod parts;

use super::ask::{Answer, Answering, Ask, Page, get, post};
use crate::admin::templates::{Key, Saving, back, preview, provider, save, trial};
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;
use editor::Open;
use form::{of, source};

/// The addresses.
pub const PAGES: &[Page] = &[
    get("/templates", Role::Viewer, |ask| Box::pin(async move { list::show(&ask).await })),
    post("/templates/ask", Role::Operator, ask_provider),
    get("/templates/:alert/:locale", Role::Viewer, |ask| Box::pin(async move { Ok(Open::of(&ask).await?.page(200)) })),
    post("/templates/:alert/:locale", Role::Administrator, save_text),
    post("/templates/:alert/:locale/preview", Role::Viewer, preview_text),
    post("/templates/:alert/:locale/back", Role::Administrator, go_back),
    get("/templates/:alert/:locale/reach", Role::Viewer, |ask| Box::pin(async move { parts::reach(&ask).await })),
    post("/templates/:alert/:locale/test", Role::Operator, test),
    get("/templates/:alert/:locale/test/:id", Role::Viewer, |ask| Box::pin(async move { parts::tested(&ask).await })),
    post("/templates/:alert/:locale/provider", Role::Administrator, submit),
];

const AT: &str = "/admin/templates";

/// The text that the address names.
fn key(ask: &Ask) -> Result<Key, AdminError> {
    Key::read(ask.param(0), ask.param(1))
}

/// Where it is shown.
fn path(key: &Key) -> String {
    format!("{AT}/{}/{}", key.alert, key.locale)
}

fn ask_provider(ask: Ask) -> Answering {
    Box::pin(async move {
        provider::forget(&ask.desk);
        let to = ask.form.text("to");
        // Only to a page of this area.
        let to = if to.starts_with(AT) && to.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_-".contains(&b)) {
            to.to_owned()
        } else {
            AT.to_owned()
        };
        Answer::done(&to, "template_asked")
    })
}

fn save_text(ask: Ask) -> Answering {
    Box::pin(async move {
        let key = key(&ask)?;
        let (text, note) = (source(&ask.form), ask.form.text("note").to_owned());
        let based_on = ask.form.number("based_on").ok().flatten().unwrap_or(0);
        match save(&ask.desk, &ask.who, &key, &text, Saving { based_on, note: &note }).await {
            Ok(saved) => Answer::done(&path(&key), if saved.draft { "template_draft" } else { "template_saved" }),
            Err(AdminError::Invalid(_)) => {
                let mut open = Open::with(&ask, text, note).await?;
                open.trouble = Some(ask.t("templates.not_saved").to_owned());
                Ok(open.page(422))
            }
            Err(AdminError::Conflict(why)) => {
                let mut open = Open::with(&ask, text, note).await?;
                open.trouble = Some(ask.t(&why).to_owned());
                Ok(open.page(409))
            }
            Err(error) => Err(error),
        }
    })
}

fn preview_text(ask: Ask) -> Answering {
    Box::pin(async move {
        let text = source(&ask.form);
        if ask.htmx {
            let key = key(&ask)?;
            let looked = parts::look(&ask, &key, &text, of(&ask.form)).await?;
            return Ok(Answer::Part(parts::shown(&ask, &looked)));
        }
        let note = ask.form.text("note").to_owned();
        Ok(Open::with(&ask, text, note).await?.page(200))
    })
}

fn go_back(ask: Ask) -> Answering {
    Box::pin(async move {
        let key = key(&ask)?;
        let number = |name: &str| ask.form.number(name).map_err(|mistake| AdminError::Invalid(vec![mistake]));
        let (version, based_on) = (number("version")?, number("based_on")?.unwrap_or(0));
        let note = match version {
            Some(version) => ask.tf("templates.back_note", &[("version", &version)]),
            None => ask.t("templates.built_in_note").to_owned(),
        };
        back(&ask.desk, &ask.who, &key, version, Saving { based_on, note: &note }).await?;
        Answer::done(&path(&key), "template_back")
    })
}

fn test(ask: Ask) -> Answering {
    Box::pin(async move {
        let key = key(&ask)?;
        match trial::send(&ask.desk, &ask.who, &key, ask.form.text("to")).await {
            Ok(id) => Answer::done(&format!("{}/test/{id}", path(&key)), "template_test"),
            Err(AdminError::Invalid(_)) => {
                let mut open = Open::of(&ask).await?;
                open.mistakes = vec![Mistake::new("to", "templates.to_bad")];
                Ok(open.page(422))
            }
            Err(error) => Err(error),
        }
    })
}

fn submit(ask: Ask) -> Answering {
    Box::pin(async move {
        let key = key(&ask)?;
        match provider::submit(&ask.desk, &ask.who, &key).await {
            Ok(answered) => {
                let done = if answered.created { "template_created" } else { "template_edited" };
                Answer::done(&path(&key), done)
            }
            // What the provider says, in its own words.
            Err(AdminError::Conflict(why)) => {
                let mut open = Open::of(&ask).await?;
                open.trouble = Some(ask.tf("templates.provider_refused", &[("why", &ask.t(&why))]));
                Ok(open.page(409))
            }
            Err(error) => Err(error),
        }
    })
}

/// What a preview speaks about when nobody chose.
const SAMPLE: preview::Of = preview::Of::Sample;
