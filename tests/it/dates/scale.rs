//! What a round costs: rows found by an index, whatever their number.

use mysql_async::Row;
use mysql_async::prelude::Queryable as _;

use super::{invoice, learn, look, with};
use crate::support::database::connect;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_round_reads_along_an_index_and_never_all_rows() {
    let bridge = with(&["INVOICE_REMINDER"], &[]).await;
    invoice(&bridge, 9001, 1, "2027-03-10").await;
    learn(&bridge).await;
    look(&bridge).await;
    let mut own = connect(&bridge.db.bridge_url()).await;
    own.query_drop("SET SESSION cte_max_recursion_depth = 100000").await.ok();
    own.query_drop("SET SESSION max_recursive_iterations = 100000").await.ok();
    own.query_drop("SET SESSION explain_format = 'TRADITIONAL'").await.ok();
    own.query_drop(
        "INSERT INTO anchor (name, id, owner, day, settled_at, next_at) WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL \
         SELECT i + 1 FROM n WHERE i < 20000) SELECT 'service.next_due', i, 1, DATE_ADD('2027-01-01', INTERVAL i % 400 DAY), \
         '2027-03-01', DATE_ADD('2027-06-01', INTERVAL i SECOND) FROM n",
    )
    .await
    .expect("rows");
    own.query_drop("ANALYZE TABLE anchor").await.expect("statistics");
    for (sql, key) in [
        (
            "SELECT name, id, owner, day, settled_at FROM anchor WHERE next_at <= '2027-03-02' ORDER BY next_at, name, id LIMIT 500",
            "anchor_next",
        ),
        (
            "SELECT name, id, owner, day, settled_at FROM anchor FORCE INDEX (PRIMARY) WHERE name = 'service.next_due' AND id > 500 ORDER BY id LIMIT 500",
            "PRIMARY",
        ),
        (
            "SELECT name, id, owner, day, settled_at FROM anchor WHERE name = 'service.next_due' AND day = '2027-03-02' AND id > 5 ORDER BY id LIMIT 50",
            "anchor_day",
        ),
        (
            "SELECT day, COUNT(*) AS n FROM anchor WHERE name = 'service.next_due' AND day BETWEEN '2027-03-02' AND '2027-03-16' GROUP BY day ORDER BY day",
            "anchor_day",
        ),
    ] {
        let plan: Vec<Row> = own.query(format!("EXPLAIN {sql}")).await.expect("a plan");
        let text = |row: &Row, column: &str| row.get_opt::<String, _>(column).and_then(Result::ok).unwrap_or_default();
        assert_eq!(text(&plan[0], "key"), key, "{sql}");
        assert!(["range", "ref"].contains(&text(&plan[0], "type").as_str()), "{sql}: {}", text(&plan[0], "type"));
    }
    own.disconnect().await.expect("it closes");
    let round = look(&bridge).await;
    assert_eq!((round.rows, round.goes_on), (0, false), "nothing has come, and nothing is read");
    bridge.finish().await;
}
