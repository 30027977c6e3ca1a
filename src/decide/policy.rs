//! Owns: the rules' policies out of the settings. What the settings may say was checked when they were read.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::config::Config;
use crate::config::rules::{AskConfig, RulesConfig};
use crate::domain::decision::Rule;
use crate::domain::locale::Locale;
use crate::domain::phone::PhonePolicy;
use crate::rules::{cancellation, identity, ownership, upgrade};

/// The day where the platform's server is.
#[must_use]
pub fn day(now: Timestamp, zone: &TimeZone) -> Date {
    zone.to_datetime(now).date()
}

/// What the company decided, for all rules.
#[derive(Clone, Debug)]
pub struct Policies {
    config: RulesConfig,
    phone: PhonePolicy,
    /// Where the platform's server is.
    pub zone: TimeZone,
    /// For clients whose language the platform does not tell.
    pub default_locale: Locale,
}

impl Policies {
    /// # Errors
    /// A time zone that does not exist.
    pub fn new(config: &Config) -> Result<Self, jiff::Error> {
        let assume_argentine_mobile = config.alerts.assume_argentine_mobile;
        Ok(Self {
            config: config.rules.clone(),
            phone: PhonePolicy { assume_argentine_mobile, ..PhonePolicy::default() },
            zone: TimeZone::get(&config.billing.timezone)?,
            default_locale: config.alerts.default_locale.parse().unwrap_or(Locale::EsAr),
        })
    }

    /// What is configured for every rule alike.
    #[must_use]
    pub fn ask(&self, rule: Rule) -> AskConfig {
        match rule {
            Rule::Upgrade => self.config.upgrade.ask,
            Rule::Ownership => self.config.ownership.ask,
            Rule::Cancellation => self.config.cancellation.ask,
            Rule::Termination => self.config.termination.ask,
            Rule::Identity => self.config.identity.ask,
        }
    }

    /// Where a client asks, if the company has a place of its own for that.
    #[must_use]
    pub fn ask_url(&self) -> Option<&str> {
        Some(self.config.ask_url.as_str()).filter(|url| !url.is_empty())
    }

    #[must_use]
    pub fn upgrade(&self) -> upgrade::Policy {
        let config = &self.config.upgrade;
        upgrade::Policy {
            pricing: match config.price.as_str() {
                "pro_rata" => upgrade::Pricing::ProRata,
                "platform" => upgrade::Pricing::Platform,
                _ => upgrade::Pricing::Difference,
            },
            lower_is_free: config.downgrade == "free",
            shorter_cycle: config.shorter_cycle == "allow",
            discount: match config.discount.as_str() {
                "scale" => upgrade::Discount::Scale,
                "none" => upgrade::Discount::None,
                _ => upgrade::Discount::Keep,
            },
        }
    }

    #[must_use]
    pub fn ownership(&self, default_country: &str) -> ownership::Policy {
        ownership::Policy {
            review_from: self.config.ownership.review_from,
            default_country: default_country.to_owned(),
            phone: self.phone,
        }
    }

    #[must_use]
    pub fn cancellation(&self) -> cancellation::Policy {
        let config = &self.config.cancellation;
        cancellation::Policy {
            late_is_refused: config.renewal_invoiced == "deny",
            national_endings: config.national_endings.clone(),
        }
    }

    #[must_use]
    pub fn identity(&self, default_country: &str) -> identity::Policy {
        identity::Policy {
            bad_phone: match self.config.identity.bad_phone.as_str() {
                "refuse" => identity::BadPhone::Refuse,
                "ignore" => identity::BadPhone::Ignore,
                _ => identity::BadPhone::Warn,
            },
            default_country: default_country.to_owned(),
            phone: self.phone,
        }
    }
}
