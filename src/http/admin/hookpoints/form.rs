//! Owns: the form of a hookpoint. It is shown from, and read into, the definition as JSON, so that what is incomplete can be
//! shown again as it was typed.

use maud::{Markup, html};
use serde_json::{Map, Value, json};

use super::super::ask::{Answer, Ask, Fields};
use super::super::layout::{field, language_name};
use super::reason;
use crate::admin::Mistake;
use crate::admin::hookpoints::check::{Place, Scene, Wrong};
use crate::domain::hookpoint::{Audience, Class, Right, SubjectKind};
use crate::domain::locale::Locale;
use crate::domain::reason::Reason;

/// Rows of a kind that a form may have.
const ROWS_MAX: usize = 20;
/// Reads that the stub knows by name.
const LOOKUPS: [&str; 2] = crate::catalogue::manifest::LOOKUPS;

/// Reads the form. What cannot be read is a mistake; the rest is kept.
pub fn read(form: &Fields) -> (Value, Vec<Mistake>) {
    let mut mistakes = Vec::new();
    let mut number = |name: &str| match form.number(name) {
        Ok(n) => n.map(Value::from),
        Err(mistake) => {
            mistakes.push(mistake);
            form.get(name).map(Value::from)
        }
    };
    let mut all = json!({
        "title": Locale::PAGES.map(|locale| (locale.code(), form.text(&format!("title_{}", locale.code())))).into_iter().collect::<std::collections::BTreeMap<_, _>>(),
        "introduced": form.text("introduced"),
        "enabled": form.ticked("enabled"),
        "class": form.text("class"),
        "audience": form.text("audience"),
        "subject": form.text("subject"),
        "transition": transition(form),
    });
    let members = all.as_object_mut().expect("an object");
    for name in ["expires_after_min", "settle_s", "mass_max", "client_day_max"] {
        if let Some(n) = number(name) {
            members.insert(name.to_owned(), n);
        }
    }
    let triggers: Vec<Value> = (0..ROWS_MAX).filter_map(|n| trigger(form, n)).collect();
    members.insert("on".to_owned(), Value::from(triggers));
    for name in ["when", "still"] {
        let conditions: Vec<Value> =
            (0..ROWS_MAX).filter_map(|n| condition(form, &format!("{name}{n}"), &mut number)).collect();
        if !conditions.is_empty() {
            members.insert(name.to_owned(), Value::from(conditions));
        }
    }
    for name in ["answers", "users"] {
        if let Some(value) = form.get(name) {
            members.insert(name.to_owned(), json!(value));
        }
    }
    if form.get("quiet_from").is_some() || form.get("quiet_to").is_some() {
        members.insert("quiet".to_owned(), json!({ "from": form.text("quiet_from"), "to": form.text("quiet_to") }));
    }
    for locale in Locale::PAGES {
        let name = format!("title_{}", locale.code());
        if form.get(&name).is_none() {
            mistakes.push(Mistake::new(&name, "form.needed"));
        }
    }
    if members["on"].as_array().is_none_or(Vec::is_empty) {
        mistakes.push(Mistake::new("on0_hook", "form.needed"));
    }
    if form.get("expires_after_min").is_none() {
        mistakes.push(Mistake::new("expires_after_min", "form.needed"));
    }
    (all, mistakes)
}

fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()).collect()
}

fn transition(form: &Fields) -> Value {
    let value = form.text("transition_value");
    match form.text("transition") {
        "key" => json!({ "key": value }),
        "state" => json!({ "state": { "machine": form.text("transition_machine"), "to": value } }),
        other => json!(other),
    }
}

fn trigger(form: &Fields, n: usize) -> Option<Value> {
    let name = |part: &str| format!("on{n}_{part}");
    if let Some(steps) = form.get(&name("schedule")) {
        // What is no JSON is refused with all other mistakes of the definition.
        return Some(json!({ "schedule": serde_json::from_str(steps).unwrap_or_else(|_| json!(steps)) }));
    }
    let hook = form.get(&name("hook"))?;
    let mut all =
        Map::from_iter([("hook".to_owned(), json!(hook)), ("id".to_owned(), json!(words(form.text(&name("id")))))]);
    for part in ["fields", "diff", "former"] {
        let list = form.get(&name(part)).map(words).unwrap_or_default();
        if !list.is_empty() {
            all.insert(part.to_owned(), json!(list));
        }
    }
    if let Some(names) = form.get(&name("names")) {
        all.insert("names".to_owned(), json!(names));
    }
    if form.get(&name("ours")).is_some() {
        all.insert("ours".to_owned(), json!(true));
    }
    let lookups = name("lookups");
    let lookups: Vec<&str> = form.all(&lookups).collect();
    if !lookups.is_empty() {
        all.insert("lookups".to_owned(), json!(lookups));
    }
    let only: Map<String, Value> = form
        .text(&name("only"))
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(path, values)| (path.trim().to_owned(), values.split('|').map(str::trim).collect()))
        .collect();
    if !only.is_empty() {
        all.insert("only".to_owned(), Value::Object(only));
    }
    Some(Value::Object(all))
}

fn condition(form: &Fields, row: &str, number: &mut impl FnMut(&str) -> Option<Value>) -> Option<Value> {
    let expression = form.get(&format!("{row}_if"))?;
    let mut all = json!({ "if": expression, "else": form.get(&format!("{row}_else")).unwrap_or("condition_false") });
    if let Some(wait) = number(&format!("{row}_wait")).filter(|wait| *wait != 0) {
        all["wait_s"] = wait;
    }
    if form.ticked(&format!("{row}_moves")) {
        all["moves"] = json!(true);
    }
    Some(all)
}

/// What is wrong, in the person's words.
pub fn wrong(ask: &Ask, wrong: &Wrong) -> String {
    match wrong {
        Wrong::Text(text) => format!("{} {text}", ask.t("hookpoints.no_expression")),
        Wrong::Name(name) => ask.tf("hookpoints.no_name", &[("name", name)]),
    }
}

/// Answers while somebody types: one expression, or the names that there are.
pub fn typed(ask: &Ask) -> Answer {
    let scene = scene(&ask.form);
    let which = ask.form.text("which");
    if which == "names" {
        return Answer::Part(names(ask, &scene));
    }
    let text = ask.form.text(which);
    let place = if which.starts_with("still") { Place::Still } else { Place::When };
    Answer::Part(html! {
        @if !text.is_empty() {
            @match scene.check(place, text) {
                Ok(()) => span.badge.good { (ask.t("hookpoints.expression_good")) },
                Err(error) => span.mistake { (wrong(ask, &error)) },
            }
        }
    })
}

fn scene(form: &Fields) -> Scene {
    let subject = SubjectKind::parse(form.text("subject")).unwrap_or(SubjectKind::Client);
    let mut fields: Vec<String> = Vec::new();
    for n in 0..ROWS_MAX {
        for part in ["id", "fields", "former"] {
            fields.extend(words(form.text(&format!("on{n}_{part}"))).into_iter().map(str::to_owned));
        }
        let only = format!("on{n}_only");
        fields.extend(form.text(&only).lines().filter_map(|line| Some(line.split_once('=')?.0.trim().to_owned())));
    }
    let moves = (0..ROWS_MAX).any(|n| form.get(&format!("on{n}_former")).is_some());
    Scene::with(subject, fields.into_iter(), moves)
}

/// The names that an expression may use.
pub fn names(ask: &Ask, scene: &Scene) -> Markup {
    let still = scene.names(Place::Still);
    html! {
        ul.plain {
            @for (name, example) in scene.names(Place::When) {
                li { code { (name) } " " small { (ask.t("hookpoints.for_example")) " " (example)
                    @if !still.contains_key(&name) { " · " (ask.t("hookpoints.not_in_still")) } } }
            }
        }
    }
}

/// The form's fields, without its buttons. `new`: there is no switch yet.
pub fn fields(ask: &Ask, definition: &Value, mistakes: &[Mistake], new: bool) -> Markup {
    let text = |name: &str| definition[name].as_str().unwrap_or_default().to_owned();
    let class: Vec<(String, String)> =
        Class::ALL.iter().map(|one| (one.to_string(), ask.t(&format!("class.{one}")).to_owned())).collect();
    html! {
        input type="hidden" name="introduced" value=(text("introduced"));
        section.card {
            h2 { (ask.t("hookpoints.what")) }
            @for locale in Locale::PAGES {
                @let name = format!("title_{}", locale.code());
                (field(ask, mistakes, &name, &format!("{} ({})", ask.t("hookpoints.form_title"), language_name(locale)), None, html! {
                    input id=(name) name=(name) lang=(locale.tag()) maxlength="120" required value=(definition["title"][locale.code()].as_str().unwrap_or_default());
                }))
            }
            @if !new {
                div.field.wrong[ask.mistake(mistakes, "enabled").is_some()] {
                    label.check { input type="checkbox" name="enabled" value="1" checked[definition["enabled"] != json!(false)]; (ask.t("hookpoints.is_on")) }
                    @if let Some(wrong) = ask.mistake(mistakes, "enabled") { p.mistake role="alert" { (wrong) } }
                }
            }
            div.columns {
                (field(ask, mistakes, "class", ask.t("hookpoints.class"), Some(ask.t("hookpoints.class_hint")), select("class", &class, &text("class"))))
                (field(ask, mistakes, "audience", ask.t("hookpoints.audience"), Some(ask.t("hookpoints.audience_hint")), select("audience", &audiences(ask), &text("audience"))))
                (field(ask, mistakes, "users", ask.t("hookpoints.users"), Some(ask.t("hookpoints.users_hint")), select("users", &rights(ask), &text("users"))))
                (field(ask, mistakes, "subject", ask.t("hookpoints.subject"), Some(ask.t("hookpoints.subject_hint")), subject(ask, &text("subject"))))
            }
        }
        section.card {
            h2 { (ask.t("hookpoints.hooks")) }
            (triggers(ask, definition, mistakes))
        }
        section.card {
            h2 { (ask.t("hookpoints.when")) }
            p.hint { (ask.t("hookpoints.when_hint")) }
            (rows(ask, definition, "when", mistakes))
            h2 { (ask.t("hookpoints.still")) }
            p.hint { (ask.t("hookpoints.still_hint")) }
            (rows(ask, definition, "still", mistakes))
            details { summary { (ask.t("hookpoints.names")) } div id="names" { (names(ask, &scene_of(definition))) } }
        }
        section.card { h2 { (ask.t("hookpoints.transition")) } (same(ask, definition, mistakes)) }
        section.card { h2 { (ask.t("hookpoints.times")) } (times(ask, definition, mistakes)) }
    }
}

fn scene_of(definition: &Value) -> Scene {
    let subject = definition["subject"].as_str().and_then(SubjectKind::parse).unwrap_or(SubjectKind::Client);
    let lists = |key: &'static str| {
        definition["on"].as_array().into_iter().flatten().flat_map(move |one| one[key].as_array().into_iter().flatten())
    };
    let fields = ["id", "fields", "former"].into_iter().flat_map(lists).filter_map(Value::as_str).map(str::to_owned);
    Scene::with(subject, fields, lists("former").next().is_some())
}

fn select(name: &str, options: &[(String, String)], chosen: &str) -> Markup {
    html! {
        select id=(name) name=(name) {
            @for (value, label) in options { option value=(value) selected[value == chosen] { (label) } }
        }
    }
}

fn audiences(ask: &Ask) -> Vec<(String, String)> {
    Audience::ALL.iter().map(|one| (one.to_string(), ask.t(&format!("hookpoints.audience_{one}")).to_owned())).collect()
}

/// Rights of logins, by the platform's own names.
fn rights(ask: &Ask) -> Vec<(String, String)> {
    let word = |value: &str, key: &str| (value.to_owned(), ask.t(key).to_owned());
    let named = Right::ALL.iter().map(|one| (one.to_string(), one.to_string()));
    [word("", "hookpoints.users_audience"), word("none", "hookpoints.users_none")].into_iter().chain(named).collect()
}

fn subject(ask: &Ask, chosen: &str) -> Markup {
    html! {
        select id="subject" name="subject" hx-post="/admin/hookpoints/check" hx-trigger="change" hx-target="#names" hx-vals=r#"{"which":"names"}"# {
            @for one in SubjectKind::ALL {
                option value=(one) selected[one.code() == chosen] { (ask.t(&format!("hookpoints.subject_{one}"))) }
            }
        }
    }
}

fn triggers(ask: &Ask, definition: &Value, mistakes: &[Mistake]) -> Markup {
    let none = Vec::new();
    let there = definition["on"].as_array().unwrap_or(&none);
    let subject = definition["subject"].as_str().unwrap_or_default();
    html! {
        @for n in 0..(there.len() + 1).clamp(1, ROWS_MAX) {
            @let one = there.get(n).cloned().unwrap_or_default();
            @if n > 0 && n == there.len() {
                details { summary { (ask.t("hookpoints.another_hook")) } (trigger_fields(ask, n, &one, subject, mistakes)) }
            } @else if one["schedule"].is_null() {
                (trigger_fields(ask, n, &one, subject, mistakes))
            } @else {
                (schedule_field(ask, n, &one["schedule"], mistakes))
            }
        }
    }
}

/// A trigger by date: short enough to be written as it is stored.
fn schedule_field(ask: &Ask, n: usize, steps: &Value, mistakes: &[Mistake]) -> Markup {
    let name = format!("on{n}_schedule");
    let text = steps.as_str().map_or_else(|| steps.to_string(), str::to_owned);
    let input = html! { input.mono id=(name) name=(name) value=(text) spellcheck="false" autocapitalize="off"; };
    let (label, hint) = (ask.t("hookpoints.schedule"), ask.t("hookpoints.schedule_hint"));
    html! {
        fieldset {
            legend { (ask.t("hookpoints.hook")) " " (n + 1) }
            (field(ask, mistakes, &name, label, Some(hint), input))
        }
    }
}

fn trigger_fields(ask: &Ask, n: usize, one: &Value, subject: &str, mistakes: &[Mistake]) -> Markup {
    let name = |part: &str| format!("on{n}_{part}");
    let list = |part: &str| {
        let words: Vec<&str> = one[part].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        words.join(" ")
    };
    let only: Vec<String> = one["only"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(path, values)| {
            let values: Vec<&str> = values.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            format!("{path} = {}", values.join(" | "))
        })
        .collect();
    let input = |part: &str, value: String| html! { input.mono id=(name(part)) name=(name(part)) value=(value) spellcheck="false" autocapitalize="off"; };
    let line = |part: &str, value: String| {
        let hint = format!("hookpoints.{part}_hint");
        let label = format!("hookpoints.{part}");
        field(ask, mistakes, &name(part), ask.t(&label), ask.localizer.known(&hint), input(part, value))
    };
    let other = one["names"].as_str().unwrap_or_default();
    html! {
        fieldset {
            legend { (ask.t("hookpoints.hook")) " " (n + 1) }
            @if one["ours"] == json!(true) { input type="hidden" name=(name("ours")) value="1"; }
            (line("hook", one["hook"].as_str().unwrap_or_default().to_owned()))
            (line("id", list("id")))
            (line("fields", list("fields")))
            details open[!only.is_empty() || !other.is_empty() || one["diff"].is_array() || one["lookups"].is_array() || one["former"].is_array()] {
                summary { (ask.t("hookpoints.more")) }
                (field(ask, mistakes, &name("names"), ask.t("hookpoints.names_row"), Some(ask.t("hookpoints.names_row_hint")), html! {
                    select id=(name("names")) name=(name("names")) {
                        option value="" selected[other.is_empty() || other == subject] { (ask.t("hookpoints.the_subject")) }
                        @for kind in SubjectKind::ALL {
                            option value=(kind) selected[kind.code() == other && other != subject] { (ask.t(&format!("hookpoints.subject_{kind}"))) }
                        }
                    }
                }))
                (line("diff", list("diff")))
                (line("former", list("former")))
                (field(ask, mistakes, &name("only"), ask.t("hookpoints.only"), Some(ask.t("hookpoints.only_hint")), html! {
                    textarea.code id=(name("only")) name=(name("only")) rows="2" spellcheck="false" { (only.join("\n")) }
                }))
                p { (ask.t("hookpoints.lookups")) }
                @for lookup in LOOKUPS {
                    label.check {
                        input type="checkbox" name=(name("lookups")) value=(lookup) checked[one["lookups"].as_array().is_some_and(|all| all.contains(&json!(lookup)))];
                        (ask.t(&format!("hookpoints.lookup_{lookup}")))
                    }
                }
            }
        }
    }
}

fn rows(ask: &Ask, definition: &Value, kind: &str, mistakes: &[Mistake]) -> Markup {
    let none = Vec::new();
    let there = definition[kind].as_array().unwrap_or(&none);
    html! {
        @for n in 0..(there.len() + 1).min(ROWS_MAX) {
            @let one = there.get(n).cloned().unwrap_or_default();
            @let row = format!("{kind}{n}");
            fieldset {
                legend { (ask.t("hookpoints.condition")) " " (n + 1) @if n == there.len() { " " small { (ask.t("hookpoints.condition_empty")) } } }
                (expression(ask, mistakes, &format!("{row}_if"), ask.t("hookpoints.if"), one["if"].as_str().unwrap_or_default()))
                div.columns {
                    @let name = format!("{row}_else");
                    (field(ask, mistakes, &name, ask.t("hookpoints.otherwise"), None, html! {
                        select id=(name) name=(name) {
                            @for code in Reason::ALL { option value=(code) selected[one["else"].as_str().unwrap_or("condition_false") == code.code()] { (reason(ask, code.code())) } }
                        }
                    }))
                    @let name = format!("{row}_wait");
                    (field(ask, mistakes, &name, ask.t("hookpoints.wait"), Some(ask.t("hookpoints.wait_hint")), html! {
                        input id=(name) name=(name) inputmode="numeric" value=(plain(&one["wait_s"]));
                    }))
                }
                @if kind == "when" {
                    label.check { input type="checkbox" name={ (row) "_moves" } value="1" checked[one["moves"] == json!(true)]; (ask.t("hookpoints.moves")) }
                }
            }
        }
    }
}

/// A field of an expression, checked while it is typed.
fn expression(ask: &Ask, mistakes: &[Mistake], name: &str, label: &str, value: &str) -> Markup {
    html! {
        (field(ask, mistakes, name, label, None, html! {
            input.mono id=(name) name=(name) value=(value) maxlength="1000" spellcheck="false" autocapitalize="off" aria-describedby={ (name) "-check" }
                hx-post="/admin/hookpoints/check" hx-trigger="input changed delay:400ms" hx-target={ "#" (name) "-check" } hx-vals=(json!({ "which": name }));
        }))
        p id={ (name) "-check" } role="status" {}
    }
}

fn same(ask: &Ask, definition: &Value, mistakes: &[Mistake]) -> Markup {
    let transition = &definition["transition"];
    let (kind, value, machine) = match transition {
        Value::Object(all) if all.contains_key("key") => ("key", &transition["key"], &Value::Null),
        Value::Object(_) => ("state", &transition["state"]["to"], &transition["state"]["machine"]),
        other => (other.as_str().unwrap_or("once"), &Value::Null, &Value::Null),
    };
    html! {
        p.hint { (ask.t("hookpoints.transition_hint")) }
        @for one in ["once", "request", "key", "state"] {
            p { label.check { input type="radio" name="transition" value=(one) checked[one == kind]; (ask.t(&format!("hookpoints.transition_{one}"))) } }
        }
        (expression(ask, mistakes, "transition_value", ask.t("hookpoints.transition_value"), value.as_str().unwrap_or_default()))
        (field(ask, mistakes, "transition_machine", ask.t("hookpoints.transition_machine"), Some(ask.t("hookpoints.transition_machine_hint")), html! {
            input.mono id="transition_machine" name="transition_machine" maxlength="64" value=(machine.as_str().unwrap_or_default());
        }))
        (field(ask, mistakes, "answers", ask.t("hookpoints.answers"), Some(ask.t("hookpoints.answers_hint")), html! {
            input.mono id="answers" name="answers" maxlength="64" value=(definition["answers"].as_str().unwrap_or_default());
        }))
    }
}

fn times(ask: &Ask, definition: &Value, mistakes: &[Mistake]) -> Markup {
    let clock = |name: &str, part: &str| {
        let value = definition["quiet"][part].as_str().unwrap_or_default().to_owned();
        let (label, hint) = (format!("hookpoints.{name}"), format!("hookpoints.{name}_hint"));
        field(
            ask,
            mistakes,
            name,
            ask.t(&label),
            ask.localizer.known(&hint),
            html! { input id=(name) name=(name) type="time" value=(value); },
        )
    };
    let number = |name: &str, label: &str| {
        let hint = format!("{label}_hint");
        field(
            ask,
            mistakes,
            name,
            ask.t(label),
            ask.localizer.known(&hint),
            html! {
                input id=(name) name=(name) inputmode="numeric" value=(plain(&definition[name]));
            },
        )
    };
    html! {
        div.columns { (clock("quiet_from", "from")) (clock("quiet_to", "to")) (number("expires_after_min", "hookpoints.expires_min")) }
        div.columns { (number("settle_s", "hookpoints.settle_s")) (number("mass_max", "hookpoints.mass_max")) (number("client_day_max", "hookpoints.client_day_max")) }
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(n) => n.to_string(),
        _ => String::new(),
    }
}
