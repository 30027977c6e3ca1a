//! Which client somebody means: a search by name or phone looks at each row of the platform. What it did not reach it says, and
//! it goes on from there; never is somebody "nobody" because others are newer.

use std::time::Duration;

use hookbridge::demo::data::CAST;
use hookbridge::domain::admin::{Role, Who};
use mysql_async::prelude::Queryable as _;
use serde_json::Value;

use crate::support::bridge::{Bridge, answer};
use crate::support::database::{columns, sequence};
use crate::support::lively::reader;
use crate::support::person::token;

/// Whom somebody looks for: one of the oldest clients.
const NAME: &str = "Wenceslada";

/// Makes `n` clients with numbers from `from` on, each like the first one but for the name, which `name` gives by `seq`.
async fn many(bridge: &Bridge, from: u32, n: u32, name: &str) {
    let mut platform = bridge.db.platform().await;
    let others = columns(&mut platform, "tblclients").await;
    let own = ["`id`", "`firstname`", "`lastname`", "`companyname`", "`phonenumber`"];
    let columns: Vec<&str> = others.split(", ").filter(|column| !own.contains(column)).collect();
    let columns = columns.join(", ");
    let sql = format!(
        "INSERT INTO tblclients (id, firstname, lastname, companyname, phonenumber, {columns}) \
         SELECT {from} + seq, {name}, '', '', '', {columns} FROM tblclients, {} WHERE id = {}",
        sequence(n),
        CAST.client_english,
    );
    platform.query_drop(sql).await.expect("clients are made");
    let sql = format!(
        "UPDATE tblclients SET firstname = '{NAME}', companyname = 'Tejidos del Sur', phonenumber = '+54.1155771234' WHERE id = {}",
        CAST.client_spanish
    );
    platform.query_drop(sql).await.expect("somebody has that name");
    platform.disconnect().await.expect("an idle connection closes");
}

/// What the API finds, and where it can go on.
async fn search(bridge: &Bridge, key: &str, words: &str, before: Option<&str>) -> (Vec<u64>, Option<String>) {
    let mut query = vec![("search", words)];
    query.extend(before.map(|before| ("before", before)));
    let request = bridge.http.get(bridge.url("/api/v1/clients")).query(&query).bearer_auth(key);
    let seen = answer(request).await;
    assert_eq!(seen.status, 200, "{:?}", seen.body);
    let ids =
        |all: &Value| all.as_array().expect("a list").iter().filter_map(|one| one["client_id"].as_u64()).collect();
    (ids(&seen.body["items"]), seen.body["next"].as_str().map(str::to_owned))
}

async fn key(bridge: &Bridge) -> String {
    let desk = bridge.app.desk.clone().expect("a key is set");
    let who = Who::at_the_command_line("test");
    let token = token(&desk, &who, "a program", Role::Viewer).await;
    secrecy::ExposeSecret::expose_secret(&token).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_client_with_a_high_number_hides_nobody() {
    let bridge = Bridge::start().await;
    many(&bridge, 999_999, 1, "'Nueva'").await;
    let (key, ana) = (key(&bridge).await, reader(&bridge, Role::Viewer, "es_AR").await);
    let client = u64::from(CAST.client_spanish);
    for words in [NAME, "tejidos sur", "11 5577-1234", "+54 9 11 5577 1234"] {
        assert_eq!(search(&bridge, &key, words, None).await, (vec![client], None), "{words}");
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("who", words).finish();
        ana.get(&format!("/admin/why?{query}")).await.shows(NAME);
        let (ok, out, err) = bridge.run(&["why", words]).await;
        assert!(ok && out.contains(NAME), "{words}: {out}{err}");
    }
    let (ok, _, err) = bridge.run(&["why", "Nadiesellamaasi"]).await;
    assert!(!ok && err.contains("nobody is found by `Nadiesellamaasi`") && !err.contains("among"), "{err}");
    bridge.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_that_looked_at_a_part_says_so_and_goes_on() {
    let bridge = Bridge::start().await;
    // 25 of them are called alike, far apart.
    many(&bridge, 10_000, 20_500, "IF(seq % 820 = 0, 'Multitud', 'Otra')").await;
    // Without any time it looks at one page, says where it stopped, and gets to the end from there.
    let (mut rest, mut steps, mut found) = (None, 0, Vec::new());
    loop {
        let some = bridge.app.billing.find_clients(NAME, rest, 20, Duration::ZERO).await.expect("it can be searched");
        found.extend(some.clients.iter().map(|one| one.id.0));
        steps += 1;
        assert!(some.rest.is_none_or(|at| at < rest.unwrap_or(u64::MAX)), "each step gets further");
        rest = some.rest;
        if rest.is_none() {
            break;
        }
        assert!(found.is_empty(), "she is one of the oldest");
    }
    assert_eq!((steps, found), (3, vec![u64::from(CAST.client_spanish)]));
    // More than fit on a page: the API, the page and the command say that there are more, and where.
    let (key, ana) = (key(&bridge).await, reader(&bridge, Role::Viewer, "es_AR").await);
    let (first, next) = search(&bridge, &key, "Multitud", None).await;
    let next = next.expect("there are more");
    let (second, end) = search(&bridge, &key, "Multitud", Some(&next)).await;
    assert_eq!((first.len(), second.len(), end), (20, 5, None));
    let all: Vec<u64> = first.iter().chain(&second).copied().collect();
    assert!(all.is_sorted_by(|a, b| a > b), "none twice, the newest first: {all:?}");
    let page = ana.get("/admin/why?who=Multitud").await;
    page.shows(&format!("before={next}"));
    let page = ana.get(&format!("/admin/why?who=Multitud&before={next}")).await;
    assert_eq!(page.text.matches("/admin/why?client=").count(), 5, "{}", page.text);
    assert!(!page.text.contains("before="), "these were the last");
    let (ok, out, err) = bridge.run(&["why", "Multitud"]).await;
    assert!(ok && out.matches("Multitud").count() == 20, "{out}");
    assert!(err.contains(&format!("Clients below number {next} were not looked at")), "{err}");
    let told = bridge.run_json(&["why", "Multitud"]).await;
    assert_eq!((told["which"].as_array().map(Vec::len), told["next"].as_str()), (Some(20), Some(next.as_str())));
    bridge.finish().await;
}
