//! The recovery codes of the second factor: shown once, to be copied or printed, at a desk and on a phone.

use fantoccini::Locator;
use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::key::Key;
use fantoccini::wd::PrintConfiguration;

use super::ana;
use crate::support::bridge::Bridge;
use crate::support::browser::Browser;
use crate::support::person::code;
use crate::support::turn::turn;

/// The codes that the page shows.
async fn shown(browser: &Browser) -> Vec<String> {
    let mut codes = Vec::new();
    for one in browser.page.find_all(Locator::Css("ol.codes code.secret")).await.expect("a list") {
        codes.push(one.text().await.expect("its text"));
    }
    codes
}

/// What the clipboard holds, as Chromium pastes it into one line: with a space for a line end.
async fn pasted(browser: &Browser) -> String {
    let field = browser.page.find(Locator::Id("recovery-proof")).await.expect("the field of a proof");
    field.click().await.expect("it takes the focus");
    let down = |value: char| KeyAction::Down { value };
    let up = |value: char| KeyAction::Up { value };
    let control: char = Key::Control.into();
    let keys =
        KeyActions::new("keyboard".to_owned()).then(down(control)).then(down('v')).then(up('v')).then(up(control));
    browser.page.perform_actions(keys).await.expect("keys can be pressed");
    field.prop("value").await.expect("a property").unwrap_or_default()
}

#[tokio::test]
async fn recovery_codes_are_shown_once_and_can_be_copied_and_printed() {
    let _turn = turn().await;
    for width in [1280, 390] {
        let bridge = Bridge::start().await;
        let browser = ana(&bridge, width).await;
        browser.go("/admin/me/second-factor").await;
        let secret = browser.page.find(Locator::Css("code.secret")).await.expect("the key");
        let secret = secret.text().await.expect("its text");
        let now = u64::try_from(bridge.now().as_second()).expect("after 1970");
        browser.fill("code", &code(&secret, now)).await;
        browser.press("Activar").await;
        browser.sees("Códigos de recuperación").await;
        let codes = shown(&browser).await;
        assert_eq!(codes.len(), hookbridge::admin::factor::RECOVERY_CODES, "{width}");
        assert_eq!(browser.overflow().await, 0, "{width}");
        let whole = "return [...document.querySelectorAll('ol.codes code')].every(code => {\
                     const box = code.getBoundingClientRect(); return box.left >= 0 && box.right <= innerWidth && \
                     box.height < 2 * parseFloat(getComputedStyle(code).lineHeight || 24) })";
        let whole = browser.page.execute(whole, Vec::new()).await.expect("an answer");
        assert_eq!(whole, serde_json::json!(true), "no code is cut or broken at {width}");
        if let Some(folder) = std::env::var_os("HB_SCREENSHOTS") {
            let picture = browser.page.screenshot().await.expect("a picture");
            let file = std::path::Path::new(&folder).join(format!("codes-{width}.png"));
            std::fs::write(file, picture).expect("a file of ours");
        }
        let paper = browser.page.print(PrintConfiguration::default()).await.expect("it can be printed");
        let pages = paper.windows(b"/Type /Page\n".len()).filter(|at| *at == b"/Type /Page\n").count();
        assert_eq!((&paper[..4], pages), (&b"%PDF"[..], 1), "{width}");
        browser.press("Copiar todos").await;
        browser.sees("Copiado").await;
        browser.press("Ya lo copié").await;
        browser.sees("Sesiones abiertas").await;
        assert_eq!(pasted(&browser).await, codes.join(" "), "{width}");
        // The page is in no history: going back asks the service, which does not know the codes any more.
        browser.page.back().await.expect("there is a page before");
        assert!(shown(&browser).await.is_empty(), "{width}: {}", browser.text().await);
        browser.go("/admin/me").await;
        let text = browser.text().await;
        assert!(codes.iter().all(|code| !text.contains(code.as_str())), "{width}: {text}");
        browser.close().await;
        bridge.finish().await;
    }
}
