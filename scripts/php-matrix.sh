#!/usr/bin/env bash
# Tries the stub on other versions of PHP, without touching the machine's own. Prints one table. Outside of CI, but for --vectors.
#   scripts/php-matrix.sh [--vectors] [VERSION...]    --vectors: only the contract's vectors, which takes seconds per version
#   scripts/php-matrix.sh --fetch VERSION...          only fetches
# VERSIONs: 7.2 7.3 7.4 8.0 8.1 8.2 8.3 8.4 8.5. The machine's own PHP runs the tests; the other one fires the hooks in them.
# Bodies of envelopes and questions must be the same on all, byte for byte. PHP is WebAssembly here: packages of npm, pinned, below
# .work/php-wasm. A native program of another version may be named instead: PHP_7_4=/usr/bin/php7.4 scripts/php-matrix.sh 7.4
set -euo pipefail
cd "$(dirname "$0")/.."
base=$PWD/.work/php-wasm
ALL=(7.2 7.3 7.4 8.0 8.1 8.2 8.3 8.4 8.5)
NEWER=3.1.56
# The last one with 7.2 and 7.3.
OLDER=3.0.42
# What one process as WebAssembly cannot show: rights of other users, a full disk, a library put in front, several processes at one lock, the machine's own
# web servers, which run the machine's own PHP; a budget that a slow start alone spends.
NOT_ON_WASM='^pages:|^faults: a cron of root|^faults: a disk that is full|^journal: a file is locked before'
NOT_ON_WASM+='|^journal: the file of a process that lives|^journal: two processes at once|^journal: while another process sends'
NOT_ON_WASM+='|^tool: drop deletes what is named|^meanwhile: a cron whose bridge hangs|^spool: files cannot be locked'

say() { printf '\033[36m[php-matrix]\033[0m %s\n' "$*" >&2; }
die() { printf '[php-matrix] %s\n' "$*" >&2; exit 1; }

release() { case $1 in 7.2 | 7.3) echo $OLDER ;; *) echo $NEWER ;; esac }

# PHP as WebAssembly needs Node 20.18 and npm 10; Debian 12 has 18 and 9. Then both come out of npm itself, pinned.
NODE=20.18.3 NPM=10.8.2
own_node() {
  command -v npm >/dev/null || die "npm is missing: install it (Debian: npm), and run this again"
  if node -e 'const [a, b] = process.versions.node.split("."); process.exit(+a > 20 || (+a === 20 && +b >= 18) ? 0 : 1)' 2>/dev/null; then
    return
  fi
  local machine dir=$PWD/.work/node
  case $(uname -m) in x86_64) machine=x64 ;; aarch64) machine=arm64 ;; *) die "this machine needs Node 20.18 or newer of its own" ;; esac
  if [ "$("$dir/node_modules/node-linux-$machine/bin/node" --version 2>/dev/null)" != "v$NODE" ]; then
    say "this machine's Node is older than 20.18: fetching $NODE into .work/node"
    mkdir -p "$dir"
    echo '{"private":true}' >"$dir/package.json"
    (cd "$dir" && npm install --no-audit --no-fund --no-progress "node-linux-$machine@$NODE" "npm@$NPM" >"$dir/log" 2>&1) ||
      die "Node cannot be had ($dir/log): is the package registry reachable?"
  fi
  PATH=$dir/node_modules/node-linux-$machine/bin:$dir/node_modules/.bin:$PATH
}

# The packages of one release, without the versions that nobody asked for: each is 50 MB and more.
fetch() {
  local release=$1 wanted=$2 dir=$base/$1 version there left=
  there=$(cat "$dir/fetched" 2>/dev/null || true)
  for version in $wanted; do case " $there " in *" $version "*) ;; *) there=; break ;; esac; done
  [ -z "$there" ] || return 0
  say "fetching PHP $wanted as WebAssembly (release $release)"
  mkdir -p "$dir/none"
  echo '{"name":"none","version":"0.0.0"}' >"$dir/none/package.json"
  for version in 5.2 "${ALL[@]}"; do
    case " $wanted " in *" $version "*) ;; *) left="$left${left:+,}\"@php-wasm/node-${version/./-}\":\"file:./none\"" ;; esac
  done
  echo "{\"private\":true,\"dependencies\":{\"@php-wasm/node\":\"$release\"},\"overrides\":{$left}}" >"$dir/package.json"
  rm -rf "$dir/node_modules" "$dir/package-lock.json"
  (cd "$dir" && npm install --no-audit --no-fund --no-progress >"$dir/log" 2>&1) ||
    die "PHP as WebAssembly cannot be had ($dir/log): is the package registry reachable?"
  echo "$wanted" >"$dir/fetched"
}

program() {
  local native=PHP_${1/./_}
  [ -z "${!native:-}" ] || { echo "${!native}"; return; }
  local file=$base/php$1
  printf '#!/bin/sh\nexec "%s" "%s" %s "%s" "$@"\n' "$(command -v node)" "$PWD/scripts/php-matrix/php.mjs" "$1" "$base/$(release "$1")" >"$file"
  chmod +x "$file"
  echo "$file"
}

vectors= only_fetch= versions=()
while [ $# -gt 0 ]; do
  case $1 in
    --vectors) vectors=1 ;;
    --fetch) only_fetch=1 ;;
    -*) die "unknown option $1" ;;
    *) case " ${ALL[*]} " in *" $1 "*) versions+=("$1") ;; *) die "unknown version $1: one of ${ALL[*]}" ;; esac ;;
  esac
  shift
done
[ ${#versions[@]} -gt 0 ] || versions=("${ALL[@]}")
mkdir -p "$base"
for release in $OLDER $NEWER; do
  wanted=
  for version in "${versions[@]}"; do
    native=PHP_${version/./_}
    [ "$(release "$version")" = "$release" ] && [ -z "${!native:-}" ] && wanted="$wanted${wanted:+ }$version"
  done
  [ -z "$wanted" ] || { own_node; fetch "$release" "$wanted"; }
done
[ -z "$only_fetch" ] || exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/own"
HB_BODIES_OUT=$work/own php tests/php/run.php 'contract: every' >"$work/own.log" || { cat "$work/own.log" >&2; die "the machine's own PHP fails"; }
own=$(php -r 'echo PHP_VERSION;')
rows=("| $own (the machine's) | all | the reference |") bad=0
for version in "${versions[@]}"; do
  php=$(program "$version")
  full=$("$php" -r 'echo PHP_VERSION;') || die "PHP $version does not start"
  mkdir "$work/$version"
  export HB_TEST_PHP=$php HB_BODIES_OUT=$work/$version
  if [ -n "$vectors" ]; then
    php tests/php/run.php 'contract: every' >"$work/log" || bad=1
  else
    native=PHP_${version/./_}
    HB_TEST_SKIP=$([ -n "${!native:-}" ] || echo "$NOT_ON_WASM") php tests/php/run.php >"$work/log" || bad=1
  fi
  grep -A1 '^FAILED' "$work/log" >&2 || true
  bodies="byte for byte"
  diff -r "$work/own" "$work/$version" >&2 || { bodies="OTHERS"; bad=1; }
  unset HB_TEST_PHP HB_BODIES_OUT
  say "$full: $(tail -n1 "$work/log"), bodies $bodies"
  native=PHP_${version/./_}
  rows+=("| $full ($([ -n "${!native:-}" ] && echo native || echo WebAssembly)) | $(tail -n1 "$work/log") | $bodies |")
done
printf "\n| PHP | tests | envelopes and questions |\n|---|---|---|\n"
printf '%s\n' "${rows[@]}"
exit $bad
