//! Owns: a bridge with life in it, for looking at its pages: every hookpoint fired, answers given, one message that failed, one
//! held, names that try to break pages.

use hookbridge::demo::script::acts;
use hookbridge::domain::admin::Role;

use super::bridge::Bridge;
use super::person::Person;

/// A bridge after an eventful day.
pub async fn lively() -> Bridge {
    let bridge = Bridge::with(&[("SENDERS__MAIN__PAIR_INTERVAL_S", "0")], |_| {}).await;
    for act in acts() {
        bridge.fire(&act.lines).await;
        // What no hook tells of stays as it is.
        if let Some(sql) = act.sql.as_ref().filter(|_| !act.lines.is_empty()) {
            bridge.platform(sql).await;
        }
        bridge.settle().await;
    }
    bridge.platform("UPDATE tblclients SET firstname = '<script>alert(1)</script>\"\\'>{{ 7*7 }}' WHERE id = 1").await;
    bridge
}

/// Addresses that a page links to, without what follows `#`; those that leave, download or log out apart.
pub fn links(html: &str) -> Vec<String> {
    let mut found: Vec<String> = html
        .split(" href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|href| href.replace("&amp;", "&"))
        .map(|href| href.split('#').next().unwrap_or_default().to_owned())
        .filter(|href| href.starts_with("/admin") && !href.starts_with("/admin/assets/") && is_built(href))
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Whether the area of `path` has any page yet: links into one that has none are not followed.
fn is_built(path: &str) -> bool {
    let area = |path: &str| path.split(['/', '?']).find(|part| !part.is_empty()).unwrap_or_default().to_owned();
    let wanted = area(path.trim_start_matches("/admin"));
    hookbridge::http::admin::pages().iter().any(|page| area(page.pattern) == wanted)
}

/// The shape of an address: ids and values replaced, so that a thousand rows are one page.
pub fn shape(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let varies = |part: &str| part.chars().any(|c| c.is_ascii_digit() || c == '%' || c == ':');
    let path: Vec<&str> = path.split('/').map(|part| if varies(part) { "*" } else { part }).collect();
    let mut names: Vec<&str> = query.split('&').filter_map(|pair| pair.split('=').next()).collect();
    names.sort_unstable();
    format!("{}?{}", path.join("/"), names.join("&"))
}

/// Every page that `person` can reach by links, each shape at most `each` times: address and HTML.
pub async fn crawl(person: &Person, each: usize) -> Vec<(String, String)> {
    let mut waiting = vec!["/admin".to_owned()];
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    let mut pages = Vec::new();
    while let Some(path) = waiting.pop() {
        let count = seen.entry(shape(&path)).or_default();
        if *count >= each || pages.iter().any(|(one, _)| *one == path) {
            continue;
        }
        *count += 1;
        let page = person.get(&path).await;
        assert_eq!(page.status, 200, "{path} answers {}: {}", page.status, page.text);
        let kind = page.headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("text/html") {
            waiting.extend(links(&page.text));
            pages.push((path, page.text));
        }
    }
    pages
}

/// Somebody of that role, logged in, reading in that language.
pub async fn reader(bridge: &Bridge, role: Role, language: &str) -> Person {
    let desk = bridge.app.desk.clone().expect("a key is set");
    let person = Person::named(&desk, &bridge.url(""), &format!("{role} {language}"), role).await;
    person.submit("/admin/me", "/admin/me/language", &[("language", language)]).await;
    person
}
