//! Tickets: told by their number to whom they belong, and what was written in them stays at the platform.

use hookbridge::demo::data::CAST;
use serde_json::{Value, json};

use super::{CLIENT, asleep, learn, look_at, own, pairs, ten, told, with};
use crate::support::bridge::Bridge;

const TICKETS: [&str; 4] = ["TICKET_OPENED", "TICKET_ANSWERED", "TICKET_CLOSED", "TICKET_WAITING"];

async fn ticket(bridge: &Bridge, id: u32, client: u32, status: &str, last_reply: &str) {
    let sql = format!(
        "INSERT INTO tbltickets (id, tid, did, userid, contactid, requestor_id, name, email, cc, c, date, title, message, status, \
         urgency, lastreply, service) VALUES ({id}, 'ABC-{id}', 1, {client}, 0, 0, '', '', '', 'canary-do-not-leak', \
         '2027-02-01', 'Mi asunto', 'Mi texto', '{status}', 'High', '{last_reply}', '')"
    );
    bridge.platform(&sql).await;
}

async fn fire(bridge: &Bridge, id: &str, hook: &str, fields: &Value) {
    let body = bridge.envelope(hook, fields);
    assert_eq!(bridge.post(id, &body).await.status, 202);
    bridge.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_is_told_to_the_client_of_its_row_each_thing_once() {
    let bridge = with(&TICKETS, &[]).await;
    bridge.platform("DELETE FROM tblcontacts").await;
    ticket(&bridge, 9001, CLIENT, "Open", "2027-03-01 09:00:00").await;
    ticket(&bridge, 9002, 0, "Open", "2027-03-01 09:00:00").await;
    fire(&bridge, "evt_1", "TicketOpen", &json!({ "ticketid": 9001 })).await;
    fire(&bridge, "evt_2", "TicketOpen", &json!({ "ticketid": 9002 })).await;
    // No answer names its client; the platform may repeat itself.
    for (id, reply) in [("evt_3", 1), ("evt_4", 1), ("evt_5", 2)] {
        fire(&bridge, id, "TicketAdminReply", &json!({ "ticketid": 9001, "replyid": reply })).await;
    }
    // Closed by a status of the company's own: both hooks, one alert.
    bridge.platform("UPDATE tblticketstatuses SET title = 'Resuelto' WHERE title = 'Closed'").await;
    bridge.platform("UPDATE tbltickets SET status = 'Resuelto' WHERE id = 9001").await;
    fire(&bridge, "evt_6", "TicketClose", &json!({ "ticketid": 9001 })).await;
    fire(&bridge, "evt_7", "TicketStatusChange", &json!({ "ticketid": 9001, "status": "Closed", "adminid": 1 })).await;
    let seen: Vec<String> = told(&bridge).await.into_iter().map(|(name, _)| name).collect();
    assert_eq!(seen, ["ticket_opened", "ticket_answered", "ticket_answered", "ticket_closed"]);
    for message in own(&bridge).await {
        assert!(message.text.contains("ABC-9001"), "{}", message.text);
        assert!(!message.text.contains("Mi asunto") && !message.text.contains("Mi texto"), "{}", message.text);
        assert_eq!(message.client_id, u64::from(CLIENT));
    }
    assert_eq!(bridge.reasons().await, ["already_queued", "same_transition", "ticket_guest"]);

    ticket(&bridge, 9003, CLIENT, "Open", "2027-03-01 09:00:00").await;
    bridge.platform("UPDATE tbltickets SET merged_ticket_id = 9001 WHERE id = 9003").await;
    fire(&bridge, "evt_8", "TicketAdminReply", &json!({ "ticketid": 9003, "replyid": 3 })).await;
    assert!(bridge.reasons().await.contains(&"ticket_merged".to_owned()));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_ticket_that_waits_for_its_client_is_told_after_three_days_unless_it_answered() {
    let bridge = with(&TICKETS, &[]).await;
    bridge.platform("DELETE FROM tblcontacts").await;
    for (id, status) in [(9001, "Answered"), (9002, "Answered"), (9003, "Answered"), (9004, "Customer-Reply")] {
        ticket(&bridge, id, CAST.client_portuguese, status, "2027-03-02 15:00:00").await;
    }
    learn(&bridge).await;
    bridge
        .platform("UPDATE tbltickets SET status = 'Customer-Reply', lastreply = '2027-03-04 10:00:00' WHERE id = 9002")
        .await;
    bridge.platform("UPDATE tbltickets SET lastreply = '2027-03-04 10:00:00' WHERE id = 9003").await;
    look_at(&bridge, ten("2027-03-02", 3)).await;
    assert_eq!(told(&bridge).await, pairs(&[("ticket_waiting", "2027-03-05")]));
    assert_eq!(bridge.reasons().await, ["step_moved", "ticket_changed"]);
    learn(&bridge).await;
    look_at(&bridge, ten("2027-03-04", 3)).await;
    let subjects: Vec<String> = own(&bridge).await.into_iter().map(|m| m.subject).collect();
    assert_eq!(subjects, ["ticket:9001", "ticket:9003"]);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_new_rights_tickets_alone_get_nothing() {
    let bridge = asleep(&TICKETS, &[("HOOKPOINTS__INVOICE_CREATED__ENABLED", "true")]).await;
    ticket(&bridge, 9001, CLIENT, "Open", "2027-03-01 09:00:00").await;
    bridge.platform("DROP TABLE tblticketstatuses").await;
    for (id, hook, fields) in [
        ("evt_1", "TicketOpen", json!({ "ticketid": 9001 })),
        ("evt_2", "InvoiceCreated", json!({ "invoiceid": CAST.invoice_unpaid.id })),
    ] {
        let body = bridge.envelope(hook, &fields);
        assert_eq!(bridge.post(id, &body).await.status, 202);
    }
    bridge.platform(&format!("UPDATE tblinvoices SET status = 'Unpaid' WHERE id = {}", CAST.invoice_unpaid.id)).await;
    bridge.settle().await;
    let event = bridge.event("evt_1").await;
    let skip = &event.skips[0];
    assert_eq!((event.state.as_str(), skip.reason.as_str()), ("failed", "subject_unreadable"));
    assert!(skip.detail.as_deref().is_some_and(|detail| detail.contains("doctor")), "{:?}", skip.detail);
    assert!(bridge.messages().await.iter().any(|m| m.hookpoint == "invoice_created"));
    bridge.finish().await;
}
