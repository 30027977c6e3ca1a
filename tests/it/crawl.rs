//! Every page that links lead to, for every role and in every language: it opens, is whole, and nothing shown runs.

use std::collections::{BTreeMap, BTreeSet};

use hookbridge::domain::admin::Role;
use hookbridge::i18n;

use crate::support::browser::Browser;
use crate::support::lively::{crawl, lively, reader, shape};
use crate::support::person::PASSWORD;
use crate::support::turn::turn;

/// Keys of words that a page shows instead of the words.
fn raw_keys(html: &str) -> Vec<String> {
    let sections: BTreeSet<&str> = i18n::keys().filter_map(|key| key.split('.').next()).collect();
    let shown: Vec<&str> = html.split('<').filter_map(|part| part.split_once('>')).map(|(_, text)| text).collect();
    shown
        .join(" ")
        .split(|c: char| c.is_whitespace() || "(),;:".contains(c))
        .filter(|word| {
            word.split_once('.').is_some_and(|(section, key)| {
                let named = key.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit());
                sections.contains(section) && key.len() > 1 && named
            })
        })
        .map(str::to_owned)
        .collect()
}

#[tokio::test]
async fn every_link_opens_for_every_role_and_in_every_language() {
    let _turn = turn().await;
    let bridge = lively().await;
    for (role, language) in [(Role::Viewer, "en"), (Role::Operator, "pt_BR"), (Role::Administrator, "es_AR")] {
        let person = reader(&bridge, role, language).await;
        let pages = crawl(&person, 3).await;
        assert!(pages.len() > 9, "{role}: only {} pages are linked", pages.len());
        for (path, html) in &pages {
            assert!(!html.contains("<script>alert"), "{path} runs what it shows");
            assert!(!html.contains(" style=\"") && !html.contains(" onclick="), "{path} has what the policy forbids");
            assert_eq!(html.matches("<h1").count(), 1, "{path}: one heading");
            // The audit log names deeds by their codes, and some areas have a word of that name.
            let raw = if path.starts_with("/admin/settings/log") { Vec::new() } else { raw_keys(html) };
            assert!(raw.is_empty(), "{path} shows keys in place of words: {raw:?}");
        }
    }
    bridge.app.stop().await;
    bridge.sandbox.stop().await;
}

/// What pages share that differ only in the hookpoint and the language that they are about.
fn layout(path: &str) -> String {
    let varies = |part: &str| part.contains('_') || ["es", "en"].contains(&part);
    shape(path).split('/').map(|part| if varies(part) { "*" } else { part }).collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn every_page_fits_a_phone_and_a_desk_and_is_open_to_everybody() {
    let _turn = turn().await;
    let bridge = lively().await;
    let person = reader(&bridge, Role::Administrator, "es_AR").await;
    let mut seen = BTreeMap::<String, usize>::new();
    let mut is_new = |path: &String| {
        let count = seen.entry(layout(path)).or_default();
        *count += 1;
        *count <= 2
    };
    let pages: Vec<String> =
        crawl(&person, 1).await.into_iter().map(|(path, _)| path).filter(|path| is_new(path)).collect();
    let file = std::fs::read_dir(".work").expect(".work is there: scripts/setup.sh test");
    let axe = file.flatten().map(|entry| entry.path()).find(|path| path.to_string_lossy().contains("axe-"));
    let axe = std::fs::read_to_string(axe.expect("axe is there: scripts/setup.sh test")).expect("axe can be read");
    let mut wrong = Vec::new();
    for width in [390, 1280] {
        let browser = Browser::open(&bridge.url(""), width).await;
        browser.go("/admin/login").await;
        let barriers = browser.barriers(&axe).await;
        assert!(barriers.is_empty(), "the log-in at {width} px: {barriers:?}");
        browser.fill("name", "administrator es_AR").await;
        browser.fill("password", PASSWORD).await;
        browser.press("Ingresar").await;
        for path in &pages {
            browser.go(path).await;
            let over = browser.overflow().await;
            if over > 0 {
                wrong.push(format!("{path} at {width} px is {over} px too wide"));
            }
            wrong.extend(
                browser.barriers(&axe).await.into_iter().map(|barrier| format!("{path} at {width} px: {barrier}")),
            );
        }
        browser.close().await;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    bridge.app.stop().await;
    bridge.sandbox.stop().await;
}
