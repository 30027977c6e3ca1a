//! Owns: what must hold across settings. All mistakes are reported at once; a placeholder is not a secret.

use jiff::tz::TimeZone;
use secrecy::{ExposeSecret, SecretString};

use super::rules::RulesConfig;
use super::section::{Config, SenderConfig, is_empty};
use super::{ConfigError, ranges};
use crate::domain::admin::Role;
use crate::domain::event::{SCHEDULE, SWEEP};
use crate::signature::Key;

/// App secrets of one sender: each costs a look at every webhook.
const APP_SECRETS_MAX: usize = 4;
/// Words that people leave in example files.
const PLACEHOLDERS: [&str; 6] = ["change", "example", "secret", "todo", "xxx", "your"];

/// Checks `config` as a whole.
///
/// # Errors
/// Every mistake, one sentence each, naming the key and what to do.
pub fn validate(config: &Config) -> Result<(), ConfigError> {
    let mut mistakes = Vec::new();
    let mut expect = |holds: bool, mistake: &str| {
        if !holds {
            mistakes.push(mistake.to_owned());
        }
    };
    expect(!is_empty(&config.database.url), "`database.url` is empty: give the URL of the bridge's own schema");
    expect(!is_empty(&config.billing.url), "`billing.url` is empty: give the URL of the platform's database");
    expect(TimeZone::get(&config.billing.timezone).is_ok(), "`billing.timezone` is not an IANA time zone, e.g. UTC");
    let consent = &config.consent;
    expect(
        ["", "field", "marketing"].contains(&consent.asked.as_str()),
        "`consent.asked` must be field, marketing or empty",
    );
    expect(
        consent.asked != "field" || !consent.field.trim().is_empty(),
        "`consent.field` is empty: give the name of the custom field in which clients are asked",
    );
    expect(["send", "refuse"].contains(&consent.unanswered.as_str()), "`consent.unanswered` must be send or refuse");
    let link = &config.billing.admin_url;
    expect(
        link.is_empty() || link.starts_with("https://") || link.starts_with("http://"),
        "`billing.admin_url` must begin with https:// (or http://), or be empty",
    );
    expect(config.senders.contains_key(&config.alerts.sender), "`alerts.sender` names no section of [senders]");
    expect(
        ["es_AR", "es", "en", "pt_BR"].contains(&config.alerts.default_locale.as_str()),
        "`alerts.default_locale` must be es_AR, es, en or pt_BR",
    );
    expect(
        (1024..=1 << 20).contains(&config.server.event_bytes_max),
        "`server.event_bytes_max` must be 1024 to 1048576",
    );
    expect(config.server.connections_max > 0, "`server.connections_max` must be at least 1");
    expect(config.server.ingest_queue_max > 0, "`server.ingest_queue_max` must be at least 1");
    expect(config.process.batch.clamp(1, 1000) == config.process.batch, "`process.batch` must be 1 to 1000");
    expect(config.process.workers > 0, "`process.workers` must be at least 1");
    expect(config.process.attempts_max > 0, "`process.attempts_max` must be at least 1");
    expect(config.dispatch.batch.clamp(1, 1000) == config.dispatch.batch, "`dispatch.batch` must be 1 to 1000");
    expect(config.dispatch.attempts_max > 0, "`dispatch.attempts_max` must be at least 1");
    expect((1000..=60_000).contains(&config.dispatch.lease_ms), "`dispatch.lease_ms` must be 1000 to 60000");
    for (key, policy) in [
        ("unknown_security", &config.dispatch.unknown_security),
        ("unknown_status", &config.dispatch.unknown_status),
        ("unknown_notice", &config.dispatch.unknown_notice),
    ] {
        let known = ["send_again", "hold", "give_up"].contains(&policy.as_str());
        expect(known, &format!("`dispatch.{key}` must be send_again, hold or give_up"));
    }
    expect((1..=1440).contains(&config.alerts.mass_window_min), "`alerts.mass_window_min` must be 1 to 1440");
    expect((1..=400).contains(&config.alerts.mass_history_days), "`alerts.mass_history_days` must be 1 to 400");
    for (name, pool) in [
        ("database", (config.database.pool_min, config.database.pool_max)),
        ("billing", (config.billing.pool_min, config.billing.pool_max)),
    ] {
        expect(
            pool.1 > 0 && pool.0 <= pool.1,
            &format!("`{name}.pool_max` must be at least 1 and at least `pool_min`"),
        );
    }
    expect((1..=1440).contains(&config.sweep.every_min), "`sweep.every_min` must be 1 to 1440");
    expect(config.sweep.grace_min <= 1440, "`sweep.grace_min` must be 0 to 1440");
    expect(config.sweep.rows_max >= 1000, "`sweep.rows_max` must be at least 1000");
    for (country, zone) in &config.schedule.zones {
        let good = country.len() == 2 && country.bytes().all(|byte| byte.is_ascii_alphabetic());
        expect(
            good && TimeZone::get(zone).is_ok(),
            "`schedule.zones` takes countries (two letters) with IANA time zones, e.g. { US = \"America/New_York\" }",
        );
    }
    expect(config.sweep.events_max > 0, "`sweep.events_max` must be at least 1");
    expect(
        Role::parse(&config.privacy.names_from).is_some(),
        "`privacy.names_from` must be viewer, operator or administrator",
    );
    mistakes.extend(ranges::mistakes(config));
    mistakes.extend(config.notify.mistakes(&config.senders.keys().collect::<Vec<_>>()));
    admin(config, &mut mistakes);
    rules(&config.rules, &mut mistakes);
    retention(config, &mut mistakes);
    sources(config, &mut mistakes);
    for (name, sender) in &config.senders {
        self::sender(name, sender, &mut mistakes);
        if u64::from(sender.rate_per_s) > 0 && config.dispatch.sending_timeout_ms <= sender.timeout_ms {
            mistakes.push(format!("`dispatch.sending_timeout_ms` must be longer than `senders.{name}.timeout_ms`"));
        }
    }
    if mistakes.is_empty() { Ok(()) } else { Err(ConfigError { mistakes }) }
}

/// Longest time that a page may wait for a decision, in ms.
const DEADLINE_MS_MAX: u64 = 5_000;

fn rules(rules: &RulesConfig, mistakes: &mut Vec<String>) {
    for (name, ask) in [
        ("upgrade", rules.upgrade.ask),
        ("ownership", rules.ownership.ask),
        ("cancellation", rules.cancellation.ask),
        ("termination", rules.termination.ask),
        ("identity", rules.identity.ask),
    ] {
        if !(20..=DEADLINE_MS_MAX).contains(&ask.deadline_ms) {
            mistakes.push(format!("`rules.{name}.deadline_ms` must be 20 to {DEADLINE_MS_MAX}"));
        }
    }
    let mut one_of = |key: &str, value: &str, known: &[&str]| {
        if !known.contains(&value) {
            mistakes.push(format!("`rules.{key}` must be one of {}", known.join(", ")));
        }
    };
    one_of("upgrade.price", &rules.upgrade.price, &["difference", "pro_rata", "platform"]);
    one_of("upgrade.downgrade", &rules.upgrade.downgrade, &["refuse", "free"]);
    one_of("upgrade.shorter_cycle", &rules.upgrade.shorter_cycle, &["refuse", "allow"]);
    one_of("upgrade.discount", &rules.upgrade.discount, &["keep", "scale", "none"]);
    one_of("cancellation.renewal_invoiced", &rules.cancellation.renewal_invoiced, &["due", "deny"]);
    one_of("identity.bad_phone", &rules.identity.bad_phone, &["refuse", "warn", "ignore"]);
    if !(1..=8).contains(&rules.ownership.review_from) {
        mistakes.push("`rules.ownership.review_from` must be 1 to 8".to_owned());
    }
    for ending in &rules.cancellation.national_endings {
        if !ending.starts_with('.') || ending.len() < 2 || ending.chars().any(char::is_whitespace) {
            mistakes.push(format!("`rules.cancellation.national_endings`: `{ending}` must look like .ar or .com.ar"));
        }
    }
}

fn admin(config: &Config, mistakes: &mut Vec<String>) {
    let admin = &config.admin;
    for (name, secret) in [("key", &admin.key), ("sso_secret", &admin.sso_secret)] {
        if !is_empty(secret)
            && let Err(error) = Key::parse(secret)
        {
            mistakes.push(format!("`admin.{name}`: {error}; make one with `hookbridge config --new-secret`"));
        }
    }
    if !is_empty(&admin.sso_secret) {
        single_sign_on(config, mistakes);
    }
    if !admin.listen.is_empty() && admin.listen.parse::<std::net::SocketAddr>().is_err() {
        mistakes.push("`admin.listen` must be an address and a port, e.g. 127.0.0.1:8467, or empty".to_owned());
    }
    if !["optional", "required"].contains(&admin.second_factor.as_str()) {
        mistakes.push("`admin.second_factor` must be optional or required".to_owned());
    }
    if !(1..=1440).contains(&admin.session_idle_min) || !(1..=720).contains(&admin.session_max_h) {
        mistakes.push("`admin.session_idle_min` must be 1 to 1440, `admin.session_max_h` 1 to 720".to_owned());
    }
}

fn single_sign_on(config: &Config, mistakes: &mut Vec<String>) {
    let admin = &config.admin;
    if config.sso_origin().is_none() {
        mistakes.push(
            "`admin.sso_origin` must be where the platform's administration is reached, e.g. https://billing.example.com (or set \
             billing.admin_url): links are taken from there only"
                .to_owned(),
        );
    }
    if Role::parse(&admin.sso_role_max).is_none() {
        mistakes.push("`admin.sso_role_max` must be viewer, operator or administrator".to_owned());
    }
    let same = |other: &SecretString| other.expose_secret() == admin.sso_secret.expose_secret();
    if same(&admin.key) || config.sources.values().flat_map(|source| &source.secrets).any(same) {
        mistakes.push(
            "`admin.sso_secret` is used for something else, too: make one of its own with `hookbridge config --new-secret`"
                .to_owned(),
        );
    }
}

fn retention(config: &Config, mistakes: &mut Vec<String>) {
    let kept = &config.retention;
    // 0 is for ever.
    let days = |days: u32| if days == 0 { u32::MAX } else { days };
    // A day more than the age at which an event leads to nothing, for clocks and waiting.
    let event_days_min = config.alerts.event_age_max_h.div_ceil(24) + 1;
    let mut expect = |holds: bool, mistake: String| {
        if !holds {
            mistakes.push(format!("`retention.{mistake}"));
        }
    };
    expect(
        days(kept.event_days) >= event_days_min,
        format!("event_days` must be at least {event_days_min} (alerts.event_age_max_h and a day), or 0 for ever"),
    );
    expect(
        days(kept.message_days) >= event_days_min,
        format!("message_days` must be at least {event_days_min}, or 0 for ever"),
    );
    expect(
        days(kept.dedupe_days) >= days(kept.message_days) && days(kept.dedupe_days) >= 365,
        "dedupe_days` must be at least 365 and at least `message_days`, or 0 to keep them forever: otherwise an alert could be sent again"
            .to_owned(),
    );
    expect((10..=5_000).contains(&kept.step_ms), "step_ms` must be 10 to 5000".to_owned());
    expect((1..=20_000).contains(&kept.rows_max), "rows_max` must be 1 to 20000".to_owned());
}

fn sources(config: &Config, mistakes: &mut Vec<String>) {
    for (name, source) in &config.sources {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
        if name.is_empty() || name.len() > 32 || !name.chars().all(good) {
            mistakes.push(format!("`sources.{name}`: a source's name is 1 to 32 of a-z 0-9 _ -"));
        }
        if name == SWEEP || name == SCHEDULE {
            mistakes.push(format!("`sources.{name}`: this name is the bridge's own, take another"));
        }
        if source.secrets.is_empty() {
            mistakes.push(format!(
                "`sources.{name}.secrets` is empty: nobody could sign; make one with `hookbridge config --new-secret`"
            ));
        }
        for (index, secret) in source.secrets.iter().enumerate() {
            if let Err(error) = Key::parse(secret) {
                mistakes.push(format!("`sources.{name}.secrets` number {}: {error}", index + 1));
            }
        }
        if source.events_per_s == 0 || source.events_burst == 0 {
            mistakes.push(format!("`sources.{name}`: events_per_s and events_burst must be at least 1"));
        }
    }
}

fn sender(name: &str, sender: &SenderConfig, mistakes: &mut Vec<String>) {
    let mut expect = |holds: bool, mistake: String| {
        if !holds {
            mistakes.push(format!("`senders.{name}.{mistake}"));
        }
    };
    expect(sender.gateway == "cloud_api", "gateway` must be cloud_api".to_owned());
    let secure = sender.base_url.starts_with("https://");
    let loopback =
        ["http://127.0.0.1", "http://[::1]", "http://localhost"].iter().any(|at| sender.base_url.starts_with(at));
    expect(
        secure || loopback,
        "base_url` must be https:// (http:// only on loopback): it carries the token".to_owned(),
    );
    expect(!sender.phone_number_id.is_empty(), "phone_number_id` is empty: Meta's id of the sending number".to_owned());
    for (key, secret) in [("token", &sender.token), ("verify_token", &sender.verify_token)] {
        expect(!is_empty(secret), format!("{key}` is empty"));
        expect(!is_placeholder(secret), format!("{key}` looks like a placeholder"));
    }
    expect(!sender.app_secret.is_empty(), "app_secret` is empty".to_owned());
    expect(
        sender.app_secret.len() <= APP_SECRETS_MAX,
        format!("app_secret` holds more than {APP_SECRETS_MAX}: leave out those that are not in use any more"),
    );
    for (n, secret) in sender.app_secret.iter().enumerate() {
        expect(!is_placeholder(secret), format!("app_secret` number {} looks like a placeholder", n + 1));
    }
    expect((1..=10_000).contains(&sender.rate_per_s), "rate_per_s` must be 1 to 10000".to_owned());
    expect((0.0..=50.0).contains(&sender.rate_headroom_percent), "rate_headroom_percent` must be 0 to 50".to_owned());
    let connects = (1..sender.timeout_ms).contains(&sender.connect_timeout_ms);
    expect(connects, "connect_timeout_ms` must be above 0 and below `timeout_ms`".to_owned());
    expect(!sender.portfolio.is_empty(), "portfolio` is empty".to_owned());
}

fn is_placeholder(secret: &SecretString) -> bool {
    let text = secret.expose_secret().to_lowercase();
    text.len() < 24 && PLACEHOLDERS.iter().any(|word| text.contains(word))
}
