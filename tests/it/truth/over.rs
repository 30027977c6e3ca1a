//! An alert invites to nothing that is no longer possible: a quote counts until its last day ends on the platform's clock.

use hookbridge::demo::data::{CAST, PLATFORM_ZONE};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, ToSpan as _};
use serde_json::json;

use super::{line, to_client};
use crate::support::bridge::Bridge;

fn zone() -> TimeZone {
    TimeZone::get(PLATFORM_ZONE).expect("a zone")
}

fn today(bridge: &Bridge) -> Date {
    bridge.now().to_zoned(zone()).date()
}

/// Writes a delivered quote whose last day is so many days from today.
async fn delivered(bridge: &Bridge, quote: u32, validity: Option<i64>) {
    let last = validity.map(|days| today(bridge).checked_add(days.days()).expect("a day").to_string());
    let last = last.unwrap_or_else(|| "0000-00-00".to_owned());
    bridge
        .platform(&format!("UPDATE tblquotes SET stage = 'Delivered', validuntil = '{last}' WHERE id = {quote}"))
        .await;
}

async fn deliver(bridge: &Bridge, quote: u32, validity: Option<i64>) {
    delivered(bridge, quote, validity).await;
    let vars = json!({ "quoteid": quote, "status": "Delivered" });
    bridge.fire(&[line("QuoteStatusChange", &vars)]).await;
    bridge.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quote_is_announced_up_to_its_last_day_and_not_after_it() {
    for (validity, reason) in [
        (None, None),
        (Some(1), None),
        (Some(0), None),
        (Some(-1), Some("quote_over")),
        (Some(-30), Some("quote_over")),
    ] {
        let bridge = Bridge::start().await;
        let quote = CAST.quote_english.id;
        deliver(&bridge, quote, validity).await;
        let sent = bridge.messages().await.len();
        let reasons = bridge.reasons().await;
        assert_eq!((sent, reasons), (usize::from(reason.is_none()), reason.into_iter().map(str::to_owned).collect()));
        // Given another last day and delivered anew, it is announced.
        if reason.is_some() {
            deliver(&bridge, quote, Some(5)).await;
            assert_eq!(to_client(&bridge, &format!("quote:{quote}")).await.standing(), "delivered");
        }
        bridge.finish().await;
    }
}

/// So many minutes before midnight on the platform's clock; alerts wait for ten.
async fn minutes_to_midnight(minutes: i64) -> Bridge {
    let settings = [
        ("SENDERS__MAIN__PAIR_INTERVAL_S", "0"),
        ("HOOKPOINTS__QUOTE_AVAILABLE__SETTLE_S", "600"),
        ("HOOKPOINTS__INVOICE_CREATED__SETTLE_S", "600"),
    ];
    let bridge = Bridge::with(&settings, |_| {}).await;
    let midnight = today(&bridge).tomorrow().expect("a day").to_zoned(zone()).expect("a moment").timestamp();
    bridge.wait_s((midnight - SignedDuration::from_mins(minutes)).duration_since(bridge.now()).as_secs());
    bridge
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quote_whose_last_day_ends_while_its_alert_waits_is_not_announced() {
    for (minutes, standing, reason) in [(12, "delivered", None), (8, "cancelled", Some("quote_over"))] {
        let bridge = minutes_to_midnight(minutes).await;
        let quote = CAST.quote_english.id;
        delivered(&bridge, quote, Some(0)).await;
        let vars = json!({ "quoteid": quote, "status": "Delivered" });
        bridge.post("evt_1", &bridge.envelope("QuoteStatusChange", &vars)).await;
        bridge.settle().await;
        bridge.wait_s(601);
        bridge.settle().await;
        let ended = to_client(&bridge, &format!("quote:{quote}")).await;
        assert_eq!((ended.standing(), ended.reason.as_deref()), (standing, reason));
        bridge.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_due_today_is_past_due_when_it_is_sent_tomorrow() {
    let bridge = minutes_to_midnight(8).await;
    let it = CAST.invoice_english;
    bridge.platform(&format!("UPDATE tblinvoices SET duedate = '{}' WHERE id = {}", today(&bridge), it.id)).await;
    bridge.post("evt_1", &bridge.envelope("InvoiceCreated", &json!({ "invoiceid": it.id }))).await;
    bridge.settle().await;
    let subject = format!("invoice:{}", it.id);
    assert!(to_client(&bridge, &subject).await.text.contains("due today"));
    bridge.wait_s(601);
    bridge.settle().await;
    let after = to_client(&bridge, &subject).await;
    assert_eq!(after.standing(), "delivered");
    assert!(!after.text.contains("due today") && after.text.contains("was due"), "{}", after.text);
    bridge.finish().await;
}
