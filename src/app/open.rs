//! Owns: what a configuration opens: both databases, the rules, a sender's gateway.

use std::time::Duration;

use anyhow::Context as _;
use secrecy::ExposeSecret as _;

use crate::billing::proof::proof;
use crate::billing::stated::{Place, Questionnaire};
use crate::billing::{Billing, Overrides};
use crate::config::Config;
use crate::config::section::SenderConfig;
use crate::decide::{Decider, Policies};
use crate::sql::{Access, Address, Database};
use crate::store::Store;
use crate::store::server::Needs;
use crate::whatsapp::Gateway;

/// Our own schema, as configured.
///
/// # Errors
/// An address that is not readable; it is not shown, since it holds a password.
pub fn open_store(config: &Config) -> anyhow::Result<Store> {
    let d = &config.database;
    let address = Address {
        url: d.url.expose_secret(),
        ca: &d.ca,
        pool_min: d.pool_min,
        pool_max: d.pool_max,
        acquire_timeout: Duration::from_millis(d.acquire_timeout_ms),
    };
    Ok(Store::new(Database::open(&address, Access::Own, None).context("database.url")?))
}

/// What this configuration needs of the database server.
#[must_use]
pub fn needs(config: &Config) -> Needs {
    Needs { event_bytes_max: config.server.event_bytes_max, pool_max: config.database.pool_max }
}

/// The platform's database, as configured. No connection of it is used before it proved that it can only read.
///
/// # Errors
/// As [`open_store`].
pub fn open_billing(config: &Config) -> anyhow::Result<Billing> {
    let b = &config.billing;
    let address = Address {
        url: b.url.expose_secret(),
        ca: &b.ca,
        pool_min: b.pool_min,
        pool_max: b.pool_max,
        acquire_timeout: Duration::from_millis(b.acquire_timeout_ms),
    };
    let database = Database::open(&address, Access::Platform, Some(proof())).context("billing.url")?;
    let overrides = Overrides {
        system_url: b.system_url.clone(),
        company_name: b.company_name.clone(),
        default_country: b.default_country.clone(),
        languages: b
            .languages
            .iter()
            .filter_map(|(name, code)| Some((name.to_lowercase(), code.parse().ok()?)))
            .collect(),
        phone_field: config.alerts.phone_field.clone(),
        cache_s: b.cache_s,
        questionnaire: questionnaire(config),
        zone: jiff::tz::TimeZone::get(&config.billing.timezone).unwrap_or(jiff::tz::TimeZone::UTC),
    };
    Ok(Billing::new(database, overrides))
}

/// Where clients say whether they want alerts, as configured.
fn questionnaire(config: &Config) -> Questionnaire {
    let consent = &config.consent;
    let place = match consent.asked.as_str() {
        "field" => Place::Field(consent.field.clone()),
        "marketing" => Place::Marketing,
        _ => Place::Nowhere,
    };
    Questionnaire { place, silence_refuses: consent.unanswered == "refuse" }
}

/// Who answers questions to the company's rules, as configured.
///
/// # Errors
/// A time zone that does not exist.
pub fn decider(config: &Config, store: &Store, billing: &Billing) -> anyhow::Result<Decider> {
    let policies = Policies::new(config).context("billing.timezone")?;
    Ok(Decider { billing: billing.clone(), store: store.clone(), policies })
}

/// The gateway of one sender.
///
/// # Errors
/// The client cannot be built: no certificates, a bad proxy or base URL.
pub fn gateway(name: &str, sender: &SenderConfig) -> anyhow::Result<Gateway> {
    Gateway::of(name, sender).with_context(|| format!("senders.{name}"))
}
