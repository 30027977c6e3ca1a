//! Owns: a template filled with the parameters of one send call, or the code that says what is wrong with them
//! (Meta's rules).

use serde::Serialize;
use serde_json::Value;

use super::error::ApiError;
use super::pattern::{Format, Pattern};
use super::request::Content;
use super::template::{Button, Header, Template};

/// What the client reads.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Rendered {
    pub header: Option<String>,
    /// The body.
    pub text: String,
    pub footer: Option<String>,
    pub buttons: Vec<RenderedButton>,
    pub params: Vec<Param>,
}

#[derive(Clone, Debug, Serialize)]
pub struct RenderedButton {
    pub kind: String,
    pub text: String,
    pub url: Option<String>,
    /// What comes back when the client presses it.
    pub payload: Option<String>,
}

/// One value as it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Param {
    /// `header`, `body` or `button`.
    pub part: &'static str,
    /// The variable's name or number; for a button its index.
    pub name: String,
    pub value: String,
}

/// What the client reads of a message without a template.
#[must_use]
pub fn free_form(content: &Content) -> Rendered {
    match content {
        Content::Text(body) => Rendered { text: body.clone(), ..Rendered::default() },
        Content::Interactive { body, footer, buttons } => {
            let button = |(id, title): &(String, String)| RenderedButton {
                kind: "REPLY".to_owned(),
                text: title.clone(),
                url: None,
                payload: Some(id.clone()),
            };
            let buttons = buttons.iter().map(button).collect();
            Rendered { text: body.clone(), footer: footer.clone(), buttons, ..Rendered::default() }
        }
        Content::Template { .. } => Rendered::default(),
    }
}

/// Fills `template` with the `components` of a send call.
///
/// # Errors
/// 132000, 132005, 132012, 132018, 131008 or 100.
pub fn fill(template: &Template, components: &[Value]) -> Result<Rendered, ApiError> {
    let mut rendered = Rendered { footer: template.footer.clone(), ..Rendered::default() };
    check_components(components)?;
    let parameters = |kind: &str| -> Result<&[Value], ApiError> {
        components.iter().find(|one| is(one, kind)).map_or(Ok(&[]), |one| list(one, kind))
    };
    match &template.header {
        Some(Header::Text(pattern)) => {
            let text = text(pattern, template.format, "header", parameters("header")?, &mut rendered.params)?;
            check_length(&text, 60, "header")?;
            rendered.header = Some(text);
        }
        Some(Header::Media(kind)) => rendered.header = Some(media(kind, parameters("header")?)?),
        None if !parameters("header")?.is_empty() => return Err(count("header", parameters("header")?.len(), 0)),
        None => {}
    }
    rendered.text = text(&template.body, template.format, "body", parameters("body")?, &mut rendered.params)?;
    check_length(&rendered.text, 1_024, "body")?;
    for component in components.iter().filter(|one| is(one, "button")) {
        if index(component).is_none_or(|at| at >= template.buttons.len()) {
            return Err(ApiError::new(132_018, "buttons: the template has no button at this index"));
        }
    }
    for (at, button) in template.buttons.iter().enumerate() {
        let mut sent = components.iter().filter(|one| is(one, "button") && index(one) == Some(at));
        let component = sent.next();
        if sent.next().is_some() {
            return Err(ApiError::parameter(format!("buttons: index {at} appears twice")));
        }
        rendered.buttons.push(fill_button(button, at, component, &mut rendered.params)?);
    }
    Ok(rendered)
}

fn is(component: &Value, kind: &str) -> bool {
    component["type"].as_str().is_some_and(|one| one.eq_ignore_ascii_case(kind))
}

/// Meta's samples write the index as a string, some as an integer.
fn index(component: &Value) -> Option<usize> {
    let index = &component["index"];
    index.as_str().and_then(|text| text.parse().ok()).or_else(|| index.as_u64().and_then(|n| usize::try_from(n).ok()))
}

fn list<'a>(component: &'a Value, kind: &str) -> Result<&'a [Value], ApiError> {
    component["parameters"]
        .as_array()
        .map(Vec::as_slice)
        .ok_or_else(|| ApiError::new(131_008, format!("{kind}: parameters is required")))
}

fn check_components(components: &[Value]) -> Result<(), ApiError> {
    for component in components {
        let members = component.as_object().ok_or_else(|| ApiError::parameter("components must hold objects"))?;
        if let Some(key) =
            members.keys().find(|key| !["type", "sub_type", "index", "parameters"].contains(&key.as_str()))
        {
            return Err(ApiError::parameter(format!("Unexpected key \"{key}\" on a component")));
        }
        if !["header", "body", "button"].iter().any(|kind| is(component, kind)) {
            return Err(ApiError::parameter("Component type must be one of header, body, button"));
        }
    }
    for kind in ["header", "body"] {
        if components.iter().filter(|one| is(one, kind)).count() > 1 {
            return Err(ApiError::parameter(format!("Component {kind} may appear once")));
        }
    }
    Ok(())
}

fn count(part: &str, given: usize, expected: usize) -> ApiError {
    ApiError::new(
        132_000,
        format!(
            "{part}: number of localizable_params ({given}) does not match the expected number of params ({expected})"
        ),
    )
}

fn text(
    pattern: &Pattern,
    format: Format,
    part: &'static str,
    parameters: &[Value],
    params: &mut Vec<Param>,
) -> Result<String, ApiError> {
    if parameters.len() != pattern.names.len() {
        return Err(count(part, parameters.len(), pattern.names.len()));
    }
    let mut values = vec![None; pattern.names.len()];
    for (order, parameter) in parameters.iter().enumerate() {
        let name = parameter["parameter_name"].as_str();
        let at = match (format, name) {
            (Format::Positional, None) => order,
            (Format::Named, Some(name)) => {
                pattern.names.iter().position(|known| known == name).ok_or_else(|| {
                    ApiError::new(132_012, format!("{part}: the template has no parameter named {name}"))
                })?
            }
            (Format::Positional, Some(_)) => {
                return Err(ApiError::new(132_012, format!("{part}: the template expects positional parameters")));
            }
            (Format::Named, None) => {
                return Err(ApiError::new(132_012, format!("{part}: the template expects named parameters")));
            }
        };
        let value = value(parameter, part)?;
        params.push(Param { part, name: pattern.names[at].clone(), value: value.clone() });
        if values[at].replace(value).is_some() {
            return Err(ApiError::new(132_012, format!("{part}: parameter {} is given twice", pattern.names[at])));
        }
    }
    // As many values as names and none twice: none is missing.
    Ok(pattern.fill(&values.into_iter().flatten().collect::<Vec<_>>()))
}

/// The text of one parameter, checked by the rules for values.
fn value(parameter: &Value, part: &str) -> Result<String, ApiError> {
    let kind = parameter["type"].as_str().unwrap_or_default();
    let text = match kind {
        "text" => parameter["text"].as_str(),
        "currency" | "date_time" => parameter[kind]["fallback_value"].as_str(),
        _ => return Err(ApiError::new(132_012, format!("{part}: a parameter of type {kind:?} is not expected here"))),
    };
    let text = text.ok_or_else(|| ApiError::new(131_008, format!("{part}: the text of a parameter is missing")))?;
    check_value(text, part)?;
    Ok(text.to_owned())
}

fn check_value(text: &str, part: &str) -> Result<(), ApiError> {
    if text.contains(['\n', '\r', '\t']) || text.contains("     ") {
        let details = "Param text cannot have new-line/tab characters or more than 4 consecutive spaces";
        return Err(ApiError::new(132_018, format!("{part}: {details}")));
    }
    if text.trim().is_empty() {
        return Err(ApiError::parameter(format!("{part}: Param text cannot be empty")));
    }
    if text.chars().count() > 32_768 {
        return Err(ApiError::parameter(format!("{part}: Param text must have at most 32768 characters")));
    }
    Ok(())
}

fn check_length(text: &str, max: usize, part: &str) -> Result<(), ApiError> {
    let length = text.chars().count();
    if length > max {
        return Err(ApiError::new(
            132_005,
            format!("{part}: translated text has {length} of at most {max} characters"),
        ));
    }
    Ok(())
}

fn media(kind: &str, parameters: &[Value]) -> Result<String, ApiError> {
    let [parameter] = parameters else { return Err(count("header", parameters.len(), 1)) };
    if parameter["type"] != kind {
        return Err(ApiError::new(132_012, format!("header: Format mismatch, expected {}", kind.to_uppercase())));
    }
    let source = &parameter[kind];
    let address = source["link"].as_str().or_else(|| source["id"].as_str());
    if kind == "location" {
        return Ok("[location]".to_owned());
    }
    let address = address.ok_or_else(|| ApiError::new(131_008, format!("header: {kind} needs id or link")))?;
    Ok(format!("[{kind}] {}", source["filename"].as_str().unwrap_or(address)))
}

fn fill_button(
    button: &Button,
    at: usize,
    component: Option<&Value>,
    params: &mut Vec<Param>,
) -> Result<RenderedButton, ApiError> {
    let mut rendered =
        RenderedButton { kind: button.kind.clone(), text: button.text.clone(), url: None, payload: None };
    if let Some(component) = component
        && !component["sub_type"].as_str().is_some_and(|kind| kind.eq_ignore_ascii_case(&button.kind))
    {
        return Err(ApiError::new(132_018, format!("buttons: button at index {at} is of type {}", button.kind)));
    }
    let parameters = component.map_or(Ok(&[][..]), |one| list(one, "button"))?;
    let wants_value = button.url.as_ref().is_some_and(|url| !url.names.is_empty()) || button.kind == "copy_code";
    if wants_value && parameters.is_empty() {
        let details = format!("buttons: Button at index {at} of type {} requires a parameter", button.kind);
        return Err(ApiError::new(131_008, details));
    }
    let allowed = usize::from(wants_value || button.kind == "quick_reply");
    if parameters.len() > allowed {
        return Err(count("buttons", parameters.len(), allowed));
    }
    let value = parameters.first().map(|parameter| button_value(parameter, &button.kind)).transpose()?;
    if let Some(value) = &value {
        params.push(Param { part: "button", name: at.to_string(), value: value.clone() });
    }
    if button.kind == "quick_reply" {
        // Without a payload of its own the button's text comes back (Meta's rules).
        rendered.payload = Some(value.clone().unwrap_or_else(|| button.text.clone()));
    }
    rendered.url = button.url.as_ref().map(|url| url.fill(&value.into_iter().collect::<Vec<_>>()));
    Ok(rendered)
}

fn button_value(parameter: &Value, kind: &str) -> Result<String, ApiError> {
    let member = match kind {
        "quick_reply" => "payload",
        "copy_code" => "coupon_code",
        _ => "text",
    };
    if parameter["type"] != member {
        return Err(ApiError::new(132_018, format!("buttons: parameter type must be {member}")));
    }
    let text = parameter[member]
        .as_str()
        .ok_or_else(|| ApiError::new(131_008, format!("buttons: {member} of the parameter is missing")))?;
    check_value(text, "buttons")?;
    Ok(text.to_owned())
}
