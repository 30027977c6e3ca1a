//! Owns: an operation as an endpoint: the request becomes its input, its output the answer; and what the API's description says
//! of it, which is made of the same types.

use serde_json::{Map, Value, json};

use super::{Answering, Call, Endpoint};
use crate::admin::AdminError;
use crate::ops::input::{self, Sent};
use crate::ops::{self, Act, Change, Operation, Read, schema};

/// The endpoint of an operation that changes nothing. The variable parts of `pattern` are fields of the input.
pub const fn read<T: Read>(pattern: &'static str) -> Endpoint {
    Endpoint { method: "GET", pattern, role: T::ROLE, run: run_read::<T>, describe: Some(described::<T>) }
}

/// The endpoint of a change.
pub const fn change<T: Change>(pattern: &'static str) -> Endpoint {
    Endpoint { method: "POST", pattern, role: T::ROLE, run: run_change::<T>, describe: Some(described::<T>) }
}

/// The endpoint of an operation in several transactions.
pub const fn act<T: Act>(pattern: &'static str) -> Endpoint {
    Endpoint { method: "POST", pattern, role: T::ROLE, run: run_act::<T>, describe: Some(described::<T>) }
}

fn run_read<T: Read>(call: Call) -> Answering {
    Box::pin(async move {
        let operation: T = input::read(sent(&call))?;
        json(&ops::read(&call.desk, &call.who, operation).await?)
    })
}

fn run_change<T: Change>(call: Call) -> Answering {
    Box::pin(async move {
        let operation: T = input::read(sent(&call))?;
        json(&ops::change(&call.desk, &call.who, operation).await?)
    })
}

fn run_act<T: Act>(call: Call) -> Answering {
    Box::pin(async move {
        let operation: T = input::read(sent(&call))?;
        json(&ops::act(&call.desk, &call.who, operation).await?)
    })
}

fn json(output: &impl serde::Serialize) -> Result<Value, AdminError> {
    serde_json::to_value(output).map_err(|error| AdminError::Internal(error.to_string()))
}

fn sent(call: &Call) -> Sent<'_> {
    let address = variables(call.pattern).zip(call.params.iter().map(String::as_str)).collect();
    Sent { address, query: call.query.iter().collect(), body: call.body.clone() }
}

/// The names of a pattern's variable parts.
fn variables(pattern: &str) -> impl Iterator<Item = &str> {
    pattern.split('/').filter_map(|part| part.strip_prefix(':'))
}

/// What the description says of the endpoint of `T`.
fn described<T: Operation>(endpoint: &Endpoint, components: &mut Map<String, Value>) -> Value {
    let input = schema::of::<T>();
    let says = input["description"].as_str().unwrap_or_default().replace('\n', " ");
    let (summary, more) = says.split_once(". ").unwrap_or((says.trim_end_matches('.'), ""));
    let in_address: Vec<&str> = variables(endpoint.pattern).collect();
    let (address, others): (Vec<_>, Vec<_>) =
        schema::properties(&input).into_iter().partition(|(name, _)| in_address.contains(&name.as_str()));
    let must: Vec<&str> = schema::required(&input).collect();
    let parameter = |(name, property): &(String, Value), place: &str| {
        let mut schema = property.clone();
        let description = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        let required = place == "path" || must.contains(&name.as_str());
        json!({ "name": name, "in": place, "required": required, "description": description, "schema": schema })
    };
    let mut parameters: Vec<Value> = address.iter().map(|one| parameter(one, "path")).collect();
    schema::add::<T::Output>(components);
    let output = format!("{}{}", schema::COMPONENTS, <T::Output as utoipa::ToSchema>::name());
    let mut operation = json!({
        "operationId": T::ID, "summary": summary, "tags": [T::AREA],
        "responses": { "200": {
            "description": "Done.", "content": { "application/json": { "schema": { "$ref": output } } },
        } },
    });
    if endpoint.method == "GET" {
        parameters.extend(others.iter().map(|one| parameter(one, "query")));
    } else if !others.is_empty() {
        operation["requestBody"] = body(&others, &must);
    }
    if !more.is_empty() {
        operation["description"] = more.into();
    }
    let has_query = endpoint.method == "GET" && !others.is_empty();
    for (status, name) in refusals::<T>(endpoint.method, !address.is_empty(), has_query) {
        operation["responses"][status] = json!({ "$ref": format!("#/components/responses/{name}") });
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    operation
}

fn body(fields: &[(String, Value)], must: &[&str]) -> Value {
    let required: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).filter(|name| must.contains(name)).collect();
    let properties: Map<String, Value> = fields.iter().cloned().collect();
    let schema = json!({ "type": "object", "required": required, "properties": properties });
    json!({ "required": !required.is_empty(), "content": { "application/json": { "schema": schema } } })
}

/// The refusals that an endpoint may answer: their status, and their name in the description.
fn refusals<T: Operation>(method: &str, has_address: bool, has_query: bool) -> Vec<(&'static str, &'static str)> {
    let mut all = vec![("401", "Unauthorized"), ("403", "Forbidden"), ("503", "Unavailable")];
    if method != "GET" {
        all.extend(["400", "411", "413", "415"].map(|status| (status, "NotJson")));
    }
    let more = [
        (has_address || T::MISSING, ("404", "NotFound")),
        (T::CONFLICTS, ("409", "Conflict")),
        (method != "GET" || has_query, ("422", "Invalid")),
    ];
    all.extend(more.into_iter().filter(|(is, _)| *is).map(|(_, refusal)| refusal));
    all
}
