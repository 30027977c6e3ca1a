//! Alerts by date: each step once, at its hour on the client's clock, and never after what ends the series.

mod ends;
mod scale;
mod series;
mod tickets;

use hookbridge::demo::data::CAST;
use hookbridge::process::schedule::Round;
use hookbridge::store::trail::MessageTrail;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::support::bridge::Bridge;

const BY_DATE: [&str; 9] = [
    "INVOICE_REMINDER",
    "INVOICE_OVERDUE",
    "SERVICE_RENEWAL",
    "DOMAIN_EXPIRING",
    "DOMAIN_EXPIRED",
    "DOMAIN_REDEMPTION",
    "QUOTE_FOLLOW_UP",
    "SUSPENSION_AHEAD",
    "TERMINATION_AHEAD",
];

/// A bridge with these hookpoints switched on, on whose clock it is eight in the morning in Buenos Aires, and whose sweep knows
/// all rows. Nothing of the sample data is open: a test makes its own rows.
async fn with(names: &[&str], more: &[(&str, &str)]) -> Bridge {
    let bridge = asleep(names, more).await;
    learn(&bridge).await;
    // From now on they are on.
    look(&bridge).await;
    bridge
}

/// The same before the first sweep.
async fn asleep(names: &[&str], more: &[(&str, &str)]) -> Bridge {
    let on: Vec<String> = names.iter().map(|name| format!("HOOKPOINTS__{name}__ENABLED")).collect();
    let mut settings: Vec<(&str, &str)> = on.iter().map(|key| (key.as_str(), "true")).collect();
    settings.push(("SENDERS__MAIN__PAIR_INTERVAL_S", "0"));
    // What the sweep finds of invoices, services and quotes is told by others.
    settings.extend(["INVOICE_CREATED", "QUOTE_AVAILABLE", "SERVICE_ACTIVATED"].map(|name| match name {
        "INVOICE_CREATED" => ("HOOKPOINTS__INVOICE_CREATED__ENABLED", "false"),
        "QUOTE_AVAILABLE" => ("HOOKPOINTS__QUOTE_AVAILABLE__ENABLED", "false"),
        _ => ("HOOKPOINTS__SERVICE_ACTIVATED__ENABLED", "false"),
    }));
    settings.extend(more);
    settings.push(("BILLING__TIMEZONE", "America/Argentina/Buenos_Aires"));
    let bridge = Bridge::with(&settings, |_| {}).await;
    for sql in [
        "UPDATE tblinvoices SET status = 'Cancelled' WHERE status = 'Unpaid'",
        "UPDATE tblhosting SET domainstatus = 'Terminated'",
        "UPDATE tbldomains SET status = 'Cancelled'",
        "UPDATE tblquotes SET stage = 'Dead'",
    ] {
        bridge.platform(sql).await;
    }
    bridge.clock.set(at("2027-03-01", "08:00", "America/Argentina/Buenos_Aires"));
    bridge
}

fn at(day: &str, time: &str, zone: &str) -> Timestamp {
    let civil: jiff::civil::DateTime = format!("{day}T{time}:00").parse().expect("a time");
    TimeZone::get(zone).expect("a zone").to_ambiguous_timestamp(civil).compatible().expect("a moment")
}

/// Ten in the morning of a client in Argentina, `days` after `day`.
fn ten(day: &str, days: i64) -> Timestamp {
    let day: Date = day.parse().expect("a day");
    let on = day.checked_add(jiff::Span::new().days(days)).expect("a day");
    at(&on.to_string(), "10:00", "America/Argentina/Buenos_Aires")
}

/// The sweep reads the platform's rows.
async fn learn(bridge: &Bridge) {
    bridge.wait_s(601);
    assert!(!bridge.app.sweep().await.expect("the sweep runs").not_our_turn);
    bridge.settle().await;
}

/// The bridge looks at dates, and everything that follows happens.
async fn look(bridge: &Bridge) -> Round {
    let round = bridge.app.look_at_dates().await.expect("the scheduler looks");
    bridge.settle().await;
    round
}

async fn look_at(bridge: &Bridge, moment: Timestamp) -> Round {
    assert!(moment >= bridge.now(), "time does not go back: {moment} is before {}", bridge.now());
    bridge.clock.set(moment);
    look(bridge).await
}

async fn invoice(bridge: &Bridge, id: u32, client: u32, due: &str) {
    let sql = format!(
        "INSERT INTO tblinvoices (id, userid, invoicenum, date, duedate, subtotal, credit, tax, tax2, total, status, \
         paymentmethod, notes) VALUES ({id}, {client}, '', '2026-01-01', '{due}', 100, 0, 0, 0, 100, 'Unpaid', 'transfer', '')"
    );
    bridge.platform(&sql).await;
}

/// An active service with an unpaid invoice for it, both due on `due`.
async fn service(bridge: &Bridge, id: u32, client: u32, due: &str) {
    let sql = format!(
        "INSERT INTO tblhosting (id, userid, packageid, regdate, domain, paymentmethod, firstpaymentamount, amount, \
         billingcycle, nextduedate, nextinvoicedate, domainstatus, suspendreason) VALUES ({id}, {client}, 1, '2026-01-01', \
         'date{id}.example', 'transfer', 100, 100, 'Monthly', '{due}', '{due}', 'Active', '')"
    );
    bridge.platform(&sql).await;
}

async fn item(bridge: &Bridge, invoice: u32, service: u32, client: u32) {
    let sql = format!(
        "INSERT INTO tblinvoiceitems (invoiceid, userid, type, relid, description, amount, taxed) \
         VALUES ({invoice}, {client}, 'Hosting', {service}, 'Hosting', 100, 0)"
    );
    bridge.platform(&sql).await;
}

async fn domain(bridge: &Bridge, id: u32, client: u32, expires: &str) {
    let sql = format!(
        "INSERT INTO tbldomains (id, userid, type, registrationdate, domain, firstpaymentamount, recurringamount, registrar, \
         registrationperiod, expirydate, status, nextduedate, nextinvoicedate, paymentmethod, donotrenew) VALUES ({id}, {client}, \
         'Register', '2020-01-01', 'date{id}.example', 10, 10, 'nicar', 1, '{expires}', 'Active', '{expires}', '{expires}', \
         'transfer', 0)"
    );
    bridge.platform(&sql).await;
}

async fn quote(bridge: &Bridge, id: u32, client: u32, sent: &str, valid_until: &str) {
    let sql = format!(
        "INSERT INTO tblquotes (id, subject, stage, validuntil, userid, firstname, lastname, companyname, email, currency, \
         total, datesent) VALUES ({id}, 'VPS', 'Delivered', '{valid_until}', {client}, '', '', '', '', 1, 10, '{sent}')"
    );
    bridge.platform(&sql).await;
}

/// The messages to the clients themselves, in the order of time.
async fn own(bridge: &Bridge) -> Vec<MessageTrail> {
    bridge.messages().await.into_iter().filter(|m| m.contact_id.is_none()).collect()
}

/// Hookpoint and day of each of them.
async fn told(bridge: &Bridge) -> Vec<(String, String)> {
    let zone = TimeZone::get("America/Argentina/Buenos_Aires").expect("a zone");
    let all = own(bridge).await;
    assert!(all.iter().all(|m| m.state == "sent"), "{all:#?}");
    all.iter().map(|m| (m.hookpoint.clone(), m.created_at.to_zoned(zone.clone()).date().to_string())).collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    all.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

const CLIENT: u32 = CAST.client_spanish;
