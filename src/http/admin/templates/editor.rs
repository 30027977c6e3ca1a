//! Owns: the page of one text: the form, the phone, the provider's side, who reads it, a test, its versions.

use std::sync::Arc;

use jiff::Timestamp;
use maud::{Markup, html};

use super::parts::{self, Looked, look, say};
use super::{AT, SAMPLE, form, key, list, path};
use crate::admin::difference::difference;
use crate::admin::templates::provider::{AtProvider, at_provider, creation};
use crate::admin::templates::versions::{Step, steps};
use crate::admin::templates::{Key, Origin, Text, one, variables};
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;
use crate::domain::hookpoint::Hookpoint;
use crate::domain::locale::Locale;
use crate::http::admin::ask::{Answer, Ask};
use crate::http::admin::layout::{self, Tone, badge, field};
use crate::render::sample::Variable;
use crate::render::template::{Source, Template};

/// Longest body and footer that the form takes, in characters: the provider's limits.
const BODY_MAX: &str = "1024";
const FOOTER_MAX: &str = "60";
const BUTTON_MAX: &str = "25";
/// Longest note, in characters.
const NOTE_MAX: &str = "300";

/// Everything that the page shows.
pub struct Open<'a> {
    ask: &'a Ask,
    key: Key,
    hookpoint: Hookpoint,
    text: Text,
    /// What the form holds: what is in force, or what somebody typed.
    source: Source,
    note: String,
    looked: Looked,
    variables: Vec<Variable>,
    at_provider: Arc<(Timestamp, AtProvider)>,
    steps: Vec<Step>,
    /// The call that makes the text in force at the provider.
    json: String,
    pub mistakes: Vec<Mistake>,
    /// Why something was not done.
    pub trouble: Option<String>,
}

impl<'a> Open<'a> {
    /// The page with what is in force.
    pub async fn of(ask: &'a Ask) -> Result<Self, AdminError> {
        let (_, text) = one(&ask.desk, &key(ask)?).await?;
        let name = text.key.alert.to_string();
        let source = text.draft().or(text.source).unwrap_or_else(|| Source { name, ..Source::default() });
        Self::open(ask, source, String::new(), false).await
    }

    /// The page with what somebody typed.
    pub async fn with(ask: &'a Ask, source: Source, note: String) -> Result<Self, AdminError> {
        Self::open(ask, source, note, true).await
    }

    async fn open(ask: &'a Ask, source: Source, note: String, typed: bool) -> Result<Self, AdminError> {
        let key = key(ask)?;
        let (hookpoint, text) = one(&ask.desk, &key).await?;
        let of = if typed { form::of(&ask.form) } else { Ok(SAMPLE) };
        let looked = look(ask, &key, &source, of).await?;
        let mistakes = if typed {
            let bad = looked.findings.iter().filter(|finding| finding.blocks);
            bad.map(|finding| Mistake::new(finding.field, say(ask, finding))).collect()
        } else {
            Vec::new()
        };
        let json = match &text.draft().or_else(|| text.source.clone()) {
            Some(source) => creation(&ask.desk, &key, source).await.ok(),
            None => None,
        };
        Ok(Self {
            json: json.and_then(|json| serde_json::to_string_pretty(&json).ok()).unwrap_or_default(),
            variables: variables(&ask.desk, &hookpoint, key.locale).await?,
            at_provider: at_provider(&ask.desk).await,
            steps: steps(&ask.desk, &key).await?,
            ask,
            key,
            hookpoint,
            text,
            source,
            note,
            looked,
            mistakes,
            trouble: None,
        })
    }

    /// The answer.
    pub fn page(self, status: u16) -> Answer {
        let ask = self.ask;
        let title = list::title(ask, &self.hookpoint);
        let provider = self.provider();
        let body = html! {
            p { a href=(AT) { "‹ " (ask.t("menu.templates")) } }
            h1 { (title) }
            (self.languages())
            @if let Some(trouble) = &self.trouble { p.notice.bad role="alert" { (trouble) } }
            div.columns {
                section.card { h2 { (ask.t("templates.text")) } (self.form()) }
                div.beside {
                    section.card {
                        h2 { (ask.t("templates.preview")) }
                        div id="shown" aria-live="polite" { (parts::shown(ask, &self.looked)) }
                    }
                    section.card { h2 { (ask.t("templates.reach")) } (self.reach()) }
                }
            }
            div.columns {
                section.card { h2 { (ask.t("templates.at_provider")) } (provider) }
                @if ask.may(Role::Operator) {
                    section.card id="test" { h2 { (ask.t("templates.test")) } (self.test()) }
                }
            }
            section.card { h2 { (ask.t("templates.versions")) } (self.versions()) }
        };
        Answer::Page(crate::http::admin::ask::View { title, at: AT, status, body })
    }

    fn languages(&self) -> Markup {
        let ask = self.ask;
        html! {
            nav.line aria-label=(ask.t("templates.languages")) {
                @for locale in Locale::ALL {
                    @let other = Key { alert: self.key.alert.clone(), locale };
                    a.button href=(path(&other)) lang=(locale.tag()) aria-current=[(locale == self.key.locale).then_some("page")] {
                        (layout::language_name(locale))
                    }
                }
                (badge(Tone::Plain, ask.t(&format!("templates.origin_{}", self.text.origin.code()))))
                code { (self.key.alert) }
                @if !self.hookpoint.enabled { (badge(Tone::Plain, ask.t("templates.off"))) }
            }
        }
    }

    fn form(&self) -> Markup {
        let (ask, source) = (self.ask, &self.source);
        let reads = (!ask.may(Role::Administrator)).then_some("readonly");
        let line = |name: &str, value: &str, max: Option<&str>| {
            html! { input id=(name) name=(name) value=(value) readonly[reads.is_some()] maxlength=[max] autocomplete="off"; }
        };
        let row = |name: &str, value: &str, max: Option<&str>, hint: bool| {
            let hint = hint.then(|| format!("templates.{name}_hint"));
            let hint = hint.as_deref().map(|key| ask.t(key).to_owned());
            let label = format!("templates.{name}");
            field(ask, &self.mistakes, name, ask.t(&label), hint.as_deref(), line(name, value, max))
        };
        let button = source.button.clone().unwrap_or_default();
        let preview = format!("{}/preview", path(&self.key));
        ask.form_to(
            &path(&self.key),
            html! {
                input type="hidden" name="based_on" value=(self.text.based_on());
                div hx-post=(preview) hx-trigger="input delay:500ms" hx-target="#shown" hx-include="closest form" hx-sync="this:replace" {
                    (field(ask, &self.mistakes, "body", ask.t("templates.body"), Some(ask.t("templates.body_hint")), html! {
                        textarea id="body" name="body" rows="8" readonly[reads.is_some()] maxlength=(BODY_MAX) lang=(self.key.locale.tag()) { (source.body) }
                    }))
                    (self.variables())
                    (row("footer", source.footer.as_deref().unwrap_or_default(), Some(FOOTER_MAX), true))
                    fieldset {
                        legend { (ask.t("templates.button")) }
                        (row("button_text", &button.text, Some(BUTTON_MAX), false))
                        (row("button_path", &button.path, None, true))
                        (row("button_value", button.value.as_deref().unwrap_or_default(), None, true))
                    }
                    (row("name", &source.name, Some("128"), true))
                    label.check {
                        input type="checkbox" name="named" value="1" checked[source.named] disabled[reads.is_some()];
                        (ask.t("templates.named"))
                    }
                    (self.record())
                }
                @if reads.is_none() {
                    (row("note", &self.note, Some(NOTE_MAX), true))
                    div.line {
                        button.main type="submit" { (ask.t("form.save")) }
                        button type="submit" formaction=(preview) { (ask.t("templates.look")) }
                        a href=(path(&self.key)) { (ask.t("form.cancel")) }
                    }
                } @else {
                    button type="submit" formaction=(preview) { (ask.t("templates.look")) }
                }
            },
        )
    }

    fn variables(&self) -> Markup {
        let ask = self.ask;
        let insert = ask.may(Role::Administrator);
        html! {
            details.field open {
                summary { (ask.t("templates.variables")) }
                p.hint { (ask.t(if insert { "templates.variables_hint" } else { "templates.variables_read" })) }
                ul.chips {
                    @for one in &self.variables {
                        li {
                            @if insert {
                                button.chip type="button" data-insert={ "{{ " (one.path) " }}" } data-into="body" title=(one.example) { (one.path) }
                            } @else { code title=(one.example) { (one.path) } }
                            " " small { (one.example) }
                        }
                    }
                }
            }
        }
    }

    /// What the preview speaks about.
    fn record(&self) -> Markup {
        let ask = self.ask;
        let chosen = ask.form.get("record_of").unwrap_or("sample");
        let wrong = ask.mistake(&self.mistakes, "record");
        html! {
            fieldset {
                legend { (ask.t("templates.record_of")) }
                div.search {
                    div.field {
                        label for="record_of" { (ask.t("templates.record_what")) }
                        select id="record_of" name="record_of" {
                            @for one in ["sample", "newest", "record", "client"] {
                                option value=(one) selected[one == chosen] { (ask.t(&format!("templates.record_{one}"))) }
                            }
                        }
                    }
                    div.field.wrong[wrong.is_some()] {
                        label for="record" { (ask.t("templates.record_id")) }
                        input id="record" name="record" inputmode="numeric" value=(ask.form.text("record"));
                        @if let Some(wrong) = wrong { p.mistake role="alert" { (wrong) } }
                    }
                }
            }
        }
    }

    fn reach(&self) -> Markup {
        let address = format!("{}/reach", path(&self.key));
        html! {
            p { (self.ask.t("templates.reach_intro")) }
            div hx-get=(address) hx-trigger="load" hx-swap="innerHTML" aria-live="polite" {
                a href=(address) { (self.ask.t("templates.reach_count")) }
            }
        }
    }

    /// The provider's side, compared with what is in force here.
    fn provider(&self) -> Markup {
        let (ask, at) = (self.ask, &self.at_provider.1);
        // What is to be there: a draft before the text in force.
        let wanted = self.text.draft().or_else(|| self.text.source.clone());
        let Some(source) = &wanted else {
            return html! { p { (ask.t("templates.save_first")) } };
        };
        let known = at.known(&source.name, self.key.locale);
        let template = Template::of(source.clone()).ok();
        let ours = template.as_ref().map(Template::provider_body).unwrap_or_default();
        let same = known
            .zip(template.as_ref())
            .is_some_and(|(known, template)| !crate::admin::templates::check::differs(template, known));
        html! {
            (list::asked(ask, self.at_provider.0, at, &path(&self.key)))
            p { code { (source.name) } " · " (self.key.locale.code()) " " @if at.error.is_none() { (parts::state_badge(ask, known)) } }
            @if let Some(known) = known {
                @if same {
                    div.bubble { (known.body) @if let Some(footer) = &known.footer { footer { (footer) } } }
                    p.hint { (ask.t("templates.same")) }
                } @else {
                    p.notice.waiting { (ask.t("templates.found_wording_differs")) }
                    (layout::difference(ask, &difference(
                        &whole(&known.body, known.footer.as_deref(), known.button.as_ref().map(|(text, _)| text.as_str())),
                        &whole(&ours, source.footer.as_deref(), source.button.as_ref().map(|one| one.text.as_str())),
                    )))
                    p.hint { (ask.t("templates.difference_hint")) }
                }
            }
            @if ask.may(Role::Administrator) && !same && at.error.is_none() {
                p.hint { (ask.t(if known.is_some() { "templates.edit_hint" } else { "templates.create_hint" })) }
                (ask.form_to(&format!("{}/provider", path(&self.key)), html! {
                    button type="submit" data-ask=(ask.t("templates.submit_ask")) {
                        (ask.t(if known.is_some() { "templates.edit" } else { "templates.create" }))
                    }
                }))
            }
            details {
                summary { (ask.t("templates.json")) }
                pre.diff { (self.json) }
                button type="button" data-copy=(self.json) { (ask.t("templates.copy")) }
            }
        }
    }

    fn test(&self) -> Markup {
        let ask = self.ask;
        if self.text.source.is_none() {
            return html! { p { (ask.t("templates.save_first")) } };
        }
        html! {
            p { (ask.t("templates.test_intro")) }
            (ask.form_to(&format!("{}/test", path(&self.key)), html! {
                (field(ask, &self.mistakes, "to", ask.t("templates.to"), Some(ask.t("templates.to_hint")), html! {
                    input id="to" name="to" type="tel" autocomplete="tel" required maxlength="40";
                }))
                button type="submit" { (ask.t("templates.test_send")) }
            }))
        }
    }

    fn versions(&self) -> Markup {
        let ask = self.ask;
        let may = ask.may(Role::Administrator);
        let back = |version: Option<u64>, label: &str| {
            ask.form_to(
                &format!("{}/back", path(&self.key)),
                html! {
                    input type="hidden" name="based_on" value=(self.text.based_on());
                    @if let Some(version) = version { input type="hidden" name="version" value=(version); }
                    button type="submit" data-ask=(ask.t("templates.back_ask")) { (label) }
                },
            )
        };
        html! {
            @if self.steps.is_empty() { (layout::nothing(ask.t("templates.no_versions"))) }
            ol.plain {
                @for (n, step) in self.steps.iter().enumerate() {
                    @let version = &step.version;
                    li {
                        div.spread {
                            span {
                                strong { (ask.tf("templates.version", &[("n", &version.id)])) } " · "
                                (ask.time(version.at)) " · " (version.who)
                                @if n == 0 { " " (badge(Tone::Good, ask.t("templates.in_force"))) }
                                @if version.content.is_none() { " " (badge(Tone::Plain, ask.t("templates.origin_built_in"))) }
                                @if !version.note.is_empty() { br; (version.note) }
                            }
                            @if may && n > 0 && version.content.is_some() {
                                (back(Some(version.id), &ask.tf("templates.back_to", &[("n", &version.id)])))
                            }
                        }
                        details { summary { (ask.t("templates.changes")) } (layout::difference(ask, &step.difference)) }
                    }
                }
            }
            @if may && self.text.origin == Origin::Saved && self.hookpoint_is_built_in() {
                (back(None, ask.t("templates.back_to_built_in")))
            }
        }
    }

    fn hookpoint_is_built_in(&self) -> bool {
        crate::render::Templates::built_in().is_ok_and(|all| all.get(&self.key.alert, self.key.locale).is_some())
    }
}

/// What recipients read, as lines.
fn whole(body: &str, footer: Option<&str>, button: Option<&str>) -> String {
    let lines: Vec<&str> = [Some(body.trim()), footer, button].into_iter().flatten().collect();
    lines.join("\n") + "\n"
}
