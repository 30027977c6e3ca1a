//! The page on texts: versions, preview, checks, test.

use hookbridge::admin::templates::{Key, Saving, back, save, trial};
use hookbridge::admin::{AdminError, Desk, reach};
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::{Role, Who};
use hookbridge::domain::hookpoint::HookpointId;
use hookbridge::domain::locale::Locale;
use hookbridge::domain::phone::E164;
use hookbridge::domain::reason::Reason;
use hookbridge::render::template::{ButtonSource, Source, Template};
use hookbridge::store::audit;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::support::bridge::{Bridge, answer};
use crate::support::person::{PASSWORD, Person, token};

const PAGE: &str = "/admin/templates/invoice_created/es_AR";
const BODY: &str = "Hola {{ recipient.name }}, de {{ company.name }} ya está la factura {{ invoice.number }} por {{ invoice.total }}. Vence el {{ invoice.due }}, gracias por elegirnos.";

fn desk(bridge: &Bridge) -> std::sync::Arc<Desk> {
    bridge.app.desk.clone().expect("a key is set")
}

fn key() -> Key {
    Key { alert: HookpointId::parse("invoice_created").expect("an id"), locale: Locale::EsAr }
}

fn shell() -> Who {
    Who::at_the_command_line("test")
}

fn text(body: &str) -> Source {
    let button = ButtonSource {
        text: "Pagar factura".to_owned(),
        path: "viewinvoice.php?id=".to_owned(),
        value: Some("invoice.id".to_owned()),
    };
    Source { name: "invoice_created".to_owned(), body: body.to_owned(), button: Some(button), ..Source::default() }
}

/// The form of a text with everything but the body as it is built in.
fn form<'a>(body: &'a str, based_on: &'a str) -> Vec<(&'a str, &'a str)> {
    let button =
        [("button_text", "Pagar factura"), ("button_path", "viewinvoice.php?id="), ("button_value", "invoice.id")];
    let text = [("name", "invoice_created"), ("body", body), ("based_on", based_on), ("note", "más corto")];
    text.into_iter().chain(button).collect()
}

async fn actions(desk: &Desk) -> Vec<String> {
    let all = audit::list(&desk.store, &audit::Filter { limit: 50, ..Default::default() }).await.expect("the log");
    all.into_iter().rev().map(|entry| entry.action).filter(|action| action.starts_with("template.")).collect()
}

async fn invoice(bridge: &Bridge, id: &str) {
    let fields = json!({ "invoiceid": CAST.invoice_unpaid.id });
    bridge.post(id, &bridge.envelope("InvoiceCreated", &fields)).await;
    bridge.settle().await;
}

#[test]
fn a_text_reads_back_as_it_was_written() {
    let button =
        ButtonSource { text: "Ver \"ya\"".into(), path: "a.php?x='''&id=".into(), value: Some("invoice.id".into()) };
    for body in [BODY, "Uno\ndos {{ client.id }} tres \\ ''' \"\"\" \u{202e}fin 😀.", "x"] {
        for named in [false, true] {
            let source =
                Source { named, footer: Some("pie #1 = 'x'".into()), button: Some(button.clone()), ..text(body) };
            assert_eq!(Source::read(&source.to_toml()).as_ref(), Ok(&source));
            assert_eq!(Template::of(source.clone()).map(|template| template.source().clone()), Ok(source));
        }
    }
}

#[tokio::test]
async fn the_list_shows_every_alert_in_every_language_and_its_state_at_the_provider() {
    let bridge = Bridge::start().await;
    let ana = Person::logged_in(&desk(&bridge), &bridge.url(""), Role::Viewer).await;
    let seen = ana.get("/admin/templates").await;
    seen.shows("invoice_created/es_AR");
    seen.shows("service_suspended/pt_BR");
    seen.shows("aprobada");
    seen.hides("no está en el proveedor");
    seen.hides("Consultar ahora");
    let found = ana.get("/admin/templates?q=factura").await;
    found.shows("invoice_created/en");
    found.hides("password_changed/en");
    ana.get("/admin/templates?q=%3Cscript%3E").await.shows("No hay nada que coincida");
    bridge.finish().await;
}

#[tokio::test]
async fn a_provider_that_does_not_answer_is_said_and_hides_nothing_else() {
    let bridge = Bridge::with(&[("SENDERS__MAIN__WABA_ID", "")], |_| {}).await;
    let ana = Person::logged_in(&desk(&bridge), &bridge.url(""), Role::Viewer).await;
    let seen = ana.get("/admin/templates").await;
    seen.shows("El proveedor no dijo qué plantillas tiene");
    seen.shows("invoice_created/es_AR");
    let page = ana.get(PAGE).await;
    page.shows("todo bien");
    bridge.finish().await;
}

#[tokio::test]
async fn an_error_in_a_text_is_explained_and_the_right_one_is_what_clients_get() {
    let bridge = Bridge::start().await;
    let desk = desk(&bridge);
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    for (body, word) in [
        (
            "{{ recipient.name }}, esta es tu factura nueva {{ invoice.number }} del mes.",
            "no puede empezar con un dato",
        ),
        ("Hola {{ recipient.nombre }}, esta es tu factura nueva del mes.", "no ofrece el dato «recipient.nombre»"),
        ("Hola, esta es tu factura {{ invoice.number }} {{ invoice.total }} de este mes nuevo.", "dos datos pegados"),
        ("Hola {{ recipient.name, esta es tu factura.", "No se entiende"),
        ("", "Está vacío"),
        ("<script>alert(1)</script> {{ moved.what }} \"'{{", "No se entiende"),
    ] {
        let seen = ana.submit(PAGE, PAGE, &form(body, "0")).await;
        assert_eq!(seen.status, 422, "{body}");
        seen.shows(word);
        seen.shows("No se guardó");
        seen.hides("<script>alert");
    }
    let seen = ana.submit(PAGE, PAGE, &form("Hola, {{ moved.what }} es tuyo desde ahora, te avisamos.", "0")).await;
    seen.shows("no ofrece el dato «moved.what»");
    let seen = ana.submit(PAGE, PAGE, &form(BODY, "0")).await;
    assert_eq!((seen.status, seen.location), (303, Some(format!("{PAGE}?done=template_saved"))), "{}", seen.text);
    let page = ana.get(&format!("{PAGE}?done=template_saved")).await;
    page.shows("los próximos avisos salen con este texto");
    page.shows("más corto");
    page.shows("administrator of tests");
    page.shows("En el proveedor dice otra cosa");
    assert_eq!(actions(&desk).await, ["template.save"]);

    // The provider's template still has four values: until it changes, under another name of ours, sends would be refused.
    let seen = ana.submit(PAGE, &format!("{PAGE}/provider"), &[]).await;
    assert_eq!(seen.location, Some(format!("{PAGE}?done=template_edited")), "{}", seen.text);
    invoice(&bridge, "e1").await;
    let messages = bridge.messages().await;
    let text = &messages.last().expect("a message").text;
    assert!(text.contains("ya está la factura") && text.contains("viewinvoice.php?id="), "{text}");
    let phones = bridge.phones();
    assert!(phones.last().is_some_and(|m| m.content.text.contains("ya está la factura")), "{phones:?}");
    bridge.finish().await;
}

#[tokio::test]
async fn going_back_brings_an_earlier_text_and_the_built_in_one() {
    let bridge = Bridge::start().await;
    let desk = desk(&bridge);
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    let how = |based_on| Saving { based_on, note: "" };
    let first = save(&desk, &shell(), &key(), &text(BODY), how(0)).await.expect("it is saved").version;
    let other = BODY.replace("gracias por elegirnos", "cualquier duda escribinos");
    let second = save(&desk, &shell(), &key(), &text(&other), how(first)).await.expect("it is saved").version;
    let page = ana.get(PAGE).await;
    page.shows(&format!("Volver a la versión {first}"));
    page.shows("<del>");
    page.shows("gracias por elegirnos");
    let form = [("version", first.to_string()), ("based_on", second.to_string())];
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let done = ana.submit(PAGE, &format!("{PAGE}/back"), &form).await;
    assert_eq!(done.location, Some(format!("{PAGE}?done=template_back")), "{}", done.text);
    let stale = ana.submit(PAGE, &format!("{PAGE}/back"), &form).await;
    assert_eq!(stale.status, 409, "it was based on a version that is no longer the newest");
    let now = |desk: &Desk| {
        let templates = desk.templates.load_full();
        templates.get(&key().alert, Locale::EsAr).expect("a text").source().body.clone()
    };
    assert_eq!(now(&desk), BODY);
    let third = ana.get(PAGE).await.field("based_on").parse().expect("a number");
    back(&desk, &shell(), &key(), None, how(third)).await.expect("the built-in text is there");
    assert!(
        now(&desk).starts_with("Aviso de {{ company.name }}: hola {{ recipient.name }}, generamos"),
        "{}",
        now(&desk)
    );
    ana.get(PAGE).await.shows("texto de fábrica");
    let nowhere = back(&desk, &shell(), &key(), Some(999), how(0)).await;
    assert!(matches!(nowhere, Err(AdminError::NotFound("version"))), "{nowhere:?}");
    assert_eq!(actions(&desk).await, ["template.save", "template.save", "template.back", "template.back"]);
    bridge.finish().await;
}

#[tokio::test]
async fn who_was_slower_keeps_what_was_typed_and_is_told() {
    let bridge = Bridge::start().await;
    let desk = desk(&bridge);
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    save(&desk, &shell(), &key(), &text(BODY), Saving { based_on: 0, note: "" }).await.expect("it is saved");
    let mine = BODY.replace("gracias por elegirnos", "que tengas buen día");
    let seen = ana.submit(PAGE, PAGE, &form(&mine, "0")).await;
    assert_eq!(seen.status, 409);
    seen.shows("Otra persona guardó este texto");
    seen.shows("que tengas buen día");
    let again = ana.submit(PAGE, PAGE, &form(&mine, &seen.field("based_on"))).await;
    assert_eq!(again.status, 303, "{}", again.text);
    bridge.finish().await;
}

#[tokio::test]
async fn a_preview_shows_samples_or_a_real_record_and_runs_nothing_of_it() {
    let bridge = Bridge::start().await;
    let ana = Person::logged_in(&desk(&bridge), &bridge.url(""), Role::Viewer).await;
    bridge
        .platform(&format!(
            "UPDATE tblclients SET firstname = '<script>alert(1)</script>Ana' WHERE id = (SELECT userid FROM tblinvoices WHERE id = {})",
            CAST.invoice_unpaid.id
        ))
        .await;
    let to = format!("{PAGE}/preview");
    let look = async |of: &str, record: &str| {
        let mut form = form(BODY, "0");
        form.extend([("record_of", of), ("record", record)]);
        ana.submit(PAGE, &to, &form).await
    };
    look("sample", "").await.shows("Hola Ana, de Nube Austral ya está la factura 2026-1234");
    let invoice = CAST.invoice_unpaid.id.to_string();
    let real = look("record", &invoice).await;
    real.shows(&format!("Con datos reales: factura {invoice}, cliente"));
    real.shows("&lt;script&gt;");
    real.hides("<script>alert");
    look("newest", "").await.shows("Con datos reales: factura");
    let client = CAST.client_spanish.to_string();
    look("client", &client).await.shows(&format!("cliente {client}."));
    look("client", "999999").await.shows("no tiene nada así");
    look("record", "999999").await.shows("invoice:999999 does not exist");
    look("record", "").await.shows("Falta completarlo");
    bridge.finish().await;
}

#[tokio::test]
async fn every_built_in_text_has_a_page_without_findings_and_fits_its_newest_record() {
    let bridge = Bridge::start().await;
    let desk = desk(&bridge);
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    let catalogue = desk.catalogue.load_full();
    for entry in catalogue.entries() {
        let id = &entry.hookpoint.id;
        let page = format!("/admin/templates/{id}/es_AR");
        let seen = ana.get(&page).await;
        assert_eq!(seen.status, 200, "{id}: {}", seen.text);
        seen.shows("todo bien");
        seen.hides("templates.");
        seen.shows("Dice lo mismo que acá");
    }
    assert_eq!(ana.get("/admin/templates/nothing/es_AR").await.status, 404);
    assert_eq!(ana.get("/admin/templates/invoice_created/fr").await.status, 404);
    for (language, word) in [("en", "Who reads it"), ("pt_BR", "Quem o lê")] {
        ana.submit("/admin/me", "/admin/me/language", &[("language", language)]).await;
        let seen = ana.get(PAGE).await;
        seen.shows(word);
        seen.hides("templates.");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn the_reach_counts_who_can_read_a_text_now() {
    let bridge = Bridge::start().await;
    let desk = desk(&bridge);
    let out = E164::trusted("+5491155550101").expect("a number");
    bridge.noted(&out, true, "BAJA").await;
    let counted = reach::counted(&desk).await.expect("a count");
    let counts = &counted.1.counts;
    assert!(counted.1.complete);
    let clients: u64 = counts.by_locale.values().map(|one| one.clients).sum();
    let each = counts.by_locale.values().map(|one| one.reachable + one.unusable + one.opted_out).sum::<u64>();
    assert_eq!((clients + counts.closed, each), (counts.read, clients));
    assert_eq!(counts.unreachable[&Reason::OptedOut], counts.by_locale.values().map(|one| one.opted_out).sum::<u64>());
    let spanish = &counts.by_locale[&Locale::EsAr];
    assert!(spanish.reachable > 0 && spanish.unusable > 0 && spanish.opted_out >= 2, "{spanish:?}");

    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    let part = ana.part(&format!("{PAGE}/reach")).await;
    part.shows(&format!("<b>{}</b>clientes", spanish.clients));
    part.shows(&format!("<b>{}</b>sin teléfono útil", spanish.unusable));
    part.shows(&format!("<b>{}</b>se dieron de baja", spanish.opted_out));
    part.hides("<html");
    ana.get(&format!("{PAGE}/reach")).await.shows("<html");
    // Kept for some minutes: a client more is counted later.
    bridge.platform("UPDATE tblclients SET status = 'Closed' WHERE id = 1").await;
    assert_eq!(reach::counted(&desk).await.expect("a count").1.counts.closed, counts.closed);
    bridge.wait_s(301);
    assert_eq!(reach::counted(&desk).await.expect("a count").1.counts.closed, counts.closed + 1);
    bridge.finish().await;
}

#[tokio::test]
async fn a_test_goes_to_the_typed_number_alone_and_its_receipts_are_seen() {
    let bridge = Bridge::start().await;
    let desk = desk(&bridge);
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let wrong = ana.submit(PAGE, &format!("{PAGE}/test"), &[("to", "hola")]).await;
    assert_eq!(wrong.status, 422);
    wrong.shows("No es un número de teléfono");
    let sent = ana.submit(PAGE, &format!("{PAGE}/test"), &[("to", "+54 9 11 6000-1234")]).await;
    let location = sent.location.expect("it goes on");
    ana.get(&location).await.shows("La prueba está en cola");
    bridge.settle().await;
    let phones = bridge.phones();
    assert_eq!(phones.len(), 1);
    assert!(phones[0].content.text.contains("hola Ana, generamos la factura 2026-1234"), "{phones:?}");
    assert!(phones[0].to.ends_with("1160001234"), "{phones:?}");
    let seen = ana.get(location.split('?').next().expect("a path")).await;
    seen.shows("entregado");
    seen.hides("60001234");
    for _ in 1..trial::TESTS_MAX {
        trial::send(&desk, &Who { name: "operator of tests".into(), ..shell() }, &key(), "+5491160001234")
            .await
            .expect("a test");
    }
    let many = ana.submit(PAGE, &format!("{PAGE}/test"), &[("to", "+5491160001234")]).await;
    assert_eq!(many.status, 409);
    many.shows("Ya mandaste 5 pruebas");
    bridge.settle().await;
    bridge.wait_s(3601);
    ana.log_in("operator of tests", PASSWORD).await;
    let later = ana.submit(PAGE, &format!("{PAGE}/test"), &[("to", "+5491160001234")]).await;
    assert!(later.status == 303, "{}", later.text);
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), trial::TESTS_MAX + 1);
    assert!(actions(&desk).await.iter().all(|action| action == "template.test"));
    bridge.finish().await;
}

#[tokio::test]
async fn a_text_under_a_new_name_is_made_at_the_provider_and_waits_for_its_review() {
    let bridge =
        Bridge::with(&[("SENDERS__MAIN__PAIR_INTERVAL_S", "0")], |sandbox| sandbox.templates_wait_for_review = true)
            .await;
    let desk = desk(&bridge);
    let ana = Person::logged_in(&desk, &bridge.url(""), Role::Administrator).await;
    let source = Source { name: "invoice_created_2".to_owned(), ..text(BODY) };
    save(&desk, &shell(), &key(), &source, Saving { based_on: 0, note: "" }).await.expect("it is saved");
    let page = ana.get(PAGE).await;
    page.shows("no está en el proveedor");
    page.shows("invoice_created_2");
    let done = ana.submit(PAGE, &format!("{PAGE}/provider"), &[]).await;
    assert_eq!(done.location, Some(format!("{PAGE}?done=template_created")), "{}", done.text);
    let page = ana.get(PAGE).await;
    page.shows("en revisión");
    page.shows("solo salen las aprobadas");
    page.shows("Dice lo mismo que acá");
    let other = save(
        &desk,
        &shell(),
        &key(),
        &Source { body: BODY.replace("gracias", "saludos"), ..source },
        Saving { based_on: page.field("based_on").parse().expect("a number"), note: "" },
    )
    .await;
    other.expect("it is saved");
    let refused = ana.submit(PAGE, &format!("{PAGE}/provider"), &[]).await;
    assert_eq!(refused.status, 409);
    refused.shows("El proveedor no lo aceptó");
    let (save, asked) = ("template.save", "template.provider");
    assert_eq!(
        actions(&desk).await,
        [save, asked, asked, save, asked, asked],
        "before the provider is asked, and after"
    );
    bridge.finish().await;
}

#[tokio::test]
async fn each_role_may_what_it_may_and_no_more() {
    let bridge = Bridge::start().await;
    let desk = desk(&bridge);
    let viewer = Person::logged_in(&desk, &bridge.url(""), Role::Viewer).await;
    let operator = Person::logged_in(&desk, &bridge.url(""), Role::Operator).await;
    let page = viewer.get(PAGE).await;
    page.shows("readonly");
    page.hides("Guardar");
    page.hides("Mandar la prueba");
    operator.get(PAGE).await.shows("Mandar la prueba");
    for (person, to, form) in [
        (&viewer, format!("{PAGE}/test"), vec![("to", "+5491160001234")]),
        (&viewer, "/admin/templates/ask".to_owned(), vec![]),
        (&operator, PAGE.to_owned(), form(BODY, "0")),
        (&operator, format!("{PAGE}/back"), vec![("based_on", "0")]),
        (&operator, format!("{PAGE}/provider"), vec![]),
    ] {
        assert_eq!(person.submit(PAGE, &to, &form).await.status, 403, "{to}");
    }
    assert!(actions(&desk).await.is_empty() && bridge.phones().is_empty());
    let asked = operator.submit(PAGE, "/admin/templates/ask", &[("to", PAGE)]).await;
    assert_eq!(asked.location, Some(format!("{PAGE}?done=template_asked")));
    let elsewhere = operator.submit(PAGE, "/admin/templates/ask", &[("to", "/admin/templates/../../x//evil")]).await;
    assert_eq!(elsewhere.location.as_deref(), Some("/admin/templates?done=template_asked"));
    bridge.finish().await;
}

#[tokio::test]
async fn the_api_does_what_the_page_does() {
    let bridge = Bridge::start().await;
    let desk = desk(&bridge);
    let token = async |name: &str, role| token(&desk, &shell(), name, role).await.expose_secret().to_owned();
    let (chief, reader) = (token("chief", Role::Administrator).await, token("reader", Role::Viewer).await);
    let get = async |path: &str| {
        answer(
            bridge.http.get(bridge.url(&format!("/api/v1{path}"))).header("authorization", format!("Bearer {reader}")),
        )
        .await
    };
    let post = async |path: &str, token: &str, body: &Value| {
        let request = bridge.http.post(bridge.url(&format!("/api/v1{path}")));
        answer(request.header("authorization", format!("Bearer {token}")).json(body)).await
    };
    let path = "/templates/invoice_created/es_AR";
    let all = get("/templates").await;
    let count = desk.catalogue.load().entries().count() * Locale::ALL.len();
    assert_eq!((all.status, all.body["items"].as_array().map(Vec::len)), (200, Some(count)));
    let one = get(path).await.body;
    assert_eq!(
        (&one["origin"], &one["at_provider"]["state"], &one["based_on"]),
        (&json!("built_in"), &json!("APPROVED"), &json!(0))
    );
    assert!(
        one["variables"].as_array().is_some_and(|all| all.iter().any(|one| one["path"] == "invoice.number")),
        "{one}"
    );
    let text = json!({ "name": "invoice_created", "body": BODY });
    let saving = json!({ "text": text, "based_on": 0, "note": "por la API" });
    assert_eq!(post(path, &reader, &saving).await.status, 403);
    let bad =
        post(path, &chief, &json!({ "text": { "name": "x", "body": "{{ invoice.total }}" }, "based_on": 0 })).await;
    assert_eq!((bad.status, bad.body["code"].as_str()), (422, Some("invalid")));
    assert!(
        bad.body["detail"].as_str().is_some_and(|detail| detail.contains("may not begin with a variable")),
        "{}",
        bad.body
    );
    let saved = post(path, &chief, &saving).await;
    assert_eq!(saved.status, 200, "{}", saved.body);
    assert_eq!(post(path, &chief, &saving).await.status, 409, "somebody saved since version 0");
    let seen = post(&format!("{path}/preview"), &reader, &json!({ "text": text, "of": "newest" })).await.body;
    assert!(seen["shown"]["body"].as_str().is_some_and(|body| body.contains("ya está la factura")), "{seen}");
    assert!(seen["findings"][0]["code"] == "wording_differs", "{seen}");
    let steps = get(&format!("{path}/versions")).await.body;
    assert_eq!(
        (&steps["items"][0]["version"], &steps["items"][0]["who"]),
        (&saved.body["version"], &json!("token:chief"))
    );
    assert_eq!(get(&format!("{path}/reach")).await.body["complete"], true);
    assert_eq!(get(&format!("{path}/provider")).await.body["language"], "es_AR");
    let gone = post(&format!("{path}/back"), &chief, &json!({ "based_on": saved.body["version"] })).await;
    assert_eq!(gone.status, 200, "{}", gone.body);
    let trial = post(&format!("{path}/test"), &chief, &json!({ "to": "+5491160001234" })).await;
    assert_eq!(trial.status, 200, "{}", trial.body);
    bridge.settle().await;
    assert_eq!(bridge.phones().len(), 1);
    bridge.finish().await;
}
