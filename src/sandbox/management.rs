//! Owns: the calls beside sending: templates, the number's fields, subscribing (Meta's rules).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Inner;
use super::config::{PhoneNumber, Rates};
use super::error::ApiError;
use super::routes::Call;
use super::template::{Template, TemplateStatus};

/// Entries of one page of a list, when the caller names no `limit`, and at most.
const PAGE_DEFAULT: usize = 25;
const PAGE_MAX: usize = 1_000;

/// Answers a call that carries the right token.
pub fn answer(inner: &Inner, call: &Call, segments: &[&str]) -> Result<Value, ApiError> {
    let waba = inner.config.waba_id.as_str();
    match (call.method.as_str(), segments) {
        ("POST", [id, "message_templates"]) if *id == waba => create(inner, call),
        ("GET", [id, "message_templates"]) if *id == waba => list(inner, call),
        ("DELETE", [id, "message_templates"]) if *id == waba => delete(inner, call),
        ("POST", [id, "subscribed_apps"]) if *id == waba => {
            inner.world().ledger.stats.subscribed = true;
            Ok(json!({"success": true}))
        }
        ("GET", [id, "phone_numbers"]) if *id == waba => {
            let all = inner.config.phone_numbers.iter();
            let numbers: Vec<Value> = all.map(|one| phone(one, &inner.config.rates, "")).collect::<Result<_, _>>()?;
            Ok(json!({"data": numbers}))
        }
        ("GET", [id]) => node(inner, call, id),
        ("POST", [id]) => edit(inner, call, id),
        ("GET" | "POST" | "DELETE", [id, _]) if *id != waba => Err(ApiError::no_object(id)),
        _ => {
            let details = format!("Unknown path components: {}", call.path.as_str());
            Err(ApiError::new(2_500, details))
        }
    }
}

fn create(inner: &Inner, call: &Call) -> Result<Value, ApiError> {
    let body: Value =
        serde_json::from_slice(&call.body).map_err(|_| ApiError::parameter("The request body is not JSON"))?;
    let waits = inner.config.templates_wait_for_review;
    let status = if waits { TemplateStatus::Pending } else { TemplateStatus::Approved };
    let mut world = inner.world();
    let template = world.create_template(&body, status)?;
    Ok(json!({"id": template.id.to_string(), "status": template.status, "category": template.category}))
}

/// Meta: only approved, rejected and paused templates; all components are replaced.
fn edit(inner: &Inner, call: &Call, id: &str) -> Result<Value, ApiError> {
    let body: Value =
        serde_json::from_slice(&call.body).map_err(|_| ApiError::parameter("The request body is not JSON"))?;
    inner.world().edit_template(id, &body["components"])?;
    Ok(json!({"success": true}))
}

fn delete(inner: &Inner, call: &Call) -> Result<Value, ApiError> {
    let name = call.query_value("name").ok_or_else(|| ApiError::parameter("Param name is required"))?;
    if inner.world().delete_template(&name) {
        Ok(json!({"success": true}))
    } else {
        Err(ApiError::parameter(format!("Message template \"{name}\" was not found")))
    }
}

fn list(inner: &Inner, call: &Call) -> Result<Value, ApiError> {
    let limit = match call.query_value("limit").map(|text| text.parse::<usize>()) {
        None => PAGE_DEFAULT,
        Some(Ok(limit)) if (1..=PAGE_MAX).contains(&limit) => limit,
        Some(_) => return Err(ApiError::parameter("Param limit must be a number from 1 to 1000")),
    };
    let start = call.query_value("after").map_or(Some(0), |cursor| read_cursor(&cursor));
    let start = start.ok_or_else(|| ApiError::parameter("Param after is not a cursor of this list"))?;
    let fields = call.query_value("fields").unwrap_or_default();
    let fields: Vec<&str> = fields.split(',').filter(|one| !one.is_empty()).collect();
    let world = inner.world();
    let all: Vec<&Template> = world.templates().into_iter().filter(|template| wanted(call, template)).collect();
    let page: Vec<Value> = all.iter().skip(start).take(limit).map(|template| template.to_json(&fields)).collect();
    let end = start + page.len();
    if page.is_empty() {
        return Ok(json!({"data": []}));
    }
    let mut paging = json!({"cursors": {"before": cursor(start), "after": cursor(end)}});
    if end < all.len() {
        paging["next"] = next_page(call, &cursor(end)).into();
    }
    Ok(json!({"data": page, "paging": paging}))
}

fn wanted(call: &Call, template: &Template) -> bool {
    [
        ("status", template.status.as_str()),
        ("name", template.name.as_str()),
        ("language", template.language.as_str()),
        ("category", template.category.as_str()),
    ]
    .into_iter()
    .all(|(filter, value)| call.query_value(filter).is_none_or(|asked| asked.eq_ignore_ascii_case(value)))
}

fn cursor(position: usize) -> String {
    STANDARD.encode(format!("QVFIU{position}"))
}

fn read_cursor(text: &str) -> Option<usize> {
    let decoded = String::from_utf8(STANDARD.decode(text).ok()?).ok()?;
    decoded.strip_prefix("QVFIU")?.parse().ok()
}

/// The same call with another cursor, at the address under which the caller knows us.
fn next_page(call: &Call, after: &str) -> String {
    let host = call.headers.get("host").and_then(|value| value.to_str().ok()).unwrap_or("localhost");
    let others: Vec<&str> =
        call.query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("after=")).collect();
    let after = after.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    format!("http://{host}{}?{}&after={after}", call.path.as_str(), others.join("&"))
}

/// `GET /{id}`: a number, a template or the account.
fn node(inner: &Inner, call: &Call, id: &str) -> Result<Value, ApiError> {
    let fields = call.query_value("fields").unwrap_or_default();
    if let Some(number) = inner.config.phone_numbers.iter().find(|one| one.id == id) {
        return phone(number, &inner.config.rates, &fields);
    }
    if let Some(template) = inner.world().templates().into_iter().find(|one| one.id.to_string() == id) {
        return Ok(template.to_json(&fields.split(',').filter(|one| !one.is_empty()).collect::<Vec<_>>()));
    }
    if id == inner.config.waba_id {
        return Ok(json!({"id": id, "name": "Hosting de ejemplo"}));
    }
    Err(ApiError::no_object(id))
}

fn phone(number: &PhoneNumber, rates: &Rates, fields: &str) -> Result<Value, ApiError> {
    let asked = if fields.is_empty() { "verified_name,display_phone_number,quality_rating" } else { fields };
    let mut node = json!({"id": number.id});
    for field in asked.split(',') {
        node[field] = match field {
            "id" => number.id.clone().into(),
            "display_phone_number" => number.display.clone().into(),
            "verified_name" => number.verified_name.clone().into(),
            "quality_rating" => number.quality_rating.clone().into(),
            "whatsapp_business_manager_messaging_limit" | "messaging_limit_tier" => tier(rates).into(),
            "throughput" => {
                let high = rates.throughput_per_s.is_none_or(|limit| limit >= 1_000);
                json!({"level": if high { "HIGH" } else { "STANDARD" }})
            }
            "status" => "CONNECTED".into(),
            "code_verification_status" => "VERIFIED".into(),
            other => {
                return Err(ApiError::parameter(format!("Tried accessing nonexisting field ({other})")));
            }
        };
    }
    Ok(node)
}

/// The tier that holds the limit (Meta's rules).
fn tier(rates: &Rates) -> &'static str {
    match rates.recipients_per_24h {
        None => "TIER_UNLIMITED",
        Some(..=250) => "TIER_250",
        Some(..=2_000) => "TIER_2K",
        Some(..=10_000) => "TIER_10K",
        Some(_) => "TIER_100K",
    }
}
