//! What all pages have around them: the language, the menu, the keyboard.

use fantoccini::Locator;
use fantoccini::key::Key;

use super::ana;
use crate::support::bridge::Bridge;
use crate::support::browser::Browser;
use crate::support::turn::turn;

async fn localizer(browser: &Browser) -> String {
    let html = browser.page.find(Locator::Css("html")).await.expect("a page");
    html.attr("lang").await.expect("an attribute").unwrap_or_default()
}

#[tokio::test]
async fn each_language_is_chosen_on_the_page_and_stays() {
    let _turn = turn().await;
    let bridge = Bridge::start().await;
    let browser = Browser::open(&bridge.url(""), 390).await;
    browser.go("/admin/login").await;
    for (language, tag, word) in
        [("English", "en", "Log in"), ("Português", "pt-BR", "Entrar"), ("Español", "es-AR", "Ingresar")]
    {
        browser.press(language).await;
        browser.sees(word).await;
        assert_eq!((localizer(&browser).await.as_str(), browser.overflow().await), (tag, 0));
    }
    browser.close().await;
    let browser = ana(&bridge, 1280).await;
    let mut save = "Guardar";
    for (code, tag, next, words) in [
        ("en", "en", "Save", ["Saved.", "Overview", "Messages"]),
        ("pt_BR", "pt-BR", "Salvar", ["Salvo.", "Visão geral", "Mensagens"]),
        ("es_AR", "es-AR", "Guardar", ["Guardado.", "Resumen", "Mensajes"]),
    ] {
        browser.go("/admin/me").await;
        browser.choose("language", code).await;
        browser.press(save).await;
        for word in words {
            browser.sees(word).await;
        }
        browser.go("/admin").await;
        assert_eq!(localizer(&browser).await, tag);
        browser.sees(words[1]).await;
        save = next;
    }
    browser.close().await;
    bridge.finish().await;
}

/// Presses Tab until `text` has the focus; everything on the way is seen to have it.
async fn tab_to(browser: &Browser, text: &str) {
    for _ in 0..40 {
        browser.key(Key::Tab).await;
        let (at, is_seen) = browser.focus().await;
        assert!(is_seen, "one does not see that «{at}» has the focus");
        if at.starts_with(text) {
            return;
        }
    }
    panic!("Tab does not come to «{text}»");
}

#[tokio::test]
async fn the_keyboard_alone_reaches_the_content_and_every_page_at_a_desk_and_on_a_phone() {
    let _turn = turn().await;
    let bridge = Bridge::start().await;
    let desk = ana(&bridge, 1280).await;
    desk.go("/admin/messages").await;
    tab_to(&desk, "Ir al contenido").await;
    desk.key(Key::Enter).await;
    assert!(desk.at().await.ends_with("#main"));
    // Behind the menu: the first field of the search.
    desk.key(Key::Tab).await;
    let first = desk.page.active_element().await.expect("a field").attr("id").await.expect("an attribute");
    assert_eq!(first.as_deref(), Some("client"));
    desk.go("/admin/messages").await;
    tab_to(&desk, "Textos").await;
    desk.key(Key::Enter).await;
    desk.sees("Lo que leen los clientes").await;
    desk.close().await;
    let phone = Browser::open(&bridge.url(""), 390).await;
    phone.log_in("Ana").await;
    phone.go("/admin/messages").await;
    let menu = phone.page.find(Locator::Css(".menu nav")).await.expect("a menu");
    assert!(!menu.is_displayed().await.expect("a look"), "the menu covers a phone");
    tab_to(&phone, "Menú").await;
    phone.key(Key::Enter).await;
    assert!(menu.is_displayed().await.expect("a look"));
    assert_eq!(phone.overflow().await, 0);
    tab_to(&phone, "Avisos").await;
    phone.key(Key::Enter).await;
    phone.sees("Cada línea es un aviso").await;
    assert_eq!(phone.overflow().await, 0);
    phone.close().await;
    bridge.finish().await;
}

#[tokio::test]
async fn a_slash_leads_to_the_search_and_enter_to_what_was_found() {
    let _turn = turn().await;
    let bridge = Bridge::start().await;
    ana(&bridge, 1280).await.close().await;
    for width in [1280, 390] {
        let browser = Browser::open(&bridge.url(""), width).await;
        browser.log_in("Ana").await;
        browser.go("/admin/messages").await;
        let body = browser.page.find(Locator::Css("body")).await.expect("a page");
        body.send_keys("/").await.expect("a key");
        let field = browser.page.active_element().await.expect("a focus");
        assert_eq!(field.attr("id").await.expect("an attribute").as_deref(), Some("find"), "{width}");
        field.send_keys("a/b").await.expect("keys");
        assert_eq!(field.prop("value").await.expect("a value").as_deref(), Some("a/b"), "in a field it is a letter");
        field.clear().await.expect("it empties");
        field.send_keys("1\u{e007}").await.expect("keys");
        browser.sees("Clientes").await;
        assert_eq!(browser.overflow().await, 0, "{width}");
        browser.close().await;
    }
    bridge.finish().await;
}
