//! Owns: one registered template and the rules for creating it (Meta's rules).

use serde_json::{Value, json};

use super::error::ApiError;
use super::pattern::{Flaw, Format, Pattern};

/// Whether a template can be sent. Only `Approved` can.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TemplateStatus {
    Approved,
    Pending,
    Rejected,
    Paused,
    Disabled,
}

impl TemplateStatus {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "APPROVED",
            Self::Pending => "PENDING",
            Self::Rejected => "REJECTED",
            Self::Paused => "PAUSED",
            Self::Disabled => "DISABLED",
        }
    }
}

/// A registered template, cut at its variables.
#[derive(Clone, Debug)]
pub struct Template {
    pub id: u64,
    pub name: String,
    pub language: String,
    pub category: String,
    pub status: TemplateStatus,
    pub format: Format,
    pub header: Option<Header>,
    pub body: Pattern,
    pub footer: Option<String>,
    pub buttons: Vec<Button>,
    components: Value,
}

#[derive(Clone, Debug)]
pub enum Header {
    Text(Pattern),
    /// `image`, `video`, `document` or `location`: needs a parameter of that type at each send.
    Media(String),
}

#[derive(Clone, Debug)]
pub struct Button {
    /// `url`, `quick_reply`, `phone_number` or `copy_code`.
    pub kind: String,
    pub text: String,
    pub url: Option<Pattern>,
}

const MEMBERS: [&str; 8] = [
    "name",
    "language",
    "category",
    "parameter_format",
    "components",
    "message_send_ttl_seconds",
    "allow_category_change",
    "cta_url_link_tracking_opted_out",
];

impl Template {
    /// Checks a create call's body and cuts its texts.
    ///
    /// # Errors
    /// 100, with the subcode that Meta's rules names.
    pub fn create(id: u64, body: &Value, status: TemplateStatus) -> Result<Self, ApiError> {
        let members = body.as_object().ok_or_else(|| ApiError::parameter("The body must be a JSON object"))?;
        if let Some(unknown) = members.keys().find(|key| !MEMBERS.contains(&key.as_str())) {
            return Err(ApiError::parameter(format!("Unexpected key \"{unknown}\"")));
        }
        let name = text_of(body, "name")?;
        if name.is_empty() || name.len() > 512 || !name.chars().all(is_name_char) {
            return Err(ApiError::parameter("Template name must match ^[a-z0-9_]+$ and have at most 512 characters"));
        }
        let language = text_of(body, "language")?;
        if !is_language(language) {
            return Err(ApiError::parameter(format!("Unknown language {language}")));
        }
        let category = text_of(body, "category")?;
        if !["UTILITY", "MARKETING", "AUTHENTICATION"].contains(&category) {
            return Err(ApiError::parameter("Param category must be one of UTILITY, MARKETING, AUTHENTICATION"));
        }
        let format = match body["parameter_format"].as_str().map(str::to_ascii_lowercase).as_deref() {
            None | Some("positional") => Format::Positional,
            Some("named") => Format::Named,
            Some(_) => return Err(ApiError::parameter("Param parameter_format must be one of NAMED, POSITIONAL")),
        };
        let list = body["components"].as_array().ok_or_else(|| ApiError::parameter("Param components is required"))?;
        Ok(Self {
            id,
            name: name.to_owned(),
            language: language.to_owned(),
            category: category.to_owned(),
            status,
            format,
            header: header(list, format)?,
            body: self::body(list, format)?,
            footer: footer(list)?,
            buttons: buttons(list)?,
            components: body["components"].clone(),
        })
    }

    /// The same with other components.
    ///
    /// # Errors
    /// It is neither approved nor rejected nor paused, or the components break a rule.
    pub fn with(&self, components: &Value) -> Result<Self, ApiError> {
        if matches!(self.status, TemplateStatus::Pending | TemplateStatus::Disabled) {
            return Err(ApiError::parameter("Only approved, rejected and paused templates can be edited"));
        }
        let format = if self.format == Format::Named { "named" } else { "positional" };
        let body = json!({"name": self.name, "language": self.language, "category": self.category,
            "parameter_format": format, "components": components});
        Self::create(self.id, &body, self.status)
    }

    /// The members of `fields` (all, when empty), as a list shows them.
    #[must_use]
    pub fn to_json(&self, fields: &[&str]) -> Value {
        let format = if self.format == Format::Named { "NAMED" } else { "POSITIONAL" };
        let all = [
            ("name", json!(self.name)),
            ("parameter_format", json!(format)),
            ("components", self.components.clone()),
            ("language", json!(self.language)),
            ("status", json!(self.status)),
            ("category", json!(self.category)),
            ("quality_score", json!({"score": "UNKNOWN"})),
            ("rejected_reason", json!(if self.status == TemplateStatus::Rejected { "INVALID_FORMAT" } else { "NONE" })),
        ];
        let wanted = all.into_iter().filter(|(name, _)| fields.is_empty() || fields.contains(name));
        let mut members: serde_json::Map<String, Value> =
            wanted.map(|(name, value)| (name.to_owned(), value)).collect();
        members.insert("id".to_owned(), self.id.to_string().into());
        members.into()
    }
}

fn is_name_char(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'
}

/// `es` or `es_AR`: case and underscore count (Meta's rules).
fn is_language(code: &str) -> bool {
    let (language, region) = code.split_once('_').map_or((code, None), |(l, r)| (l, Some(r)));
    (2..=3).contains(&language.len())
        && language.chars().all(|c| c.is_ascii_lowercase())
        && region.is_none_or(|r| r.len() == 2 && r.chars().all(|c| c.is_ascii_uppercase()))
}

fn text_of<'a>(value: &'a Value, member: &str) -> Result<&'a str, ApiError> {
    value[member].as_str().ok_or_else(|| ApiError::parameter(format!("Param {member} is required")))
}

/// The component of that type; more than one is refused.
fn only<'a>(list: &'a [Value], kind: &str) -> Result<Option<&'a Value>, ApiError> {
    let mut found = list.iter().filter(|one| one["type"].as_str().is_some_and(|t| t.eq_ignore_ascii_case(kind)));
    let first = found.next();
    if found.next().is_some() {
        return Err(ApiError::parameter(format!("Component {kind} may appear once")));
    }
    Ok(first)
}

fn too_long(what: &str, max: usize) -> ApiError {
    ApiError::template(2_388_040, "Character limit exceeded", format!("{what} has more than {max} characters"))
}

fn flawed(flaw: Flaw, subcode: u32, what: &str) -> ApiError {
    match flaw {
        Flaw::Shape => ApiError::template(subcode, "Invalid format", format!("{what}: variables are malformed")),
        Flaw::Edge => ApiError::template(
            2_388_299,
            "Leading or trailing variables",
            format!("{what}: variables can't be at the start or end of the template"),
        ),
        Flaw::FewWords => ApiError::template(
            2_388_293,
            "Parameters to words ratio",
            format!("{what}: this template has too many variables for its length"),
        ),
    }
}

fn header(list: &[Value], format: Format) -> Result<Option<Header>, ApiError> {
    const FORMAT_SUBCODE: u32 = 2_388_047;
    let Some(component) = only(list, "HEADER")? else { return Ok(None) };
    let kind = text_of(component, "format")?.to_ascii_lowercase();
    if ["image", "video", "document", "location"].contains(&kind.as_str()) {
        return Ok(Some(Header::Media(kind)));
    }
    if kind != "text" {
        return Err(ApiError::parameter("Param format of the header is unknown"));
    }
    let text = text_of(component, "text")?;
    if text.chars().count() > 60 {
        return Err(too_long("The header", 60));
    }
    let pattern = Pattern::parse(text, format).map_err(|flaw| flawed(flaw, FORMAT_SUBCODE, "Header"))?;
    if text.is_empty() || text.contains('\n') || pattern.names.len() > 1 {
        return Err(ApiError::template(FORMAT_SUBCODE, "Invalid format", "Header: one line with at most one variable"));
    }
    if !pattern.names.is_empty() {
        let example = &component["example"];
        let given = match format {
            Format::Positional => strings(&example["header_text"]).map_or(0, |list| list.len()),
            Format::Named => named_examples(&example["header_text_named_params"], &pattern.names),
        };
        if given != 1 {
            return Err(ApiError::template(FORMAT_SUBCODE, "Missing example", "Header: the variable needs an example"));
        }
    }
    Ok(Some(Header::Text(pattern)))
}

fn body(list: &[Value], format: Format) -> Result<Pattern, ApiError> {
    const FORMAT_SUBCODE: u32 = 2_388_072;
    let component = only(list, "BODY")?.ok_or_else(|| ApiError::parameter("A template needs a BODY component"))?;
    let text = text_of(component, "text")?;
    if text.chars().count() > 1_024 {
        return Err(too_long("The body", 1_024));
    }
    if text.trim().is_empty() {
        return Err(ApiError::template(FORMAT_SUBCODE, "Invalid format", "Body: the text is empty"));
    }
    let pattern = Pattern::parse(text, format).map_err(|flaw| flawed(flaw, FORMAT_SUBCODE, "Body"))?;
    pattern.check_as_body().map_err(|flaw| flawed(flaw, FORMAT_SUBCODE, "Body"))?;
    if !pattern.names.is_empty() {
        let example = &component["example"];
        let given = match format {
            // An array in an array: one row of examples.
            Format::Positional => strings(&example["body_text"][0]).map_or(0, |list| list.len()),
            Format::Named => named_examples(&example["body_text_named_params"], &pattern.names),
        };
        if given != pattern.names.len() {
            return Err(ApiError::template(FORMAT_SUBCODE, "Missing example", "Body: every variable needs an example"));
        }
    }
    Ok(pattern)
}

fn footer(list: &[Value]) -> Result<Option<String>, ApiError> {
    let Some(component) = only(list, "FOOTER")? else { return Ok(None) };
    let text = text_of(component, "text")?;
    if text.chars().count() > 60 {
        return Err(too_long("The footer", 60));
    }
    if text.is_empty() || text.contains("{{") || text.contains('\n') {
        return Err(ApiError::template(2_388_073, "Invalid format", "Footer: one line without variables"));
    }
    Ok(Some(text.to_owned()))
}

fn buttons(list: &[Value]) -> Result<Vec<Button>, ApiError> {
    let Some(component) = only(list, "BUTTONS")? else { return Ok(Vec::new()) };
    let list = component["buttons"].as_array().ok_or_else(|| ApiError::parameter("Param buttons is required"))?;
    let buttons: Vec<Button> = list.iter().map(button).collect::<Result<_, _>>()?;
    let count = |kind: &str| buttons.iter().filter(|one| one.kind == kind).count();
    if buttons.is_empty()
        || buttons.len() > 10
        || count("url") > 2
        || count("phone_number") > 1
        || count("copy_code") > 1
    {
        return Err(ApiError::parameter("1 to 10 buttons: at most 2 URL, 1 PHONE_NUMBER, 1 COPY_CODE"));
    }
    Ok(buttons)
}

fn button(value: &Value) -> Result<Button, ApiError> {
    let kind = text_of(value, "type")?.to_ascii_lowercase();
    if !["url", "quick_reply", "phone_number", "copy_code"].contains(&kind.as_str()) {
        return Err(ApiError::parameter(format!("Unknown button type {kind}")));
    }
    let text = if kind == "copy_code" { "Copiar código" } else { text_of(value, "text")? };
    if text.is_empty() || text.chars().count() > 25 {
        return Err(too_long("A button", 25));
    }
    let url = if kind == "url" {
        let address = text_of(value, "url")?;
        if address.chars().count() > 2_000 {
            return Err(too_long("A button's URL", 2_000));
        }
        // The variable stays {{1}} in a named template, too.
        let pattern = Pattern::parse(address, Format::Positional).ok().filter(Pattern::ends_with_its_variable);
        let pattern =
            pattern.ok_or_else(|| ApiError::parameter("A button's URL has one variable {{1}}, at its end"))?;
        let example = &value["example"];
        if !pattern.names.is_empty() && !example.is_string() && strings(example).is_none_or(|list| list.len() != 1) {
            return Err(ApiError::parameter("A button's URL with a variable needs an example"));
        }
        Some(pattern)
    } else {
        None
    };
    Ok(Button { kind, text: text.to_owned(), url })
}

fn strings(value: &Value) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(|one| one.as_str().filter(|text| !text.is_empty())).collect()
}

/// How many of `names` have an example.
fn named_examples(value: &Value, names: &[String]) -> usize {
    let Some(list) = value.as_array() else { return 0 };
    let has = |name: &&String| {
        list.iter()
            .any(|one| one["param_name"] == name.as_str() && one["example"].as_str().is_some_and(|e| !e.is_empty()))
    };
    names.iter().filter(has).count()
}
