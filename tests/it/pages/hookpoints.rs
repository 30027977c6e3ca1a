//! The page on hookpoints: list, switch, change, make new ones.

mod effects;

use hookbridge::admin::Desk;
use hookbridge::admin::hookpoints::{self, built_in_text};
use hookbridge::domain::admin::{Role, Who};
use hookbridge::store::audit;

use crate::support::bridge::Bridge;
use crate::support::person::{Person, Seen};

const AT: &str = "/admin/hookpoints";
const ONE: &str = "/admin/hookpoints/invoice_created";
const EDIT: &str = "/admin/hookpoints/invoice_created/edit";

fn desk(bridge: &Bridge) -> std::sync::Arc<Desk> {
    bridge.app.desk.clone().expect("a key is set")
}

async fn ana(bridge: &Bridge) -> Person {
    Person::named(&desk(bridge), &bridge.url(""), "Ana", Role::Administrator).await
}

/// The form at `path` as it is shown, with these fields otherwise, sent back.
async fn change(person: &Person, path: &str, changes: &[(&str, &str)]) -> Seen {
    let form = person.get(path).await.form(path);
    send(person, path, &form, changes).await
}

async fn send(person: &Person, path: &str, form: &[(String, String)], changes: &[(&str, &str)]) -> Seen {
    let kept = form.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let kept = kept.filter(|(name, _)| changes.iter().all(|(changed, _)| changed != name));
    let all: Vec<(&str, &str)> = kept.chain(changes.iter().copied()).collect();
    person.post(path, &all).await
}

/// What the log says of hookpoints, oldest first.
async fn deeds(bridge: &Bridge) -> Vec<String> {
    let filter = audit::Filter { limit: 200, ..audit::Filter::default() };
    let all = audit::list(&desk(bridge).store, &filter).await.expect("the log can be read");
    let ours = all.into_iter().rev().filter(|one| one.action.starts_with("hookpoint."));
    ours.map(|one| format!("{} {} {}", one.actor, one.action, one.target)).collect()
}

async fn text(bridge: &Bridge, name: &str) -> String {
    let who = Who::at_the_command_line("test");
    hookpoints::one(&desk(bridge), &who, name).await.expect("it is there").text
}

#[tokio::test]
async fn every_hookpoint_goes_through_its_form_and_comes_out_as_it_was() {
    let bridge = Bridge::start().await;
    let ana = ana(&bridge).await;
    let names: Vec<String> =
        desk(&bridge).catalogue.load().entries().map(|entry| entry.hookpoint.id.to_string()).collect();
    assert!(names.len() > 15, "{names:?}");
    for name in names {
        let edit = format!("{AT}/{name}/edit");
        let seen = change(&ana, &edit, &[("note", "nothing changed")]).await;
        assert_eq!(seen.location, Some(format!("{AT}/{name}?done=hookpoint_saved")), "{name}: {}", seen.text);
        assert_eq!(Some(text(&bridge, &name).await), built_in_text(&name), "{name}");
        let page = format!("{AT}/{name}/text");
        let seen = change(&ana, &page, &[]).await;
        assert_eq!(seen.status, 303, "{name}: {}", seen.text);
        assert_eq!(Some(text(&bridge, &name).await), built_in_text(&name), "{name}");
    }
    bridge.finish().await;
}

#[tokio::test]
async fn each_role_may_what_it_may_and_a_form_must_be_ours() {
    let bridge = Bridge::start().await;
    let ana = ana(&bridge).await;
    let form = ana.get(EDIT).await.form(EDIT);
    let switch = format!("{ONE}/switch");
    for role in [Role::Viewer, Role::Operator] {
        let person = Person::logged_in(&desk(&bridge), &bridge.url(""), role).await;
        let page = person.get(ONE).await;
        page.shows("Probar con eventos recientes");
        for button in ["Desactivar", "Modificar", "Como texto", "Volver al incluido"] {
            page.hides(&format!(">{button}<"));
        }
        person.get(AT).await.hides("Aviso nuevo");
        for path in [EDIT.to_owned(), format!("{ONE}/text"), format!("{AT}/new")] {
            assert_eq!(person.get(&path).await.status, 403, "{role} {path}");
        }
        for (to, with) in [
            (switch.clone(), ("to", "off")),
            (EDIT.to_owned(), ("class", "status")),
            (format!("{ONE}/text"), ("text", "")),
            (format!("{ONE}/roll-back"), ("version", "1")),
            (format!("{ONE}/built-in"), ("based_on", "0")),
            (format!("{AT}/new"), ("name", "mine")),
        ] {
            assert_eq!(person.submit("/admin/me", &to, &[with]).await.status, 403, "{role} {to}");
        }
    }
    for word in ["", "guessed"] {
        let seen = send(&ana, EDIT, &form, &[("_csrf", word), ("class", "status")]).await;
        assert_eq!(seen.status, 409, "{}", seen.text);
        assert_eq!(ana.post(&switch, &[("_csrf", word), ("to", "off")]).await.status, 409);
    }
    assert_eq!(Some(text(&bridge, "invoice_created").await), built_in_text("invoice_created"));
    assert_eq!(deeds(&bridge).await, Vec::<String>::new());
    bridge.finish().await;
}

#[tokio::test]
async fn what_people_type_is_shown_and_never_runs() {
    let bridge = Bridge::start().await;
    let ana = ana(&bridge).await;
    let evil = "<script>alert(1)</script>\"'>{{ 7*7 }}${8*8}";
    let condition = "client.status != '<script>alert(2)</script>\"' and 1 < 2";
    let changes = [("title_es_AR", evil), ("note", evil), ("still2_if", condition)];
    let seen = change(&ana, EDIT, &changes).await;
    assert_eq!(seen.status, 303, "{}", seen.text);
    let page = ana.get(ONE).await;
    let version = page.text.split(&format!("{ONE}/versions/")).nth(1).and_then(|rest| rest.split('"').next());
    let version = format!("{ONE}/versions/{}", version.expect("a version"));
    let (edit, as_text, log) = (EDIT.to_owned(), format!("{ONE}/text"), "/admin/settings/log".to_owned());
    let paths = [
        AT.to_owned(),
        ONE.to_owned(),
        edit,
        as_text,
        format!("{ONE}/try"),
        version,
        log,
        "/admin/templates".to_owned(),
    ];
    for path in paths {
        let seen = ana.get(&path).await;
        assert_eq!(seen.status, 200, "{path}");
        seen.hides("<script>alert");
        seen.shows("&lt;script&gt;alert(1)&lt;/script&gt;");
        seen.hides(">49<");
    }
    assert!(ana.get(EDIT).await.form(EDIT).contains(&("still2_if".to_owned(), condition.to_owned())));
    // While it is typed, too.
    let typed = ana
        .submit(
            EDIT,
            &format!("{AT}/check"),
            &[("which", "when0_if"), ("subject", "invoice"), ("when0_if", "<script>alert(3)")],
        )
        .await;
    typed.hides("<script>");
    let backwards = change(&ana, EDIT, &[("title_es_AR", "Factura \u{202e}adagap")]).await;
    assert_eq!(backwards.status, 422);
    backwards.shows("without direction marks");
    bridge.finish().await;
}

#[tokio::test]
async fn each_mistake_stands_at_its_field_and_what_was_typed_stays() {
    let bridge = Bridge::start().await;
    let ana = ana(&bridge).await;
    for (field, value, says) in [
        ("title_en", " ", "Falta completarlo."),
        ("expires_after_min", "soon", "Tiene que ser un número entero."),
        ("when0_wait", "-1", "Tiene que ser un número entero."),
        ("when0_if", "invoice.state == 'Paid'", "Acá no existe «invoice.state»"),
        ("when0_if", "invoice.status = 'Paid'", "No se entiende"),
        ("still0_if", "fields.invoiceid == 1", "Acá no existe «fields.invoiceid»"),
        ("note", &"x".repeat(301), "hasta 300 caracteres"),
    ] {
        let seen = change(&ana, EDIT, &[(field, value)]).await;
        assert_eq!(seen.status, 422, "{field} {value}: {}", seen.text);
        seen.shows("No se guardó: revisá lo marcado.");
        let mark = format!("id=\"{field}-mistake\" role=\"alert\">");
        let at = seen.text.split(&mark).nth(1).unwrap_or_else(|| panic!("{field}: {}", seen.text));
        assert!(at.split('<').next().is_some_and(|text| text.contains(says)), "{field} {value}: {at}");
        assert!(seen.form(EDIT).contains(&(field.to_owned(), value.trim().to_owned())), "{field} is not shown again");
    }
    for (field, value, says) in [
        ("on0_fields", "password", "may hold a secret"),
        ("on0_hook", "ClientAreaPage", "corre con cada página"),
        ("class", "urgent", "urgent"),
        ("quiet_from", "22:00", "is no time like 22:00"),
        ("answers", "nothing", "nothing"),
        ("client_day_max", "0", "must be at least 1"),
    ] {
        let seen = change(&ana, EDIT, &[(field, value)]).await;
        assert_eq!(seen.status, 422, "{field} {value}: {}", seen.text);
        seen.shows(says);
    }
    let new = format!("{AT}/new?hook=TicketOpen");
    let form = ana.get(&new).await.form(&format!("{AT}/new"));
    let titles = [("title_es_AR", "a"), ("title_en", "b"), ("title_pt_BR", "c")];
    for (name, says) in
        [("Ñandú", "De 1 a 64 caracteres"), ("invoice_created", "ya está usado"), ("new", "ya está usado")]
    {
        let changes = [&titles[..], &[("name", name)]].concat();
        let seen = send(&ana, &format!("{AT}/new"), &form, &changes).await;
        assert_eq!(seen.status, 422, "{name}: {}", seen.text);
        seen.shows(says);
    }
    assert_eq!(ana.get(&format!("{AT}/new?hook=Nothing")).await.status, 404);
    assert_eq!(deeds(&bridge).await, Vec::<String>::new());
    bridge.finish().await;
}

#[tokio::test]
async fn who_is_slower_is_told_keeps_what_was_typed_and_may_save_it_then() {
    let bridge = Bridge::start().await;
    let ana = ana(&bridge).await;
    let luz = Person::named(&desk(&bridge), &bridge.url(""), "Luz", Role::Administrator).await;
    let as_text = format!("{ONE}/text");
    let (form, whole) = (ana.get(EDIT).await.form(EDIT), ana.get(&as_text).await.form(&as_text));
    assert_eq!(change(&luz, EDIT, &[("title_en", "Luz was faster")]).await.status, 303);
    let seen = send(&ana, EDIT, &form, &[("title_en", "Ana was slower")]).await;
    assert_eq!(seen.status, 409, "{}", seen.text);
    seen.shows("Otra persona guardó una versión");
    seen.shows("Ana was slower");
    seen.shows("/versions/");
    let kept = send(&ana, &as_text, &whole, &[]).await;
    assert_eq!(kept.status, 409);
    kept.shows("Otra persona guardó una versión");
    assert!(text(&bridge, "invoice_created").await.contains("Luz was faster"), "nothing was overwritten");
    let again = send(&ana, EDIT, &seen.form(EDIT), &[]).await;
    assert_eq!(again.status, 303, "{}", again.text);
    assert!(text(&bridge, "invoice_created").await.contains("Ana was slower"));
    bridge.finish().await;
}

#[tokio::test]
async fn versions_are_kept_told_apart_and_gone_back_to_with_a_line_for_each_deed() {
    let bridge = Bridge::start().await;
    let ana = ana(&bridge).await;
    for title in ["First", "Second"] {
        assert_eq!(change(&ana, EDIT, &[("title_en", title), ("note", title)]).await.status, 303);
    }
    let switch = format!("{ONE}/switch");
    assert_eq!(ana.submit(ONE, &switch, &[("to", "off")]).await.status, 303);
    let page = ana.get(ONE).await;
    let ids: Vec<&str> =
        page.text.split(&format!("{ONE}/versions/")).skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
    let version = ana.get(&format!("{ONE}/versions/{}", ids[2])).await;
    version.shows("First");
    version.shows("Qué cambió desde entonces");
    let newest = ids[0];
    for (to, based_on, status) in [("999", newest, 404), (ids[2], ids[1], 409), (ids[2], newest, 303)] {
        let seen = ana.submit(ONE, &format!("{ONE}/roll-back"), &[("version", to), ("based_on", based_on)]).await;
        assert_eq!(seen.status, status, "{to} {based_on}: {}", seen.text);
    }
    let now = text(&bridge, "invoice_created").await;
    assert!(now.contains("First") && !now.contains("enabled = false"), "{now}");
    let based_on = ana.get(EDIT).await.field("based_on");
    let seen = ana.submit(ONE, &format!("{ONE}/built-in"), &[("based_on", &based_on)]).await;
    assert_eq!(seen.status, 303, "{}", seen.text);
    assert_eq!(Some(text(&bridge, "invoice_created").await), built_in_text("invoice_created"));
    assert_eq!(ana.submit(ONE, &format!("{ONE}/built-in"), &[("based_on", &based_on)]).await.status, 409);
    let expected = ["save", "save", "disable", "roll_back", "built_in"];
    assert_eq!(deeds(&bridge).await, expected.map(|deed| format!("Ana hookpoint.{deed} invoice_created")));
    bridge.finish().await;
}

#[tokio::test]
async fn what_the_configuration_file_says_goes_before_the_page() {
    let bridge = Bridge::with(&[("HOOKPOINTS__INVOICE_CREATED__ENABLED", "false")], |_| {}).await;
    let ana = ana(&bridge).await;
    let page = ana.get(ONE).await;
    page.shows("también en el archivo de configuración");
    page.shows("desactivado");
    page.hides(&format!("action=\"{ONE}/switch\""));
    let seen = ana.submit(EDIT, &format!("{ONE}/switch"), &[("to", "off")]).await;
    assert_eq!(seen.status, 409);
    seen.shows("El archivo de configuración decide");
    assert_eq!(deeds(&bridge).await, Vec::<String>::new());
    bridge.finish().await;
}
