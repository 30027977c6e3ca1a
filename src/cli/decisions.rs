//! `hookbridge decisions`

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value as Json, json};

use super::show;
use crate::app::{decider, open_billing, open_store};
use crate::clock::Clock;
use crate::config::Config;
use crate::decide::{Answer, Asker, Question};
use crate::domain::decision::{DecisionId, Rule, Verdict};
use crate::domain::event::FieldValue;
use crate::domain::hookpoint::{Subject, SubjectKind};
use crate::store::decision::{
    Filter, Kept, Override, end_override, keep, list, make_override, overrides as all_overrides,
};
use crate::store::{Store, missed};

/// Longest exception, in days.
const OVERRIDE_DAYS_MAX: u32 = 366;

#[derive(Debug, clap::Subcommand)]
pub enum Command {
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
    /// What the platform went on without: decisions that did not come in time, as the stub told afterwards
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
}

pub async fn run(command: Command, config: &Config) -> anyhow::Result<()> {
    let store = open_store(config)?;
    let now = Clock::system().now();
    let done = match command {
        Command::List { rule, decision, about, limit, json } => {
            let filter = Filter {
                rule: rule.as_deref().map(known_rule).transpose()?,
                verdict: decision.as_deref().map(known_verdict).transpose()?,
                subject: about.subject(),
                client_id: about.client,
                limit,
                ..Filter::default()
            };
            print_list(&list(&store, &filter).await?, json);
            Ok(())
        }
        Command::Show { id, json } => show_one(&store, &id, json).await,
        Command::Missed { rule, service, client, limit, json } => {
            let rule = rule.as_deref().map(known_rule).transpose()?;
            let found = missed::list(&store, &missed::Filter { rule, service, client, limit }).await?;
            super::missed::print(&found, json);
            Ok(())
        }
        Command::Ask { rule, fields, who, json } => {
            let question = Question::read(known_rule(&rule)?, &parse_fields(&fields)?)?;
            ask(config, &store, question, who.who.unwrap_or_default(), now, json).await
        }
        Command::Override { rule, about, why, days, who, json } => {
            allow(&store, known_rule(&rule)?, about, (who.name()?, &why), days, now, json).await
        }
        Command::Overrides { limit, json } => {
            print_overrides(&all_overrides(&store, limit).await?, now, json);
            Ok(())
        }
        Command::EndOverride { number, who } => {
            let ended = end_override(&store, number, who.name()?, now).await?;
            ensure!(ended, "there is no exception {number} in force");
            println!("exception {number} is ended");
            Ok(())
        }
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

async fn ask(
    config: &Config,
    store: &Store,
    question: Question,
    who: String,
    now: Timestamp,
    json: bool,
) -> anyhow::Result<()> {
    let billing = open_billing(config)?;
    let decider = decider(config, store, &billing)?;
    let asker = Asker { source: "cli".to_owned(), hook: "ask".to_owned(), by: who, request: None, what_if: true };
    let (answer, kept) = decider.ask(&question, asker, now).await?;
    keep(store, &[kept]).await?;
    billing.database().clone().close().await;
    if json {
        show::json(&answer.json());
    } else {
        print_answer(&answer);
    }
    Ok(())
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

async fn allow(
    store: &Store,
    rule: Rule,
    about: About,
    (who, why): (&str, &str),
    days: u32,
    now: Timestamp,
    json: bool,
) -> anyhow::Result<()> {
    let client = about.client.map(|id| Subject { kind: SubjectKind::Client, id });
    let Some(subject) = about.subject().or(client) else { bail!("say for what: --service, --domain or --client") };
    ensure!(!why.trim().is_empty(), "say why: --why \"...\"");
    ensure!((1..=OVERRIDE_DAYS_MAX).contains(&days), "--days must be 1 to {OVERRIDE_DAYS_MAX}");
    let until = now.checked_add(SignedDuration::from_hours(i64::from(days) * 24))?;
    let number = make_override(store, (rule, subject), (who, why), until, now).await?;
    if json {
        show::json(&json!({ "override": number, "rule": rule.code(), "subject": subject.to_string(),
            "until": until.to_string() }));
    } else {
        println!("exception {number}: `{rule}` allows {subject} until {}", show::time(until));
    }
    Ok(())
}

async fn show_one(store: &Store, id: &str, json: bool) -> anyhow::Result<()> {
    let key = DecisionId::parse(id).context("a decision's id is dec_ and 32 hexadecimal digits")?;
    let found = list(store, &Filter { id: Some(key), limit: 1, ..Filter::default() }).await?;
    let one = found.first().with_context(|| {
        format!("there is no decision {id}: never given, given too late, or pruned (retention.decision_days)")
    })?;
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

fn as_json(one: &Kept) -> Json {
    let read = |text: &str| serde_json::from_str::<Json>(text).unwrap_or_default();
    json!({
        "id": one.id.to_string(), "rule": one.rule.code(), "version": one.version, "decision": one.verdict.code(),
        "subject": one.subject.map(|subject| subject.to_string()), "client_id": one.client_id,
        "asked_at": one.asked_at.to_string(), "source": one.source, "hook": one.hook, "asked_by": one.asked_by,
        "what_if": one.what_if, "request": one.request, "question": read(&one.question), "facts": read(&one.facts),
        "answer": read(&one.answer),
    })
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
    let standing = |one: &Override| match one.ended_at {
        Some(_) => "ended",
        None if one.until_at <= now => "past",
        None => "in force",
    };
    if json {
        let rows = all.iter().map(|one| {
            json!({
                "override": one.id, "rule": one.rule.code(), "subject": one.subject.to_string(), "who": one.who,
                "why": one.why, "made_at": one.made_at.to_string(), "until": one.until_at.to_string(),
                "ended_at": one.ended_at.map(|at| at.to_string()), "ended_by": one.ended_by, "standing": standing(one),
            })
        });
        show::json(&rows.collect::<Json>());
        return;
    }
    let mut table = show::table(&["number", "rule", "about", "standing", "until", "who", "why"]);
    for one in all {
        table.add_row(vec![
            one.id.to_string(),
            one.rule.to_string(),
            one.subject.to_string(),
            standing(one).to_owned(),
            show::time(one.until_at),
            one.who.clone(),
            one.why.clone(),
        ]);
    }
    println!("{table}");
}
