//! What ends a series, what is too late, and what must never be told twice.

use hookbridge::demo::data::CAST;
use jiff::SignedDuration;
use mysql_async::prelude::Queryable as _;

use super::{
    BY_DATE, CLIENT, asleep, domain, invoice, item, learn, look, look_at, own, quote, service, ten, told, with,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_ends_a_series_ends_it_with_its_reason() {
    let bridge = with(&BY_DATE, &[]).await;
    let due = "2027-03-03";
    let cases: [(u32, &str, &str); 10] = [
        (9001, "UPDATE tblinvoices SET status = 'Paid' WHERE id = 9001", "invoice_paid"),
        (9002, "UPDATE tblinvoices SET status = 'Cancelled' WHERE id = 9002", "invoice_cancelled"),
        (9003, "UPDATE tblinvoices SET status = 'Payment Pending' WHERE id = 9003", "invoice_payment_pending"),
        (9004, "UPDATE tblinvoices SET status = 'Collections' WHERE id = 9004", "invoice_collections"),
        (9005, "UPDATE tblinvoices SET duedate = '2027-09-01' WHERE id = 9005", "step_moved"),
        (9006, "UPDATE tblinvoices SET status = 'Refunded' WHERE id = 9006", "invoice_refunded"),
        (9007, "UPDATE tblinvoices SET total = 0 WHERE id = 9007", "amount_zero"),
        (9008, "UPDATE tblinvoices SET date = '2027-03-02' WHERE id = 9008", "invoice_new"),
        (
            9009,
            "INSERT INTO tblaccounts (userid, currency, gateway, date, description, amountin, fees, amountout, rate, transid, \
             invoiceid) VALUES (1, 1, 'transfer', '2027-03-01', '', 100, 0, 0, 1, 'x', 9009)",
            "invoice_paid",
        ),
        (9010, "DELETE FROM tblinvoices WHERE id = 9010", "subject_missing"),
    ];
    for (id, ..) in cases {
        invoice(&bridge, id, CLIENT, due).await;
    }
    domain(&bridge, 9001, CLIENT, "2027-03-09").await;
    domain(&bridge, 9002, CLIENT, "2027-03-09").await;
    domain(&bridge, 9003, CLIENT, "2027-03-09").await;
    service(&bridge, 9001, CLIENT, "2027-03-09").await;
    service(&bridge, 9002, CLIENT, "2027-03-09").await;
    quote(&bridge, 9001, CLIENT, "2027-02-27", "2027-05-01").await;
    learn(&bridge).await;
    // Between the sweep and the step, so that only the look at the rows can know.
    for (_, sql, _) in cases {
        bridge.platform(sql).await;
    }
    for sql in [
        "UPDATE tbldomains SET donotrenew = 1 WHERE id = 9001",
        "UPDATE tbldomains SET status = 'Transferred Away' WHERE id = 9002",
        "UPDATE tbldomains SET expirydate = '2028-03-09' WHERE id = 9003",
        "INSERT INTO tblcancelrequests (date, relid, reason, type) VALUES ('2027-03-01', 9001, '', 'End of Billing Period')",
        "UPDATE tblhosting SET nextduedate = '2027-04-09' WHERE id = 9002",
        "UPDATE tblquotes SET stage = 'Accepted' WHERE id = 9001",
    ] {
        bridge.platform(sql).await;
    }
    look_at(&bridge, ten("2027-03-02", 0)).await;
    assert_eq!(told(&bridge).await, Vec::new());
    let mut expected: Vec<&str> = cases.iter().map(|(.., reason)| *reason).collect();
    expected.extend(["not_renewed", "domain_changed", "step_moved"]);
    expected.extend(["cancellation_pending", "step_moved", "quote_not_delivered"]);
    expected.sort_unstable();
    assert_eq!(bridge.reasons().await, expected);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_exempt_by_the_platforms_own_flags_gets_no_overdue_notice_and_no_threat() {
    let bridge = with(&["INVOICE_OVERDUE", "SUSPENSION_AHEAD"], &[]).await;
    let silent = CAST.client_without_due_notices;
    let vip = CAST.client_english;
    bridge.platform(&format!("UPDATE tblclients SET groupid = 2 WHERE id = {vip}")).await;
    invoice(&bridge, 9001, silent, "2027-03-10").await;
    service(&bridge, 9002, vip, "2027-03-10").await;
    service(&bridge, 9003, CLIENT, "2027-03-10").await;
    service(&bridge, 9004, CLIENT, "2027-03-10").await;
    for (id, service, client) in [(9012, 9002, vip), (9013, 9003, CLIENT)] {
        invoice(&bridge, id, client, "2027-06-10").await;
        item(&bridge, id, service, client).await;
    }
    bridge
        .platform("UPDATE tblhosting SET overideautosuspend = 1, overidesuspenduntil = '2027-12-31' WHERE id = 9003")
        .await;
    learn(&bridge).await;
    look_at(&bridge, ten("2027-03-10", 1)).await;
    look_at(&bridge, ten("2027-03-10", 3) + SignedDuration::from_hours(6)).await;
    assert_eq!(told(&bridge).await, Vec::new());
    let expected = ["never_suspended", "never_suspended", "no_overdue_notices", "no_overdue_notices", "nothing_owed"];
    assert_eq!(bridge.reasons().await, expected);
    // A platform that does not suspend by itself has no day to name.
    bridge.platform("UPDATE tblconfiguration SET value = '' WHERE setting = 'AutoSuspension'").await;
    service(&bridge, 9005, CLIENT, "2027-04-10").await;
    learn(&bridge).await;
    look_at(&bridge, ten("2027-04-10", 3)).await;
    assert!(!bridge.messages().await.iter().any(|m| m.subject == "service:9005"));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_first_start_on_ten_years_of_overdue_invoices_tells_nothing_old() {
    let bridge = asleep(&BY_DATE, &[]).await;
    let mut id = 9000;
    for year in 2017..2027 {
        for month in 1..=12 {
            invoice(&bridge, id, CLIENT, &format!("{year}-{month:02}-15")).await;
            service(&bridge, id, CLIENT, &format!("{year}-{month:02}-15")).await;
            domain(&bridge, id, CLIENT, &format!("{year}-{month:02}-15")).await;
            id += 1;
        }
    }
    // Yesterday's and this morning's are old as well.
    invoice(&bridge, 9500, CLIENT, "2027-02-28").await;
    bridge.clock.set(ten("2027-03-01", 0) + SignedDuration::from_hours(1));
    learn(&bridge).await;
    for hours in 0..30 {
        look_at(&bridge, ten("2027-03-01", 0) + SignedDuration::from_hours(2 + hours)).await;
    }
    let subjects: Vec<String> = own(&bridge).await.into_iter().map(|m| m.subject).collect();
    assert!(subjects.is_empty(), "{subjects:?}");
    assert!(bridge.reasons().await.is_empty(), "{:?}", bridge.reasons().await);
    // The series goes on where it is.
    look_at(&bridge, ten("2027-02-28", 3)).await;
    let subjects: Vec<String> = own(&bridge).await.into_iter().map(|m| m.subject).collect();
    assert_eq!(subjects, ["invoice:9500"]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_outage_what_is_late_is_skipped_with_its_reason_and_the_rest_goes() {
    let bridge = with(&["INVOICE_REMINDER", "INVOICE_OVERDUE"], &[]).await;
    invoice(&bridge, 9001, CLIENT, "2027-03-10").await;
    learn(&bridge).await;
    look_at(&bridge, ten("2027-03-10", -7)).await;
    // Nothing ran from then until two hours after the first overdue step.
    look_at(&bridge, ten("2027-03-10", 1) + SignedDuration::from_hours(2)).await;
    let seen: Vec<String> = told(&bridge).await.into_iter().map(|(name, _)| name).collect();
    // Of yesterday's moment 26 hours passed: as long as a step may be told.
    assert_eq!(seen, ["invoice_reminder", "invoice_overdue", "invoice_reminder"].map(str::to_owned));
    assert_eq!(bridge.reasons().await, ["step_late", "step_late"]);
    look(&bridge).await;
    assert_eq!(told(&bridge).await.len(), 3);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_and_one_that_forgets_tell_a_step_once() {
    let bridge = with(&["INVOICE_REMINDER"], &[]).await;
    let other = bridge.another().await;
    for id in 9001..9011 {
        invoice(&bridge, id, CAST.client_english, "2027-03-10").await;
    }
    learn(&bridge).await;
    bridge.clock.set(ten("2027-03-10", -7) + SignedDuration::from_hours(5));
    let (one, two) = tokio::join!(bridge.app.look_at_dates(), other.look_at_dates());
    let rounds = [one.expect("it looks"), two.expect("it looks")];
    assert_eq!(rounds.iter().map(|round| round.stored).sum::<usize>(), 10, "{rounds:?}");
    bridge.settle().await;
    // An instance that died between the events and its memory left it as it was.
    let mut database = crate::support::database::connect(&bridge.db.bridge_url()).await;
    database
        .query_drop("UPDATE anchor SET settled_at = '2027-03-01', next_at = '2027-03-01'")
        .await
        .expect("it forgets");
    database.disconnect().await.expect("it closes");
    let round = other.look_at_dates().await.expect("it looks");
    assert_eq!((round.stored, round.known), (0, 10), "the same events again");
    bridge.settle().await;
    assert_eq!(told(&bridge).await.len(), 10);
    other.stop().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invoice_paid_between_its_step_and_its_turn_is_not_reminded_of() {
    let bridge = with(&["INVOICE_REMINDER"], &[]).await;
    invoice(&bridge, 9001, CLIENT, "2027-03-10").await;
    invoice(&bridge, 9002, CLIENT, "2027-03-10").await;
    learn(&bridge).await;
    // Made in the quiet hours: it waits for the morning.
    look_at(&bridge, ten("2027-03-10", -1) + SignedDuration::from_hours(12)).await;
    bridge.platform("UPDATE tblinvoices SET status = 'Paid' WHERE id = 9001").await;
    bridge.platform("UPDATE tblinvoices SET duedate = '2027-03-20' WHERE id = 9002").await;
    bridge.clock.set(ten("2027-03-10", 0) - SignedDuration::from_hours(1));
    bridge.settle().await;
    let ended: Vec<_> = own(&bridge).await.into_iter().map(|m| (m.state, m.reason.unwrap_or_default())).collect();
    let cancelled = |reason: &str| ("cancelled".to_owned(), reason.to_owned());
    assert_eq!(ended, [cancelled("invoice_paid"), cancelled("step_moved")]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_an_older_dump_was_restored_a_step_that_may_have_been_told_waits_for_an_operator() {
    use mysql_async::prelude::Queryable as _;
    let bridge = with(&["INVOICE_REMINDER"], &[]).await;
    invoice(&bridge, 9001, CAST.client_english, "2027-03-10").await;
    learn(&bridge).await;
    look_at(&bridge, ten("2027-03-10", -7) + SignedDuration::from_hours(5)).await;
    assert_eq!(told(&bridge).await.len(), 1);
    // The dump of the night before knows nothing of it.
    bridge.wait_s(600);
    let mut database = crate::support::database::connect(&bridge.db.bridge_url()).await;
    for sql in [
        "DELETE FROM event",
        "DELETE FROM message",
        "UPDATE anchor SET settled_at = '2027-03-02', next_at = '2027-03-02'",
        &format!("UPDATE restore_watch SET restored_at = '{}'", bridge.now().strftime("%Y-%m-%d %H:%M:%S")),
    ] {
        database.query_drop(sql).await.expect(sql);
    }
    bridge.wait_s(60);
    look(&bridge).await;
    let waits: Vec<_> = own(&bridge).await.into_iter().map(|m| m.state).collect();
    assert_eq!(waits, ["held"]);
    // The next step is after it.
    look_at(&bridge, ten("2027-03-10", -3) + SignedDuration::from_hours(5)).await;
    assert!(own(&bridge).await.iter().any(|m| m.state == "sent"), "{:?}", own(&bridge).await);
    database.query_drop("DELETE FROM outbox").await.expect("nothing is left behind");
    database.disconnect().await.expect("it closes");
    bridge.finish().await;
}
