//! Owns: the settings of notices to administrators, and what must hold of them. Every field is explained in `default.toml`.

use jiff::civil::Time;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::section::is_empty;
use crate::domain::locale::Locale;
use crate::domain::phone::E164;
use crate::signature::Key;

/// Names of the days, as `digest_day` takes them; Monday first.
pub const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// Shapes of a webhook's body.
pub const SHAPES: [&str; 4] = ["json", "slack", "mattermost", "discord"];
/// Recipients of one channel at most.
const TO_MAX: usize = 20;

#[derive(Clone, Debug, Deserialize)]
pub struct NotifyConfig {
    pub language: String,
    pub page_url: String,
    pub after_s: u32,
    pub digest_day: String,
    pub digest_at: String,
    pub email: EmailConfig,
    pub webhook: WebhookConfig,
    pub whatsapp: WhatsAppConfig,
}

/// When a channel speaks.
#[derive(Clone, Debug, Deserialize)]
pub struct MannerConfig {
    pub severity: String,
    pub quiet: String,
    pub quiet_urgent: bool,
    pub repeat_h: u32,
    pub recovery: bool,
    pub digest: bool,
}

#[derive(Clone, Debug, Deserialize)]
pub struct EmailConfig {
    pub to: Vec<String>,
    pub from: String,
    pub host: String,
    pub port: u16,
    pub tls: String,
    pub ca: String,
    pub user: String,
    pub password: SecretString,
    pub timeout_s: u64,
    #[serde(flatten)]
    pub manner: MannerConfig,
}

#[derive(Clone, Debug, Deserialize)]
pub struct WebhookConfig {
    /// Those of Slack and its like are secrets by themselves.
    pub url: SecretString,
    pub shape: String,
    pub secret: SecretString,
    pub timeout_s: u64,
    #[serde(flatten)]
    pub manner: MannerConfig,
}

#[derive(Clone, Debug, Deserialize)]
pub struct WhatsAppConfig {
    pub to: Vec<String>,
    pub senders: Vec<String>,
    #[serde(flatten)]
    pub manner: MannerConfig,
}

impl NotifyConfig {
    /// The language of notices: one of the pages'.
    #[must_use]
    pub fn locale(&self) -> Locale {
        let read = self.language.parse().ok();
        read.filter(|locale| Locale::PAGES.contains(locale)).unwrap_or(Locale::EsAr)
    }

    /// Whether any channel is on.
    #[must_use]
    pub fn is_on(&self) -> bool {
        !(self.email.to.is_empty() && is_empty(&self.webhook.url) && self.whatsapp.to.is_empty())
    }

    /// Every mistake, one sentence each. `senders` are the names of the sending numbers.
    #[must_use]
    pub fn mistakes(&self, senders: &[&String]) -> Vec<String> {
        let mut all = Vec::new();
        let mut expect = |holds: bool, mistake: &str| {
            if !holds {
                all.push(format!("`notify.{mistake}"));
            }
        };
        let pages = self.language.parse().is_ok_and(|locale: Locale| Locale::PAGES.contains(&locale));
        expect(pages, "language` must be es_AR, en or pt_BR");
        expect(self.page_url.is_empty() || is_url(&self.page_url), "page_url` must begin with https:// or be empty");
        expect(self.after_s <= 3_600, "after_s` must be 0 to 3600");
        let day = self.digest_day.is_empty() || DAYS.contains(&self.digest_day.as_str());
        expect(day, "digest_day` must be a day's English name, e.g. monday, or empty");
        expect(read_time(&self.digest_at).is_some(), "digest_at` must be a time like 09:00");
        for (name, manner) in
            [("email", &self.email.manner), ("webhook", &self.webhook.manner), ("whatsapp", &self.whatsapp.manner)]
        {
            let severity = ["all", "urgent"].contains(&manner.severity.as_str());
            expect(severity, &format!("{name}.severity` must be all or urgent"));
            let quiet = manner.quiet.is_empty() || read_span(&manner.quiet).is_some();
            expect(quiet, &format!("{name}.quiet` must be two times like 22:00-08:00, or empty"));
            expect(manner.repeat_h <= 720, &format!("{name}.repeat_h` must be 0 to 720"));
        }
        self.email(&mut expect);
        self.webhook(&mut expect);
        let staff = &self.whatsapp;
        expect(staff.to.len() <= TO_MAX, &format!("whatsapp.to` holds more than {TO_MAX}"));
        expect(
            staff.to.iter().all(|one| E164::trusted(one).is_some()),
            "whatsapp.to` takes numbers with + and country code, e.g. +5491123456789",
        );
        expect(
            staff.senders.iter().all(|one| senders.contains(&one)),
            "whatsapp.senders` names a number that [senders] does not have",
        );
        all
    }

    fn email(&self, expect: &mut impl FnMut(bool, &str)) {
        let mail = &self.email;
        if mail.to.is_empty() {
            return;
        }
        expect(mail.to.len() <= TO_MAX, &format!("email.to` holds more than {TO_MAX}"));
        expect(mail.to.iter().all(|one| is_address(one)), "email.to` takes addresses like ana@example.com");
        expect(is_address(&mail.from), "email.from` must be an address like hookbridge@example.com");
        expect(!mail.host.is_empty(), "email.host` is empty: give the name of the mail server");
        expect(mail.port > 0, "email.port` must be 1 to 65535");
        expect(["starttls", "tls", "none"].contains(&mail.tls.as_str()), "email.tls` must be starttls, tls or none");
        let here = ["127.0.0.1", "::1", "localhost"].contains(&mail.host.as_str());
        expect(mail.tls != "none" || here, "email.tls` may be none only to this machine: it would show the password");
        expect(mail.user.is_empty() == is_empty(&mail.password), "email.user` and `password` go together");
        expect((1..=60).contains(&mail.timeout_s), "email.timeout_s` must be 1 to 60");
    }

    fn webhook(&self, expect: &mut impl FnMut(bool, &str)) {
        let hook = &self.webhook;
        if is_empty(&hook.url) {
            return;
        }
        expect(
            is_url(hook.url.expose_secret()),
            "webhook.url` must begin with https:// (http:// only to this machine)",
        );
        expect(SHAPES.contains(&hook.shape.as_str()), "webhook.shape` must be json, slack, mattermost or discord");
        if hook.shape == "json" {
            let good = Key::parse(&hook.secret).is_ok();
            expect(good, "webhook.secret` must be a whsec_… secret: make one with `hookbridge config --new-secret`");
        }
        expect((1..=60).contains(&hook.timeout_s), "webhook.timeout_s` must be 1 to 60");
    }
}

/// Two times of a day.
#[must_use]
pub fn read_span(text: &str) -> Option<(Time, Time)> {
    let (from, until) = text.split_once('-')?;
    let (from, until) = (read_time(from.trim())?, read_time(until.trim())?);
    (from != until).then_some((from, until))
}

/// `09:00`.
#[must_use]
pub fn read_time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let two = |part: &str| (part.len() <= 2).then(|| part.parse::<i8>().ok()).flatten();
    Time::new(two(hour)?, two(minute)?, 0, 0).ok()
}

fn is_url(url: &str) -> bool {
    let here = ["http://127.0.0.1", "http://[::1]", "http://localhost"];
    url.starts_with("https://") || here.iter().any(|start| url.starts_with(start))
}

/// Roughly: the mail server has the last say.
fn is_address(text: &str) -> bool {
    let plain = !text.chars().any(|c| c.is_whitespace() || c.is_control() || matches!(c, '<' | '>' | ',' | ';'));
    plain
        && text
            .split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && (host.contains('.') || host == "localhost"))
}
