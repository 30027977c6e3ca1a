//! Owns: one rule: its policy, what it looks at, and asking it what it would say.

use maud::{Markup, html};

use super::super::ask::{Answer, Ask, Fields};
use super::form::{self, Asking};
use super::{AT, counts, in_use, name, tabs};
use crate::admin::rules::{self, Standing};
use crate::admin::{AdminError, Desk, Mistake, why};
use crate::decide::question;
use crate::decide::words::{Say, template};
use crate::domain::decision::Rule;
use crate::domain::event::FieldValue;
use crate::rules::conditions;

pub(super) async fn show(ask: &Ask) -> Result<Answer, AdminError> {
    let rule = Desk::rule(ask.param(0))?;
    let asking = form::read(ask, rule, &ask.query).await?;
    page(ask, rule, &asking).await
}

/// The question, out of the form: the answer comes below it.
pub(super) async fn asked(ask: &Ask) -> Result<Answer, AdminError> {
    let rule = Desk::rule(ask.param(0))?;
    let mut asking = form::read(ask, rule, &ask.form).await?;
    match question(ask, rule, &mut asking).await {
        Ok(fields) if asking.mistakes.is_empty() => {
            let said =
                rules::ask(&ask.desk.decider, &ask.who, (rule, &fields), ask.localizer.locale, ask.desk.now()).await;
            match said {
                Ok(said) => asking.said = Some(said),
                Err(AdminError::Invalid(mistakes)) => asking.mistakes.extend(mistakes),
                Err(other) => return Err(other),
            }
        }
        Ok(_) => {}
        Err(error) => return Err(error),
    }
    if ask.htmx {
        return Ok(Answer::Part(form::show(ask, rule, &asking)));
    }
    page(ask, rule, &asking).await
}

/// The fields of the question, as the stub would send them.
async fn question(ask: &Ask, rule: Rule, asking: &mut Asking) -> Result<question::Fields, AdminError> {
    let mut fields = question::Fields::new();
    let form: &Fields = &ask.form;
    for name in [
        "service_id",
        "domain_id",
        "client_id",
        "to_product_id",
        "to_cycle",
        "platform_price",
        "platform_discount",
        "type",
        "ticket_id",
        "requested_by",
        "email",
        "phonenumber",
        "phone_prefix",
        "country",
        "kind",
    ] {
        if let Some(text) = form.get(name) {
            fields.insert(name.to_owned(), FieldValue::Text(text.to_owned()));
        }
    }
    if rule == Rule::Ownership
        && let Some(words) = form.get("to_client_id")
    {
        match new_owner(ask, words, asking).await? {
            Some(id) => drop(fields.insert("to_client_id".to_owned(), FieldValue::Text(id.to_string()))),
            None => return Ok(fields),
        }
    }
    Ok(fields)
}

/// Whom the words mean: a number is one, whether or not such a client exists, because the rule says so.
async fn new_owner(ask: &Ask, words: &str, asking: &mut Asking) -> Result<Option<u64>, AdminError> {
    if let Some(id) = words.parse::<u64>().ok().filter(|_| words.len() < 8) {
        let others = ask.desk.billing.find_client(id).await?.into_iter().collect();
        asking.others = ask.desk.shown(&ask.who, others);
        return Ok(Some(id));
    }
    let found = ask.desk.shown(&ask.who, why::find_further(&ask.desk, words).await?.clients);
    if let [one] = found.as_slice() {
        let id = one.id.0;
        asking.others = found;
        return Ok(Some(id));
    }
    let mistake = if found.is_empty() { "rule.not_client" } else { "rule.many_clients" };
    asking.mistakes.push(Mistake::new("to_client_id", mistake));
    asking.others = found;
    Ok(None)
}

async fn page(ask: &Ask, rule: Rule, asking: &Asking) -> Result<Answer, AdminError> {
    let all = rules::all(&ask.desk.store, &ask.desk.config.rules, ask.desk.now()).await?;
    let standing = all.iter().find(|one| one.rule == rule).ok_or(AdminError::NotFound("rule"))?;
    let body = html! {
        h1 { (name(ask, rule)) " " (in_use(ask, standing)) }
        (tabs(ask, ""))
        p.soft { (ask.t(&format!("rule.{rule}_about"))) }
        section.card {
            h2 { (ask.t("rule.ask_title")) }
            p.soft { (ask.t("rule.ask_about")) }
            div id="ask" { (form::show(ask, rule, asking)) }
        }
        div.columns {
            section.card { h2 { (ask.t("rule.policy")) } (policy(ask, standing)) }
            div { section.card {
                h2 { (ask.t("rule.conditions")) }
                ul.plain { @for code in conditions(rule) { li { (condition(ask, rule, code)) } } }
            }
            section.card {
                h2 { (ask.t("rule.tab_decisions")) }
                dl.facts {
                    (counts(ask, standing))
                    dt { (ask.t("rule.what_ifs")) } dd { (ask.localizer.number(standing.counts.what_if)) }
                    dt { (ask.t("rule.version")) } dd { (standing.version) }
                }
                p { a href={ (AT) "/decisions?rule=" (rule) } { (ask.t("rule.decisions_of")) } }
            } }
        }
    };
    let title = name(ask, rule);
    if asking.mistakes.is_empty() { Answer::page(AT, title, body) } else { Answer::again(AT, title, body) }
}

fn condition(ask: &Ask, rule: Rule, code: &'static str) -> Markup {
    let text = template(ask.localizer.locale, rule, Say::Condition { code, passed: true }).unwrap_or(code);
    // Only what the sentence says without values: it holds for nobody in particular here.
    let text = text.split('{').next().unwrap_or(text);
    html! { (text) " " small { code { (code) } } }
}

/// The settings with their keys, as the configuration has them.
fn policy(ask: &Ask, standing: &Standing) -> Markup {
    let common = [
        ("enabled", standing.ask.enabled.to_string()),
        ("on_failure", standing.ask.on_failure.code().to_owned()),
        ("deadline_ms", standing.ask.deadline_ms.to_string()),
    ];
    let rule = standing.rule;
    html! {
        p.soft { code { "[rules." (rule) "]" } " · " (ask.t("rule.policy_hint")) }
        div.scroll tabindex="0" {
            table.cards {
                thead { tr {
                    th scope="col" { (ask.t("rule.setting")) }
                    th scope="col" { (ask.t("rule.value")) }
                    th scope="col" { (ask.t("rule.means")) }
                } }
                tbody {
                    @for (key, value) in common.iter().chain(&standing.policy) {
                        tr {
                            td data-label=(ask.t("rule.setting")) { code { (key) } }
                            td data-label=(ask.t("rule.value")) { b { (value) } }
                            td data-label=(ask.t("rule.means")) { (means(ask, key, value)) }
                        }
                    }
                }
            }
        }
    }
}

fn means(ask: &Ask, key: &str, value: &str) -> &'static str {
    let exact = ask.localizer.known(&format!("rule.p_{key}_{value}"));
    exact.or_else(|| ask.localizer.known(&format!("rule.p_{key}"))).unwrap_or_default()
}
