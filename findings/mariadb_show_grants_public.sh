#!/usr/bin/env bash
# MariaDB 11.8 (Debian trixie): `SHOW GRANTS FOR CURRENT_USER()` leaves out what was granted to PUBLIC, a bare `SHOW GRANTS` shows it,
# although both name the same account. The account may do what PUBLIC may.
# Hurt: whoever audits an account by `FOR CURRENT_USER()` (or `FOR 'name'@'host'`) and believes that it only reads.
# Seen:  FOR CURRENT_USER(): 0 rows with PUBLIC   bare: 1 row with PUBLIC   INSERT by the "reader": done
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(scripts/servers.sh --tools mariadb-11.8)
dir=$(mktemp -d)
trap 'kill "${pid:-0}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
"$bin/mariadb-install-db" --no-defaults --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db \
  --skip-name-resolve --force --user="$(id -un)" >"$dir/log" 2>&1
"$bin/mariadbd" --no-defaults --datadir="$dir/data" --socket="$dir/sock" --skip-networking --user="$(id -un)" >>"$dir/log" 2>&1 &
pid=$!
as() { "$bin/client" --no-defaults --batch --skip-column-names -S "$dir/sock" -u "$@"; }
for _ in $(seq 100); do as root -e 'SELECT 1' >/dev/null 2>&1 && break; sleep 0.1; done
as root -e "CREATE DATABASE app; CREATE TABLE app.t (n INT); CREATE USER reader@localhost; GRANT SELECT ON app.* TO reader@localhost;
  GRANT INSERT ON app.* TO PUBLIC"
named=$(as reader -e 'SHOW GRANTS FOR CURRENT_USER()' | grep -c PUBLIC || true)
bare=$(as reader -e 'SHOW GRANTS' | grep -c PUBLIC || true)
as reader -e 'INSERT INTO app.t VALUES (1)'
rows=$(as root -e 'SELECT COUNT(*) FROM app.t')
echo "$(as root -e 'SELECT VERSION()'): FOR CURRENT_USER(): $named rows with PUBLIC, bare: $bare, rows that the reader inserted: $rows"
[ "$named" = 0 ] && [ "$bare" = 1 ] && [ "$rows" = 1 ]
