//! Owns: sending many messages again: what would come of it, for confirmation; and what came of it. The confirmation names the
//! messages that were shown, so that nothing goes that nobody saw.

use jiff::SignedDuration;
use maud::{Markup, html};

use super::AT;
use crate::admin::AdminError;
use crate::admin::messages::retry::{LeftOut, Picked, Plan, plan, retry};
use crate::admin::messages::{self};
use crate::domain::admin::Role;
use crate::domain::ids::MessageId;
use crate::domain::message::Standing;
use crate::http::admin::ask::{Answer, Ask};
use crate::http::admin::layout::nothing;
use crate::store::resend::RESEND_MAX;

/// Messages of one reason that are linked.
const LINKS_MAX: usize = 10;

/// The form that boxes of the list belong to, and the link for all that match.
pub(super) fn offer(ask: &Ask, state: Option<Standing>, any: bool) -> Markup {
    let all = matches!(state, Some(Standing::Failed | Standing::Cancelled));
    html! {
        @if ask.may(Role::Operator) && any {
            form id="retry" method="get" action={ (AT) "/retry" } {}
            div.line {
                button type="submit" form="retry" { (ask.t("messages.retry_ticked")) }
                @if all {
                    a.button href={ (AT) "/retry?" (ask.query.with("before", "")) "&all=1" } { (ask.t("messages.retry_all")) }
                }
            }
            p.hint { (ask.t("messages.retry_hint")) }
        }
    }
}

/// The box of one message in the list.
pub(super) fn tick(ask: &Ask, id: MessageId) -> Markup {
    html! { span { input type="checkbox" form="retry" name="id" value=(id) aria-label=(ask.t("messages.retry_one")); } }
}

/// What would come of it.
pub(super) async fn confirm(ask: &Ask) -> Result<Answer, AdminError> {
    let picked = if ask.query.ticked("all") {
        let get = |name: &str| ask.query.get(name).map(str::to_owned);
        Picked::All(Box::new(ask.desk.message_search(&get, 0).await?))
    } else {
        ids(ask.query.all("id"))?
    };
    let plan = plan(&ask.desk, &picked).await?;
    let (fit, unsure) = (plan.fit.len(), plan.unsure.len());
    let ids: Vec<String> = plan.ids().iter().map(ToString::to_string).collect();
    let title = ask.t("messages.retry_title");
    let body = html! {
        h1 { (title) }
        section.card {
            @if ids.is_empty() { (nothing(ask.t("messages.retry_nothing"))) } @else {
                p { strong { (ask.tf("messages.retry_goes", &[("n", &fit)])) } }
                (time(ask, &plan))
                @if plan.more { p.notice.waiting { (ask.tf("messages.retry_more", &[("n", &RESEND_MAX)])) } }
                (ask.form_to(&format!("{AT}/retry"), html! {
                    input type="hidden" name="ids" value=(ids.join(","));
                    @if unsure > 0 {
                        p.notice.waiting { (ask.tf("messages.retry_unsure", &[("n", &unsure)])) }
                        p { label.check { input type="checkbox" name="twice"; (ask.t("messages.retry_twice")) } }
                    }
                    button.main type="submit" { (ask.t("messages.retry_do")) }
                }))
            }
        }
        (left(ask, &plan))
        p { a href=(AT) { (ask.t("messages.back")) } }
    };
    Answer::page(AT, title, body)
}

/// Does it. Sent once more, the form finds all of them sent again already.
pub(super) async fn run(ask: &Ask) -> Result<Answer, AdminError> {
    let picked = ids(ask.form.text("ids").split(',').filter(|id| !id.is_empty()))?;
    let report = retry(&ask.desk, &ask.who, &picked, ask.form.ticked("twice")).await?;
    let title = ask.t("messages.retry_title");
    let body = html! {
        h1 { (title) }
        p.notice.good role="status" { (ask.tf("messages.retry_done", &[("n", &report.resent)])) }
        @if !report.left_out.is_empty() {
            section.card {
                h2 { (ask.t("messages.retry_left")) }
                ul.plain { @for (why, n) in &report.left_out { li { strong { (n) } " · " (words(ask, *why)) } } }
            }
        }
        p { a href={ (AT) "?state=queued" } { (ask.t("state.queued")) } " · " a href=(AT) { (ask.t("messages.back")) } }
    };
    Answer::page(AT, title, body)
}

fn ids<'a>(all: impl Iterator<Item = &'a str>) -> Result<Picked, AdminError> {
    all.take(RESEND_MAX + 1).map(messages::id).collect::<Result<_, _>>().map(Picked::Ids)
}

fn words(ask: &Ask, why: LeftOut) -> String {
    ask.t(&why.words()).to_owned()
}

fn time(ask: &Ask, plan: &Plan) -> Markup {
    html! {
        p { (lasts(ask, plan.takes.lasts)) }
        @if plan.takes.stopped { p.notice.waiting { (ask.t("messages.retry_stopped")) } }
        @if plan.takes.over_day { p.notice.waiting { (ask.t("messages.retry_over_day")) } }
    }
}

fn lasts(ask: &Ask, lasts: SignedDuration) -> String {
    let (key, unit) = match lasts.as_secs() {
        ..=120 => ("messages.retry_takes_s", 1),
        121..=7_200 => ("messages.retry_takes_min", 60),
        _ => ("messages.retry_takes_h", 3_600),
    };
    ask.tf(key, &[("n", &((lasts.as_secs() + unit - 1) / unit).max(2))])
}

/// What does not go, by reason, with links.
fn left(ask: &Ask, plan: &Plan) -> Markup {
    html! {
        @if !plan.left_out.is_empty() {
            section.card {
                h2 { (ask.t("messages.retry_left")) }
                ul.plain {
                    @for (why, n) in plan.reasons() {
                        li {
                            strong { (n) } " · " (words(ask, why)) br;
                            small.line {
                                @for (id, _) in plan.left_out.iter().filter(|(_, one)| *one == why).take(LINKS_MAX) {
                                    a.mono href={ (AT) "/" (id) } { (&id.to_string()[24..]) }
                                }
                                @if n > LINKS_MAX { "…" }
                            }
                        }
                    }
                }
            }
        }
    }
}
