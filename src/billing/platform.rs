//! Owns: what the platform says about itself (settings, currencies). Read rarely, remembered for a while.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::client::Read;
use super::grants::{self, BILLING_NOTE};
use super::pool::{Billing, BillingError};
use super::row::{id, is_on, text};
use super::stated::Questionnaire;
use crate::domain::ids::CurrencyId;
use crate::domain::locale::Locale;
use crate::domain::money::{Currency, NoCurrency};
use crate::domain::record::Platform;
use crate::sql::Reader;

/// What the configuration says instead of the platform; empty = ask the platform.
#[derive(Clone, Debug)]
pub struct Overrides {
    pub system_url: String,
    pub company_name: String,
    pub default_country: String,
    /// Languages of the platform by the names of their files, in small letters.
    pub languages: BTreeMap<String, Locale>,
    /// The clients' custom field that may hold a WhatsApp number; empty: none.
    pub phone_field: String,
    /// How long the platform's answers are remembered, in seconds.
    pub cache_s: u64,
    /// Where clients say whether they want alerts.
    pub questionnaire: Questionnaire,
    /// Zone of the platform's server, whose days its rows hold.
    pub zone: TimeZone,
}

/// Settings and currencies, as read at `at`.
#[derive(Debug)]
pub(super) struct Remembered {
    at: Timestamp,
    pub(super) platform: Arc<Platform>,
    pub(super) currencies: Currencies,
    /// Which rows of `tblaccounts` are payments, as a condition.
    pub(super) is_payment: &'static str,
    /// `tblcustomfields.id` of the clients' field that may hold a WhatsApp number.
    pub(super) phone_field: Option<u64>,
}

/// Which rows of `tblaccounts` are somebody's money, as a condition. Platform: from 9.0 on, credit notes are rows of the same
/// table with `amountin` above zero; `billingnoteid` tells them. Before 9.0 there is no such column, and where the account was not
/// granted it, it looks the same: a credit note has neither gateway nor transaction.
fn is_payment(has_billing_notes: bool, version: &str) -> &'static str {
    match (has_billing_notes, grants::has_billing_notes(version)) {
        (true, _) => "COALESCE(billingnoteid, 0) = 0",
        (false, true) => "NOT (gateway = '' AND transid = '')",
        (false, false) => "TRUE",
    }
}

/// The currencies as read: those that cannot be understood harm only who uses them.
#[derive(Debug, Default)]
pub(super) struct Currencies {
    by_id: HashMap<CurrencyId, Read<Currency>>,
    /// Ids that a row named and that were not there when all were read anew.
    not_there: BTreeSet<CurrencyId>,
}

impl Currencies {
    /// The currency that `column` of a row names, or which row is to blame.
    pub(super) fn of(&self, reader: &Reader<'_>, column: &'static str) -> Read<Result<Currency, NoCurrency>> {
        let key = CurrencyId(id(reader, column)?);
        Ok(match self.by_id.get(&key) {
            Some(Ok(currency)) => Ok(currency.clone()),
            Some(Err(error)) => Err(NoCurrency { id: key, why: error.to_string() }),
            None => Err(NoCurrency { id: key, why: reader.bad(column).to_string() }),
        })
    }

    /// Whether one of `named` is not known, and was not looked for before.
    fn lacks(&self, named: &BTreeSet<CurrencyId>) -> bool {
        named.iter().any(|id| !self.by_id.contains_key(id) && !self.not_there.contains(id))
    }
}

impl Billing {
    /// The platform's settings.
    ///
    /// # Errors
    /// The database, or a base URL that is not known.
    pub async fn platform(&self, now: Timestamp) -> Result<Arc<Platform>, BillingError> {
        Ok(self.remembered(now).await?.platform.clone())
    }

    /// The language of ours that the platform's language `name` is; `None` for the empty name and for a language that we have no
    /// texts in.
    pub(super) fn locale(&self, name: &str) -> Option<Locale> {
        let own = self.overrides.languages.get(&name.trim().to_lowercase());
        own.copied().or_else(|| Locale::from_platform(name))
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

    /// Rows may name a currency that was made a moment ago: then all are read anew, once. `None`: `known` has all that there
    /// are.
    pub(super) async fn renewed(
        &self,
        known: &Remembered,
        named: BTreeSet<CurrencyId>,
        now: Timestamp,
    ) -> Result<Option<Arc<Remembered>>, BillingError> {
        if !known.currencies.lacks(&named) {
            return Ok(None);
        }
        let mut fresh = self.read_platform(now).await?;
        let here = &fresh.currencies.by_id;
        let missing = named.into_iter().filter(|id| !here.contains_key(id)).collect::<Vec<_>>();
        fresh.currencies.not_there.extend(known.currencies.not_there.iter().copied().chain(missing));
        let fresh = Arc::new(fresh);
        self.remembered.store(Some(fresh.clone()));
        Ok(Some(fresh))
    }

    async fn read_platform(&self, now: Timestamp) -> Result<Remembered, BillingError> {
        let mut connection = self.database.connection().await?;
        let sql = "SELECT setting, value FROM tblconfiguration WHERE setting IN \
                   ('SystemURL', 'CompanyName', 'Language', 'DefaultCountry', 'Version', \
                   'AutoSuspension', 'AutoSuspensionDays', 'AutoTermination', 'AutoTerminationDays')";
        let mut settings: HashMap<String, String> = HashMap::new();
        for row in &self.rows(&mut connection, sql.to_owned()).await? {
            let reader = Reader::new("tblconfiguration", row, "");
            // One that cannot be read counts as not set: most alerts need none of them.
            if let (Ok(setting), Ok(value)) = (reader.get("setting"), text(&reader, "value")) {
                settings.insert(setting, value);
            }
        }
        let mut currencies = Currencies::default();
        let sql = "SELECT id, code, prefix, suffix, format FROM tblcurrencies";
        for row in &self.rows(&mut connection, sql.to_owned()).await? {
            let key = id(&Reader::new("tblcurrencies", row, ""), "id")?;
            let read = currency(&Reader::new("tblcurrencies", row, key.to_string()), CurrencyId(key));
            currencies.by_id.insert(CurrencyId(key), read);
        }
        let sql = format!(
            "SELECT COUNT(*) AS n FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = '{}' \
             AND column_name = '{}'",
            BILLING_NOTE.0, BILLING_NOTE.1
        );
        let rows = self.rows(&mut connection, sql).await?;
        let has_billing_notes = match rows.first() {
            Some(row) => id(&Reader::new("columns", row, ""), "n")? > 0,
            None => false,
        };
        let phone_field = self.find_phone_field(&mut connection, &self.overrides.phone_field).await?;
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
            locale: settings.get("Language").and_then(|language| self.locale(language)),
            default_country: given(&self.overrides.default_country, "DefaultCountry"),
            version: settings.get("Version").cloned().unwrap_or_default(),
            suspension_days: days(&settings, "AutoSuspension", "AutoSuspensionDays"),
            termination_days: days(&settings, "AutoTermination", "AutoTerminationDays"),
        };
        let is_payment = is_payment(has_billing_notes, &platform.version);
        Ok(Remembered { at: now, platform: Arc::new(platform), currencies, is_payment, phone_field })
    }
}

/// Days of a task of the platform's, if it is switched on.
fn days(settings: &HashMap<String, String>, switch: &str, days: &str) -> Option<u16> {
    settings.get(switch).filter(|on| is_on(on))?;
    settings.get(days)?.trim().parse().ok()
}

fn currency(reader: &Reader<'_>, key: CurrencyId) -> Read<Currency> {
    let format: i64 = reader.get("format")?;
    let read = Currency::from_platform(
        key,
        &reader.get::<String>("code")?,
        &reader.get::<String>("prefix")?,
        &reader.get::<String>("suffix")?,
        format,
    );
    read.map_err(|_| reader.bad("format"))
}
