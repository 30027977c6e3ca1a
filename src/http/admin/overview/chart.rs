//! Owns: bars drawn by the server: stacked by how alerts stand, each with its figures on hovering; and the same as a table,
//! for whoever does not see them.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{Markup, html};

use crate::admin::overview::{Bar, Standing};
use crate::http::admin::ask::Ask;
use crate::render::format;

/// The drawing's own units; it grows with its place.
const WIDTH: usize = 440;
const HEIGHT: usize = 190;
const LEFT: usize = 34;
const TOP: usize = 12;
const BOTTOM: usize = 22;

/// What a bar stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Hour,
    Day,
}

/// A colour's class. In the order of [`Standing::ALL`].
const CLASSES: [&str; 5] = ["good", "sent", "waiting", "bad", "plain"];

/// Bars with their heading, legend and table. `id` is unlike that of any other drawing on the page.
#[must_use]
pub fn chart(ask: &Ask, id: &str, step: Step, bars: &[Bar]) -> Markup {
    let total: u64 = bars.iter().map(Bar::total).sum();
    let heading = ask.t(if step == Step::Hour { "overview.chart_day" } else { "overview.chart_month" });
    let desc = ask.tf("overview.chart_desc", &[("n", &ask.localizer.number(total))]);
    html! {
        div.spread {
            h2 id={ (id) "-h" } { (heading) }
            span.soft { (desc) }
        }
        (drawing(ask, id, step, bars, heading, &desc))
        p.legend aria-hidden="true" {
            @for (standing, class) in Standing::ALL.iter().zip(CLASSES) {
                span { i.(class) {} (word(ask, *standing)) }
            }
        }
        details id={ (id) "-t" } {
            summary { (ask.t("overview.as_table")) }
            (table(ask, step, bars, heading))
        }
    }
}

fn drawing(ask: &Ask, id: &str, step: Step, bars: &[Bar], title: &str, desc: &str) -> Markup {
    let top = ceiling(bars.iter().map(Bar::total).max().unwrap_or(0));
    let (tall, wide) = (HEIGHT - TOP - BOTTOM, WIDTH - LEFT);
    let height = |n: u64| usize::try_from(n * (tall as u64) * 10 / top).unwrap_or(0);
    let place = wide * 10 / bars.len().max(1);
    html! {
        svg.chart role="img" viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } aria-labelledby={ (id) "-s " (id) "-d" } {
            title id={ (id) "-s" } { (title) }
            desc id={ (id) "-d" } { (desc) }
            @for part in 0..=2_u64 {
                @let y = TOP * 10 + tall * 10 - height(top * part / 2);
                line.grid x1=(LEFT) x2=(WIDTH) y1=(tenth(y)) y2=(tenth(y)) {}
                text x=(LEFT - 5) y=(tenth(y + 38)) text-anchor="end" { (short(top * part / 2)) }
            }
            @for (index, bar) in bars.iter().enumerate() {
                @let x = LEFT * 10 + index * place;
                g {
                    title { (told(ask, step, bar)) }
                    // The whole height answers to the mouse, not only what is filled.
                    rect.hit x=(tenth(x)) y=(TOP) width=(tenth(place)) height=(tall) {}
                    @for (class, from, n) in stacked(bar) {
                        @let (low, high) = (height(from), height(from + n));
                        rect.(class) x=(tenth(x + place / 8)) y=(tenth((TOP + tall) * 10 - high))
                            width=(tenth(place * 3 / 4)) height=(tenth(high - low)) {}
                    }
                }
                @if is_named(step, index, bars.len()) {
                    // The last one would leave the drawing at the right.
                    @let is_last = index + 1 == bars.len();
                    @let at = if is_last { WIDTH * 10 } else { x + place / 2 };
                    text x=(tenth(at)) y=(HEIGHT - 6) text-anchor=(if is_last { "end" } else { "middle" }) { (label(ask, step, bar.from)) }
                }
            }
        }
    }
}

/// Class, where it begins, how much: from below.
fn stacked(bar: &Bar) -> Vec<(&'static str, u64, u64)> {
    let mut from = 0;
    let mut parts = Vec::new();
    for (class, n) in CLASSES.iter().zip(bar.counts) {
        if n > 0 {
            parts.push((*class, from, n));
        }
        from += n;
    }
    parts
}

/// A round number not below `n` that halves well.
fn ceiling(n: u64) -> u64 {
    let mut step = 1_u64;
    loop {
        for factor in [2, 4, 6, 10] {
            if step.saturating_mul(factor) >= n {
                return step.saturating_mul(factor);
            }
        }
        step = step.saturating_mul(10);
    }
}

/// Tenths of a unit as a decimal.
fn tenth(n: usize) -> String {
    format!("{}.{}", n / 10, n % 10)
}

/// For the axis, where there is little room.
fn short(n: u64) -> String {
    if n >= 10_000 { format!("{}k", n / 1_000) } else { n.to_string() }
}

/// Which bars have a name below: there is no room for all.
fn is_named(step: Step, index: usize, all: usize) -> bool {
    let every = if step == Step::Hour { 4 } else { 5 };
    (all - 1 - index).is_multiple_of(every)
}

fn label(ask: &Ask, step: Step, from: Timestamp) -> String {
    let local = from.to_zoned(ask.localizer.zone.clone());
    match step {
        Step::Hour => format::time_of_day(local.time()),
        Step::Day => format!("{}/{}", local.day(), local.month()),
    }
}

/// A bar's moment in full.
fn moment(ask: &Ask, step: Step, from: Timestamp, zone: &TimeZone) -> String {
    match step {
        Step::Hour => ask.localizer.clock(from),
        Step::Day => format::date(from.to_zoned(zone.clone()).date(), ask.localizer.locale),
    }
}

fn told(ask: &Ask, step: Step, bar: &Bar) -> String {
    let whole = format!("{}: {}", moment(ask, step, bar.from, &ask.localizer.zone), ask.localizer.number(bar.total()));
    let parts = Standing::ALL.iter().zip(bar.counts).filter(|(_, n)| *n > 0);
    let parts = parts.map(|(standing, n)| format!("{}: {}", word(ask, *standing), ask.localizer.number(n)));
    [whole].into_iter().chain(parts).collect::<Vec<_>>().join("\n")
}

fn word<'a>(ask: &Ask, standing: Standing) -> &'a str {
    ask.localizer.known(&format!("overview.standing_{standing}")).unwrap_or(standing.code())
}

fn table(ask: &Ask, step: Step, bars: &[Bar], caption: &str) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table {
                caption.hidden { (caption) }
                thead { tr {
                    th scope="col" { (ask.t(if step == Step::Hour { "overview.hour" } else { "overview.date" })) }
                    th.end scope="col" { (ask.t("overview.total")) }
                    @for standing in Standing::ALL { th.end scope="col" { (word(ask, *standing)) } }
                    th.end scope="col" { (ask.t("overview.of_them_read")) }
                } }
                tbody {
                    @for bar in bars.iter().rev() {
                        tr {
                            th scope="row" { (moment(ask, step, bar.from, &ask.localizer.zone)) }
                            td.end { (ask.localizer.number(bar.total())) }
                            @for n in bar.counts { td.end { (ask.localizer.number(n)) } }
                            td.end { (ask.localizer.number(bar.read)) }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_end_at_round_numbers_and_no_bar_leaves_the_drawing() {
        assert_eq!([0, 1, 3, 5, 7, 11, 99, 1_000, 60_001].map(ceiling), [2, 2, 4, 6, 10, 20, 100, 1_000, 100_000]);
        assert_eq!((tenth(5), tenth(123), short(9_999), short(12_345)), own("0.5", "12.3", "9999", "12k"));
    }

    fn own(a: &str, b: &str, c: &str, d: &str) -> (String, String, String, String) {
        (a.to_owned(), b.to_owned(), c.to_owned(), d.to_owned())
    }
}
