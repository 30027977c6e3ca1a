//! Owns: what the provider tells about templates, numbers and the account: news for operators and for what is held.
//!
//! Meta's webhook fields besides `messages`; languages come with a hyphen there (`en-US`) and with an underscore
//! everywhere else, so they are normalised.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::receipt::{MetadataWire, digits, lenient, object, seconds};
use super::redact::redact;
use crate::domain::phone::E164;

/// A piece of news that is not about one message. Meta's words (`event`, `new`, …) are open lists: kept as they come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A template's status changed: `APPROVED`, `REJECTED`, `PAUSED`, `DISABLED`, …
    TemplateStatus { name: String, language: String, event: String, reason: Option<String> },
    /// Meta moved a template to another category, and bills it as such.
    TemplateCategory { name: String, language: String, previous: Option<String>, new: String },
    /// A template's quality changed: `GREEN`, `YELLOW`, `RED`.
    TemplateQuality { name: String, language: String, previous: Option<String>, new: String },
    /// The quality or limit of the number with these digits changed: `FLAGGED`, `DOWNGRADE`, …
    NumberQuality { number: Option<String>, event: String, limit: Option<String> },
    /// An alert about the account, e.g. kind `OBA_APPROVED`, or a change of it, e.g. `ACCOUNT_RESTRICTION`.
    Account { kind: String, severity: Option<String>, detail: Option<String> },
    /// The unique users that may be reached in 24 hours changed, e.g. `TIER_2K` or a number.
    Capability { recipients_per_day: Option<String> },
    /// A user stopped or resumed *marketing* messages. Says nothing about utility alerts. A type that masks itself, since
    /// notices are logged.
    MarketingPreference { from: Option<E164>, stopped: bool, at: Timestamp },
    /// An error that belongs to no message.
    Error { phone_number_id: Option<String>, code: i64, detail: String },
}

/// `value` of field `user_preferences`.
#[derive(Deserialize)]
pub(super) struct PreferencesWire<'a> {
    #[serde(default, deserialize_with = "lenient")]
    pub(super) metadata: Option<MetadataWire>,
    #[serde(borrow, default)]
    pub(super) user_preferences: Option<&'a RawValue>,
}

#[derive(Deserialize)]
pub(super) struct PreferenceWire {
    #[serde(default, deserialize_with = "lenient")]
    wa_id: Option<String>,
    value: String,
    timestamp: Value,
}

/// What the three fields about templates have in common.
#[derive(Deserialize)]
struct TemplateWire {
    message_template_name: String,
    message_template_language: String,
    #[serde(default)]
    event: Value,
    #[serde(default)]
    reason: Value,
    #[serde(default)]
    rejection_info: Value,
    #[serde(default)]
    other_info: Value,
    #[serde(default)]
    previous_category: Value,
    #[serde(default)]
    new_category: Value,
    #[serde(default)]
    previous_quality_score: Value,
    #[serde(default)]
    new_quality_score: Value,
}

/// Reads the value of a field. Nothing when the field is unknown or its value has another shape.
pub(super) fn parse(field: &str, value: &RawValue) -> Option<Notice> {
    match field {
        "message_template_status_update" | "template_category_update" | "message_template_quality_update" => {
            template(field, object(value)?)
        }
        "phone_number_quality_update" => {
            let value: Value = object(value)?;
            let number = value["display_phone_number"].as_str().map(digits);
            Some(Notice::NumberQuality { number, event: word(&value["event"])?, limit: limit(&value) })
        }
        "account_alerts" | "account_update" => account(&object(value)?),
        "business_capability_update" => {
            let value: Value = object(value)?;
            Some(Notice::Capability { recipients_per_day: limit(&value) })
        }
        _ => None,
    }
}

pub(super) fn preference(wire: &PreferenceWire) -> Option<Notice> {
    let stopped = match wire.value.as_str() {
        "stop" => true,
        "resume" => false,
        _ => return None,
    };
    let from = wire.wa_id.as_deref().and_then(E164::from_digits);
    Some(Notice::MarketingPreference { from, stopped, at: seconds(&wire.timestamp)? })
}

fn template(field: &str, wire: TemplateWire) -> Option<Notice> {
    let name = wire.message_template_name;
    let language = wire.message_template_language.replace('-', "_");
    Some(match field {
        "template_category_update" => Notice::TemplateCategory {
            name,
            language,
            previous: word(&wire.previous_category),
            new: word(&wire.new_category)?,
        },
        "message_template_quality_update" => Notice::TemplateQuality {
            name,
            language,
            previous: word(&wire.previous_quality_score),
            new: word(&wire.new_quality_score)?,
        },
        _ => {
            let reasons = [&wire.rejection_info["reason"], &wire.other_info["description"], &wire.reason];
            let reason = reasons.into_iter().find_map(word).filter(|reason| reason != "NONE");
            Notice::TemplateStatus { name, language, event: word(&wire.event)?, reason }
        }
    })
}

/// Meta: alerts come in `alert_info`; older ones and `account_update` have their members in the value itself.
fn account(value: &Value) -> Option<Notice> {
    let info = value.get("alert_info").unwrap_or(value);
    let kind = word(&info["alert_type"]).or_else(|| word(&info["event"]))?;
    let detail = word(&info["alert_description"])
        .or_else(|| word(&value["ban_info"]["waba_ban_state"]))
        .or_else(|| restrictions(&value["restriction_info"]));
    Some(Notice::Account { kind, severity: word(&info["alert_severity"]), detail })
}

/// What the account may not do, and until when: `RESTRICTED_ADD_PHONE_NUMBER_ACTION until 1641848253`.
fn restrictions(list: &Value) -> Option<String> {
    let one = |value: &Value| {
        let kind = word(&value["restriction_type"])?;
        let until = value["expiration"].as_i64().map(|at| format!(" until {at}"));
        let until = until.or_else(|| word(&value["expiration"]).map(|at| format!(" until {at}")));
        Some(kind + &until.unwrap_or_default())
    };
    let all: Vec<String> = list.as_array()?.iter().filter_map(one).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// Meta: `max_daily_conversations_per_business` replaces the other two in 2026; a tier's name or a number.
fn limit(value: &Value) -> Option<String> {
    ["max_daily_conversations_per_business", "max_daily_conversation_per_phone", "current_limit"]
        .into_iter()
        .find_map(|name| word(&value[name]).or_else(|| value[name].as_i64().map(|number| number.to_string())))
}

fn word(value: &Value) -> Option<String> {
    value.as_str().map(redact).filter(|text| !text.is_empty())
}
