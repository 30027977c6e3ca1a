//! `hookbridge templates submit --all`

use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use super::desk::Failure;
use super::show;
use crate::admin::Desk;
use crate::admin::templates::all::{Review, Submitted, review, submit_all};
use crate::domain::admin::Who;

/// How often the provider is asked how its review stands.
const EVERY: Duration = Duration::from_secs(15);

/// Submits all texts and waits at most `wait` for the provider's review. Fails if a text was refused or rejected.
pub(super) async fn all(desk: &Desk, who: &Who, wait: Duration, json: bool) -> Result<ExitCode, Failure> {
    let mut lines = Vec::new();
    let mut refused = 0;
    submit_all(desk, who, |key, step| {
        let (what, says) = match step {
            Submitted::AsItIs(state) => ("there", state.clone()),
            Submitted::Put(answered) if answered.created => ("made", answered.state.clone()),
            Submitted::Put(answered) => ("edited", answered.state.clone()),
            Submitted::Refused(why) => ("refused", why.clone()),
        };
        refused += usize::from(what == "refused");
        if json {
            lines.push(json!({ "text": key.name(), "result": what, "says": says }));
        } else {
            println!("{:<36} {what:<8} {says}", key.name());
        }
    })
    .await?;
    let last = watch(desk, wait, json).await?;
    let rejected = last.others.len();
    if json {
        let others: Vec<_> =
            last.others.iter().map(|(key, state)| json!({ "text": key.name(), "state": state })).collect();
        show::json(&json!({
            "texts": lines, "approved": last.approved, "in_review": last.waiting, "other": others,
        }));
    } else {
        for (key, state) in &last.others {
            println!("{:<36} {state}", key.name());
        }
        println!("approved {}, in review {}, refused or rejected {rejected}", last.approved, last.waiting);
        if last.waiting > 0 {
            println!("The review goes on at the provider; `hookbridge templates list` shows how it stands.");
        }
        if rejected > 0 {
            println!("Change these texts (`hookbridge templates set`), then run this again.");
        }
    }
    Ok(if refused + rejected > 0 { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn watch(desk: &Desk, wait: Duration, json: bool) -> Result<Review, Failure> {
    let started = std::time::Instant::now();
    loop {
        let now = review(desk).await?;
        let left = wait.saturating_sub(started.elapsed());
        if now.waiting == 0 || left.is_zero() {
            return Ok(now);
        }
        if !json {
            println!("{:>4} s: {} in review, {} approved", started.elapsed().as_secs(), now.waiting, now.approved);
        }
        tokio::time::sleep(EVERY.min(left)).await;
    }
}
