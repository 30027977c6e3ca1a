//! A refused text stops only itself: its language, and the wording that was refused. What the provider does not have yet is a
//! draft.

use hookbridge::admin::Desk;
use hookbridge::admin::templates::draft::promote;
use hookbridge::admin::templates::{Key, Saving, back, one, provider, save};
use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::Who;
use hookbridge::domain::hookpoint::HookpointId;
use hookbridge::domain::locale::Locale;
use hookbridge::render::template::Source;
use hookbridge::sandbox::TemplateStatus;

use super::{created, to_client};
use crate::support::bridge::Bridge;

fn desk(bridge: &Bridge) -> std::sync::Arc<Desk> {
    bridge.app.desk.clone().expect("a key is set")
}

fn key() -> Key {
    Key { alert: HookpointId::parse("invoice_created").expect("an id"), locale: Locale::EsAr }
}

fn who() -> Who {
    Who::at_the_command_line("test")
}

async fn present(desk: &Desk) -> Source {
    one(desk, &key()).await.expect("there is one").1.source.expect("a text in force")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_in_one_language_holds_no_other_and_another_text_is_tried_at_once() {
    let bridge = Bridge::start().await;
    let desk = desk(&bridge);
    assert!(bridge.sandbox.set_template_status("invoice_created", "es_AR", TemplateStatus::Paused));
    created(&bridge, CAST.invoice_unpaid.id).await;
    bridge.settle().await;
    created(&bridge, CAST.invoice_english.id).await;
    bridge.settle().await;
    let spanish = format!("invoice:{}", CAST.invoice_unpaid.id);
    assert_eq!(to_client(&bridge, &spanish).await.reason.as_deref(), Some("template_held"));
    let english = to_client(&bridge, &format!("invoice:{}", CAST.invoice_english.id)).await;
    assert_eq!(english.standing(), "delivered");
    // Another wording with the same values is in force at once, and what waits gets it without waiting for the hold's end.
    assert!(bridge.sandbox.set_template_status("invoice_created", "es_AR", TemplateStatus::Approved));
    let source = present(&desk).await;
    let body = source.body.replace("Podés verla y pagarla", "Mirala y pagala");
    let saved = save(&desk, &who(), &key(), &Source { body, ..source }, Saving { based_on: 0, note: "" }).await;
    assert!(!saved.expect("it is saved").draft);
    bridge.app.refresh().await.expect("the texts are read");
    bridge.settle().await;
    let anew = to_client(&bridge, &spanish).await;
    assert_eq!(anew.standing(), "delivered");
    assert!(anew.text.contains("Mirala y pagala"), "{}", anew.text);
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_with_other_values_is_a_draft_until_the_provider_has_it() {
    let bridge = Bridge::start().await;
    let desk = desk(&bridge);
    let before = present(&desk).await;
    let body = before.body.replace("{{ invoice.balance }}", "{{ invoice.balance }} ({{ invoice.items }})");
    let wanted = Source { body, ..before.clone() };
    let saved = save(&desk, &who(), &key(), &wanted, Saving { based_on: 0, note: "" }).await.expect("it is saved");
    assert!(saved.draft);
    bridge.app.refresh().await.expect("the texts are read");
    assert_eq!(present(&desk).await, before, "the present text stays");
    created(&bridge, CAST.invoice_unpaid.id).await;
    bridge.settle().await;
    let subject = format!("invoice:{}", CAST.invoice_unpaid.id);
    assert_eq!(to_client(&bridge, &subject).await.standing(), "delivered");
    assert_eq!(promote(&desk).await.expect("the provider answers"), 0);
    // It is made there, approved, and goes live by itself.
    provider::submit(&desk, &who(), &key()).await.expect("the provider takes the draft");
    assert!(bridge.sandbox.set_template_status("invoice_created", "es_AR", TemplateStatus::Approved));
    assert_eq!(promote(&desk).await.expect("the provider answers"), 1);
    bridge.app.refresh().await.expect("the texts are read");
    assert_eq!(present(&desk).await.body, wanted.body);
    let [next, _] = CAST.invoices_same_second;
    bridge
        .platform(&format!("UPDATE tblclients SET language = 'spanish', country = 'AR' WHERE id = {}", next.client))
        .await;
    created(&bridge, next.id).await;
    bridge.settle().await;
    assert_eq!(to_client(&bridge, &format!("invoice:{}", next.id)).await.standing(), "delivered");
    // Back to what is built in: the provider has other values by now, so it is a draft in its turn.
    let based_on = one(&desk, &key()).await.expect("there is one").1.based_on();
    let again = back(&desk, &who(), &key(), None, Saving { based_on, note: "" }).await.expect("it is kept");
    assert!(again.draft);
    assert_eq!(present(&desk).await.body, wanted.body);
    bridge.finish().await;
}
