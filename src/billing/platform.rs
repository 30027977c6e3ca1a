//! Owns: what the platform says about itself (settings, currencies). Read rarely, remembered for a while.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::pool::{Billing, BillingError};
use super::row::{id, text};
use crate::domain::ids::CurrencyId;
use crate::domain::locale::Locale;
use crate::domain::money::Currency;
use crate::domain::record::Platform;
use crate::sql::Reader;

/// What the configuration says instead of the platform; empty = ask the platform.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub system_url: String,
    pub company_name: String,
    pub default_country: String,
    /// How long the platform's answers are remembered, in seconds.
    pub cache_s: u64,
}

/// Settings and currencies, as read at `at`.
#[derive(Debug)]
pub(super) struct Remembered {
    at: Timestamp,
    pub(super) platform: Arc<Platform>,
    pub(super) currencies: HashMap<CurrencyId, Currency>,
}

impl Billing {
    /// The platform's settings.
    ///
    /// # Errors
    /// The database, or a base URL that nobody told.
    pub async fn platform(&self, now: Timestamp) -> Result<Arc<Platform>, BillingError> {
        Ok(self.remembered(now).await?.platform.clone())
    }

    pub(super) async fn remembered(&self, now: Timestamp) -> Result<Arc<Remembered>, BillingError> {
        let age_max = SignedDuration::from_secs(i64::try_from(self.overrides.cache_s).unwrap_or(i64::MAX));
        if let Some(known) = self.remembered.load_full()
            && now.duration_since(known.at).abs() < age_max
        {
            return Ok(known);
        }
        let fresh = Arc::new(self.read_platform(now).await?);
        self.remembered.store(Some(fresh.clone()));
        Ok(fresh)
    }

    async fn read_platform(&self, now: Timestamp) -> Result<Remembered, BillingError> {
        let mut connection = self.database.connection().await?;
        let sql = "SELECT setting, value FROM tblconfiguration WHERE setting IN \
                   ('SystemURL', 'CompanyName', 'Language', 'DefaultCountry', 'Version')";
        let mut settings: HashMap<String, String> = HashMap::new();
        for row in &self.rows(&mut connection, sql.to_owned()).await? {
            let reader = Reader::new("tblconfiguration", row, "");
            settings.insert(reader.get("setting")?, text(&reader, "value")?);
        }
        let mut currencies = HashMap::new();
        let sql = "SELECT id, code, prefix, suffix, format FROM tblcurrencies";
        for row in &self.rows(&mut connection, sql.to_owned()).await? {
            let currency = currency(&Reader::new("tblcurrencies", row, ""))?;
            currencies.insert(currency.id, currency);
        }
        let given = |own: &str, setting: &str| match own {
            "" => settings.get(setting).cloned().unwrap_or_default(),
            own => own.to_owned(),
        };
        let mut system_url = given(&self.overrides.system_url, "SystemURL");
        if system_url.is_empty() {
            return Err(BillingError::Setting("SystemURL"));
        }
        if !system_url.ends_with('/') {
            system_url.push('/');
        }
        let platform = Platform {
            system_url,
            company_name: given(&self.overrides.company_name, "CompanyName"),
            locale: settings.get("Language").and_then(|language| Locale::from_platform(language)),
            default_country: given(&self.overrides.default_country, "DefaultCountry"),
            version: settings.get("Version").cloned().unwrap_or_default(),
        };
        Ok(Remembered { at: now, platform: Arc::new(platform), currencies })
    }
}

fn currency(reader: &Reader<'_>) -> Result<Currency, BillingError> {
    let key = id(reader, "id")?;
    let format: i64 = reader.get("format")?;
    let read = Currency::from_platform(
        CurrencyId(key),
        &reader.get::<String>("code")?,
        &reader.get::<String>("prefix")?,
        &reader.get::<String>("suffix")?,
        format,
    );
    Ok(read.map_err(|_| reader.bad("format"))?)
}
