#!/usr/bin/env bash
# MariaDB 11.8 compares a column with the CAST(... AS CHAR) of another column only if both have one collation: ERROR 1267,
# "Illegal mix of collations (...,IMPLICIT) and (...,CAST)". MariaDB 10.11 converts the cast to the column's collation. The same
# with CONVERT(... USING ...). The cast of a literal is taken, so a try with a constant shows nothing.
# Hurt: statements of many years that compare an ascii or latin1 column with a number or a date made text (the columns of ids of
#       billing platforms and forums are such), after an upgrade of Debian 12 to 13.
# Seen:  10.11: 1;  11.8: ERROR 1267 (HY000).  A literal's cast and a COLLATE of one's own are taken by both.
set -euo pipefail
cd "$(dirname "$0")/.."
dir=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
ask() { # SERVER STATEMENT
  "$dir/$1.bin/client" --no-defaults --batch --skip-column-names -S "$dir/$1.sock" -u root --default-character-set=utf8mb4 test -e "$2" 2>&1 || true
}
for name in mariadb-10.11 mariadb-11.8; do
  ln -s "$(scripts/servers.sh --tools "$name")" "$dir/$name.bin"
  bin=$dir/$name.bin
  "$bin/mariadb-install-db" --no-defaults --datadir="$dir/$name" --auth-root-authentication-method=normal --skip-name-resolve --force \
    --user="$(id -un)" >"$dir/log" 2>&1
  "$bin/mariadbd" --no-defaults --datadir="$dir/$name" --socket="$dir/$name.sock" --skip-networking --user="$(id -un)" >>"$dir/log" 2>&1 &
  pids+=($!)
  for _ in $(seq 100); do
    "$bin/client" --no-defaults -u root -S "$dir/$name.sock" -e 'CREATE DATABASE IF NOT EXISTS test' 2>/dev/null && break
    sleep 0.1
  done
  ask "$name" "CREATE TABLE t (code VARCHAR(20) CHARACTER SET ascii COLLATE ascii_bin, day DATE); INSERT INTO t VALUES ('2026-12-01', '2026-12-01')"
  for operand in "CAST(day AS CHAR)" "CONVERT(day USING utf8mb4)" "CAST(DATE('2026-12-01') AS CHAR)" \
    "CONVERT(CAST(day AS CHAR) USING ascii) COLLATE ascii_bin"; do
    said=$(ask "$name" "SELECT code = $operand FROM t" | grep -E '^(1|ERROR)')
    echo "$(ask "$name" 'SELECT VERSION()'): code = $operand: $said"
    printf '%s\n' "$said" >>"$dir/$name.said"
  done
done
[ "$(tr '\n' ' ' <"$dir/mariadb-10.11.said")" = "1 1 1 1 " ]
[ "$(grep -c 'ERROR 1267' "$dir/mariadb-11.8.said")" = 2 ] && [ "$(tail -n 2 "$dir/mariadb-11.8.said" | tr '\n' ' ')" = "1 1 " ]
