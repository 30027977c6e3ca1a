//! Owns: how long each kind of history is kept, and how it stands. What to change stands in the configuration.

use jiff::SignedDuration;
use maud::{Markup, html};

use super::super::ask::{Answer, Ask};
use super::{head, shown};
use crate::admin::AdminError;
use crate::admin::retention::{Kept, all};
use crate::store::prune::COUNT_MAX;

pub(super) async fn show(ask: &Ask) -> Result<Answer, AdminError> {
    let all = all(&ask.desk, &ask.who).await?;
    let columns = ["kind", "kept", "rows", "oldest", "overdue", "pruned", "last"];
    let body = html! {
        (head(ask, "kept"))
        div.scroll tabindex="0" { table.cards {
            thead { tr { @for column in columns { th scope="col" { (ask.t(&format!("kept.{column}"))) } } } }
            tbody { @for one in &all { (row(ask, one)) } }
        } }
        p.hint { (ask.tf("kept.how", &[("every", &ask.localizer.span(span(ask.desk.config.retention.every_s)))])) }
        p.hint { (ask.t("kept.by_hand")) }
    };
    shown(ask, "kept", &[], body)
}

fn row(ask: &Ask, one: &Kept) -> Markup {
    let number = |n: u64| ask.localizer.number(n);
    let moment = |at: Option<jiff::Timestamp>| html! { @if let Some(at) = at { (ask.time(at)) } @else { "–" } };
    let kept = |kept: SignedDuration| ask.localizer.span(kept.as_secs());
    let overdue = one.standing.overdue;
    html! {
        tr {
            td data-label=(ask.t("kept.kind")) { span { (ask.t(&format!("kept.of_{}", one.kind.code()))) } }
            td data-label=(ask.t("kept.kept")) {
                span {
                    (one.kept.map_or_else(|| ask.t("kept.for_ever").to_owned(), kept))
                    br;
                    small { @match one.setting { Some(key) => code { (broken(key)) }, None => (ask.t("kept.fixed")) } }
                }
            }
            td data-label=(ask.t("kept.rows")) { (number(one.rows)) }
            td data-label=(ask.t("kept.oldest")) { (moment(one.standing.oldest)) }
            td data-label=(ask.t("kept.overdue")) {
                @if overdue >= COUNT_MAX { (ask.tf("kept.over", &[("n", &number(COUNT_MAX))])) } @else { (number(overdue)) }
            }
            td data-label=(ask.t("kept.pruned")) { (number(one.standing.pruned_rows)) }
            td data-label=(ask.t("kept.last")) { (moment(one.standing.pruned_at)) }
        }
    }
}

/// A key that breaks behind its section, where it has to.
fn broken(key: &str) -> Markup {
    if let Some((section, rest)) = key.split_once('.') {
        html! { (section) "." wbr; (rest) }
    } else {
        html! { (key) }
    }
}

fn span(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}
