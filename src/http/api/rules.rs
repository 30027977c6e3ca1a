//! Owns: the company's rules: what would be said, decisions, exceptions; for programs.

use serde_json::{Value, json};

use super::{Answering, Call, Endpoint, endpoint};
use crate::admin::decisions::{self, missed_json};
use crate::admin::exceptions::{self, Wish};
use crate::admin::rules;
use crate::admin::wish::moment;
use crate::admin::{AdminError, Desk};
use crate::decide::question::Fields;
use crate::domain::admin::Role;
use crate::domain::decision::Rule;
use crate::domain::event::FieldValue;
use crate::domain::hookpoint::Subject;
use crate::domain::locale::Locale;
use crate::store::exception::Filter;
use crate::store::missed;
use crate::store::walk::Place;

/// The addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    endpoint("GET", "/rules", Role::Viewer, list_rules),
    endpoint("POST", "/rules/:rule/ask", Role::Viewer, ask),
    endpoint("GET", "/decisions", Role::Viewer, list_decisions),
    endpoint("GET", "/decisions/:id", Role::Viewer, show_decision),
    endpoint("GET", "/missed-decisions", Role::Viewer, list_missed),
    endpoint("GET", "/overrides", Role::Viewer, list_overrides),
    endpoint("POST", "/overrides", Role::Administrator, make_override),
    endpoint("POST", "/overrides/:id/end", Role::Administrator, end_override),
];

fn list_rules(call: Call) -> Answering {
    Box::pin(async move {
        let all = rules::all(&call.desk.store, &call.desk.config.rules, call.desk.now()).await?;
        Ok(json!({ "items": all.iter().map(rules::as_json).collect::<Vec<_>>() }))
    })
}

/// The fields of a question are what the stub would send, flat: text, numbers.
fn fields(call: &Call) -> Result<Fields, AdminError> {
    let Value::Object(given) = &call.body["fields"] else {
        return Err(AdminError::invalid("fields", "must be an object"));
    };
    let mut fields = Fields::new();
    for (name, value) in given {
        let value = match value {
            Value::String(text) => FieldValue::Text(text.clone()),
            Value::Number(number) => FieldValue::Text(number.to_string()),
            Value::Null => FieldValue::Null,
            _ => return Err(AdminError::invalid(&format!("fields.{name}"), "must be a text or a number")),
        };
        fields.insert(name.clone(), value);
    }
    Ok(fields)
}

fn ask(call: Call) -> Answering {
    Box::pin(async move {
        let rule = Desk::rule(call.param(0))?;
        let language = call.optional_text("language")?.unwrap_or("en");
        let all = || Locale::PAGES.map(Locale::code).join(", ");
        let locale = Locale::PAGES.into_iter().find(|locale| locale.code() == language);
        let locale = locale.ok_or_else(|| AdminError::invalid("language", format!("must be one of {}", all())))?;
        let fields = fields(&call)?;
        let said = rules::ask(&call.desk.decider, &call.who, (rule, &fields), locale, call.desk.now()).await?;
        Ok(json!({
            "answer": said.answer.json(), "language": said.answer.locale.code(), "version": said.kept.version,
            "in_your_language": {
                "reasons": said.read.texts, "message": said.read.message, "notices": said.read.notices,
            },
            "facts": serde_json::from_str::<Value>(&said.kept.facts).unwrap_or_default(),
        }))
    })
}

fn list_decisions(call: Call) -> Answering {
    Box::pin(async move {
        let get = |name: &str| call.query.get(name).map(str::to_owned);
        let filter = call.desk.decision_search(&get, call.limit()?)?;
        let found = decisions::list(&call.desk, &filter).await?;
        Ok(json!({
            "items": found.items.iter().map(decisions::as_json).collect::<Vec<_>>(),
            "next": found.next.map(|place| place.to_string()),
            "looked_until": found.looked_until.map(|at| at.to_string()),
        }))
    })
}

fn show_decision(call: Call) -> Answering {
    Box::pin(async move {
        let whole = decisions::whole(&call.desk, decisions::id(call.param(0))?, Locale::En).await?;
        let mut one = decisions::as_json(&whole.kept);
        one["unheard"] = whole.unheard.iter().map(missed_json).collect();
        Ok(one)
    })
}

fn list_missed(call: Call) -> Answering {
    Box::pin(async move {
        let rule = call.query.get("rule").map(|name| Rule::parse(name).ok_or_else(|| unknown("rule"))).transpose()?;
        let before = call
            .query
            .get("before")
            .map(|text| Place::parse(text).ok_or_else(|| AdminError::invalid("before", "messages.place_bad")));
        let filter = missed::Filter {
            rule,
            service: call.number("service")?,
            client: call.number("client")?,
            since: None,
            before: before.transpose()?,
            limit: call.limit()?,
        };
        let found = missed::page(&call.desk.store, &filter).await?;
        Ok(json!({
            "items": found.items.iter().map(missed_json).collect::<Vec<_>>(),
            "next": found.next.map(|place| place.to_string()),
            "looked_until": found.looked_until.map(|at| at.to_string()),
        }))
    })
}

fn unknown(field: &str) -> AdminError {
    AdminError::invalid(field, "form.unknown")
}

fn list_overrides(call: Call) -> Answering {
    Box::pin(async move {
        let in_force = match call.query.get("standing") {
            None => None,
            Some("in_force") => Some(true),
            Some("past") => Some(false),
            Some(_) => return Err(AdminError::invalid("standing", "must be in_force or past")),
        };
        let filter = Filter { in_force, before: call.number("before")?, limit: call.limit()? };
        let now = call.desk.now();
        let (all, next) = exceptions::list(&call.desk.store, &filter, now).await?;
        let items: Vec<Value> = all.iter().map(|one| exceptions::as_json(one, now)).collect();
        Ok(json!({ "items": items, "next": next.map(|number| number.to_string()) }))
    })
}

fn make_override(call: Call) -> Answering {
    Box::pin(async move {
        let rule = Rule::parse(call.text("rule")?).ok_or_else(|| unknown("rule"))?;
        let wish = Wish {
            rule: Some(rule),
            subject: Subject::parse(call.text("subject")?),
            why: call.text("why")?.to_owned(),
            until: moment(call.text("until")?, &call.desk.zone(), true),
        };
        let number = exceptions::make(&call.desk.store, &call.desk.billing, &call.who, &wish, call.desk.now()).await?;
        Ok(json!({ "override": number }))
    })
}

fn end_override(call: Call) -> Answering {
    Box::pin(async move {
        exceptions::end(&call.desk.store, &call.who, call.id(0, "exception")?, call.desk.now()).await?;
        Ok(json!({}))
    })
}
