//! Slips of the finger at the command line: each answer lists what there is and says what was probably meant.

use hookbridge::domain::admin::{Role, Who};
use secrecy::ExposeSecret as _;

use crate::support::bridge::{Bridge, answer};
use crate::support::person::token;

#[tokio::test]
async fn a_slip_in_a_search_is_an_error_that_helps_and_no_empty_list() {
    let bridge = Bridge::start().await;
    for (arguments, says) in [
        (&["messages", "list", "--state", "canceled"][..], "Did you mean `cancelled`?"),
        (&["messages", "list", "--state", "xyz"], "One of: queued, held,"),
        (&["messages", "list", "--reason", "optd_out"], "Did you mean `opted_out`?"),
        (&["messages", "list", "--hookpoint", "invoice_create"], "Did you mean `invoice_created`?"),
        (&["events", "list", "--hook", "InvoiceCreate"], "Did you mean `InvoiceCreated`?"),
        (&["events", "list", "--state", "proccessed"], "Did you mean `processed`?"),
        (&["decisions", "list", "--rule", "upgrad"], "upgrade, ownership, cancellation"),
        (&["notify", "test", "pigeon"], "email, webhook, whatsapp"),
    ] {
        let (ok, out, err) = bridge.run(arguments).await;
        assert!(!ok && err.contains(says), "{arguments:?}: {out}{err}");
    }
    for fine in [&["messages", "list", "--hookpoint", "welcome_pack"][..], &["events", "list", "--hook", "InvoicePaid"]]
    {
        let (ok, out, err) = bridge.run(fine).await;
        assert!(ok, "what may have been there once is no slip: {fine:?}: {out}{err}");
    }
    let desk = bridge.app.desk.clone().expect("a key is set");
    let key = token(&desk, &Who::at_the_command_line("test"), "slips", Role::Viewer).await;
    let request = bridge.http.get(bridge.url("/api/v1/messages?state=faild")).bearer_auth(key.expose_secret());
    let refused = answer(request).await;
    assert_eq!(refused.status, 422);
    assert!(refused.body["detail"].as_str().is_some_and(|text| text.contains("Did you mean `failed`?")), "{refused:?}");
    bridge.finish().await;
}
