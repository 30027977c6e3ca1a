//! The platform's releases: what pages of 8.13 and of 9.0 ask, and what the platform gets back, with real PHP in between.

use hookbridge::demo::schema::Release;
use serde::Deserialize;
use serde_json::Value;

use crate::support::bridge::Bridge;
use crate::support::database::TestDb;

/// One row of `tests/vectors/pages.json`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    release: String,
    /// What is in the database by then.
    #[serde(default)]
    sql: Vec<String>,
    /// The page, for tests/php/fire.php.
    line: Value,
    /// What the hook returns; `null` for nothing.
    returned: Value,
}

/// What differs, member by member: a text is right if it holds the wanted one.
fn differs(wanted: &Value, returned: &Value) -> bool {
    match (wanted, returned) {
        (Value::String(part), Value::String(text)) => !text.contains(part.as_str()),
        (Value::Array(wanted), Value::Array(returned)) => {
            wanted.len() != returned.len() || wanted.iter().zip(returned).any(|(one, other)| differs(one, other))
        }
        (Value::Object(wanted), Value::Object(returned)) => {
            wanted.len() != returned.len()
                || wanted.iter().any(|(name, one)| returned.get(name).is_none_or(|other| differs(one, other)))
        }
        (Value::Number(wanted), Value::Number(returned)) => wanted.as_f64() != returned.as_f64(),
        (wanted, returned) => wanted != returned,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_get_in_each_release_what_the_vectors_say() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../../vectors/pages.json")).expect("the vectors");
    let mut wrong = Vec::new();
    for release in ["8.13", "9.0"] {
        let settings = [("RULES__IDENTITY__BAD_PHONE", "refuse")];
        let db = TestDb::of(Release::parse(release).expect("a release")).await;
        let bridge = Bridge::on(db, &settings, |_| {}).await;
        for case in cases.iter().filter(|case| case.release == release) {
            for sql in &case.sql {
                bridge.platform(sql).await;
            }
            let answers = bridge.asked(std::slice::from_ref(&case.line)).await;
            let returned = answers[0].get(0).cloned().unwrap_or(Value::Null);
            if differs(&case.returned, &returned) {
                wrong.push(format!("{} ({release}): {returned}", case.name));
            }
        }
        bridge.finish().await;
    }
    assert!(wrong.is_empty(), "{} of {} differ:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}
