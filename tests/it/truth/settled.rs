//! What paid an invoice, as its client reads it: a payment is called received, credit is called credit, each with its amount.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hookbridge::billing::Want;
use hookbridge::catalogue::Verdict;
use hookbridge::demo::data::CAST;
use hookbridge::demo::schema::Release;
use hookbridge::domain::event::HookEvent;
use hookbridge::domain::hookpoint::{HookpointId, Subject, SubjectKind};
use hookbridge::domain::ids::EventId;
use hookbridge::domain::locale::Locale;
use hookbridge::envelope;
use hookbridge::render::context::{About, build};
use jiff::tz::TimeZone;
use serde::Deserialize;
use serde_json::json;

use crate::support::bridge::Bridge;
use crate::support::database::TestDb;

const INVOICE: u64 = 9100;

/// One row of `tests/vectors/settlements.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    release: String,
    invoice: InvoiceRow,
    rows: Vec<Money>,
    /// What the alert says in each language.
    #[serde(default)]
    says: BTreeMap<String, String>,
    /// Why there is none.
    reason: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct InvoiceRow {
    total: String,
    credit: String,
    status: String,
    /// It is the bundle of a mass payment, of that invoice.
    bundles: Option<u32>,
    /// That bundle pays it.
    bundled_in: Option<u32>,
}

/// A row of the platform's transactions.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Money {
    #[serde(default, rename = "in")]
    paid_in: Option<String>,
    #[serde(default, rename = "out")]
    paid_out: Option<String>,
    /// The number of its credit note.
    #[serde(default)]
    note: u32,
}

/// The platform's statements that lead to the case, on an invoice of an English client.
fn sql(case: &Case) -> Vec<String> {
    let client = CAST.invoice_english.client;
    let it = &case.invoice;
    let mut all = vec![
        format!("DELETE FROM tblinvoices WHERE id = {INVOICE}"),
        format!("DELETE FROM tblinvoiceitems WHERE invoiceid = {INVOICE} OR type = 'Invoice'"),
        format!("DELETE FROM tblaccounts WHERE invoiceid = {INVOICE}"),
        format!(
            "INSERT INTO tblinvoices (id, userid, invoicenum, date, duedate, total, credit, status, paymentmethod, notes) \
             VALUES ({INVOICE}, {client}, '', '2026-11-01', '2026-11-15', {}, {}, '{}', 'stripe', '')",
            it.total, it.credit, it.status
        ),
    ];
    let item = |invoice: u64, kind: &str, relid: u64| {
        format!(
            "INSERT INTO tblinvoiceitems (invoiceid, userid, type, relid, description, amount, taxed, paymentmethod, notes) \
             VALUES ({invoice}, {client}, '{kind}', {relid}, 'x', 100, 0, 'stripe', '')"
        )
    };
    all.push(match it.bundles {
        Some(other) => item(INVOICE, "Invoice", other.into()),
        None => item(INVOICE, "Hosting", 5),
    });
    if let Some(bundle) = it.bundled_in {
        all.push(item(bundle.into(), "Invoice", INVOICE));
        all.push(format!("UPDATE tblinvoices SET status = 'Paid' WHERE id = {bundle}"));
    }
    for (number, row) in case.rows.iter().enumerate() {
        let (gateway, transaction) = if row.note > 0 { ("", String::new()) } else { ("stripe", format!("t{number}")) };
        let paid = |amount: &Option<String>| amount.clone().unwrap_or_else(|| "0".to_owned());
        let mut columns =
            "userid, currency, gateway, date, description, amountin, amountout, transid, invoiceid".to_owned();
        let mut values = format!(
            "{client}, 0, '{gateway}', '2026-11-20 10:00:0{number}', '', {}, {}, '{transaction}', {INVOICE}",
            paid(&row.paid_in),
            paid(&row.paid_out)
        );
        if row.note > 0 {
            columns += ", type, billingnoteid";
            write!(values, ", 'invoice_billing_adjustment_credit', {}", row.note).expect("into a text");
        }
        all.push(format!("INSERT INTO tblaccounts ({columns}) VALUES ({values})"));
    }
    all
}

fn event() -> HookEvent {
    let body = json!({
        "v": 1, "hook": "InvoicePaid", "occurred_at": "2026-11-20T12:00:00Z", "actor": { "kind": "system" },
        "fields": { "invoiceid": INVOICE },
    });
    let id = EventId::parse("evt_1").expect("an id");
    envelope::parse(&id, "billing", body.to_string().as_bytes()).expect("an event")
}

/// What differs from what the case wants.
async fn differs(case: &Case, bridge: &Bridge) -> Vec<String> {
    for sql in sql(case) {
        bridge.platform(&sql).await;
    }
    let desk = bridge.app.desk.clone().expect("a key is set");
    let now = bridge.now();
    let want = Want::of(Subject { kind: SubjectKind::Invoice, id: INVOICE });
    let found = desk.billing.gather(&[want], now).await.expect("the database answers").remove(0);
    let facts = found.expect("facts").remove(0);
    let platform = desk.billing.platform(now).await.expect("the platform's settings");
    let hookpoint = HookpointId::parse("payment_received").expect("an id");
    let (catalogue, templates) = (desk.catalogue.load(), desk.templates.load());
    let entry = catalogue.entry(&hookpoint).expect("it is built in");
    let verdict = entry.applies(&event(), &facts);
    let reason = match &verdict {
        Verdict::Holds => None,
        Verdict::No { reason, .. } | Verdict::NotYet { reason, .. } => Some(reason.code().to_owned()),
    };
    let mut wrong = Vec::new();
    if reason != case.reason {
        wrong.push(format!("{} ({}): {reason:?}", case.name, case.release));
    }
    for (code, wanted) in &case.says {
        let locale: Locale = code.parse().expect("a language of ours");
        let about = About {
            facts: &facts,
            platform: &platform,
            zone: &TimeZone::UTC,
            occurred_at: now,
            hook: "InvoicePaid",
            changed: &[],
            first_name: "Emily",
            company: "",
        };
        let text =
            templates.render(&hookpoint, locale, &build(&about, locale), &platform.system_url).expect("a text").text;
        if !text.contains(wanted.as_str()) {
            wrong.push(format!("{} ({}, {code}):\n  {text}\n  must say {wanted}", case.name, case.release));
        }
    }
    wrong
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_mix_of_payments_and_credit_is_said_by_its_sources_in_every_language() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../vectors/settlements.json")).expect("the vectors");
    let mut wrong = Vec::new();
    for release in ["8.13", "9.0"] {
        let db = TestDb::of(Release::parse(release).expect("a release")).await;
        let bridge = Bridge::on(db, &[], |_| {}).await;
        for case in cases.iter().filter(|case| case.release == release) {
            assert_eq!(case.says.is_empty(), case.reason.is_some(), "{}", case.name);
            wrong.extend(differs(case, &bridge).await);
        }
        bridge.finish().await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
