//! The page on the company's rules: what would be said, decisions, exceptions.

use hookbridge::decide::words::{Say, template};
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::{Role, Who};
use hookbridge::domain::decision::Rule;
use hookbridge::domain::locale::Locale;
use hookbridge::store::audit;
use serde_json::{Value, json};

use crate::support::bridge::{Bridge, answer};
use crate::support::lively::reader;
use crate::support::person::{Person, Seen, token};

async fn person(bridge: &Bridge, role: Role) -> Person {
    let desk = bridge.app.desk.clone().expect("a key is set");
    Person::logged_in(&desk, &bridge.url(""), role).await
}

async fn key(bridge: &Bridge, role: Role) -> String {
    let desk = bridge.app.desk.clone().expect("a key is set");
    let who = Who::at_the_command_line("test");
    let token = token(&desk, &who, &format!("rules {role}"), role).await;
    secrecy::ExposeSecret::expose_secret(&token).to_owned()
}

async fn get(bridge: &Bridge, key: &str, path: &str) -> (u16, Value) {
    let url = bridge.url(&format!("/api/v1{path}"));
    let seen = answer(bridge.http.get(url).header("authorization", format!("Bearer {key}"))).await;
    (seen.status, seen.body)
}

async fn post(bridge: &Bridge, key: &str, path: &str, body: &Value) -> (u16, Value) {
    let url = bridge.url(&format!("/api/v1{path}"));
    let seen = answer(bridge.http.post(url).header("authorization", format!("Bearer {key}")).json(body)).await;
    (seen.status, seen.body)
}

impl Person {
    /// Asks a rule on its page.
    async fn asks(&self, rule: &str, form: &[(&str, &str)]) -> Seen {
        self.submit("/admin/rules/identity", &format!("/admin/rules/{rule}/ask"), form).await
    }

    async fn excepts(&self, form: &[(&str, &str)]) -> Seen {
        self.submit("/admin/rules/overrides/new", "/admin/rules/overrides", form).await
    }
}

/// What the page says of the rule's verdict, in Spanish.
fn verdict(page: &Seen) -> &'static str {
    assert_eq!(page.status, 200, "{}", page.text);
    let said = page.text.split("La regla dice").nth(1).unwrap_or_else(|| panic!("no answer: {}", page.text));
    let said = said.split("</h2>").next().unwrap_or_default();
    let words = [
        ("permitido con otro precio", "adjust"),
        ("permitido", "allow"),
        ("rechazado", "deny"),
        ("a revisar por una persona", "review"),
    ];
    words.iter().find(|(word, _)| said.contains(word)).unwrap_or_else(|| panic!("no verdict: {said}")).1
}

/// A rule, its question, the verdict, and what the answer shows.
type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, &'a str, &'a str);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_rule_says_what_it_would_say_and_why() {
    let bridge = Bridge::start().await;
    let viewer = person(&bridge, Role::Viewer).await;
    let service = CAST.service_upgradable.id.to_string();
    let [first, _] = CAST.clients_same_email;
    let to = CAST.clients_transfer[1].to_string();
    let taken = bridge_email(&bridge, first).await;
    let cases: [Case; 11] = [
        ("upgrade", vec![("service_id", &service), ("to_product_id", "2")], "adjust", "US$ 50.00"),
        ("upgrade", vec![("service_id", &service), ("to_product_id", "15")], "deny", "upgrade_path"),
        (
            "ownership",
            vec![("service_id", "9"), ("to_client_id", &to), ("ticket_id", "555001")],
            "allow",
            "emails_differ",
        ),
        (
            "ownership",
            vec![("service_id", "9"), ("to_client_id", &to), ("ticket_id", "555002")],
            "deny",
            "asked_by_owner",
        ),
        ("cancellation", vec![("service_id", "2"), ("type", "Immediate")], "allow", "Lo ya pagado no se reintegra."),
        ("cancellation", vec![("domain_id", "3")], "deny", "national_domain"),
        ("cancellation", vec![("service_id", "6")], "deny", "service_live"),
        ("termination", vec![("service_id", "17")], "allow", "effective_date_reached"),
        ("termination", vec![("service_id", "18")], "deny", "effective_date_reached"),
        (
            "identity",
            vec![("email", "nadie@correo.example"), ("phonenumber", "011 15-5555-0107"), ("country", "AR")],
            "allow",
            "+5491155550107",
        ),
        ("identity", vec![("email", &taken), ("client_id", "1")], "deny", "email_free"),
    ];
    for (rule, form, wanted, shown) in cases {
        let page = viewer.asks(rule, &form).await;
        assert_eq!(verdict(&page), wanted, "{rule} {form:?}");
        page.shows(shown);
        page.shows("Quedó guardada como consulta");
    }
    // The same by the API, and the record of both.
    let key = key(&bridge, Role::Viewer).await;
    let asked = json!({ "fields": { "service_id": 18 }, "language": "pt_BR" });
    let (status, said) = post(&bridge, &key, "/rules/termination/ask", &asked).await;
    assert_eq!((status, &said["answer"]["decision"]), (200, &json!("deny")), "{said:#}");
    assert_eq!(
        said["in_your_language"]["reasons"].as_array().map(Vec::len),
        said["answer"]["reasons"].as_array().map(Vec::len)
    );
    let (_, all) = get(&bridge, &key, "/decisions?asked=people&limit=200").await;
    let items = all["items"].as_array().expect("a list");
    assert_eq!(items.len(), 12, "{all:#}");
    assert!(items.iter().all(|one| one["what_if"] == true), "{all:#}");
    assert_eq!((&items[0]["source"], &items[0]["asked_by"]), (&json!("api"), &json!("token:rules viewer")));
    assert_eq!((&items[1]["source"], &items[1]["asked_by"]), (&json!("page"), &json!("viewer of tests")));
    let (_, none) = get(&bridge, &key, "/decisions?asked=hooks").await;
    assert_eq!(none["items"], json!([]));
    bridge.finish().await;
}

/// The address of a client at the platform.
async fn bridge_email(bridge: &Bridge, client: u32) -> String {
    let desk = bridge.app.desk.clone().expect("a key is set");
    let found = desk.billing.find_client(u64::from(client)).await.expect("the platform answers");
    found.expect("a client").email.clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_leads_from_a_name_to_a_service_and_keeps_what_was_typed() {
    let bridge = Bridge::start().await;
    let viewer = person(&bridge, Role::Viewer).await;
    // Client 1's first name tries to run, and to turn the line around.
    bridge
        .platform("UPDATE tblclients SET firstname = '<script>alert(1)</script>\u{202e}{{7*7}}', lastname = 'Bidi' WHERE id = 1")
        .await;
    let page = viewer.get("/admin/rules/cancellation?who=Bidi").await;
    page.shows("&lt;script&gt;alert(1)&lt;/script&gt;\u{202e}{{7*7}} Bidi</bdi>");
    page.hides("<script>alert");
    page.shows("/admin/rules/cancellation?client=1&amp;service=2");
    page.shows("/admin/rules/cancellation?client=1&amp;domain=3");
    page.shows("$18.000,00");
    let page = viewer.get("/admin/rules/upgrade?client=1").await;
    page.shows("/admin/rules/upgrade?client=1&amp;service=2");
    page.hides("domain=3");
    // The plans that lead on stand first, at the client's own prices.
    let page = viewer.get(&format!("/admin/rules/upgrade?service={}", CAST.service_upgradable.id)).await;
    let (paths, others) = page.text.split_once("Otros planes").expect("two groups");
    assert!(paths.contains("US$ 150.00 anual") && paths.contains("Cambios automáticos de su plan"), "{paths}");
    assert!(others.contains("value=\"15\"") || others.contains("value=\"13\""), "{others}");
    // Nobody, several, a number that is none.
    let page = viewer.get("/admin/rules/termination?who=nadie-se-llama-asi").await;
    assert_eq!(page.status, 422);
    page.shows("No encontramos a nadie así.");
    let page = viewer.get("/admin/rules/termination?who=carla").await;
    page.shows("¿Cuál de ellos?");
    assert_eq!(viewer.get("/admin/rules/termination?service=x").await.status, 422);
    assert_eq!(viewer.get("/admin/rules/termination?service=999999").await.status, 404);
    assert_eq!(viewer.get("/admin/rules/astrology").await.status, 404);
    // What was typed wrongly is said at its field, and stays.
    let service = CAST.service_upgradable.id.to_string();
    let wrong = [("service_id", service.as_str()), ("to_product_id", "2"), ("platform_price", "mucho")];
    let page = viewer.asks("upgrade", &wrong).await;
    assert_eq!(page.status, 422);
    page.shows("id=\"platform_price-mistake\"");
    page.shows("value=\"mucho\"");
    let page = viewer.asks("ownership", &[("service_id", "9"), ("to_client_id", "carla")]).await;
    assert_eq!(page.status, 422);
    page.shows("Coinciden varios");
    page.shows("carla.nueva@");
    let page = viewer.asks("ownership", &[("service_id", "9")]).await;
    page.shows("id=\"to_client_id-mistake\"");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sentence_is_in_the_clients_language_and_the_conditions_in_the_readers() {
    let bridge = Bridge::start().await;
    // Service 4 belongs to a Brazilian.
    let form = [("service_id", "4"), ("type", "Immediate")];
    for (language, word) in [("es_AR", "La regla dice"), ("en", "The rule says"), ("pt_BR", "A regra diz")] {
        let person = reader(&bridge, Role::Viewer, language).await;
        let page = person.asks("cancellation", &form).await;
        page.shows(word);
        page.shows("O que já foi pago não é reembolsado.");
        let spoken = said_live(language);
        page.shows(&spoken);
        // And so on the page of the record.
        let id = page.text.split("/admin/rules/decisions/dec_").nth(1).and_then(|rest| rest.split('"').next());
        let record = person.get(&format!("/admin/rules/decisions/dec_{}", id.expect("a record"))).await;
        assert_eq!(record.status, 200);
        record.shows(&spoken);
        record.shows("O que já foi pago não é reembolsado.");
    }
    bridge.finish().await;
}

/// What the catalogue says of a service that runs.
fn said_live(language: &str) -> String {
    let locale = Locale::ALL.into_iter().find(|one| one.code() == language).expect("a language");
    let say = Say::Condition { code: "service_live", passed: true };
    template(locale, Rule::Cancellation, say).expect("a sentence").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exception_changes_the_next_decision_until_it_is_ended_and_both_are_in_the_log() {
    let bridge = Bridge::start().await;
    let administrator = person(&bridge, Role::Administrator).await;
    let until =
        bridge.now().to_zoned(jiff::tz::TimeZone::UTC).date().checked_add(jiff::Span::new().days(3)).expect("a day");
    let until = until.to_string();
    let ask = json!({ "service_id": 18 });
    assert_eq!(bridge.ask("termination", &ask).await.body["decision"], "deny");
    let page = administrator.asks("termination", &[("service_id", "18")]).await;
    page.shows("/admin/rules/overrides/new?rule=termination&amp;kind=service&amp;number=18");
    let page = administrator.get("/admin/rules/overrides/new?rule=termination&kind=service&number=18").await;
    assert_eq!(page.field("number"), "18");
    let why = "<b>pidió</b> por teléfono";
    let form = [("rule", "termination"), ("kind", "service"), ("number", "18"), ("until", &until), ("why", why)];
    let made = administrator.excepts(&form).await;
    assert_eq!(
        (made.status, made.location.as_deref()),
        (303, Some("/admin/rules/overrides?done=override_made")),
        "{}",
        made.text
    );
    let heard = bridge.ask("termination", &ask).await;
    assert_eq!((&heard.body["decision"], &heard.body["values"]["override"]), (&json!("allow"), &json!(true)));
    let list = administrator.get("/admin/rules/overrides?standing=in_force").await;
    list.shows("&lt;b&gt;pidió&lt;/b&gt; por teléfono");
    list.shows("en vigencia");
    let again = administrator.excepts(&form).await;
    assert_eq!(again.status, 422);
    again.shows("Ya tiene una excepción en vigencia");
    let ended = administrator.submit("/admin/rules/overrides", "/admin/rules/overrides/1/end", &[]).await;
    assert_eq!(ended.location.as_deref(), Some("/admin/rules/overrides?done=override_ended"), "{}", ended.text);
    assert_eq!(bridge.ask("termination", &ask).await.body["decision"], "deny");
    let twice = administrator.submit("/admin/rules/overrides", "/admin/rules/overrides/1/end", &[]).await;
    assert_eq!(twice.status, 409);
    twice.shows("ya no está en vigencia");
    assert_eq!(administrator.submit("/admin/rules/overrides", "/admin/rules/overrides/77/end", &[]).await.status, 404);
    administrator.get("/admin/rules/overrides?standing=past").await.shows("la terminó administrator of tests");
    let log = audit::list(
        &bridge.app.store,
        &audit::Filter { target: Some("override:1".to_owned()), limit: 9, ..audit::Filter::default() },
    )
    .await
    .expect("the audit log");
    let deeds: Vec<(&str, &str)> = log.iter().map(|one| (one.action.as_str(), one.actor.as_str())).collect();
    assert_eq!(deeds, [("override.end", "administrator of tests"), ("override.make", "administrator of tests")]);
    assert!(log[1].detail.as_deref().is_some_and(|detail| detail.contains("termination allows service:18 until ")));
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_exception_that_cannot_be_is_refused_at_its_field() {
    let bridge = Bridge::start().await;
    let administrator = person(&bridge, Role::Administrator).await;
    let key = key(&bridge, Role::Administrator).await;
    let day = |days: i64| {
        let today = bridge.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        today.checked_add(jiff::Span::new().days(days)).expect("a day").to_string()
    };
    let (past, good, far) = (day(-2), day(9), day(400));
    let long = "x".repeat(501);
    for (rule, kind, number, until, why, field, words) in [
        ("termination", "service", "18", past.as_str(), "x", "until", "Ese día ya pasó"),
        ("termination", "service", "18", far.as_str(), "x", "until", "como mucho 366 días"),
        ("termination", "service", "18", "mañana", "x", "until", "Falta el día"),
        ("termination", "service", "18", good.as_str(), "  ", "why", "Falta completarlo"),
        ("termination", "service", "18", good.as_str(), long.as_str(), "why", "como mucho 500"),
        ("termination", "service", "999999", good.as_str(), "x", "number", "no tiene nada con ese número"),
        ("termination", "service", "x", good.as_str(), "x", "number", "Escribí el número"),
        ("termination", "client", "1", good.as_str(), "x", "kind", "Esta regla no decide sobre eso"),
        ("identity", "domain", "1", good.as_str(), "x", "kind", "Esta regla no decide sobre eso"),
        ("astrology", "service", "18", good.as_str(), "x", "rule", "Falta completarlo"),
    ] {
        let form = [("rule", rule), ("kind", kind), ("number", number), ("until", until), ("why", why)];
        let page = administrator.excepts(&form).await;
        assert_eq!(page.status, 422, "{form:?}");
        let at = page
            .text
            .split(&format!("id=\"{field}-mistake\""))
            .nth(1)
            .unwrap_or_else(|| panic!("{form:?}: {}", page.text));
        assert!(at.split("</p>").next().unwrap_or_default().contains(words), "{form:?}: {at}");
        assert_eq!(page.field("number"), number, "what was typed stays");
        let body = json!({ "rule": rule, "subject": format!("{kind}:{number}"), "until": until, "why": why });
        let (status, said) = post(&bridge, &key, "/overrides", &body).await;
        assert_eq!((status, &said["code"]), (422, &json!("invalid")), "{body}: {said}");
    }
    let (_, none) = get(&bridge, &key, "/overrides").await;
    assert_eq!(none["items"], json!([]));
    let body = json!({ "rule": "cancellation", "subject": "domain:3", "until": good, "why": "a promise" });
    let (status, made) = post(&bridge, &key, "/overrides", &body).await;
    assert_eq!(status, 200, "{made}");
    let number = made["override"].as_u64().expect("a number");
    let (_, listed) = get(&bridge, &key, "/overrides?standing=in_force").await;
    assert_eq!(
        (&listed["items"][0]["subject"], &listed["items"][0]["who"]),
        (&json!("domain:3"), &json!("token:rules administrator"))
    );
    assert_eq!(post(&bridge, &key, &format!("/overrides/{number}/end"), &json!({})).await.0, 200);
    assert_eq!(post(&bridge, &key, &format!("/overrides/{number}/end"), &json!({})).await.0, 409);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_administrators_make_exceptions_and_only_from_our_own_forms() {
    let bridge = Bridge::start().await;
    let good =
        bridge.now().to_zoned(jiff::tz::TimeZone::UTC).date().checked_add(jiff::Span::new().days(9)).expect("a day");
    let good = good.to_string();
    let form = [("rule", "termination"), ("kind", "service"), ("number", "18"), ("until", good.as_str()), ("why", "x")];
    for role in [Role::Viewer, Role::Operator] {
        let person = person(&bridge, role).await;
        person.get("/admin/rules/overrides").await.hides("/overrides/new");
        assert_eq!(person.get("/admin/rules/overrides/new").await.status, 403, "{role}");
        let refused = person.submit("/admin/rules/identity", "/admin/rules/overrides", &form).await;
        assert_eq!(refused.status, 403, "{role}");
        assert_eq!(
            person.submit("/admin/rules/identity", "/admin/rules/overrides/1/end", &[]).await.status,
            403,
            "{role}"
        );
        person.asks("termination", &[("service_id", "18")]).await.hides("/overrides/new");
        let key = key(&bridge, role).await;
        let body = json!({ "rule": "termination", "subject": "service:18", "until": good, "why": "x" });
        assert_eq!(post(&bridge, &key, "/overrides", &body).await.0, 403, "{role}");
        assert_eq!(post(&bridge, &key, "/overrides/1/end", &json!({})).await.0, 403, "{role}");
    }
    let administrator = person(&bridge, Role::Administrator).await;
    for path in ["/admin/rules/overrides", "/admin/rules/termination/ask"] {
        // Without the word of the session, and with somebody else's.
        for word in [None, Some("x")] {
            let mut all = form.to_vec();
            all.extend(word.map(|word| ("_csrf", word)));
            let refused = administrator.post(path, &all).await;
            assert_eq!(refused.status, 409, "{path}");
            refused.shows("de otra sesión");
        }
    }
    let all = hookbridge::store::exception::Filter { limit: 9, ..Default::default() };
    let all = hookbridge::store::exception::list(&bridge.app.store, &all, bridge.now()).await.expect("a list");
    assert!(all.is_empty(), "{all:?}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_are_listed_page_by_page_and_found_by_what_they_are() {
    let bridge = Bridge::start().await;
    let key = key(&bridge, Role::Viewer).await;
    // Five of one moment, five of another: a page may end between two of the same moment.
    for n in 0..10 {
        if n == 5 {
            bridge.wait_s(3600);
        }
        let service = if n % 2 == 0 { 17 } else { 18 };
        assert_eq!(bridge.ask("termination", &json!({ "service_id": service })).await.status, 200);
    }
    bridge.ask("upgrade", &json!({ "service_id": CAST.service_upgradable.id, "to_product_id": 2 })).await;
    // A session would not have lived through that hour.
    let viewer = person(&bridge, Role::Viewer).await;
    viewer.asks("termination", &[("service_id", "17")]).await;
    bridge.app.drain().await.expect("all is kept");
    let walk = async |limit: u32| {
        let (mut walked, mut before) = (Vec::new(), String::new());
        loop {
            let (status, page) = get(&bridge, &key, &format!("/decisions?limit={limit}&before={before}")).await;
            assert_eq!(status, 200, "{page}");
            walked.extend(page["items"].as_array().expect("a list").iter().map(|one| one["id"].clone()));
            match page["next"].as_str() {
                Some(next) => next.clone_into(&mut before),
                None => return walked,
            }
            assert!(walked.len() < 50, "it goes on");
        }
    };
    let all = walk(200).await;
    assert_eq!(all.len(), 12);
    assert_eq!(walk(3).await, all);
    let later = bridge.now().to_string();
    for (query, wanted) in [
        ("rule=termination", 11),
        ("rule=termination&decision=deny", 5),
        ("decision=adjust", 1),
        ("service=18", 5),
        ("service=17&rule=termination", 6),
        ("subject=service:17&asked=people", 1),
        ("client=16", 5),
        ("client=16&decision=allow", 0),
        ("asked=people", 1),
        ("asked=hooks&rule=upgrade", 1),
        (&format!("since={later}"), 7),
        (&format!("until={later}"), 5),
        ("domain=3", 0),
    ] {
        let (status, page) = get(&bridge, &key, &format!("/decisions?limit=200&{query}")).await;
        assert_eq!((status, page["items"].as_array().map(Vec::len)), (200, Some(wanted)), "{query}: {page}");
        let page = viewer.get(&format!("/admin/rules/decisions?{query}")).await;
        assert_eq!((page.status, page.text.matches("/admin/rules/decisions/dec_").count()), (200, wanted), "{query}");
    }
    for wrong in ["rule=astrology", "decision=perhaps", "client=x", "asked=me", "since=soon", "before=x", "subject=x"] {
        assert_eq!(viewer.get(&format!("/admin/rules/decisions?{wrong}")).await.status, 422, "{wrong}");
        assert_eq!(get(&bridge, &key, &format!("/decisions?{wrong}")).await.0, 422, "{wrong}");
    }
    // One of them: what was seen, what came of it, and the ways on.
    let (_, denied) = get(&bridge, &key, "/decisions?decision=deny&limit=1").await;
    let id = denied["items"][0]["id"].as_str().expect("an id");
    let page = viewer.get(&format!("/admin/rules/decisions/{id}")).await;
    for part in ["effective_date_reached", "/admin/why?client=16", "/admin/rules/termination?service=18"] {
        page.shows(part);
    }
    for gone in ["dec_1", "dec_01936b2e7c6a7c0d9d6c8d3f0a1b2c3d"] {
        assert_eq!(viewer.get(&format!("/admin/rules/decisions/{gone}")).await.status, 404, "{gone}");
        assert_eq!(get(&bridge, &key, &format!("/decisions/{gone}")).await.0, 404, "{gone}");
    }
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rules_are_shown_as_configured_with_how_often_they_were_asked() {
    let bridge =
        Bridge::with(&[("RULES__UPGRADE__PRICE", "pro_rata"), ("RULES__IDENTITY__ENABLED", "false")], |_| {}).await;
    let viewer = person(&bridge, Role::Viewer).await;
    let key = key(&bridge, Role::Viewer).await;
    for service in [17, 18, 18] {
        bridge.ask("termination", &json!({ "service_id": service })).await;
    }
    viewer.asks("termination", &[("service_id", "17")]).await;
    let missed = json!({ "rule": "termination", "hook": "PreModuleTerminate", "cause": "deadline", "on_failure": "closed",
        "deadline_ms": 250, "service_id": 18, "client_id": 16 });
    bridge.post("evt_missed", &bridge.envelope("HookbridgeDecisionMissed", &missed)).await;
    bridge.settle().await;
    while bridge.app.count().await.expect("hours are counted") > 0 {}
    let (_, all) = get(&bridge, &key, "/rules").await;
    let of = |name: &str| {
        all["items"].as_array().into_iter().flatten().find(|one| one["rule"] == name).expect("a rule").clone()
    };
    let termination = of("termination");
    let month = &termination["last_30_days"];
    assert_eq!((&month["asked"], &month["allow"], &month["deny"]), (&json!(3), &json!(1), &json!(2)), "{month}");
    assert_eq!(
        (&month["what_if"], &month["missed_closed"], &month["missed_open"]),
        (&json!(1), &json!(1), &json!(0)),
        "{month}"
    );
    assert_eq!((&termination["on_failure"], &termination["deadline_ms"]), (&json!("closed"), &json!(5000)));
    assert_eq!(of("upgrade")["policy"]["price"], "pro_rata");
    assert_eq!(of("identity")["enabled"], false);
    let page = viewer.get("/admin/rules").await;
    for rule in ["Cambio de plan", "Cambio de titular", "Cancelación", "Baja del servidor", "Identidad"] {
        page.shows(rule);
    }
    page.shows("la plataforma se niega a los 5000 ms");
    page.shows("apagada: todo se permite");
    let page = viewer.get("/admin/rules/upgrade").await;
    page.shows("[rules.upgrade]");
    page.shows("por los días que quedan");
    // What the stub told is listed, and stands beside the decision that it did not hear.
    let page = viewer.get("/admin/rules/missed").await;
    page.shows("se agotó el tiempo");
    page.shows("/admin/rules/termination?service=18");
    let (_, listed) = get(&bridge, &key, "/missed-decisions?rule=termination&service=18").await;
    assert_eq!(listed["items"][0]["event"], "evt_missed");
    assert_eq!(viewer.get("/admin/rules/missed?before=x").await.status, 422);
    let (_, denied) = get(&bridge, &key, "/decisions?service=18&asked=hooks&limit=1").await;
    let id = denied["items"][0]["id"].as_str().expect("an id").to_owned();
    let (_, one) = get(&bridge, &key, &format!("/decisions/{id}")).await;
    assert_eq!(one["unheard"][0]["event"], "evt_missed");
    viewer.get(&format!("/admin/rules/decisions/{id}")).await.shows("la plataforma se negó");
    bridge.finish().await;
}
