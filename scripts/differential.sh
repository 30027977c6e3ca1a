#!/usr/bin/env bash
# Compares how phones are read with two other libraries: every region, every kind of number, 32 spellings, and random mobiles with
# noise. Outside CI: it installs two pinned public packages in a temporary folder. Needs python3 with venv, node and npm.
set -euo pipefail
cd "$(dirname "$0")/.."
for tool in python3 node npm; do
    command -v "$tool" >/dev/null || { echo "[differential] $tool is missing: install it and run this again" >&2; exit 1; }
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "[differential] installing phonenumbers 9.0.43 and libphonenumber-js 1.13.16"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q phonenumbers==9.0.43
(cd "$work" && npm init -y >/dev/null && npm install --silent libphonenumber-js@1.13.16)
echo "[differential] building"
"${CARGO:-cargo}" build --release --locked -q
echo "[differential] writing and reading spellings (some minutes)"
"$work/venv/bin/python" scripts/differential/spellings.py write >"$work/rows"
"$work/venv/bin/python" -c 'import json,sys
for line in sys.stdin: print("\t".join(json.loads(line)[:2]))' <"$work/rows" >"$work/texts"
target/release/hookbridge phones read --lines --company AR <"$work/texts" >"$work/ours" 2>/dev/null
node scripts/differential/other.mjs "$work/" <"$work/rows" >"$work/other"
"$work/venv/bin/python" scripts/differential/spellings.py compare "$work/rows" "$work/ours" "$work/other" 2>"$work/examples" ||
    { status=$?; cat "$work/examples" >&2; exit "$status"; }
