//! Reasons that a test cannot bring about from outside: each with why not. Their row is written as the bridge writes it.

use hookbridge::demo::data::CAST;
use hookbridge::domain::reason::Reason;
use serde_json::json;

use super::{fresh, told, well};

/// Each reason, and why no test drives the bridge into it here.
pub const PLANTED: [(Reason, &str); 5] = [
    (Reason::PacedRecipient, "it waits for seconds, or behind a message that waits for longer and is named"),
    (Reason::LeaseLost, "two instances race for it: tests/it/fleet.rs does, and looks at what is sent"),
    (Reason::TextOutdated, "the event is pruned before its message is sent: a retention that no setting allows"),
    (Reason::InternalFault, "our own code must fail: tests/it/hostile/tasks.rs does it at a mark of the road"),
    (Reason::SentAgain, "it waits for moments only: tests/it/outcomes.rs sees it go"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reasons_that_cannot_be_brought_about_are_named_as_the_others() {
    let bridge = well().await;
    let body = bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_english.id }));
    assert_eq!(bridge.post("evt_1", &body).await.status, 202);
    bridge.app.step().await.expect("a step");
    bridge.settle().await;
    for (reason, _) in PLANTED {
        let waits = reason.is_wait();
        let sql = if waits {
            "INSERT INTO outbox (message_id, lane, state, priority, run_at, recipient, template, expires_at, waiting_for) \
             SELECT x'0190000000007000800000000000000a', 'main', 'queued', 2, NOW() + INTERVAL 1 DAY, recipient, template, \
             NOW() + INTERVAL 2 DAY, '{}' FROM message LIMIT 1"
        } else {
            "UPDATE message SET state = 'failed', reason = '{}', state_at = created_at LIMIT 1"
        };
        bridge.db.own(&sql.replace("{}", reason.code())).await;
        fresh(&bridge).await;
        told(&bridge, &[reason]).await;
        bridge.db.own("DELETE FROM outbox").await;
        bridge.db.own("UPDATE message SET state = 'sent', reason = NULL").await;
    }
    bridge.finish().await;
}
