//! "Why did this client get nothing?"

use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::Role;

use crate::support::lively::{lively, reader};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clients_day_says_what_he_got_and_why_he_got_nothing() {
    let bridge = lively().await;
    let ana = reader(&bridge, Role::Viewer, "es_AR").await;
    let day = |client: u32| format!("/admin/why?client={client}");
    let page = ana.get(&day(CAST.client_english)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.shows("/admin/messages/");
    page.shows("/admin/events/");
    page.shows("service_activated");
    page.shows("El cambio lo hizo el personal, no el cliente.");
    let page = ana.get(&day(CAST.client_without_phone)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.shows("sin aviso");
    let page = ana.get(&day(1)).await;
    assert_eq!(page.status, 200, "{}", page.text);
    page.hides("<script>alert");
    assert_eq!(ana.get("/admin/why?client=x").await.status, 422);
    bridge.finish().await;
}
