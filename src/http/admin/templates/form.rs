//! Owns: the form of a text, read.

use crate::admin::Mistake;
use crate::admin::templates::preview::Of;
use crate::http::admin::ask::Fields;
use crate::render::template::{ButtonSource, Source};

/// The text that somebody typed.
pub fn source(form: &Fields) -> Source {
    let line = |name: &str| form.text(name).to_owned();
    // Browsers send line breaks as CR LF.
    let body = form.raw("body").unwrap_or_default().replace("\r\n", "\n").replace('\r', "\n").trim().to_owned();
    let button = ButtonSource { text: line("button_text"), path: line("button_path"), value: value(form) };
    let none = button == ButtonSource::default();
    Source {
        name: line("name"),
        named: form.ticked("named"),
        body,
        footer: form.get("footer").map(str::to_owned),
        button: (!none).then_some(button),
    }
}

/// People write the button's value as they write those of the body.
fn value(form: &Fields) -> Option<String> {
    let text = form.get("button_value")?;
    let bare = text.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}")).unwrap_or(text).trim();
    (!bare.is_empty()).then(|| bare.to_owned())
}

/// What the preview is to speak about.
pub fn of(form: &Fields) -> Result<Of, Mistake> {
    let number = || match form.number("record") {
        Ok(Some(id)) => Ok(id),
        Ok(None) => Err(Mistake::new("record", "form.needed")),
        Err(mistake) => Err(mistake),
    };
    Ok(match form.text("record_of") {
        "newest" => Of::Newest,
        "record" => Of::Record(number()?),
        "client" => Of::Client(number()?),
        _ => Of::Sample,
    })
}
