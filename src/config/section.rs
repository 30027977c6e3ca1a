//! Owns: the settings' types, one struct per section. Every field is explained in `default.toml`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;

use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use toml::{Table, Value};

use super::ConfigError;
use super::notify::NotifyConfig;
use super::rules::RulesConfig;
use crate::domain::phone::PhonePolicy;
use crate::domain::schedule::Zones;

#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    pub server: ServerConfig,
    pub admin: AdminConfig,
    pub database: DatabaseConfig,
    pub billing: BillingConfig,
    pub sources: BTreeMap<String, SourceConfig>,
    pub senders: BTreeMap<String, SenderConfig>,
    pub alerts: AlertsConfig,
    pub consent: ConsentConfig,
    pub process: ProcessConfig,
    pub dispatch: DispatchConfig,
    pub rules: RulesConfig,
    pub notify: NotifyConfig,
    pub privacy: PrivacyConfig,
    pub retention: RetentionConfig,
    pub sweep: SweepConfig,
    pub schedule: ScheduleConfig,
    pub hookpoints: BTreeMap<String, HookpointConfig>,
    pub log: LogConfig,
}

impl Config {
    /// The time zones of clients. What is no zone was refused when the settings were read.
    #[must_use]
    pub fn zones(&self) -> Zones {
        let own = self.schedule.zones.iter();
        let own = own.filter_map(|(country, zone)| Some((country.to_ascii_uppercase(), TimeZone::get(zone).ok()?)));
        Zones { company: TimeZone::get(&self.billing.timezone).unwrap_or(TimeZone::UTC), own: own.collect() }
    }

    /// The one origin (`https://host:port`) whose forms may bring somebody in by a link; `None`: none is configured.
    #[must_use]
    pub fn sso_origin(&self) -> Option<String> {
        let own = &self.admin.sso_origin;
        origin(if own.is_empty() { &self.billing.admin_url } else { own })
    }
}

/// The origin of an address, as browsers write it: in small letters, without the port that its scheme has anyway.
fn origin(address: &str) -> Option<String> {
    let address = address.trim().to_lowercase();
    let (scheme, rest) = address.split_once("://")?;
    let port = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let host = rest.split(['/', '?', '#']).next()?;
    let host = host.strip_suffix(port).unwrap_or(host);
    (!host.is_empty() && !host.contains('@')).then(|| format!("{scheme}://{host}"))
}

#[derive(Clone, Debug, Deserialize)]
pub struct ServerConfig {
    pub listen: SocketAddr,
    pub event_bytes_max: usize,
    pub receipt_bytes_max: usize,
    pub connections_max: usize,
    pub header_timeout_ms: u64,
    pub body_timeout_ms: u64,
    pub drain_timeout_ms: u64,
    pub ingest_queue_max: usize,
    pub ingest_wait_ms: u64,
    pub behind_tls: bool,
    pub ready_late_max_s: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct AdminConfig {
    pub key: SecretString,
    pub listen: String,
    pub session_idle_min: u32,
    pub session_max_h: u32,
    pub second_factor: String,
    pub sso_secret: SecretString,
    pub sso_origin: String,
    pub sso_role_max: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct DatabaseConfig {
    pub url: SecretString,
    pub ca: String,
    pub pool_min: usize,
    pub pool_max: usize,
    pub acquire_timeout_ms: u64,
    pub state_dir: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct BillingConfig {
    pub url: SecretString,
    pub ca: String,
    pub pool_min: usize,
    pub pool_max: usize,
    pub acquire_timeout_ms: u64,
    pub timezone: String,
    pub system_url: String,
    pub admin_url: String,
    pub company_name: String,
    pub default_country: String,
    pub contact: String,
    pub languages: BTreeMap<String, String>,
    pub cache_s: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct SourceConfig {
    pub secrets: Vec<SecretString>,
    pub events_per_s: u32,
    pub events_burst: u32,
    pub heartbeat_max_min: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub struct SenderConfig {
    pub gateway: String,
    pub base_url: String,
    pub version: String,
    pub phone_number_id: String,
    pub waba_id: String,
    pub token: SecretString,
    /// Newest first: each of them verifies while one is rotated.
    #[serde(deserialize_with = "one_or_many")]
    pub app_secret: Vec<SecretString>,
    pub verify_token: SecretString,
    pub proxy: String,
    pub rate_per_s: u32,
    pub rate_headroom_percent: f64,
    pub pair_interval_s: u64,
    pub pair_burst: u32,
    pub recipients_per_day: u32,
    pub portfolio: String,
    pub timeout_ms: u64,
    pub connect_timeout_ms: u64,
    pub in_flight_max: usize,
}

#[derive(Clone, Debug, Deserialize)]
pub struct AlertsConfig {
    pub sender: String,
    pub default_locale: String,
    pub assume_argentine_mobile: bool,
    pub phone_field: String,
    pub same_transition_min: u32,
    pub event_age_max_h: u32,
    pub mass_window_min: u32,
    pub mass_min: u32,
    pub mass_factor: u32,
    pub mass_history_days: u32,
    pub client_day_max: u32,
}

impl AlertsConfig {
    /// What is guessed about phone numbers.
    #[must_use]
    pub fn phone_policy(&self) -> PhonePolicy {
        PhonePolicy { assume_argentine_mobile: self.assume_argentine_mobile, ..PhonePolicy::default() }
    }
}

#[derive(Clone, Debug, Deserialize)]
pub struct ConsentConfig {
    pub opt_out_words: Vec<String>,
    pub opt_in_words: Vec<String>,
    pub security_words: Vec<String>,
    pub confirm: bool,
    pub asked: String,
    pub field: String,
    pub unanswered: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ProcessConfig {
    pub batch: usize,
    pub workers: usize,
    pub poll_ms: u64,
    pub lease_ms: u64,
    pub attempts_max: u32,
}

#[derive(Clone, Debug, Deserialize)]
pub struct DispatchConfig {
    pub batch: usize,
    pub poll_ms: u64,
    pub attempts_max: u32,
    pub backoff_ms: u64,
    pub backoff_max_ms: u64,
    pub sending_timeout_ms: u64,
    pub lease_ms: u64,
    pub unknown_wait_s: u64,
    pub unknown_security: String,
    pub unknown_status: String,
    pub unknown_notice: String,
    pub template_hold_s: u64,
    pub number_hold_s: u64,
}

#[derive(Clone, Debug, Deserialize)]
pub struct SweepConfig {
    pub enabled: bool,
    pub every_min: u32,
    pub grace_min: u32,
    pub rows_max: usize,
    pub events_max: usize,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ScheduleConfig {
    /// Time zones of clients by country, where the built-in list is not what the company wants.
    pub zones: BTreeMap<String, String>,
}

/// What the page shows of people.
#[derive(Clone, Debug, Deserialize)]
pub struct PrivacyConfig {
    pub show_names: bool,
    pub names_from: String,
}

/// Days: 0 is for ever.
#[derive(Clone, Debug, Deserialize)]
pub struct RetentionConfig {
    pub event_days: u32,
    pub skip_days: u32,
    pub message_days: u32,
    pub dedupe_days: u32,
    pub decision_days: u32,
    pub reply_days: u32,
    pub unknown_receipts_max: u64,
    pub every_s: u64,
    pub step_ms: u64,
    pub rows_max: usize,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookpointConfig {
    pub enabled: Option<bool>,
    pub expires_after_min: Option<u32>,
    pub settle_s: Option<u32>,
    pub users: Option<String>,
    pub mass_max: Option<u32>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct LogConfig {
    pub format: String,
    pub level: String,
}

/// A text, of which commas and white space (the lines of a file) separate several, or a list of texts.
fn one_or_many<'de, D: serde::Deserializer<'de>>(source: D) -> Result<Vec<SecretString>, D::Error> {
    let texts = match Value::deserialize(source)? {
        Value::String(text) => vec![text],
        Value::Array(list) => list
            .into_iter()
            .map(|one| {
                one.as_str().map(str::to_owned).ok_or_else(|| serde::de::Error::custom("`app_secret` must hold texts"))
            })
            .collect::<Result<_, _>>()?,
        _ => return Err(serde::de::Error::custom("`app_secret` must be a text or a list of texts")),
    };
    let parts = texts.iter().flat_map(|text| text.split(|c: char| c == ',' || c.is_whitespace()));
    Ok(parts.filter(|part| !part.is_empty()).map(|part| SecretString::from(part.to_owned())).collect())
}

/// Turns the merged table into sections, after the `…_file` sisters were read.
///
/// # Errors
/// Unreadable secret files, and what serde has to say about the rest.
pub fn read(mut table: Table) -> Result<Config, ConfigError> {
    let mut mistakes = Vec::new();
    read_files(&mut table, "", &mut mistakes);
    if !mistakes.is_empty() {
        return Err(ConfigError { mistakes });
    }
    Value::Table(table).try_into().map_err(|e: toml::de::Error| ConfigError::one(e.message().to_owned()))
}

/// Replaces every `x_file = "path"` by `x = <content>`; a list takes one entry per line.
fn read_files(table: &mut Table, path: &str, mistakes: &mut Vec<String>) {
    let sisters: Vec<String> = table.keys().filter(|key| key.ends_with("_file")).cloned().collect();
    for sister in sisters {
        let Some(Value::String(file)) = table.remove(&sister) else { continue };
        if file.is_empty() {
            continue;
        }
        let key = sister.trim_end_matches("_file").to_owned();
        match std::fs::read_to_string(Path::new(&file)) {
            Err(error) => mistakes.push(format!("`{path}{sister}`: cannot read {file}: {error}")),
            Ok(text) => {
                let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
                let value = match table.get(&key) {
                    Some(Value::Array(_)) => Value::Array(lines.map(|line| Value::String(line.to_owned())).collect()),
                    _ => Value::String(text.trim().to_owned()),
                };
                table.insert(key, value);
            }
        }
    }
    for (key, value) in table.iter_mut() {
        if let Value::Table(inner) = value {
            read_files(inner, &format!("{path}{key}."), mistakes);
        }
    }
}

/// Whether a secret was left empty.
#[must_use]
pub fn is_empty(secret: &SecretString) -> bool {
    secret.expose_secret().is_empty()
}
