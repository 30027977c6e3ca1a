//! How long history is kept, who may be written to, and one client's data: page, API and command line.

use hookbridge::admin::{AdminError, clients, messages};
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::{Role, Who};
use hookbridge::domain::phone::E164;
use hookbridge::store::audit;
use hookbridge::store::consent;
use mysql_async::Row;
use mysql_async::prelude::Queryable as _;
use serde_json::{Value, json};

use crate::commands::Ground;
use crate::support::acts;
use crate::support::bridge::{Answer, Bridge, answer};
use crate::support::database::connect;
use crate::support::person::{Person, token};

pub async fn key(bridge: &Bridge, role: Role) -> String {
    let desk = bridge.app.desk.clone().expect("a key is set");
    let who = Who::at_the_command_line("test");
    let token = token(&desk, &who, &format!("privacy {role}"), role).await;
    secrecy::ExposeSecret::expose_secret(&token).to_owned()
}

pub async fn get(bridge: &Bridge, key: &str, path: &str) -> Answer {
    answer(bridge.http.get(bridge.url(&format!("/api/v1{path}"))).bearer_auth(key)).await
}

pub async fn post(bridge: &Bridge, key: &str, path: &str, body: &Value) -> Answer {
    let request = bridge.http.post(bridge.url(&format!("/api/v1{path}"))).bearer_auth(key);
    answer(request.header("content-type", "application/json").body(body.to_string())).await
}

async fn deeds(bridge: &Bridge, action: &str) -> Vec<(String, String, String)> {
    let filter = audit::Filter { action: Some(action.to_owned()), limit: 50, ..Default::default() };
    let all = audit::list(&bridge.app.store, &filter).await.expect("the audit log");
    all.into_iter().map(|one| (one.actor, one.target, one.detail.unwrap_or_default())).collect()
}

async fn invoice(bridge: &Bridge, id: &str, invoice: u32) {
    let fields = json!({ "invoiceid": invoice, "source": "autogen" });
    bridge.post(id, &bridge.envelope("InvoiceCreated", &fields)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retention_says_what_is_kept_by_which_setting_and_what_would_go() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    invoice(&bridge, "evt_1", CAST.invoice_unpaid.id).await;
    bridge.settle().await;
    let key = key(&bridge, Role::Viewer).await;
    let of = async |kind: &str| {
        let seen = get(&bridge, &key, "/retention").await;
        assert_eq!(seen.status, 200, "{}", seen.body);
        seen.body["items"].as_array().expect("a list").iter().find(|one| one["kind"] == kind).expect("the kind").clone()
    };
    let event = of("event").await;
    assert_eq!((&event["setting"], &event["overdue_rows"]), (&json!("retention.event_days"), &json!(0)), "{event}");
    assert_eq!(event["kept_days"], json!(desk.config.retention.event_days));
    assert_eq!((&of("contacted").await["setting"], &of("contacted").await["kept_days"]), (&Value::Null, &json!(2)));
    bridge.db.own("UPDATE event SET received_at = received_at - INTERVAL 3000 DAY").await;
    assert_eq!(of("event").await["overdue_rows"], json!(1));
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    ana.get("/admin/settings").await.shows("href=\"/admin/settings/retention\"");
    let page = ana.get("/admin/settings/retention").await;
    for part in
        ["<code>retention.<wbr>event_days</code>", "<code>retention.<wbr>dedupe_days</code>", "no se configura", "2018"]
    {
        page.shows(part);
    }
    bridge.app.prune().await.expect("the database works");
    let event = of("event").await;
    assert_eq!((&event["overdue_rows"], &event["pruned_rows"]), (&json!(0), &json!(1)));
    assert!(event["pruned_at"].is_string(), "{event}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_notes_that_somebody_wants_no_more_and_takes_it_back() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let viewer = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    let operator = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let client = CAST.client_spanish;
    let page = operator.get(&format!("/admin/consent?client={client}")).await;
    page.shows("Nunca pidió nada");
    let phone = page.field("phone");
    let own =
        page.text.split("name=\"phone\" value=\"+").nth(1).and_then(|rest| rest.split('"').next()).expect("a number");
    let own = format!("+{own}");
    assert!(phone.is_empty(), "the search stays empty");
    let seen = viewer.get(&format!("/admin/consent?client={client}")).await;
    seen.hides(&own);
    seen.shows("••••••");
    assert_eq!(viewer.submit("/admin/consent", "/admin/consent", &[("phone", &own)]).await.status, 403);
    let here = format!("/admin/consent?client={client}");
    let set = async |word: &str, why: &str| {
        operator.submit(&here, "/admin/consent", &[("phone", &own), ("word", word), ("why", why)]).await
    };
    let refused = set("out", " ").await;
    assert_eq!(refused.status, 422);
    refused.shows("Hace falta decir cómo lo pidió");
    assert_eq!(set("perhaps", "ticket 7").await.status, 422);
    let done = set("out", "ticket <script>7</script>").await;
    assert_eq!(done.status, 303, "{}", done.text);
    let page = operator.get(&done.location.expect("the page again")).await;
    page.shows("Anotado: no se le escribe más.");
    page.shows("operator of tests: ticket &lt;script&gt;7&lt;/script&gt;");
    page.hides("<script>7");
    viewer.get(&here).await.hides("ticket");
    bridge
        .post(
            "evt_1",
            &bridge.envelope("InvoiceCreated", &json!({ "invoiceid": CAST.invoice_unpaid.id, "source": "autogen" })),
        )
        .await;
    let masked = E164::trusted(&own).expect("a number").masked();
    assert_eq!(
        deeds(&bridge, "consent.out").await,
        [("operator of tests".to_owned(), masked, "ticket <script>7</script>".to_owned())]
    );
    bridge.settle().await;
    let before: Vec<String> = bridge.messages().await.iter().map(|one| one.to.as_str().to_owned()).collect();
    assert!(!before.contains(&own), "{before:?}");
    let token = key(&bridge, Role::Operator).await;
    let query = format!("/consent?phone={}", own.replace('+', "%2B"));
    let stands = get(&bridge, &token, &query).await.body["items"][0].clone();
    assert_eq!((&stands["may_be_written_to"], &stands["opted_out"]), (&json!(false), &json!(true)), "{stands}");
    let back = json!({ "phone": own, "opted_out": false, "why": "by phone" });
    let only_looks = key(&bridge, Role::Viewer).await;
    assert_eq!(post(&bridge, &only_looks, "/consent", &back).await.status, 403);
    let masked = get(&bridge, &only_looks, &query).await.body["items"][0].clone();
    assert_eq!((masked["evidence"].is_null(), masked["phone"] == json!(own)), (true, false), "{masked}");
    bridge.wait_s(1);
    let stands = post(&bridge, &token, "/consent", &back).await;
    assert_eq!((stands.status, &stands.body["may_be_written_to"]), (200, &json!(true)), "{}", stands.body);
    for (query, status) in [("phone=x", 422), ("client=999999", 404), ("client=x", 422), ("", 422)] {
        assert_eq!(get(&bridge, &token, &format!("/consent?{query}")).await.status, status, "{query}");
    }
    operator.get("/admin/consent?client=999999").await.shows("No hay ningún cliente");
    assert_eq!(operator.get("/admin/consent?phone=x").await.status, 422);
    let silent = format!("/consent?client={}", CAST.client_without_phone);
    let silent = get(&bridge, &token, &silent).await.body["items"][0].clone();
    assert_eq!((&silent["reason"], &silent["may_be_written_to"]), (&json!("phone_missing"), &json!(false)));
    bridge.finish().await;
}

/// Every text of our schema that holds `needle`: table, column, how often.
pub async fn traces(bridge: &Bridge, needle: &str) -> Vec<String> {
    let mut own = connect(&bridge.db.bridge_url()).await;
    let columns: Vec<(String, String)> = own
        .query(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = DATABASE() AND data_type IN \
             ('varchar', 'text', 'mediumtext', 'longtext')",
        )
        .await
        .expect("the columns");
    let mut found = std::collections::BTreeSet::new();
    for (table, column) in columns {
        let sql = format!("SELECT COUNT(*) FROM `{table}` WHERE `{column}` LIKE ?");
        let n: Option<u64> = own.exec_first(sql, (format!("%{needle}%"),)).await.expect("a count");
        if n != Some(0) {
            found.insert(format!("{table}.{column}"));
        }
    }
    found.into_iter().collect()
}

/// How many there are of everything, and how they stand: what erasing must not change.
async fn counts(bridge: &Bridge) -> Vec<String> {
    let mut own = connect(&bridge.db.bridge_url()).await;
    let mut all = Vec::new();
    for sql in [
        "SELECT CONCAT(client_id, ' ', hookpoint, ' ', state, ' ', IFNULL(receipt, ''), ' ', COUNT(*), ' ', COUNT(DISTINCT recipient), \
         ' ', HEX(MIN(dedupe_key)), ' ', MIN(created_at), ' ', COUNT(provider_id)) AS line FROM message WHERE state IN ('sent', 'failed') \
         GROUP BY client_id, hookpoint, state, receipt ORDER BY 1",
        "SELECT CONCAT(r.status, ' ', COUNT(*)) AS line FROM receipt r JOIN message m ON m.provider_id = r.provider_id GROUP BY r.status \
         ORDER BY 1",
        "SELECT CONCAT(outcome, ' ', COUNT(*)) AS line FROM attempt GROUP BY outcome ORDER BY 1",
        "SELECT CONCAT(hook, ' ', state, ' ', COUNT(*), ' ', HEX(MIN(body_sha256))) AS line FROM event GROUP BY hook, state ORDER BY 1",
        "SELECT CONCAT(reason, ' ', COUNT(*)) AS line FROM skip GROUP BY reason ORDER BY 1",
        "SELECT CONCAT(rule, ' ', verdict, ' ', COUNT(*)) AS line FROM decision GROUP BY rule, verdict ORDER BY 1",
        "SELECT CONCAT('contacted ', COUNT(*)) AS line FROM contacted",
        "SELECT CONCAT('keys ', COUNT(*)) AS line FROM transition",
    ] {
        let rows: Vec<Row> = own.query(sql).await.expect("counts");
        all.extend(rows.iter().map(|row| row.get::<String, _>("line").expect("a line")));
    }
    all
}

/// What the export holds of a client, without what is said about exporting it.
fn held(document: &Value) -> Value {
    let mut held = document["held"].clone();
    held["deeds"].take();
    held
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_clients_data_is_exported_whole_and_erased_without_a_trace_of_anybody_else() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let who = Who::at_the_command_line("test");
    let (his, other) = (CAST.invoice_unpaid, CAST.invoice_portuguese);
    assert_ne!(his.client, other.client);
    invoice(&bridge, "evt_his", his.id).await;
    invoice(&bridge, "evt_other", other.id).await;
    bridge.settle().await;
    let client = u64::from(his.client);
    let sent: Vec<_> = bridge.messages().await.into_iter().filter(|one| one.client_id == client).collect();
    let phone = sent.iter().find(|one| one.contact_id.is_none()).expect("his own").to.clone();
    let wamid = sent[0].provider_id.clone().expect("it was sent");
    bridge.noted(&phone, true, "reply: BAJA, soy Juan").await;
    for (client, subject) in [
        (his.client, "service:777"),
        (other.client, "service:888"),
        (his.client, "service:999"),
        (other.client, "service:999"),
    ] {
        bridge
            .db
            .own(&format!(
                "INSERT INTO decision (id, rule, version, verdict, subject, client_id, asked_at, source, hook, asked_by, what_if, \
                 question, facts, answer) VALUES (UNHEX(REPLACE(UUID(), '-', '')), 'upgrade', 1, 'deny', '{subject}', {client}, NOW(3), \
                 'billing', 'ask', 'client', 0, '{{\"phone\":\"{p}\"}}', '{{\"name\":\"Juan\"}}', '{{\"message\":\"Juan\"}}')",
                p = phone.as_str()
            ))
            .await;
    }
    for subject in ["service:777", "service:888", "service:999"] {
        bridge
            .db
            .own(&format!(
                "INSERT INTO decision_override (rule, subject, who, why, made_at, until_at) VALUES ('upgrade', '{subject}', 'ana', \
                 'for {subject}', NOW(3), NOW(3) + INTERVAL 9 DAY)"
            ))
            .await;
    }
    // One that waits: its number is paused.
    acts::pause(&desk, &who, "main", 60).await.expect("it is paused");
    let fields = json!({ "invoiceid": his.id });
    bridge.post("evt_open", &bridge.envelope("InvoiceCancelled", &fields)).await;
    bridge.platform(&format!("UPDATE tblinvoices SET status = 'Cancelled' WHERE id = {}", his.id)).await;
    bridge.noted(&phone, false, "reply: ALTA").await;
    bridge.wait_s(1);
    bridge.app.drain().await.expect("the workers work");
    bridge.noted(&phone, true, "reply: BAJA, soy Juan").await;
    let key = key(&bridge, Role::Administrator).await;
    let path = format!("/clients/{client}");
    let whole = get(&bridge, &key, &format!("{path}/data")).await;
    assert_eq!((whole.status, &whole.body["incomplete"]), (200, &json!([])), "{}", whole.body);
    for (kind, least) in [
        ("messages", sent.len() + 1),
        ("queued", 1),
        ("attempts", sent.len()),
        ("receipts", 1),
        ("events", 2),
        ("decisions", 2),
        ("overrides", 2),
        ("consents", 1),
        ("contacted", 1),
    ] {
        let rows = whole.body["held"][kind].as_array().map_or(0, Vec::len);
        assert!(rows >= least, "{kind}: {rows} of {least}: {:#}", whole.body["held"]);
    }
    let text = whole.body.to_string();
    for part in [phone.as_str(), "soy Juan", wamid.as_str(), "evt_his"] {
        assert!(text.contains(part), "{part}");
    }
    assert!(!text.contains("evt_other") && !text.contains("service:888"), "nothing of anybody else: {text}");
    let others = held(&get(&bridge, &key, &format!("/clients/{}/data", other.client)).await.body);
    let before = counts(&bridge).await;

    for wrong in ["", "yes", "01", &other.client.to_string()] {
        let seen = post(&bridge, &key, &format!("{path}/erase"), &json!({ "confirm": wrong })).await;
        assert_eq!(seen.status, 422, "{wrong}");
    }
    bridge.db.own("UPDATE outbox SET state = 'sending'").await;
    let seen = post(&bridge, &key, &format!("{path}/erase"), &json!({ "confirm": client.to_string() })).await;
    assert_eq!(seen.status, 409, "{}", seen.body);
    bridge.db.own("UPDATE outbox SET state = 'queued'").await;
    assert_eq!(
        held(&get(&bridge, &key, &format!("{path}/data")).await.body)["messages"],
        whole.body["held"]["messages"]
    );

    let seen = post(&bridge, &key, &format!("{path}/erase"), &json!({ "confirm": client.to_string() })).await;
    assert_eq!(seen.status, 200, "{}", seen.body);
    assert!(seen.body["cancelled"].as_u64() >= Some(1) && seen.body["messages"].as_u64() > Some(0), "{}", seen.body);
    assert_eq!(seen.body["decisions"], json!(2));
    assert_eq!(counts(&bridge).await, before, "counts and proof hold");
    assert_eq!(
        held(&get(&bridge, &key, &format!("/clients/{}/data", other.client)).await.body),
        others,
        "the other is untouched"
    );
    // Where the number still stands: the wish to hear nothing more, and the other client's decision.
    let left = traces(&bridge, phone.digits()).await;
    assert_eq!(left, ["consent.recipient", "decision.question"]);
    for gone in [wamid.as_str(), "soy Juan", "for service:777"] {
        assert_eq!(traces(&bridge, gone).await, Vec::<String>::new(), "{gone}");
    }
    assert_eq!(traces(&bridge, "for service:999").await, ["decision_override.why"], "it belongs to both");
    let book = consent::of_numbers(&bridge.app.store, std::slice::from_ref(&phone)).await.expect("readable");
    assert!(book.refuses_all(&phone), "the wish survives");
    // What is left can be read, and is not sent again.
    let left = bridge.messages().await;
    let one =
        left.iter().find(|one| one.client_id == client && one.standing() == "cancelled").expect("cancelled first");
    assert!(one.to.is_erased());
    let again = messages::resend(&desk, &who, one.id, true).await;
    assert!(matches!(&again, Err(AdminError::Conflict(key)) if key == "reason.opted_out"), "{again:?}");
    assert_eq!(bridge.event("evt_his").await.hook, "InvoiceCreated");
    let boss = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    let decisions = get(&bridge, &key, &format!("/decisions?client={client}")).await;
    let items = decisions.body["items"].as_array().expect("a list").clone();
    assert_eq!(items.len(), 2, "{}", decisions.body);
    for one in &items {
        let id = one["id"].as_str().expect("an id");
        let seen = get(&bridge, &key, &format!("/decisions/{id}")).await;
        assert_eq!((seen.status, &seen.body["decision"]), (200, &json!("deny")), "{}", seen.body);
        assert_eq!((&seen.body["answer"]["decision"], &seen.body["answer"]["reasons"]), (&json!("deny"), &json!([])));
        assert_eq!(boss.get(&format!("/admin/rules/decisions/{id}")).await.status, 200);
    }
    let message = boss.get(&format!("/admin/messages/{}", one.id)).await;
    assert_eq!(message.status, 200);
    assert_eq!(boss.get("/admin/events/evt_his").await.status, 200);
    let done = clients::erase(&desk, &who, client, &client.to_string()).await.expect("again");
    assert_eq!(done, clients::Erased::default(), "there is nothing left to erase");
    assert_eq!(deeds(&bridge, "client.export").await.len(), 4, "each export is noted");
    assert!(
        deeds(&bridge, "client.erase")
            .await
            .iter()
            .all(|(_, target, detail)| { *target == format!("client:{client}") && !detail.contains(phone.digits()) })
    );
    acts::resume(&desk, &who, "main").await.expect("it goes on");
    bridge.settle().await;
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_on_one_clients_data_is_for_administrators_and_wants_his_id_typed() {
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    let client = CAST.invoice_unpaid.client;
    invoice(&bridge, "evt_1", CAST.invoice_unpaid.id).await;
    bridge.settle().await;
    let operator = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let boss = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    let here = format!("/admin/settings/clients?client={client}");
    let deed = format!("/admin/settings/clients/{client}/erase");
    assert_eq!(operator.get(&here).await.status, 403);
    assert_eq!(operator.get(&format!("/admin/settings/clients/{client}/export")).await.status, 403);
    assert_eq!(operator.submit("/admin/me", &deed, &[("confirm", &client.to_string())]).await.status, 403);
    operator.get("/admin/settings").await.hides("/admin/settings/clients");
    let page = boss.get(&here).await;
    page.shows("Lo que se guarda del cliente");
    page.shows("mensajes: ");
    let file = boss.get(&format!("/admin/settings/clients/{client}/export")).await;
    assert_eq!(file.headers["content-type"], "application/json");
    assert_eq!(file.headers["content-disposition"], format!("attachment; filename=\"client-{client}.json\""));
    let document: Value = serde_json::from_str(&file.text).expect("JSON");
    assert_eq!(document["client_id"], json!(client));
    let wrong = boss.submit(&here, &deed, &[("confirm", "x")]).await;
    assert_eq!(wrong.status, 422);
    wrong.shows("No es el número de este cliente");
    let done = boss.submit(&here, &deed, &[("confirm", &client.to_string())]).await;
    assert_eq!(done.status, 303, "{}", done.text);
    boss.get(&done.location.expect("the page again")).await.shows("Los datos se borraron");
    boss.get("/admin/settings/clients?client=999999").await.shows("Nada.");
    assert_eq!(boss.get("/admin/settings/clients?client=x").await.status, 422);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_line_does_the_same() {
    let ground = Ground::new().await;
    assert!(ground.run(&["migrate"]).await.0);
    let json = async |arguments: &[&str]| {
        let output = ground.command(arguments).output().await.expect("the command runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice::<Value>(&output.stdout).expect("JSON alone")
    };
    let client = CAST.client_spanish.to_string();
    let shown = json(&["consent", "show", "--client", &client, "--json"]).await;
    let phone = shown["items"][0]["phone"].as_str().expect("a number").to_owned();
    assert_eq!(shown["items"][0]["may_be_written_to"], json!(true));
    let (ok, said) = ground.run(&["consent", "set", &phone, "out", "--why", " "]).await;
    assert!(!ok && said.contains("Say how they asked for it"), "{said}");
    let set = json(&["consent", "set", &phone, "out", "--why", "ticket 7", "--json"]).await;
    assert_eq!(set["items"][0]["opted_out"], json!(true), "{set}");
    let (ok, said) = ground.run(&["consent", "show", &phone]).await;
    assert!(ok && said.contains("no") && said.contains("ticket 7"), "{said}");
    let export = json(&["clients", "export", &client]).await;
    assert_eq!(export["held"]["consents"][0]["opted_out"], json!(1), "{export:#}");
    let (ok, said) = ground.run(&["clients", "erase", &client, "--confirm", "8"]).await;
    assert!(!ok && said.contains("nothing was erased"), "{said}");
    let erased = json(&["clients", "erase", &client, "--confirm", &client, "--json"]).await;
    assert_eq!(erased["messages"], json!(0), "{erased}");
    let again = json(&["consent", "show", &phone, "--json"]).await;
    assert_eq!(again["items"][0]["evidence"], json!("erased on request; the opt-out stays"), "{again}");
    let kinds = json(&["retention", "--json"]).await;
    assert!(
        kinds["kinds"].as_array().expect("kinds").iter().any(|one| one["setting"] == "retention.event_days"),
        "{kinds}"
    );
}
