//! Owns: exceptions: those in force and past ones, making one, ending one.

use maud::{Markup, html};

use super::super::ask::{Answer, Ask};
use super::super::layout::{Tone, badge, field, nothing, older};
use super::{AT, about, choice, name, tabs};
use crate::admin::exceptions::{self, DAYS, WHY_MAX, Wish};
use crate::admin::wish::{PAGE_ROWS, moment};
use crate::admin::{AdminError, Mistake};
use crate::domain::admin::Role;
use crate::domain::decision::Rule;
use crate::domain::hookpoint::{Subject, SubjectKind};
use crate::store::exception::{Filter, Override, Standing};

const HERE: &str = "/admin/rules/overrides";
/// What an exception can be for.
const KINDS: [SubjectKind; 3] = [SubjectKind::Service, SubjectKind::Domain, SubjectKind::Client];

pub(super) async fn list(ask: &Ask) -> Result<Answer, AdminError> {
    let in_force = match ask.query.get("standing") {
        None => None,
        Some("in_force") => Some(true),
        Some("past") => Some(false),
        Some(_) => return Err(AdminError::invalid("standing", "form.unknown")),
    };
    let before = ask.query.number("before").map_err(|mistake| AdminError::Invalid(vec![mistake]))?;
    let filter = Filter { in_force, before, limit: PAGE_ROWS };
    let (all, next) = exceptions::list(&ask.desk.store, &filter, ask.desk.now()).await?;
    let next = next.map(|number| number.to_string());
    let title = ask.t("rule.overrides");
    let standings = ["in_force", "past"].map(|code| (code, format!("rule.only_{code}")));
    let standings = standings.iter().map(|(code, word)| (*code, ask.t(word).to_owned()));
    let body = html! {
        h1 { (title) }
        (tabs(ask, HERE))
        p.soft { (ask.t("rule.overrides_about")) }
        form.search method="get" action=(HERE) {
            (field(ask, &[], "standing", ask.t("rule.standing"), None,
                choice(ask, "standing", ask.query.get("standing"), Some("form.all"), standings)))
            button type="submit" { (ask.t("form.search")) }
            @if ask.may(Role::Administrator) { a.button.main href={ (HERE) "/new" } { (ask.t("rule.new_override")) } }
        }
        @if all.is_empty() { (nothing(ask.t("rule.overrides_none"))) } @else { (table(ask, &all)) }
        (older(ask, HERE, next.as_deref()))
    };
    Answer::page(AT, title, body)
}

fn table(ask: &Ask, all: &[Override]) -> Markup {
    let may = ask.may(Role::Administrator);
    html! {
        div.scroll tabindex="0" {
            table.cards {
                thead { tr {
                    @for key in ["rule.made", "rule.rule", "rule.subject", "rule.why", "rule.until", "rule.standing"] {
                        th scope="col" { (ask.t(key)) }
                    }
                    @if may { th scope="col" { (ask.t("rule.end")) } }
                } }
                tbody { @for one in all { (row(ask, one, may)) } }
            }
        }
    }
}

fn row(ask: &Ask, one: &Override, may: bool) -> Markup {
    let standing = one.standing(ask.desk.now());
    let tone = if standing == Standing::InForce { Tone::Waiting } else { Tone::Plain };
    html! {
        tr {
            td data-label=(ask.t("rule.made")) { span { (ask.time(one.made_at)) br; small { bdi { (one.who) } } } }
            td data-label=(ask.t("rule.rule")) { (name(ask, one.rule)) }
            td data-label=(ask.t("rule.subject")) { (about(ask, Some(one.subject))) }
            td.long data-label=(ask.t("rule.why")) { bdi { (one.why) } }
            td data-label=(ask.t("rule.until")) { (ask.time(one.until_at)) }
            td data-label=(ask.t("rule.standing")) {
                span {
                    (badge(tone, ask.t(&format!("rule.standing_{standing}"))))
                    @if let (Some(who), Some(at)) = (&one.ended_by, one.ended_at) {
                        br; small { bdi { (ask.tf("rule.ended_by", &[("who", who)])) } " · " (ask.time(at)) }
                    }
                }
            }
            @if may {
                td data-label=(ask.t("rule.end")) {
                    @if standing == Standing::InForce {
                        (ask.form_to(&format!("{HERE}/{}/end", one.id), html! {
                            button.danger type="submit" data-ask=(ask.t("rule.end_ask")) {
                                (ask.t("rule.end")) span.hidden { ": " (name(ask, one.rule)) ", " (about(ask, Some(one.subject))) }
                            }
                        }))
                    } @else { "–" }
                }
            }
        }
    }
}

pub(super) fn new(ask: &Ask) -> Result<Answer, AdminError> {
    form(ask, &[])
}

fn form(ask: &Ask, mistakes: &[Mistake]) -> Result<Answer, AdminError> {
    // What was typed, or what the page before suggests.
    let given = |name: &str| ask.form.get(name).or_else(|| ask.query.get(name)).unwrap_or_default().to_owned();
    let (rule, kind) = (given("rule"), given("kind"));
    let rules = Rule::ALL.iter().map(|rule| (rule.code(), name(ask, *rule).to_owned()));
    let kinds = KINDS.map(|kind| (kind.code(), ask.t(&format!("rule.k_{kind}")).to_owned()));
    let until = match given("until") {
        text if text.is_empty() && mistakes.is_empty() => default_day(ask),
        text => text,
    };
    let body = html! {
        h1 { (ask.t("rule.new_override")) }
        (tabs(ask, ""))
        p.soft { (ask.t("rule.new_about")) }
        section.card.narrow {
            (ask.form_to(HERE, html! {
                (field(ask, mistakes, "rule", ask.t("rule.rule"), None, choice(ask, "rule", Some(&rule), None, rules)))
                (field(ask, mistakes, "kind", ask.t("rule.kind_of"), None, choice(ask, "kind", Some(&kind), None, kinds.into_iter())))
                (field(ask, mistakes, "number", ask.t("rule.number"), Some(ask.t("rule.subject_hint")), html! {
                    input id="number" name="number" inputmode="numeric" required maxlength="20" value=(given("number"))
                        aria-describedby="number-hint";
                }))
                (field(ask, mistakes, "until", ask.t("rule.until"), Some(ask.t("rule.until_hint")), html! {
                    input id="until" name="until" type="date" required value=(until) aria-describedby="until-hint";
                }))
                (field(ask, mistakes, "why", ask.t("rule.why"), Some(ask.t("rule.why_hint")), html! {
                    textarea id="why" name="why" required maxlength=(WHY_MAX) aria-describedby="why-hint" { (given("why")) }
                }))
                div.line {
                    button.main type="submit" data-ask=(ask.t("rule.make_ask")) { (ask.t("rule.make")) }
                    a.button href=(HERE) { (ask.t("form.cancel")) }
                }
            }))
        }
    };
    let title = ask.t("rule.new_override");
    if mistakes.is_empty() { Answer::page(AT, title, body) } else { Answer::again(AT, title, body) }
}

fn default_day(ask: &Ask) -> String {
    let later = ask.desk.now() + jiff::SignedDuration::from_hours(24 * i64::from(DAYS));
    later.to_zoned(ask.desk.zone()).date().to_string()
}

pub(super) async fn make(ask: &Ask) -> Result<Answer, AdminError> {
    let id = ask.form.number("number");
    let kind = SubjectKind::parse(ask.form.text("kind"));
    let wish = Wish {
        rule: Rule::parse(ask.form.text("rule")),
        subject: kind.zip(id.ok().flatten()).map(|(kind, id)| Subject { kind, id }),
        why: ask.form.text("why").to_owned(),
        until: moment(ask.form.text("until"), &ask.desk.zone(), true),
    };
    match exceptions::make(&ask.desk.store, &ask.desk.billing, &ask.who, &wish, ask.desk.now()).await {
        Ok(_) => Answer::done(HERE, "override_made"),
        Err(AdminError::Invalid(mistakes)) => {
            // The page asks for the subject in two fields.
            let at = |one: &Mistake| match (one.field.as_str(), one.text.as_str()) {
                ("subject", "rule.subject_kind") => "kind".to_owned(),
                ("subject", _) => "number".to_owned(),
                (field, _) => field.to_owned(),
            };
            let mistakes: Vec<Mistake> = mistakes.iter().map(|one| Mistake::new(&at(one), one.text.clone())).collect();
            form(ask, &mistakes)
        }
        Err(other) => Err(other),
    }
}

pub(super) async fn end(ask: &Ask) -> Result<Answer, AdminError> {
    let number = ask.param(0).parse().map_err(|_| AdminError::NotFound("exception"))?;
    exceptions::end(&ask.desk.store, &ask.who, number, ask.desk.now()).await?;
    Answer::done(HERE, "override_ended")
}
