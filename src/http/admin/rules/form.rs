//! Owns: the form of a question to a rule: first whose and about what, then what that rule needs to know.

use maud::{Markup, html};

use super::super::ask::{Ask, Fields};
use super::super::layout::{field, nothing};
use super::{AT, choice, facts, verdict};
use crate::admin::rules::{self, WhatIf};
use crate::admin::{AdminError, Mistake, why};
use crate::billing::belongings::{Belongings, LISTED_MAX, Targets};
use crate::billing::find::Candidate;
use crate::domain::case::{Cycle, Hosted, Plan};
use crate::domain::decision::Rule;
use crate::domain::hookpoint::{Subject, SubjectKind};
use crate::domain::money::Currency;

/// How far the question is filled in.
#[derive(Debug, Default)]
pub(super) struct Asking {
    /// What was typed.
    fields: Fields,
    client: Option<u64>,
    subject: Option<Subject>,
    /// Whose the subject is, or who was chosen.
    person: Option<Candidate>,
    /// Who may be meant.
    found: Vec<Candidate>,
    belongings: Option<Belongings>,
    targets: Option<Targets>,
    pub(super) mistakes: Vec<Mistake>,
    /// Who is, or may be, meant as the new owner.
    pub(super) others: Vec<Candidate>,
    pub(super) said: Option<WhatIf>,
}

/// Reads how far it is filled in, and what there is to choose from next.
pub(super) async fn read(ask: &Ask, rule: Rule, fields: &Fields) -> Result<Asking, AdminError> {
    let (billing, now) = (&ask.desk.billing, ask.desk.now());
    let mut asking = Asking { fields: fields.clone(), ..Asking::default() };
    if rule == Rule::Identity {
        return Ok(asking);
    }
    let mut number = |short: &str, long: &str| {
        if let (Ok(a), Ok(b)) = (fields.number(short), fields.number(long)) {
            a.or(b)
        } else {
            asking.mistakes.push(Mistake::new("who", "form.not_a_number"));
            None
        }
    };
    let service = number("service", "service_id").map(|id| Subject { kind: SubjectKind::Service, id });
    let domain = number("domain", "domain_id").map(|id| Subject { kind: SubjectKind::Domain, id });
    let client = number("client", "client_id");
    asking.subject = service.or(domain.filter(|_| rule == Rule::Cancellation));
    asking.client = client;
    if let (None, None, Some(words)) = (client, asking.subject, fields.get("who")) {
        asking.found = ask.desk.shown(&ask.who, why::find_further(&ask.desk, words).await?.clients);
        match asking.found.as_slice() {
            [one] => asking.client = Some(one.id.0),
            [] => asking.mistakes.push(Mistake::new("who", "rule.nobody")),
            _ => {}
        }
    }
    if let Some(subject) = asking.subject {
        let owner = billing.owner_of(subject).await?.ok_or(AdminError::NotFound("subject"))?;
        let client = *asking.client.get_or_insert(owner.0);
        let person = billing.find_client(client).await?.into_iter().collect();
        asking.person = ask.desk.shown(&ask.who, person).pop();
        if rule == Rule::Upgrade {
            asking.targets = Some(rules::targets(billing, subject.id, now).await?);
        }
    } else if let Some(client) = asking.client {
        match rules::belongings(billing, client, now).await {
            Ok(all) => asking.belongings = Some(all),
            Err(AdminError::NotFound(_)) => asking.mistakes.push(Mistake::new("who", "rule.nobody")),
            Err(other) => return Err(other),
        }
    }
    Ok(asking)
}

/// The present step, and the answer below the last.
pub(super) fn show(ask: &Ask, rule: Rule, asking: &Asking) -> Markup {
    html! {
        @if let Some(said) = &asking.said {
            div.columns { div { (questions(ask, rule, asking)) } (verdict::what_if(ask, said)) }
        } @else if rule == Rule::Identity || asking.subject.is_some() {
            (questions(ask, rule, asking))
        } @else if let Some(all) = &asking.belongings {
            (belongings(ask, rule, all))
        } @else {
            (search(ask, rule, asking))
        }
    }
}

fn search(ask: &Ask, rule: Rule, asking: &Asking) -> Markup {
    html! {
        form.search method="get" action={ (AT) "/" (rule) } role="search" {
            (field(ask, &asking.mistakes, "who", ask.t("rule.who"), Some(ask.t("rule.who_hint")), html! {
                input id="who" name="who" maxlength="100" required value=(asking.fields.text("who"));
            }))
            button.main type="submit" { (ask.t("rule.find")) }
        }
        @if asking.found.len() > 1 {
            h3 { (ask.t("rule.which")) }
            ul.picks {
                @for one in &asking.found {
                    li { a href={ (AT) "/" (rule) "?client=" (one.id.0) } { (candidate(one)) } }
                }
            }
        }
    }
}

fn candidate(one: &Candidate) -> Markup {
    html! {
        b { (one.id.0) " · " bdi { (one.name) } } " "
        @if !one.company.is_empty() { bdi { (one.company) } " " }
        small { bdi { (one.email) } }
    }
}

/// What the client has that this rule can be asked about.
fn belongings(ask: &Ask, rule: Rule, all: &Belongings) -> Markup {
    let with_domains = rule == Rule::Cancellation;
    let client = all.account.id.0;
    let name = format!("{} {}", all.account.first_name, all.account.last_name);
    let none = all.services.is_empty() && (all.domains.is_empty() || !with_domains);
    html! {
        p {
            (ask.tf("rule.client_of", &[("id", &client)])) " · " bdi { (name.trim()) } " "
            @if !all.account.company.is_empty() { "· " bdi { (all.account.company) } " " }
            a href={ (AT) "/" (rule) } { (ask.t("rule.other_client")) }
        }
        @if none { (nothing(ask.t("rule.has_none"))) } @else {
            h3 { (ask.t(if with_domains { "rule.choose_both" } else { "rule.choose_service" })) }
            ul.picks {
                @for one in &all.services {
                    li { a href={ (AT) "/" (rule) "?client=" (client) "&service=" (one.id.0) } { (service(ask, one, all.account.currency.as_ref())) } }
                }
                @for one in all.domains.iter().filter(|_| with_domains) {
                    li { a href={ (AT) "/" (rule) "?client=" (client) "&domain=" (one.id.0) } {
                        b { bdi { (one.name) } }
                        small { (ask.tf("rule.domain_n", &[("id", &one.id.0)])) " · " (one.status) }
                        @if let Some(day) = one.expires { small { (ask.t("rule.f_expires")) ": " (facts::word(ask, &day.to_string())) } }
                    } }
                }
            }
            @if all.services.len() >= LISTED_MAX || all.domains.len() >= LISTED_MAX {
                p.hint { (ask.tf("rule.only_newest", &[("n", &LISTED_MAX)])) }
            }
        }
    }
}

fn service(ask: &Ask, one: &Hosted, currency: Option<&Currency>) -> Markup {
    let cycle = cycle(ask, one.cycle);
    html! {
        b { bdi { (one.product) } @if !one.domain.is_empty() { " · " bdi { (one.domain) } } }
        small { (ask.tf("rule.service_n", &[("id", &one.id.0)])) " · " (one.status) }
        small {
            (cycle)
            @if let Some(amount) = currency.and_then(|currency| one.recurring.format(currency).ok()) { " · " (amount) }
            @if let Some(day) = one.next_due { " · " (ask.t("rule.next_due")) " " (facts::word(ask, &day.to_string())) }
        }
    }
}

fn cycle(ask: &Ask, cycle: Option<Cycle>) -> &'static str {
    let code = cycle.map_or("unknown", Cycle::code);
    ask.localizer.known(&format!("rule.cycle_{code}")).unwrap_or_default()
}

/// What the rule needs to know, about the subject that was chosen.
fn questions(ask: &Ask, rule: Rule, asking: &Asking) -> Markup {
    let to = format!("{AT}/{rule}/ask");
    html! {
        @if let Some(subject) = asking.subject { (chosen(ask, rule, asking, subject)) }
        form.narrow method="post" action=(to) hx-post=(to) hx-target="#ask" {
            input type="hidden" name="_csrf" value=(ask.csrf);
            @if let Some(subject) = asking.subject {
                input type="hidden" name=(format!("{}_id", subject.kind)) value=(subject.id);
                @if let Some(client) = asking.client { input type="hidden" name="client_id" value=(client); }
            }
            @match rule {
                Rule::Upgrade => (upgrade(ask, asking)),
                Rule::Ownership => (ownership(ask, asking)),
                Rule::Cancellation => (cancellation(ask, asking)),
                Rule::Termination => {},
                Rule::Identity => (identity(ask, asking)),
            }
            button.main type="submit" { (ask.t("rule.ask")) }
        }
    }
}

fn chosen(ask: &Ask, rule: Rule, asking: &Asking, subject: Subject) -> Markup {
    let client = asking.client.unwrap_or_default();
    html! {
        p {
            b { (super::about(ask, Some(subject))) }
            @if let Some(targets) = &asking.targets {
                " · " bdi { (targets.service.product) }
                @if !targets.service.domain.is_empty() { " · " bdi { (targets.service.domain) } }
            }
            " · " (ask.tf("rule.client_of", &[("id", &client)]))
            @if let Some(one) = &asking.person { " · " bdi { (one.name) } }
            " " a href={ (AT) "/" (rule) "?client=" (client) } { (ask.t("rule.other_subject")) }
        }
    }
}

/// A field of text with what was typed in it.
fn text(ask: &Ask, asking: &Asking, name: &str, label: &str, hint: Option<&str>, more: (&str, u32)) -> Markup {
    let (kind, length) = more;
    field(
        ask,
        &asking.mistakes,
        name,
        ask.t(label),
        hint.map(|hint| ask.t(hint)),
        html! {
            input id=(name) name=(name) type=(kind) maxlength=(length) autocomplete="off" value=(asking.fields.text(name))
                aria-describedby=[hint.map(|_| format!("{name}-hint"))];
        },
    )
}

fn upgrade(ask: &Ask, asking: &Asking) -> Markup {
    let Some(targets) = &asking.targets else { return html! {} };
    let chosen = asking.fields.get("to_product_id");
    let group = |label: &str, plans: &[Plan]| {
        html! {
            @if !plans.is_empty() {
                optgroup label=(ask.t(label)) {
                    @for plan in plans {
                        option value=(plan.product_id) selected[chosen == Some(&plan.product_id.to_string())] {
                            (plan.name) (prices(ask, plan, targets))
                        }
                    }
                }
            }
        }
    };
    let now = cycle(ask, targets.service.cycle);
    let same = ask.tf("rule.cycle_same", &[("cycle", &now)]);
    let cycles = Cycle::ALL.into_iter().filter(|one| one.months().is_some());
    html! {
        (field(ask, &asking.mistakes, "to_product_id", ask.t("rule.to_plan"), Some(ask.t("rule.to_plan_hint")), html! {
            select id="to_product_id" name="to_product_id" required {
                (group("rule.paths", &targets.paths)) (group("rule.others", &targets.others))
            }
        }))
        (field(ask, &asking.mistakes, "to_cycle", ask.t("rule.to_cycle"), None, html! {
            select id="to_cycle" name="to_cycle" {
                option value="" { (same) }
                @for one in cycles {
                    option value=(one.code()) selected[asking.fields.get("to_cycle") == Some(one.code())] { (cycle(ask, Some(one))) }
                }
            }
        }))
        (text(ask, asking, "platform_price", "rule.platform_price", Some("rule.platform_price_hint"), ("text", 20)))
        (text(ask, asking, "platform_discount", "rule.platform_discount", None, ("text", 20)))
    }
}

/// The list price in the present cycle, else in all that are offered.
fn prices(ask: &Ask, plan: &Plan, targets: &Targets) -> String {
    let shown = |(one, price): &(Cycle, crate::domain::money::Money)| {
        let amount = price.format(&targets.currency).unwrap_or_else(|_| price.amount().to_string());
        format!("{amount} {}", cycle(ask, Some(*one)))
    };
    let same = plan.prices.iter().find(|(one, _)| Some(*one) == targets.service.cycle);
    let all: Vec<String> = match same {
        Some(one) => vec![shown(one)],
        None => plan.prices.iter().map(shown).collect(),
    };
    if all.is_empty() { String::new() } else { format!(" — {}", all.join(", ")) }
}

fn ownership(ask: &Ask, asking: &Asking) -> Markup {
    html! {
        (text(ask, asking, "to_client_id", "rule.to_client", Some("rule.who_hint"), ("text", 100)))
        @if !asking.others.is_empty() {
            ul.plain { @for one in &asking.others { li { (candidate(one)) } } }
        }
        (text(ask, asking, "ticket_id", "rule.ticket", Some("rule.ticket_hint"), ("text", 32)))
        (text(ask, asking, "requested_by", "rule.requested_by", None, ("email", 254)))
    }
}

fn cancellation(ask: &Ask, asking: &Asking) -> Markup {
    let kinds = [("Immediate", "rule.type_immediate"), ("End of Billing Period", "rule.type_end_of_period")];
    let all = kinds.iter().map(|(code, word)| (*code, ask.t(word).to_owned()));
    field(
        ask,
        &asking.mistakes,
        "type",
        ask.t("rule.type"),
        None,
        choice(ask, "type", asking.fields.get("type"), Some("rule.type_none"), all),
    )
}

fn identity(ask: &Ask, asking: &Asking) -> Markup {
    let kinds = ["client", "contact"].map(|code| (code, format!("rule.kind_{code}")));
    let all = kinds.iter().map(|(code, word)| (*code, ask.t(word).to_owned()));
    html! {
        (text(ask, asking, "client_id", "rule.of_client", Some("rule.of_client_hint"), ("text", 20)))
        (field(ask, &asking.mistakes, "kind", ask.t("rule.kind"), None,
            choice(ask, "kind", asking.fields.get("kind"), None, all)))
        (text(ask, asking, "email", "rule.email", None, ("email", 254)))
        (text(ask, asking, "phonenumber", "rule.phone", Some("rule.phone_hint"), ("text", 40)))
        (text(ask, asking, "country", "rule.country", None, ("text", 2)))
    }
}
