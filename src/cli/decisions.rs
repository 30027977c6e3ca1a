//! `hookbridge decisions`

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::show;
use crate::admin::AdminError;
use crate::admin::decisions::{Asked, as_json};
use crate::admin::exceptions::{self, DAYS_MAX, Wish};
use crate::admin::rules::{self, Standing};
use crate::app::{decider, open_billing, open_store};
use crate::clock::Clock;
use crate::config::Config;
use crate::decide::{Answer, Question};
use crate::domain::admin::Who as Actor;
use crate::domain::decision::{DecisionId, Rule, Verdict};
use crate::domain::event::FieldValue;
use crate::domain::hookpoint::{Subject, SubjectKind};
use crate::domain::locale::Locale;
use crate::i18n;
use crate::store::decision::{Filter, Kept, list, one};
use crate::store::exception::{self, Override};
use crate::store::walk::Place;
use crate::store::{Store, missed};

#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Each rule: what the configuration says of it, and how often it was asked in the last 30 days
    Rules {
        #[arg(long)]
        json: bool,
    },
    /// The newest decisions
    List {
        /// upgrade, ownership, cancellation, termination, identity
        #[arg(long)]
        rule: Option<String>,
        /// allow, deny, adjust, review
        #[arg(long)]
        decision: Option<String>,
        #[command(flatten)]
        about: About,
        /// hooks (the platform acted on it) or people (what-ifs)
        #[arg(long)]
        asked: Option<String>,
        /// Given at this moment or later, e.g. 2026-11-25T10:00:00Z
        #[arg(long)]
        since: Option<Timestamp>,
        /// Given before this moment
        #[arg(long)]
        until: Option<Timestamp>,
        /// Only those given before this decision: the next page
        #[arg(long, value_name = "ID")]
        before: Option<String>,
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
    /// One decision: every condition, and the facts it saw
    Show {
        id: String,
        #[arg(long)]
        json: bool,
    },
    /// What the platform went on without: decisions that did not come in time, as the stub reported afterwards
    Missed {
        #[arg(long)]
        rule: Option<String>,
        #[arg(long)]
        service: Option<u64>,
        #[arg(long)]
        client: Option<u64>,
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
    /// What would the rule say? Asks with fields as the stub does, e.g. `ask ownership service_id=9 to_client_id=25
    /// ticket_id=555001`; nobody acts on the answer
    Ask {
        rule: String,
        /// name=value, see docs/HOOKS.md
        fields: Vec<String>,
        #[command(flatten)]
        who: Who,
        #[arg(long)]
        json: bool,
    },
    /// Allow what a rule refuses, for one service, domain or client and for some days
    Override {
        rule: String,
        #[command(flatten)]
        about: About,
        /// The reason, for the record
        #[arg(long)]
        why: String,
        #[arg(long, default_value_t = 7)]
        days: u32,
        #[command(flatten)]
        who: Who,
        #[arg(long)]
        json: bool,
    },
    /// Exceptions: in force, and past ones
    Overrides {
        /// Leave out those that are over
        #[arg(long)]
        in_force: bool,
        /// Only those before this number: the next page
        #[arg(long, value_name = "NUMBER")]
        before: Option<u64>,
        #[arg(long, default_value_t = 50)]
        limit: usize,
        #[arg(long)]
        json: bool,
    },
    /// End an exception before its time; its record stays
    EndOverride {
        number: u64,
        #[command(flatten)]
        who: Who,
        #[arg(long)]
        json: bool,
    },
}

/// What it is about.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct About {
    #[arg(long)]
    service: Option<u64>,
    #[arg(long, conflicts_with = "service")]
    domain: Option<u64>,
    #[arg(long)]
    client: Option<u64>,
}

/// Who does it.
#[derive(Debug, clap::Args)]
pub struct Who {
    /// Your name, for the record
    #[arg(long, env = "USER")]
    who: Option<String>,
}

impl About {
    fn subject(self) -> Option<Subject> {
        let of = |kind, id: Option<u64>| id.map(|id| Subject { kind, id });
        of(SubjectKind::Service, self.service).or(of(SubjectKind::Domain, self.domain))
    }
}

impl Who {
    fn name(&self) -> anyhow::Result<&str> {
        self.who.as_deref().filter(|name| !name.trim().is_empty()).context("say who you are: --who NAME")
    }

    fn actor(&self) -> anyhow::Result<Actor> {
        Ok(Actor::at_the_command_line(self.name()?.trim()))
    }
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    let store = open_store(config)?;
    let now = Clock::system().now();
    let done = match command {
        Command::Rules { json } => {
            print_rules(&rules::all(&store, &config.rules, now).await?, json);
            Ok(())
        }
        Command::List { rule, decision, about, asked, since, until, before, limit, json } => {
            let filter = Filter {
                rule: rule.as_deref().map(known_rule).transpose()?,
                verdict: decision.as_deref().map(known_verdict).transpose()?,
                subject: about.subject(),
                client_id: about.client,
                what_if: asked.as_deref().map(known_asked).transpose()?.map(|asked| asked == Asked::People),
                since,
                until,
                before: match before {
                    Some(id) => Some(place(&store, &id).await?),
                    None => None,
                },
                limit,
            };
            print_list(&list(&store, &filter).await?, json);
            Ok(())
        }
        Command::Show { id, json } => show_one(&store, &id, json).await,
        Command::Missed { rule, service, client, limit, json } => {
            let rule = rule.as_deref().map(known_rule).transpose()?;
            let found =
                missed::list(&store, &missed::Filter { rule, service, client, limit, ..Default::default() }).await?;
            super::missed::print(&found, json);
            Ok(())
        }
        Command::Ask { rule, fields, who, json } => {
            let fields = parse_fields(&fields)?;
            // In the words of the command line, before anything is opened.
            Question::read(known_rule(&rule)?, &fields)?;
            let asker = Actor { name: who.who.unwrap_or_default(), ..Actor::at_the_command_line("") };
            ask(config, &store, (known_rule(&rule)?, fields), &asker, now, json).await
        }
        Command::Override { rule, about, why, days, who, json } => {
            allow(config, &store, known_rule(&rule)?, about, (&who.actor()?, why), days, now, json).await
        }
        Command::Overrides { in_force, before, limit, json } => {
            let filter = exception::Filter { in_force: in_force.then_some(true), before, limit };
            print_overrides(&exception::list(&store, &filter, now).await?, now, json);
            Ok(())
        }
        Command::EndOverride { number, who, json } => end(&store, number, &who.actor()?, now, json).await,
    };
    store.database().clone().close().await;
    done
}

fn known_rule(name: &str) -> anyhow::Result<Rule> {
    let all: Vec<&str> = Rule::ALL.iter().map(|rule| rule.code()).collect();
    Rule::parse(name).with_context(|| format!("`{name}` is no rule: {}", all.join(", ")))
}

fn known_verdict(name: &str) -> anyhow::Result<Verdict> {
    Verdict::parse(name).with_context(|| format!("`{name}` is no decision: allow, deny, adjust, review"))
}

fn parse_fields(fields: &[String]) -> anyhow::Result<BTreeMap<String, FieldValue>> {
    let pair = |field: &String| {
        let (name, value) = field.split_once('=').with_context(|| format!("`{field}` must be name=value"))?;
        Ok((name.trim().to_owned(), FieldValue::Text(value.trim().to_owned())))
    };
    fields.iter().map(pair).collect()
}

fn known_asked(name: &str) -> anyhow::Result<Asked> {
    Asked::parse(name).with_context(|| format!("`{name}` is nobody who asks: hooks, people"))
}

/// The place in the list of the decision `id`.
async fn place(store: &Store, id: &str) -> anyhow::Result<Place> {
    let found = one(store, key(id)?).await?.with_context(|| unknown(id))?;
    Ok(Place { at: found.asked_at, id: found.id.to_string() })
}

fn key(id: &str) -> anyhow::Result<DecisionId> {
    DecisionId::parse(id).context("a decision's id is dec_ and 32 hexadecimal digits")
}

fn unknown(id: &str) -> String {
    format!("there is no decision {id}: never given, given too late, or pruned (retention.decision_days)")
}

async fn ask(
    config: &Config,
    store: &Store,
    (rule, fields): (Rule, BTreeMap<String, FieldValue>),
    asker: &Actor,
    now: Timestamp,
    json: bool,
) -> anyhow::Result<()> {
    let billing = open_billing(config)?;
    let decider = decider(config, store, &billing)?;
    let said = rules::ask(&decider, asker, (rule, &fields), Locale::En, now).await.map_err(plain);
    billing.database().clone().close().await;
    let answer = said?.answer;
    if json {
        show::json(&answer.json());
    } else {
        print_answer(&answer);
    }
    Ok(())
}

/// The text of a failed operation, in English.
fn plain(error: AdminError) -> anyhow::Error {
    match error {
        AdminError::Invalid(mistakes) => {
            let each = mistakes.iter().map(|one| format!("{}: {}", one.field, i18n::text(Locale::En, &one.text)));
            anyhow::anyhow!("{}", each.collect::<Vec<_>>().join("; "))
        }
        AdminError::Conflict(text) => anyhow::anyhow!("{}", i18n::text(Locale::En, &text)),
        other => other.into(),
    }
}

fn print_answer(answer: &Answer) {
    println!("{}  {}  {}", answer.id, answer.decision.rule, show::state(answer.decision.verdict.code()));
    for (one, text) in answer.decision.conditions.iter().zip(&answer.texts) {
        println!("  {}  {:24} {text}", if one.passed { "yes" } else { "NO " }, one.code);
    }
    print_values(&answer.json()["values"]);
}

fn print_values(values: &Json) {
    for (name, value) in values.as_object().into_iter().flatten() {
        println!("  {name}: {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    }
}

#[expect(clippy::too_many_arguments, reason = "one for each thing that was typed")]
async fn allow(
    config: &Config,
    store: &Store,
    rule: Rule,
    about: About,
    (who, why): (&Actor, String),
    days: u32,
    now: Timestamp,
    json: bool,
) -> anyhow::Result<()> {
    let client = about.client.map(|id| Subject { kind: SubjectKind::Client, id });
    let Some(subject) = about.subject().or(client) else { bail!("say for what: --service, --domain or --client") };
    ensure!(!why.trim().is_empty(), "say why: --why \"...\"");
    ensure!((1..=DAYS_MAX).contains(&days), "--days must be 1 to {DAYS_MAX}");
    let until = now.checked_add(SignedDuration::from_hours(i64::from(days) * 24))?;
    let billing = open_billing(config)?;
    let wish = Wish { rule: Some(rule), subject: Some(subject), why, until: Some(until) };
    let made = exceptions::make(store, &billing, who, &wish, now).await.map_err(plain);
    billing.database().clone().close().await;
    let number = made?;
    if json {
        show::json(&json!({ "override": number, "rule": rule.code(), "subject": subject.to_string(),
            "until": until.to_string() }));
    } else {
        println!("exception {number}: `{rule}` allows {subject} until {}", show::time(until));
    }
    Ok(())
}

async fn end(store: &Store, number: u64, who: &Actor, now: Timestamp, json: bool) -> anyhow::Result<()> {
    match exceptions::end(store, who, number, now).await {
        Ok(_) if json => show::json(&json!({ "override": number, "standing": exception::Standing::Ended.code() })),
        Ok(_) => println!("exception {number} is ended"),
        Err(AdminError::NotFound(_) | AdminError::Conflict(_)) => bail!("there is no exception {number} in force"),
        Err(other) => return Err(plain(other)),
    }
    Ok(())
}

fn print_rules(all: &[Standing], json: bool) {
    if json {
        show::json(&all.iter().map(rules::as_json).collect::<Json>());
        return;
    }
    let mut table =
        show::table(&["rule", "version", "in use", "without an answer", "asked", "refused", "missed", "policy"]);
    for one in all {
        let policy: Vec<String> = one.policy.iter().map(|(name, value)| format!("{name}={value}")).collect();
        table.add_row(vec![
            one.rule.to_string(),
            one.version.to_string(),
            if one.ask.enabled { "yes" } else { "no" }.to_owned(),
            format!("{} after {} ms", one.ask.on_failure.code(), one.ask.deadline_ms),
            one.counts.asked().to_string(),
            one.counts.refused().to_string(),
            one.counts.missed().to_string(),
            policy.join(" "),
        ]);
    }
    println!("{table}");
}

async fn show_one(store: &Store, id: &str, json: bool) -> anyhow::Result<()> {
    let one = &one(store, key(id)?).await?.with_context(|| unknown(id))?;
    let whole = as_json(one);
    if json {
        show::json(&whole);
        return Ok(());
    }
    println!("{}  {} (version {})  {}", one.id, one.rule, one.version, show::state(one.verdict.code()));
    let place = if one.what_if { "what-if" } else { one.hook.as_str() };
    println!("  {}  asked by {} of `{}`, {place}", show::time(one.asked_at), one.asked_by, one.source);
    for reason in whole["answer"]["reasons"].as_array().into_iter().flatten() {
        let passed = if reason["passed"] == true { "yes" } else { "NO " };
        let word = |name: &str| reason[name].as_str().unwrap_or_default().to_owned();
        println!("  {passed}  {:24} {}", word("code"), word("text"));
    }
    print_values(&whole["answer"]["values"]);
    println!("  asked: {}", whole["question"]);
    println!("  seen: {}", whole["facts"]);
    Ok(())
}

fn print_list(all: &[Kept], json: bool) {
    if json {
        show::json(&all.iter().map(as_json).collect::<Json>());
        return;
    }
    let mut table = show::table(&["decision", "rule", "answer", "about", "client", "asked", "by"]);
    for one in all {
        table.add_row(vec![
            one.id.to_string(),
            one.rule.to_string(),
            show::state(one.verdict.code()),
            one.subject.map(|subject| subject.to_string()).unwrap_or_default(),
            one.client_id.map(|id| id.to_string()).unwrap_or_default(),
            show::time(one.asked_at),
            if one.what_if { format!("{} (what-if)", one.asked_by) } else { format!("{} {}", one.asked_by, one.hook) },
        ]);
    }
    println!("{table}");
}

fn print_overrides(all: &[Override], now: Timestamp, json: bool) {
    if json {
        show::json(&all.iter().map(|one| exceptions::as_json(one, now)).collect::<Json>());
        return;
    }
    let mut table = show::table(&["number", "rule", "about", "standing", "until", "who", "why"]);
    for one in all {
        table.add_row(vec![
            one.id.to_string(),
            one.rule.to_string(),
            one.subject.to_string(),
            one.standing(now).code().replace('_', " "),
            show::time(one.until_at),
            one.who.clone(),
            one.why.clone(),
        ]);
    }
    println!("{table}");
}
