//! Owns: what happens in the demo: every hookpoint once with the documented parameters (secrets included, which must not
//! leave PHP), and some cases that must lead to nothing.

use serde_json::{Value, json};

use super::data::{CANARY, CAST};
use super::schema::Release;

/// One thing that the platform does.
#[derive(Debug)]
pub struct Act {
    /// The hookpoint that must alert, or `None` for a case that must not.
    pub hookpoint: Option<&'static str>,
    /// Lines for `fire.php`.
    pub lines: Vec<Value>,
    /// What the platform does to its rows after that.
    pub sql: Option<String>,
}

fn act(hookpoint: &'static str, lines: Vec<Value>) -> Act {
    Act { hookpoint: Some(hookpoint), lines, sql: None }
}

impl Act {
    fn then(self, sql: String) -> Self {
        Self { sql: Some(sql), ..self }
    }
}

fn no_alert(lines: Vec<Value>) -> Act {
    Act { hookpoint: None, lines, sql: None }
}

fn line(hook: &str, actor: &str, vars: &Value) -> Value {
    json!({ "hook": hook, "actor": actor, "vars": vars, "new_request": true })
}

/// A second hook of the same request.
fn and(hook: &str, vars: &Value) -> Value {
    json!({ "hook": hook, "vars": vars })
}

fn module(service: super::data::Owned) -> Value {
    json!({ "params": {
        "serviceid": service.id, "userid": service.client, "pid": 1, "serverid": 1, "domain": "ejemplo.com.ar",
        "username": "ejemplo", "password": CANARY, "serverpassword": CANARY, "serveraccesshash": CANARY,
        "producttype": "hostingaccount", "moduletype": "cpanel",
    }})
}

/// Rows that the stub looks up inside the hook.
#[must_use]
pub fn rows(release: Release) -> Value {
    let mut payments = vec![
        json!({ "id": CAST.payment.id, "invoiceid": CAST.invoice_paid.id, "amountin": 21780 }),
        json!({ "id": CAST.payment_partial.id, "invoiceid": CAST.invoice_partly_paid.id, "amountin": 60000 }),
    ];
    if release == Release::V9_0 {
        for row in &mut payments {
            row["billingnoteid"] = json!(0);
        }
        // A credit note, which the stub must not take for the newest payment.
        payments.push(json!({ "id": 900, "invoiceid": CAST.invoice_paid.id, "amountin": 100, "billingnoteid": 1 }));
    }
    json!({
        "tbldomains": [{ "id": CAST.domain.id, "userid": CAST.domain.client, "domain": "nanezhermanos-demo.com.ar" }],
        "tblaccounts": payments,
    })
}

/// The whole script. What no hook tells of needs a sweep before it and one after it.
#[must_use]
pub fn acts() -> Vec<Act> {
    let paid = json!({ "invoiceid": CAST.invoice_paid.id });
    let edited = json!({
        "userid": CAST.client_english, "firstname": "Emily", "phonenumber": "+1.2125550199", "email": "e@example.com",
        "authdata": CANARY, "olddata": { "firstname": "Emily", "phonenumber": "+1.2125550103", "email": "e@example.com" },
    });
    let contact = json!({
        "userid": CAST.contact_all.client, "contactid": CAST.contact_all.id, "invoiceemails": true, "password": CANARY,
        "olddata": { "invoiceemails": 0, "password": CANARY },
    });
    let quote = CAST.quote_portuguese.id;
    let transfer = CAST.clients_transfer;
    vec![
        act(
            "client_registered",
            vec![line(
                "ClientAdd",
                "client",
                &json!({
                    "client_id": CAST.client_raw_phone, "user_id": 1, "userid": CAST.client_raw_phone, "firstname": "Nadia",
                    "email": "nadia@example.com", "password": CANARY, "customFields": [],
                }),
            )],
        ),
        act(
            "password_changed",
            vec![
                line(
                    "UserChangePassword",
                    "client",
                    &json!({ "userid": CAST.user_of_two_clients, "password": CANARY }),
                ),
                and("ClientChangePassword", &json!({ "userid": CAST.clients_of_one_user[0], "password": CANARY })),
            ],
        ),
        act(
            "invoice_created",
            vec![line(
                "InvoiceCreated",
                "cron",
                &json!({
                    "source": "autogen", "user": "system", "invoiceid": CAST.invoice_numbered.id, "status": "Unpaid",
                }),
            )],
        ),
        act("details_edited", vec![line("ClientEdit", "client", &edited)]),
        act(
            "invoice_cancelled",
            vec![line("InvoiceCancelled", "admin", &json!({ "invoiceid": CAST.invoice_cancelled.id }))],
        ),
        act(
            "payment_received",
            vec![
                line("AddInvoicePayment", "api", &paid),
                and(
                    "InvoicePaid",
                    &json!({ "invoiceid": CAST.invoice_paid.id, "invoice": { "__object__": "stdClass" } }),
                ),
            ],
        ),
        act("service_suspended", vec![line("AfterModuleSuspend", "cron", &module(CAST.service_suspended))]),
        act("service_reactivated", vec![line("AfterModuleUnsuspend", "api", &module(CAST.service_portuguese))]),
        act("service_terminated", vec![line("AfterModuleTerminate", "cron", &module(CAST.service_terminated))]),
        act(
            "quote_available",
            vec![
                line("QuoteStatusChange", "admin", &json!({ "quoteid": quote, "status": "Delivered" })),
                and(
                    "EmailPreSend",
                    &json!({
                        "messagename": "Quote Delivery with PDF", "relid": CAST.client_portuguese,
                        "mergefields": { "quote_number": quote },
                    }),
                ),
            ],
        ),
        act(
            "domain_deleted",
            vec![line(
                "DomainDelete",
                "admin",
                &json!({
                    "userid": CAST.domain.client, "domainid": CAST.domain.id,
                }),
            )],
        )
        .then(format!("DELETE FROM tbldomains WHERE id = {}", CAST.domain.id)),
        act("service_activated", vec![line("AfterModuleCreate", "cron", &module(CAST.service_english))]),
        act("contact_changed", vec![line("ContactEdit", "client", &contact), and("ContactEdit", &contact)]),
        act(
            "accounts_merged",
            vec![line("AfterClientMerge", "admin", &json!({ "toUserID": transfer[1], "fromUserID": transfer[0] }))],
        ),
        act(
            "cancellation_requested",
            vec![line(
                "CancellationRequest",
                "client",
                &json!({
                    "userid": CAST.service_cancel_at_period_end.client, "relid": CAST.service_cancel_at_period_end.id,
                    "reason": CANARY, "type": "End of Billing Period",
                }),
            )],
        ),
        // No hook: an administrator moves it, and the sweep finds out.
        act("service_owner_changed", Vec::new()).then(format!(
            "UPDATE tblhosting SET userid = {} WHERE id = {}",
            CAST.client_portuguese, CAST.service_active.id
        )),
        no_alert(vec![line("InvoiceCreated", "cron", &json!({ "invoiceid": CAST.invoice_of_closed_client.id }))]),
        no_alert(vec![line(
            "InvoiceCreated",
            "cron",
            &json!({ "invoiceid": CAST.invoice_of_client_without_phone.id }),
        )]),
        no_alert(vec![line(
            "QuoteCreated",
            "api",
            &json!({ "quoteid": CAST.quote_of_prospect, "status": "Delivered" }),
        )]),
        no_alert(vec![line("ClientEdit", "admin", &edited)]),
    ]
}
