#!/usr/bin/env bash
# Fetches other database servers out of Debian's suites into .work/servers, without touching the machine's own packages, and
# tries this project on each. Prints one table. Some minutes per server; outside of CI.
#   scripts/servers.sh [--whole] [NAME...]     --whole: the whole suite, not only what touches the database
#   scripts/servers.sh --only AREA[,AREA...] [NAME...]     only the tests whose names hold one of these
#   scripts/servers.sh --fetch [NAME...]       only fetches
#   scripts/servers.sh --tools NAME            prints the folder whose programs start that server
# NAMEs: mariadb-10.5 (must be refused) mariadb-10.11 mariadb-11.8 mysql-9.7
set -euo pipefail
cd "$(dirname "$0")/.."
base=$PWD/.work/servers
ALL=(mariadb-10.5 mariadb-10.11 mariadb-11.8 mysql-9.7)
# What of the suite touches the database: most of it. Left out: pages, texts, phones, the stub's own tests.
AREAS=(hostile migrations ingest delivery holds order plans searching finding atomic retention instances fleet receipts outcomes
  owners sweep dates:: decisions undecided road overload demo_data overview settings rules::facts commands desk_commands)

say() { printf '\033[36m[servers]\033[0m %s\n' "$*" >&2; }
die() { printf '[servers] %s\n' "$*" >&2; exit 1; }

suite_of() {
  case $1 in
    mariadb-10.5) echo bullseye ;; mariadb-10.11) echo bookworm ;; mariadb-11.8) echo trixie ;; mysql-9.7) echo sid ;;
    *) die "unknown server $1: one of ${ALL[*]}" ;;
  esac
}

packages_of() {
  case $1 in
    mariadb-10.5) echo mariadb-server-core-10.5 mariadb-client-core-10.5 ;;
    mysql-*) echo mysql-server-core mysql-client-core ;;
    *) echo mariadb-server-core mariadb-client-core ;;
  esac
}

# The machine's own Debian mirror; bullseye may have moved to the archive.
mirror() {
  local uri
  uri=$(grep -hs '^URIs:' /etc/apt/sources.list.d/*.sources | awk '{print $2}' | grep -v security | head -n1)
  [ -n "$uri" ] || uri=$(grep -hs '^deb ' /etc/apt/sources.list | grep -o 'http[^ ]*' | grep -v security | head -n1)
  [ -n "$uri" ] || { echo "[servers] apt's lists name no mirror of Debian" >&2; exit 1; }
  echo "$uri"
}

# Unpacks a suite's packages below .work/servers/NAME/root. The machine's dpkg and its lists are not touched.
fetch() {
  local name=$1 suite dir options archives
  suite=$(suite_of "$name")
  dir=$base/$name
  [ -e "$dir/fetched" ] && return
  command -v apt-get >/dev/null && command -v dpkg >/dev/null || die "apt-get and dpkg are needed to fetch servers"
  say "$name: fetching from $suite"
  rm -rf "$dir"
  mkdir -p "$dir"/apt/lists/partial "$dir"/apt/cache/archives/partial "$dir"/root
  : >"$dir/apt/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(mirror) $suite main" >"$dir/apt/sources.list"
  options=(-qq -o Dir::Etc::sourcelist="$dir/apt/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o Dir::State::lists="$dir/apt/lists" -o Dir::Cache="$dir/apt/cache" -o Dir::State::status="$dir/apt/status"
    -o Dir::State="$dir/apt" -o APT::Sandbox::User="$(id -un)" -o Acquire::Check-Valid-Until=false)
  apt-get "${options[@]}" update
  # shellcheck disable=SC2046
  apt-get "${options[@]}" -y --no-install-recommends --download-only install $(packages_of "$name") >/dev/null
  if [ "$name" = mariadb-11.8 ]; then
    # The plugins of the newer accounts (ed25519, parsec) are in the service's package: only unpacked.
    (cd "$dir/apt/cache/archives" && apt-get "${options[@]}" download mariadb-server >/dev/null)
  fi
  archives=("$dir"/apt/cache/archives/*.deb)
  local deb
  for deb in "${archives[@]}"; do dpkg -x "$deb" "$dir/root"; done
  rm -rf "$dir/apt"
  touch "$dir/fetched"
}

# The first of the places that exists.
first() {
  local place
  for place in "$@"; do [ -e "$place" ] && { echo "$place"; return; }; done
  return 1
}

# A folder whose `mariadbd` and `mariadb-install-db` are this server's, run by its own loader and libraries. What the demo and
# the tests start is the first one in PATH.
tools() {
  local name=$1 root=$base/$1/root bin=$base/$1/bin run share libraries
  fetch "$name"
  [ -e "$bin/ready" ] && return
  rm -rf "$bin"
  mkdir -p "$bin" "$base/$name/home/bin" "$base/$name/home/sbin"
  libraries=$(first "$root"/usr/lib/*-linux-gnu*)
  run=$(first "$root"/usr/lib/*-linux-gnu*/ld-linux*.so* "$root"/lib/*-linux-gnu*/ld-linux*.so* "$root"/lib/*-linux-gnu*/ld-2*.so)
  run="$run --library-path $libraries:$root/lib/$(basename "$libraries"):$root/usr/lib/mysql/private"
  share=$(first "$root"/usr/share/mariadb/errmsg-utf8.txt "$root"/usr/share/mysql/errmsg-utf8.txt \
    "$root"/usr/share/mariadb/english "$root"/usr/share/mysql/english)
  share=$(dirname "$share")
  local common="--lc-messages-dir=$share --character-sets-dir=$share/charsets --plugin-dir=$(first "$root"/usr/lib/mysql/plugin "$root"/usr/lib/*/plugin)"
  # What comes last wins, and --no-defaults must come first.
  wrapper() { printf '#!/bin/sh\nexec %s %s "$@" %s\n' "$run" "$2" "${3:-}" >"$1"; chmod +x "$1"; }
  wrapper "$bin/client" "$(first "$root"/usr/bin/mariadb "$root"/usr/bin/mysql)"
  wrapper "$bin/my_print_defaults" "$root/usr/bin/my_print_defaults"
  case $name in
    mysql-*)
      common="$common --basedir=$root/usr --secure-file-priv= --loose-mysqlx=OFF --disable-log-bin --innodb-redo-log-capacity=16M"
      say "$name: making an empty data directory"
      # shellcheck disable=SC2086
      $run "$root/usr/sbin/mysqld" --no-defaults $common --user="$(id -un)" --datadir="$base/$name/data" --initialize-insecure
      cat >"$bin/mariadbd" <<WRAPPER
#!/bin/bash
# Options of MariaDB's alone are left out.
arguments=()
for one in "\$@"; do case \$one in --sync-frm=*) ;; *) arguments+=("\$one") ;; esac; done
exec $run $root/usr/sbin/mysqld "\${arguments[@]}" $common
WRAPPER
      cat >"$bin/mariadb-install-db" <<WRAPPER
#!/bin/bash
for one in "\$@"; do case \$one in --datadir=*) cp -a "$base/$name/data" "\${one#--datadir=}" ;; esac; done
WRAPPER
      chmod +x "$bin/mariadbd" "$bin/mariadb-install-db"
      ;;
    *)
      local home=$base/$name/home
      wrapper "$bin/mariadbd" "$root/usr/sbin/mariadbd" "$common --basedir=$root/usr"
      ln -sf "$bin/mariadbd" "$home/sbin/mariadbd"
      ln -sf "$bin/mariadbd" "$home/sbin/mysqld"
      ln -sf "$bin/my_print_defaults" "$home/bin/my_print_defaults"
      wrapper "$home/bin/resolveip" "$root/usr/bin/resolveip"
      ln -sfn "$root/usr/share" "$home/share"
      ln -sfn "$root/usr/lib" "$home/lib"
      printf '#!/bin/sh\nexec "%s" "$@" --basedir="%s"\n' "$(first "$root"/usr/bin/mariadb-install-db)" "$home" >"$bin/mariadb-install-db"
      chmod +x "$bin/mariadb-install-db"
      ;;
  esac
  touch "$bin/ready"
}

# Runs our own command on an empty schema of a fresh server: `migrate`, `doctor` and `serve` are refused, with the reason.
refused() {
  local name=$1 bin=$base/$1/bin dir pid rc=0 command said
  dir=$(mktemp -d "${TMPDIR:-/tmp}/hb-servers-XXXXXX")
  "$bin/mariadb-install-db" --no-defaults --datadir="$dir/data" --auth-root-authentication-method=normal --skip-test-db \
    --skip-name-resolve --force --user="$(id -un)" >"$dir/log" 2>&1
  "$bin/mariadbd" --no-defaults --datadir="$dir/data" --socket="$dir/sock" --skip-networking --user="$(id -un)" >>"$dir/log" 2>&1 &
  pid=$!
  for _ in $(seq 100); do "$bin/client" --no-defaults -uroot -S "$dir/sock" -e 'CREATE DATABASE own' 2>/dev/null && break; sleep 0.1; done
  local url="mysql://root@localhost/own?socket=$dir/sock"
  export HOOKBRIDGE__DATABASE__URL=$url HOOKBRIDGE__BILLING__URL=$url HOOKBRIDGE__SERVER__LISTEN=127.0.0.1:0
  export HOOKBRIDGE__SENDERS__MAIN__PHONE_NUMBER_ID=1 HOOKBRIDGE__SENDERS__MAIN__TOKEN=x HOOKBRIDGE__SENDERS__MAIN__APP_SECRET=x
  export HOOKBRIDGE__SENDERS__MAIN__VERIFY_TOKEN=x
  HOOKBRIDGE__SOURCES__BILLING__SECRETS=$(target/debug/hookbridge config --new-secret)
  export HOOKBRIDGE__SOURCES__BILLING__SECRETS
  for command in migrate "serve --migrate" doctor; do
    # shellcheck disable=SC2086
    if said=$(timeout 30 target/debug/hookbridge $command 2>&1) || ! grep -q 'needs MariaDB 10.6' <<<"$said"; then
      say "$name: \`$command\` was not refused with the reason: $said"
      rc=1
    fi
  done
  kill "$pid"
  wait "$pid" 2>/dev/null || true
  rm -rf "$dir"
  return $rc
}

count() { grep -E '^test result: ' "$1" | tail -n1 | sed -E 's/.* ([0-9]+) passed; ([0-9]+) failed.*/\1 \2/'; }

whole= only= fetch_only= names=()
while [ $# -gt 0 ]; do
  case $1 in
    --whole) whole=1 ;;
    --only) only=$2; IFS=, read -r -a AREAS <<<"$2"; shift ;;
    --fetch) fetch_only=1 ;;
    --tools) tools "$2"; echo "$base/$2/bin"; exit ;;
    -*) die "unknown option $1" ;;
    *) names+=("$1") ;;
  esac
  shift
done
[ ${#names[@]} -gt 0 ] || names=("${ALL[@]}")
for name in "${names[@]}"; do tools "$name"; done
[ -z "$fetch_only" ] || exit 0
say "building"
# With the command, as the tests use it: built for itself it would be built twice.
suite=$(cargo test --locked --no-run --test it --message-format=json 2>/dev/null | grep -o '"executable":"[^"]*/deps/it-[^"]*"' | cut -d'"' -f4)
[ -x "$suite" ] || die "the tests do not build"
rows=() bad=0
filters=("${AREAS[@]}")
[ -z "$whole" ] || filters=()
for name in "${names[@]}"; do
  version=$("$base/$name/bin/mariadbd" --no-defaults --version 2>/dev/null | sed -E 's/.*Ver ([^ ]+).*/\1/')
  if [ "$name" = mariadb-10.5 ]; then
    say "$name ($version): must be refused"
    if refused "$name"; then row="refused, as it must be"; else row="NOT refused"; bad=1; fi
    out=$(PATH=$base/$name/bin:$PATH target/debug/hookbridge demo --once 2>&1) && row="$row; the demo ran" bad=1
    grep -q 'needs MariaDB 10.6' <<<"$out" || { row="$row; the demo does not say why"; bad=1; }
    rows+=("| $name | $version | $row | refused | - |")
    continue
  fi
  say "$name ($version): the demo"
  if PATH=$base/$name/bin:$PATH target/debug/hookbridge demo --once >"$base/$name/demo.log" 2>&1; then demo="all delivered"; else demo="FAILED"; bad=1; fi
  say "$name ($version): the tests (log: $base/$name/tests.log)"
  # A cluster is this machine's own MariaDB in any case.
  PATH=$base/$name/bin:$PATH "$suite" "${filters[@]}" --skip galera:: --test-threads 3 >"$base/$name/tests.log" 2>&1 || true
  passed=0 failed=?
  read -r passed failed < <(count "$base/$name/tests.log") || true
  row="$passed passed, $failed failed"
  mapfile -t failures < <(grep -E '^test .* FAILED$' "$base/$name/tests.log" | awk '{print $2}')
  if [ ${#failures[@]} -gt 0 ]; then
    # What a busy machine did to deadlines is not this server's doing.
    say "$name ($version): those that failed, alone (log: $base/$name/alone.log)"
    PATH=$base/$name/bin:$PATH "$suite" "${failures[@]}" --exact --test-threads 1 >"$base/$name/alone.log" 2>&1 || true
    row="$row; of these alone: $(grep -E '^test .* FAILED$' "$base/$name/alone.log" | awk '{print $2}' | tr '\n' ' ')"
    grep -q '^test result: ok' "$base/$name/alone.log" && row="$passed passed, $failed failed beside others and passed alone" || bad=1
  elif [ "$failed" != 0 ]; then
    bad=1
  fi
  rows+=("| $name | $version | taken | $demo | $row |")
done
printf '\n| server | version | `migrate`, `serve`, `doctor` | demo | tests%s |\n|---|---|---|---|---|\n' "${whole:+ (whole suite)}${only:+ (only $only)}"
printf '%s\n' "${rows[@]}"
exit $bad
