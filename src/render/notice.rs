//! Owns: the provider's text of notices to the staff's phones: one variable, since the sentences are another matter each time.
//!
//! Meta: a text may not begin or end with a variable, and may have 1,024 characters when it is filled.

use super::clean;
use crate::domain::locale::Locale;
use crate::domain::message::{Parameters, TemplateCall};

/// Its name at the provider.
pub const NAME: &str = "hookbridge_notice";
/// Characters of the variable at most.
pub const LINE_CHARS_MAX: usize = 600;
/// What the provider's review is shown as an example.
pub const EXAMPLE: &str = "1 need: sending number main is stopped";

/// The text as the provider stores it.
#[must_use]
pub const fn body(locale: Locale) -> &'static str {
    match locale {
        Locale::EsAr | Locale::Es => {
            "Aviso de hookbridge al equipo: {{1}}. El detalle está en la página de administración, en Requiere atención."
        }
        Locale::En => {
            "Notice of hookbridge to the team: {{1}}. The details are on the administration page, under Needs attention."
        }
        Locale::PtBr => {
            "Aviso do hookbridge à equipe: {{1}}. Os detalhes estão na página de administração, em Requer atenção."
        }
    }
}

/// The text filled with `line`: for the provider, and as a phone shows it.
#[must_use]
pub fn call(locale: Locale, line: &str) -> (TemplateCall, String) {
    let line = clean::parameter(line.trim_end_matches(['.', ' ']), LINE_CHARS_MAX);
    let text = body(locale).replace("{{1}}", &line);
    let call = TemplateCall {
        name: NAME.to_owned(),
        language: locale.code().to_owned(),
        parameters: Parameters::Positional(vec![line]),
        button: None,
    };
    (call, text)
}
