//! `hookbridge doctor`: every check says what it found and what to do.

use std::process::ExitCode;

use jiff::Timestamp;
use serde_json::json;

use super::{notices, platform_rows, show};
use crate::admin::overview::need::stub_says;
use crate::admin::overview::sweep_is_late;
use crate::app::{gateway, needs, open_billing, open_store};
use crate::billing::BillingError;
use crate::catalogue::Catalogue;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::locale::Locale;
use crate::figures::hooks;
use crate::figures::stubs::stubs;
use crate::render::Templates;
use crate::sql::{ConnectError, Refusal};
use crate::store::hold::{self, HoldState};
use crate::store::server::Fit;
use crate::store::{Store, migrate, mirror};
use crate::whatsapp::Gateway;

#[derive(Debug, Default, clap::Args)]
pub struct Args {
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// How a check ended.
pub(super) struct Finding {
    check: &'static str,
    /// `ok`, `warn` or `failed`.
    state: &'static str,
    says: String,
}

impl Finding {
    pub(super) fn has_failed(&self) -> bool {
        self.state == "failed"
    }
}

pub(super) fn finding(check: &'static str, state: &'static str, says: impl Into<String>) -> Finding {
    Finding { check, state, says: says.into() }
}

pub async fn run(args: Args, config: &Config) -> anyhow::Result<ExitCode> {
    let now = Clock::system().now();
    let mut findings = vec![finding("config", "ok", "complete and consistent")];
    findings.extend(content(config));
    findings.extend(own_database(config, now).await);
    findings.extend(billing_database(config, now).await);
    findings.extend(platform_rows::look(config, now).await);
    findings.extend(providers(config).await);
    findings.extend(notices::look(config).await);
    for (name, source) in &config.sources {
        let keys = source.secrets.len();
        findings.push(finding("stub secret", "ok", format!("source `{name}`: {keys} key(s), newest first")));
    }
    for (name, sender) in &config.senders {
        findings.push(match sender.app_secret.len() {
            1 => finding("app secret", "ok", format!("sender `{name}`: 1 app secret")),
            n => {
                let says = "`hookbridge_webhooks_total` tells which of them Meta signs with; take the others out";
                finding("app secret", "warn", format!("sender `{name}`: {n} app secrets: {says}"))
            }
        });
    }
    Ok(shown(&findings, args.json))
}

/// Shows what was found. The exit code says whether something failed.
pub(super) fn shown(findings: &[Finding], as_json: bool) -> ExitCode {
    let failed = findings.iter().any(|f| f.state == "failed");
    if as_json {
        let rows: Vec<_> =
            findings.iter().map(|f| json!({ "check": f.check, "state": f.state, "says": f.says })).collect();
        show::json(&json!({ "ok": !failed, "checks": rows }));
    } else {
        let mut table = show::table(&["check", "state", "what it says"]);
        for f in findings {
            table.add_row(vec![f.check.to_owned(), show::state(f.state), f.says.clone()]);
        }
        println!("{table}");
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn content(config: &Config) -> Vec<Finding> {
    let (catalogue, templates) = match (Catalogue::built_in(&config.hookpoints), Templates::built_in()) {
        (Ok(catalogue), Ok(templates)) => (catalogue, templates),
        (Err(error), _) => return vec![finding("hookpoints", "failed", error.to_string())],
        (_, Err(mistakes)) => return vec![finding("templates", "failed", mistakes.join("; "))],
    };
    let missing: Vec<String> = catalogue
        .entries()
        .filter(|entry| entry.hookpoint.enabled)
        .flat_map(|entry| Locale::ALL.into_iter().map(move |locale| (&entry.hookpoint.id, locale)))
        .filter(|(id, locale)| templates.get(id, *locale).is_none())
        .map(|(id, locale)| format!("{id} in {locale}"))
        .collect();
    let hookpoints = finding("hookpoints", "ok", format!("{} hookpoints", catalogue.entries().count()));
    let texts = if missing.is_empty() {
        finding("templates", "ok", format!("{} texts, every hookpoint in every language", templates.iter().count()))
    } else {
        finding("templates", "failed", format!("missing: {}", missing.join(", ")))
    };
    vec![hookpoints, texts]
}

async fn own_database(config: &Config, now: Timestamp) -> Vec<Finding> {
    let store = match open_store(config) {
        Ok(store) => store,
        Err(error) => return vec![finding("database", "failed", format!("{error:#}"))],
    };
    let mut findings = Vec::new();
    match store.server(now).await {
        Err(error) => findings.push(finding("database", "failed", error.to_string())),
        Ok(server) => {
            findings.push(match server.lacks() {
                None => finding("database", "ok", server.version.clone()),
                Some(lacks) => finding("database", "failed", lacks),
            });
            let skew = server.clock_ahead_s;
            let state = if skew.abs() <= 2 { "ok" } else { "warn" };
            findings.push(finding("clock", state, format!("the database's clock is {skew} s ahead of this machine's")));
            findings.extend(server.remarks(needs(config)).into_iter().map(|remark| {
                let state = match remark.state {
                    Fit::Good => "ok",
                    Fit::Doubtful => "warn",
                    Fit::Unfit => "failed",
                };
                finding(remark.check, state, remark.says)
            }));
            findings.push(session_defaults(&store));
        }
    }
    findings.push(match migrate::pending(&store).await {
        Ok(pending) if pending.is_empty() => finding("schema", "ok", "up to date"),
        Ok(pending) => finding("schema", "failed", format!("run `hookbridge migrate`: {}", pending.join(", "))),
        Err(error) => finding("schema", "failed", error.to_string()),
    });
    if findings.iter().all(|one| one.state != "failed") {
        findings.extend(work(config, &store, now).await);
    }
    store.database().clone().close().await;
    findings
}

/// Whether the server's own defaults would have lost, cut or refused work.
fn session_defaults(store: &Store) -> Finding {
    let corrected = store.database().corrected();
    if corrected.is_empty() {
        return finding("session defaults", "ok", "nothing that would lose or cut work");
    }
    let says = format!(
        "{}: corrected in our sessions, but other programs on this server may lose what they write; look at `init_connect` and \
         the server's configuration",
        corrected.join(", ")
    );
    finding("session defaults", "warn", says)
}

/// Whether what runs by itself runs, and nothing waits for a word.
async fn work(config: &Config, store: &Store, now: Timestamp) -> Vec<Finding> {
    let sweep = match mirror::next_turn(store).await {
        _ if !config.sweep.enabled => finding("sweep", "warn", "switched off (`sweep.enabled`)"),
        Err(error) => finding("sweep", "failed", error.to_string()),
        Ok(None) => finding("sweep", "warn", "there was none yet: it begins when the service runs"),
        Ok(Some(next)) if sweep_is_late(&config.sweep, next, now) => {
            finding("sweep", "warn", format!("was due at {}: does the service run?", show::time(next)))
        }
        Ok(Some(next)) => finding("sweep", "ok", format!("the next is due at {}", show::time(next))),
    };
    let holds = match hold::all(store).await {
        Err(error) => finding("holds", "failed", error.to_string()),
        Ok(all) => match all.iter().filter(|hold| hold.state == HoldState::Asked).count() {
            0 => finding("holds", "ok", "nothing waits for your word"),
            n => finding("holds", "warn", format!("{n} wait for your word: `hookbridge holds list`")),
        },
    };
    let catalogue = Catalogue::built_in(&config.hookpoints).ok();
    let hooks = match catalogue {
        None => return vec![sweep, holds],
        Some(catalogue) => match hooks(store, &catalogue, now).await {
            Err(error) => finding("hooks", "failed", error.to_string()),
            Ok(lines) => {
                let silent: Vec<&str> =
                    lines.iter().filter(|line| line.is_silent(now)).map(|line| line.hook.as_str()).collect();
                if silent.is_empty() {
                    finding("hooks", "ok", "none is silent for longer than is usual")
                } else {
                    finding("hooks", "warn", format!("silent for much longer than is usual: {}", silent.join(", ")))
                }
            }
        },
    };
    let mut all = vec![sweep, holds, hooks];
    all.extend(heartbeats(config, store, now).await);
    all
}

/// How each source's stubs are.
async fn heartbeats(config: &Config, store: &Store, now: Timestamp) -> Vec<Finding> {
    let lines = match stubs(store, &config.sources, now).await {
        Ok(lines) => lines,
        Err(error) => return vec![finding("stub", "failed", error.to_string())],
    };
    let silent = config.sources.keys().filter(|name| lines.iter().all(|line| line.last.source != **name));
    let never = silent.map(|name| {
        let says =
            format!("source `{name}`: no heartbeat yet: is the stub 1.2 installed, and does the platform's cron run?");
        finding("stub", "warn", says)
    });
    let known = lines.iter().map(|line| match line.troubles.as_slice() {
        [] => {
            let (who, at) = (line.last.who(), show::time(line.last.received_at));
            finding("stub", "ok", format!("{who}: version {}, last heartbeat {at}", line.last.said.stub))
        }
        troubles => {
            let says: Vec<String> = troubles.iter().map(|trouble| stub_says(*trouble, &line.last)).collect();
            finding("stub", "warn", says.join(" "))
        }
    });
    never.chain(known).collect()
}

async fn billing_database(config: &Config, now: Timestamp) -> Vec<Finding> {
    let billing = match open_billing(config) {
        Ok(billing) => billing,
        Err(error) => return vec![finding("billing", "failed", format!("{error:#}"))],
    };
    let mut findings = Vec::new();
    match billing.prove_read_only().await {
        Ok(()) => findings.push(finding("read-only", "ok", "the account can only read")),
        Err(BillingError::Connect(ConnectError::Refused(Refusal::MayWrite(more)))) => {
            findings.push(finding("read-only", "failed", format!("take away: {}", more.join("; "))));
        }
        // Not whether it may write is unknown, but whether it can be reached at all: that is said once, below.
        Err(BillingError::Connect(ConnectError::Refused(refusal))) => {
            findings.push(finding("read-only", "failed", refusal.to_string()));
        }
        Err(_) => {}
    }
    match billing.platform(now).await {
        Err(BillingError::Connect(ConnectError::Refused(_))) => {}
        Err(error) => findings.push(finding("billing", "failed", error.to_string())),
        Ok(platform) => {
            let says = format!("platform {}, client area {}", platform.version, platform.system_url);
            findings.push(finding("billing", "ok", says));
            findings.push(match billing.readable_secrets().await {
                Ok(secrets) if secrets.is_empty() => finding("secrets", "ok", "no secret column can be read"),
                Ok(secrets) => finding("secrets", "warn", format!("the account can read {}", secrets.join(", "))),
                Err(error) => finding("secrets", "failed", error.to_string()),
            });
            let field = &config.alerts.phone_field;
            if !field.is_empty() {
                findings.push(match billing.has_phone_field(now).await {
                    Ok(true) => finding(
                        "phone field",
                        "ok",
                        format!("the clients' field `{field}` is read before the phone column"),
                    ),
                    Ok(false) => finding(
                        "phone field",
                        "failed",
                        format!("the platform has no field `{field}` of clients: see alerts.phone_field"),
                    ),
                    Err(error) => finding("phone field", "failed", error.to_string()),
                });
            }
            if config.consent.asked == "field" {
                let name = &config.consent.field;
                findings.push(match billing.fields_called(name).await {
                    Ok(ids) if ids.is_empty() => {
                        finding("consent field", "failed", format!("no custom field of clients is called `{name}`"))
                    }
                    Ok(ids) => finding("consent field", "ok", format!("`{name}` is custom field {ids:?}")),
                    Err(error) => finding("consent field", "failed", error.to_string()),
                });
            }
            findings.push(match billing.unreadable(&platform.version).await {
                Ok(columns) if columns.is_empty() => finding("grants", "ok", "all needed columns can be read"),
                Ok(columns) => finding("grants", "warn", format!("not readable: {}", columns.join(", "))),
                Err(error) => finding("grants", "failed", error.to_string()),
            });
        }
    }
    billing.database().clone().close().await;
    findings
}

async fn providers(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, sender) in &config.senders {
        let api = match gateway(name, sender) {
            Ok(Gateway::CloudApi(api)) => api,
            Err(error) => {
                findings.push(finding("provider", "failed", format!("{error:#}")));
                continue;
            }
        };
        findings.push(match api.number_info().await {
            Ok(info) => finding("provider", "ok", format!("`{name}` answers: {info:?}")),
            Err(error) => finding("provider", "failed", format!("`{name}`: {error}")),
        });
        if sender.waba_id.is_empty() {
            findings.push(finding(
                "provider texts",
                "warn",
                format!("`senders.{name}.waba_id` is empty: not compared"),
            ));
            continue;
        }
        findings.push(match api.list_templates(&sender.waba_id).await {
            Ok(there) => provider_texts(name, &there),
            Err(error) => finding("provider texts", "failed", format!("`{name}`: {error}")),
        });
    }
    findings
}

fn provider_texts(name: &str, there: &[crate::whatsapp::TemplateInfo]) -> Finding {
    let Ok(templates) = Templates::built_in() else { return finding("provider texts", "failed", "unreadable") };
    let missing: Vec<String> = templates
        .iter()
        .filter(|(_, locale, template)| {
            !there.iter().any(|t| t.name == template.name && t.language == locale.code() && t.status == "APPROVED")
        })
        .map(|(alert, locale, _)| format!("{alert} ({locale})"))
        .collect();
    if missing.is_empty() {
        finding("provider texts", "ok", format!("`{name}` has all texts approved"))
    } else {
        let says = format!("`{name}` lacks: {}; `hookbridge templates export` makes them", missing.join(", "));
        finding("provider texts", "warn", says)
    }
}
