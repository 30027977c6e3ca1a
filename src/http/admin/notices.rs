//! Owns: the words of notices to administrators, in the language that the configuration says.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use uuid::Uuid;

use super::overview::{need_path, need_text};
use crate::admin::notify::{Item, Matter, Writer};
use crate::admin::overview::need::Need;
use crate::admin::overview::{Bar, History, Overview, Standing};
use crate::config::Config;
use crate::i18n::Localizer;
use crate::notify::Letter;

/// Days of a week in the chart of a month.
const WEEK: usize = 7;
/// Reasons of failures that a digest names.
const REASONS_MAX: usize = 5;

/// Writes notices.
#[derive(Clone, Debug)]
pub struct Pen {
    localizer: Localizer,
    company: String,
    /// Where the page is reached, without a slash at the end; empty: no links.
    page: String,
}

/// Subject, text, one line, and what programs get.
struct Draft {
    subject: String,
    text: String,
    line: String,
    json: Value,
}

impl Pen {
    /// The pen of this configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let zone = TimeZone::get(&config.billing.timezone).unwrap_or(TimeZone::UTC);
        Self {
            localizer: Localizer { locale: config.notify.locale(), zone },
            company: config.billing.company_name.clone(),
            page: config.notify.page_url.trim_end_matches('/').to_owned(),
        }
    }

    fn link(&self, need: &Need) -> Option<String> {
        let path = need_path(need);
        // The configured address is that of the page itself.
        (!self.page.is_empty()).then(|| format!("{}{}", self.page, path.strip_prefix("/admin").unwrap_or(&path)))
    }

    fn counted(&self, key: &str, n: usize) -> String {
        let key = format!("letter.{key}_{}", if n == 1 { "one" } else { "many" });
        self.localizer.tf(&key, &[("n", &n)])
    }

    fn needs(&self, lists: [(&'static str, &[Item]); 4], at: Timestamp) -> Draft {
        let now: Vec<&Item> = lists.iter().filter(|(name, _)| *name != "over").flat_map(|(_, items)| *items).collect();
        let over = lists[3].1;
        let urgent = now.iter().any(|item| item.need.as_ref().is_some_and(Need::is_urgent));
        let subject = if now.is_empty() { self.counted("over", over.len()) } else { self.counted("needs", now.len()) };
        let subject = if urgent { format!("{}: {subject}", self.localizer.t("letter.urgent")) } else { subject };
        let mut text = String::new();
        for (name, items) in lists.iter().filter(|(_, items)| !items.is_empty()) {
            text.push_str(self.localizer.t(&format!("letter.{name}")));
            text.push_str(":\n");
            for item in *items {
                text.push_str(&self.item(item));
            }
            text.push('\n');
        }
        let says: Vec<&str> = if now.is_empty() { over.iter().collect() } else { now }
            .into_iter()
            .map(|item| item.says.trim_end_matches('.'))
            .collect();
        let json = lists.map(|(name, items)| (name.to_owned(), items.iter().map(|item| self.entry(item)).collect()));
        let mut json: serde_json::Map<String, Value> = json.into_iter().collect();
        json.insert("at".to_owned(), at.to_string().into());
        let line = format!("{subject}: {}", says.join("; "));
        Draft { subject, text, line, json: json!({ "type": "needs.changed", "data": json }) }
    }

    fn item(&self, item: &Item) -> String {
        let urgent = item.need.as_ref().is_some_and(Need::is_urgent);
        let mark = if urgent { "! " } else { "- " };
        let since = item.need.as_ref().and_then(|need| need.since);
        let since = since.map(|at| self.localizer.tf("letter.since", &[("at", &self.localizer.clock(at))]));
        let since = since.map_or_else(String::new, |since| format!(" ({since})"));
        let link = item.need.as_ref().and_then(|need| self.link(need));
        let link = link.map_or_else(String::new, |link| format!("  {link}\n"));
        format!("{mark}{}{since}\n{link}", item.says)
    }

    fn entry(&self, item: &Item) -> Value {
        let need = item.need.as_ref();
        json!({
            "key": item.key, "code": item.key.split(':').next(), "says": item.says,
            "urgent": need.is_some_and(Need::is_urgent), "count": need.map(|need| need.n),
            "since": need.and_then(|need| need.since).map(|at| at.to_string()),
            "link": need.and_then(|need| self.link(need)),
        })
    }

    fn digest(&self, now: &Overview, past: &History) -> Draft {
        // The day that is not over is the last bar.
        let days = past.month.len().saturating_sub(1);
        let week = |weeks: usize| {
            let until = days.saturating_sub(WEEK * (weeks - 1));
            sum(&past.month[until.saturating_sub(WEEK)..until])
        };
        let ((this, read), (before, read_before)) = (week(1), week(2));
        let pair = |key: &str, now: u64, before: u64| {
            self.localizer.tf(key, &[("now", &self.localizer.number(now)), ("before", &self.localizer.number(before))])
        };
        let mut lines = vec![self.localizer.t("letter.digest_week").to_owned()];
        let mut figures = serde_json::Map::new();
        for (place, standing) in Standing::ALL.iter().enumerate() {
            lines.push(pair(&format!("letter.digest_{standing}"), this[place], before[place]));
            figures.insert(standing.code().to_owned(), json!({ "week": this[place], "week_before": before[place] }));
            if *standing == Standing::Delivered {
                lines.push(pair("letter.digest_read", read, read_before));
                figures.insert("read".to_owned(), json!({ "week": read, "week_before": read_before }));
            }
        }
        let line = lines[1..].join("; ");
        if !past.failures.is_empty() {
            lines.extend([String::new(), self.localizer.t("letter.digest_why").to_owned()]);
            for why in past.failures.iter().take(REASONS_MAX) {
                let known = self.localizer.known(&format!("reason.{}", why.reason));
                lines.push(format!("- {} {}", self.localizer.number(why.month), known.unwrap_or(&why.reason)));
            }
        }
        lines.push(String::new());
        if now.needs.is_empty() {
            lines.push(self.localizer.t("letter.digest_well").to_owned());
        } else {
            lines.push(self.localizer.t("letter.digest_needs").to_owned());
            lines.extend(now.needs.iter().map(|need| format!("- {}", need_text(&self.localizer, need, now.at))));
        }
        let needs: Vec<&str> = now.needs.iter().map(Need::code).collect();
        let json = json!({ "type": "digest.weekly",
            "data": { "at": now.at.to_string(), "alerts": figures, "needs": needs } });
        Draft {
            subject: self.localizer.t("letter.digest_subject").to_owned(),
            text: lines.join("\n") + "\n",
            line,
            json,
        }
    }

    fn plain(&self, kind: &str, what: &str, values: &[(&str, &dyn std::fmt::Display)], at: Timestamp) -> Draft {
        let subject = self.localizer.t(&format!("letter.{what}_subject")).to_owned();
        let text = self.localizer.tf(&format!("letter.{what}_text"), values);
        let json = json!({ "type": kind, "data": { "at": at.to_string(), "says": text } });
        Draft { line: text.clone(), text: text + "\n", subject, json }
    }
}

impl Writer for Pen {
    fn letter(&self, id: Uuid, at: Timestamp, matter: &Matter<'_>) -> Letter {
        let draft = match matter {
            Matter::Needs { fresh, grown, again, over } => {
                self.needs([("new", fresh), ("grown", grown), ("again", again), ("over", over)], at)
            }
            Matter::Digest { now, past } => self.digest(now, past),
            Matter::Test { by } => self.plain("test", "test", &[("by", by)], at),
            Matter::Blind { instance, why: Some(why) } => {
                let mut draft = self.plain("database.away", "blind", &[("instance", instance), ("why", why)], at);
                draft.subject = format!("{}: {}", self.localizer.t("letter.urgent"), draft.subject);
                draft
            }
            Matter::Blind { instance, why: None } => {
                self.plain("database.back", "sight", &[("instance", instance)], at)
            }
        };
        let who = if self.company.is_empty() { String::new() } else { format!("{}: ", self.company) };
        let mut json = draft.json;
        json["company"] = self.company.clone().into();
        let footer = self.localizer.t("letter.why_you");
        let page = if self.page.is_empty() { String::new() } else { format!("{}\n", self.page) };
        Letter {
            id,
            at,
            subject: format!("[hookbridge] {who}{}", draft.subject),
            text: format!("{}\n-- \n{page}{footer}\n", draft.text),
            line: format!("{who}{}", draft.line),
            json,
        }
    }

    fn says(&self, need: &Need, at: Timestamp) -> String {
        need_text(&self.localizer, need, at)
    }
}

/// The counts of some days, and how many were read.
fn sum(bars: &[Bar]) -> ([u64; 5], u64) {
    bars.iter().fold(([0; 5], 0), |(mut sums, read), bar| {
        for (sum, n) in sums.iter_mut().zip(bar.counts) {
            *sum += n;
        }
        (sums, read + bar.read)
    })
}
