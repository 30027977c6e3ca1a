#!/usr/bin/env bash
# MySQL 9.7: SHOW ENGINE INNODB STATUS does not list a transaction that waits for a row lock and has only read with locks so far
# (SELECT ... FOR SHARE): it is in no line of the report's transactions. information_schema.innodb_trx has it as LOCK WAIT.
# MariaDB's report lists it.
# Hurt: whoever looks for what is stuck in that report, by eye or by a collector that counts "LOCK WAIT" in it.
# Seen:  MySQL 9.7.4: report 0, innodb_trx 1;  MariaDB 10.11: report 1, innodb_trx 1.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
for name in mariadb-10.11 mysql-9.7; do
  bin=$(scripts/servers.sh --tools "$name")
  client=("$bin/client" --no-defaults --batch --skip-column-names -S "$dir/$name.sock" -u root)
  "$bin/mariadb-install-db" --no-defaults --datadir="$dir/$name" --auth-root-authentication-method=normal --skip-name-resolve --force \
    --user="$(id -un)" >"$dir/log" 2>&1
  "$bin/mariadbd" --no-defaults --datadir="$dir/$name" --socket="$dir/$name.sock" --skip-networking --user="$(id -un)" >>"$dir/log" 2>&1 &
  pids+=($!)
  for _ in $(seq 100); do "${client[@]}" -e 'CREATE DATABASE IF NOT EXISTS test' 2>/dev/null && break; sleep 0.1; done
  "${client[@]}" test -e 'CREATE TABLE t (id INT PRIMARY KEY, v INT) ENGINE=InnoDB; INSERT INTO t VALUES (1, 1)'
  "${client[@]}" test -e 'START TRANSACTION; UPDATE t SET v = 2; DO SLEEP(8); ROLLBACK' &
  for _ in $(seq 50); do [ "$("${client[@]}" -e 'SELECT COUNT(*) FROM information_schema.innodb_trx')" = 1 ] && break; sleep 0.2; done
  "${client[@]}" test -e 'START TRANSACTION; SELECT v FROM t LOCK IN SHARE MODE; ROLLBACK' >/dev/null &
  # The table of transactions is read anew only if nobody looked within the last 100 ms.
  for _ in $(seq 10); do
    sleep 0.3
    table=$("${client[@]}" -e "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_state = 'LOCK WAIT'")
    [ "$table" = 1 ] && break
  done
  report=$("${client[@]}" --raw -e 'SHOW ENGINE INNODB STATUS' | grep -c '^LOCK WAIT' || true)
  echo "$("${client[@]}" -e 'SELECT VERSION()'): waiting by the report: $report, by innodb_trx: $table"
  echo "$report $table" >"$dir/$name.seen"
done
[ "$(cat "$dir/mariadb-10.11.seen")" = "1 1" ] && [ "$(cat "$dir/mysql-9.7.seen")" = "0 1" ]
