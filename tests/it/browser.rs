//! The administrators' page as people use it, in a real Chromium.

mod codes;
mod failures;
mod frame;
mod hookpoints;
mod texts;

use hookbridge::domain::admin::Role;

use crate::support::bridge::Bridge;
use crate::support::browser::Browser;
use crate::support::person::{PASSWORD, code, hire};
use crate::support::turn::turn;

/// Ana, who administrates, at a window of that width.
async fn ana(bridge: &Bridge, width: u32) -> Browser {
    let desk = bridge.app.desk.clone().expect("a key is set");
    hire(&desk, "Ana", Role::Administrator).await;
    let browser = Browser::open(&bridge.url(""), width).await;
    browser.log_in("Ana").await;
    browser
}

#[tokio::test]
async fn somebody_logs_in_turns_the_second_factor_on_and_logs_in_with_it() {
    let _turn = turn().await;
    let bridge = Bridge::start().await;
    let desk = bridge.app.desk.clone().expect("a key is set");
    hire(&desk, "Ana", Role::Administrator).await;
    let browser = Browser::open(&bridge.url(""), 1280).await;
    browser.go("/admin/me").await;
    browser.fill("name", "ana").await;
    browser.fill("password", PASSWORD).await;
    browser.press("Ingresar").await;
    browser.sees("Sesiones abiertas").await;
    browser.press("Activar el segundo factor").await;
    browser.sees("Escaneá esta imagen").await;
    let secret = browser.page.find(fantoccini::Locator::Css("code.secret")).await.expect("the key");
    let secret = secret.text().await.expect("its text");
    let now = || u64::try_from(bridge.now().as_second()).expect("after 1970");
    browser.fill("code", &code(&secret, now())).await;
    browser.press("Activar").await;
    // For the day on which the phone is lost: shown once.
    browser.sees("Códigos de recuperación").await;
    browser.close().await;
    bridge.wait_s(30);
    let phone = Browser::open(&bridge.url(""), 390).await;
    phone.go("/admin/me").await;
    phone.fill("name", "Ana").await;
    phone.fill("password", PASSWORD).await;
    phone.press("Ingresar").await;
    phone.sees("Segundo factor").await;
    phone.fill("code", &code(&secret, now())).await;
    phone.press("Ingresar").await;
    phone.sees("Cambiar la contraseña").await;
    assert_eq!((phone.at().await.as_str(), phone.overflow().await), ("/admin/me", 0));
    phone.close().await;
    bridge.finish().await;
}
