#!/usr/bin/env bash
# MySQL 9.7 (Debian sid): the functions SHA1() (SHA()) and MD5() are gone; SHA2() is there. MariaDB has all of them.
# Hurt: statements, generated columns, locks' names and tests that hash with them, for decades the usual way.
# Seen:  SELECT SHA1('a') and SELECT MD5('a'): ERROR 1305 (42000): FUNCTION ... does not exist
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(scripts/servers.sh --tools mysql-9.7)
dir=$(mktemp -d)
trap 'kill "${pid:-0}" 2>/dev/null || true; wait 2>/dev/null || true; rm -rf "$dir"' EXIT
"$bin/mariadb-install-db" --datadir="$dir/data"
"$bin/mariadbd" --no-defaults --datadir="$dir/data" --socket="$dir/sock" --skip-networking --user="$(id -un)" >"$dir/log" 2>&1 &
pid=$!
as_root() { "$bin/client" --no-defaults --batch --skip-column-names -S "$dir/sock" -u root mysql -e "$1" 2>&1; }
for _ in $(seq 100); do as_root 'SELECT 1' >/dev/null && break; sleep 0.1; done
gone=0
for call in "SHA1('a')" "MD5('a')"; do
  said=$(as_root "SELECT $call" || true)
  echo "$(as_root 'SELECT VERSION()'): SELECT $call: $said"
  grep -q '^ERROR 1305' <<<"$said" && gone=$((gone + 1))
done
there=$(as_root "SELECT LEFT(SHA2('a', 256), 8)")
[ "$gone" = 2 ] && [ "$there" = ca978112 ]
