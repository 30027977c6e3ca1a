#!/usr/bin/env bash
# Installs what this project needs and the machine lacks. Says what it does; touches nothing else.
#   scripts/setup.sh demo|test|lint|bench|deb
set -euo pipefail
purpose=${1:-demo}

say() { printf '\033[36m[setup]\033[0m %s\n' "$*"; }
die() { printf '[setup] %s\n' "$*" >&2; exit 1; }

command -v cargo >/dev/null || die "cargo is missing: install the Rust toolchain (https://rustup.rs), 1.95 or newer"

packages=()
need() { command -v "$1" >/dev/null || packages+=("$2"); }
# gcc only recommends the C library's files, without which nothing links.
command -v cc >/dev/null || packages+=(gcc libc6-dev)
need mariadbd mariadb-server-core
need mariadb-install-db mariadb-server-core
need mariadb mariadb-client-core
need php php-cli
[ -e /etc/ssl/certs/ca-certificates.crt ] || packages+=(ca-certificates)
# /usr/sbin is not in every user's PATH, and there the server lies.
[ -x /usr/sbin/mariadbd ] && packages=("${packages[@]/mariadb-server-core/}")
php -r 'exit(extension_loaded("curl") ? 0 : 1);' 2>/dev/null || packages+=(php-curl)
axe=4.14.1
if [ "$purpose" = test ]; then
  need npm npm # the oldest and the newest PHP as WebAssembly, and axe-core
  need python3 python3
  need curl curl
  need pgrep procps
  python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3-venv)
  # A library without a service; the server has the rest of Galera built in.
  [ -e /usr/lib/galera/libgalera_smm.so ] || packages+=(galera-4)
  # The pages are tried in a real browser.
  need chromium chromium
  need chromedriver chromium-driver
fi

if [ "$purpose" = deb ]; then
  need dpkg-deb dpkg
  need zip zip
  need gzip gzip
fi

# Only the programs: no service is set up or started by these packages.
install() {
  local list root=()
  list=$(printf '%s\n' "$@" | sort -u | tr '\n' ' ')
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || die "these packages are missing, and there is neither root nor sudo to install them: $list"
    root=(sudo)
  fi
  command -v apt-get >/dev/null || die "these packages are missing, and there is no apt-get to install them: $list"
  say "installing: $list"
  "${root[@]}" apt-get update -qq
  # shellcheck disable=SC2086
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $list >/dev/null
}

wanted=()
for package in "${packages[@]}"; do [ -n "$package" ] && wanted+=("$package"); done
if [ ${#wanted[@]} -gt 0 ]; then install "${wanted[@]}"; else say "all packages are there"; fi

# The package of Galera's arbitrator would set up a service of the machine, so it is only unpacked, in here.
if [ "$purpose" = test ] && [ ! -x .work/garbd/usr/bin/garbd ] && ! command -v garbd >/dev/null; then
  say "unpacking Galera's arbitrator into .work/garbd (nothing is started by it)"
  rm -rf .work/garbd .work/deb
  mkdir -p .work/deb
  (cd .work/deb && apt-get download -qq galera-arbitrator-4 2>/dev/null) || die "galera-arbitrator-4 cannot be had: apt-get update?"
  dpkg -x .work/deb/*.deb .work/garbd
  if ! .work/garbd/usr/bin/garbd --version >/dev/null 2>&1; then
    mapfile -t libraries < <(dpkg -f .work/deb/*.deb Depends | tr ',' '\n' | sed 's/[|(].*//; s/ //g')
    install "${libraries[@]}"
  fi
  rm -rf .work/deb
fi

# promtool checks the alert rules. Its package would set up a server of the machine, so only this program is taken out of it.
if [ "$purpose" = test ] && [ ! -x .work/prometheus/promtool ] && ! command -v promtool >/dev/null; then
  say "unpacking promtool into .work/prometheus"
  rm -rf .work/deb
  mkdir -p .work/deb .work/prometheus
  (cd .work/deb && apt-get download -qq prometheus 2>/dev/null) || die "prometheus cannot be had: apt-get update?"
  dpkg --fsys-tarfile .work/deb/*.deb | tar -xO ./usr/bin/promtool >.work/prometheus/promtool
  chmod +x .work/prometheus/promtool
  rm -rf .work/deb
fi

# mariadb-dump: its package would bring all of the client.
if [ "$purpose" = test ] && [ ! -x .work/mariadb/mariadb-dump ] && ! command -v mariadb-dump >/dev/null; then
  say "unpacking mariadb-dump into .work/mariadb"
  rm -rf .work/deb
  mkdir -p .work/deb .work/mariadb
  (cd .work/deb && apt-get download -qq mariadb-client 2>/dev/null) || die "mariadb-client cannot be had: apt-get update?"
  dpkg --fsys-tarfile .work/deb/*.deb | tar -xO ./usr/bin/mariadb-dump >.work/mariadb/mariadb-dump
  chmod +x .work/mariadb/mariadb-dump
  rm -rf .work/deb
fi

# The PHPs of web servers. Their packages would set up services of the machine, so they are only unpacked, in here.
php=$(php -r 'echo PHP_MAJOR_VERSION.".".PHP_MINOR_VERSION;')
there() { for file in "$@"; do [ -e "$file" ] || [ -e ".work/php$file" ] || return 1; done; }
if { [ "$purpose" = test ] || [ "$purpose" = bench ]; } && ! there "/usr/sbin/php-fpm$php" "/usr/bin/php-cgi$php" \
  /usr/sbin/apache2 "/usr/lib/apache2/modules/libphp$php.so"; then
  say "unpacking PHP-FPM, php-cgi and Apache with its module for PHP $php into .work/php (nothing is started by them)"
  rm -rf .work/php .work/deb
  mkdir -p .work/deb .work/php
  (cd .work/deb && apt-get download -qq "php$php-fpm" "php$php-cgi" "libapache2-mod-php$php" apache2-bin 2>/dev/null) \
    || die "php$php-fpm, php$php-cgi, libapache2-mod-php$php and apache2-bin cannot be had: apt-get update?"
  for package in .work/deb/*.deb; do dpkg -x "$package" .work/php; done
  mapfile -t libraries < <(dpkg -f .work/deb/apache2-bin*.deb Depends | tr ',' '\n' | sed 's/[|(].*//; s/ //g' | grep '^lib')
  mapfile -t -O "${#libraries[@]}" libraries < <(dpkg -f .work/deb/php*-fpm*.deb Depends | tr ',' '\n' | sed 's/[|(].*//; s/ //g' | grep '^lib')
  install "${libraries[@]}"
  rm -rf .work/deb
fi

# Asked for what is used: a set-up that broke off leaves half an environment.
if [ "$purpose" = test ] && ! { .work/venv/bin/python -c 'import standardwebhooks' && .work/venv/bin/schemathesis --version; } >/dev/null 2>&1; then
  say "a Python environment for the reference library of Standard Webhooks, and for schemathesis"
  rm -rf .work/venv
  python3 -m venv .work/venv
  .work/venv/bin/pip install -q --disable-pip-version-check standardwebhooks==1.0.0 schemathesis==4.32.5
fi
# The rules of accessibility that Chromium is asked by; only for tests.
if [ "$purpose" = test ] && [ ! -s ".work/axe-$axe.js" ]; then
  say "axe-core $axe, for checking that everybody can use the pages"
  package=$(cd .work && npm pack --silent "axe-core@$axe")
  tar xzO -f ".work/$package" package/axe.min.js >".work/axe-$axe.js.part"
  rm ".work/$package"
  mv ".work/axe-$axe.js.part" ".work/axe-$axe.js"
fi
# The oldest and the newest PHP that the stub runs on.
[ "$purpose" != test ] || scripts/php-matrix.sh --fetch 7.2 8.5
if [ "$purpose" = lint ] && ! command -v cargo-deny >/dev/null; then
  say "building cargo-deny (once per machine, some minutes)"
  cargo install -q --locked cargo-deny
fi
