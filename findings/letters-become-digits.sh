#!/usr/bin/env bash
# A word behind a number becomes digits of it. PyPI phonenumbers 9.0.43 and npm google-libphonenumber 3.2.47 read letters as a
# telephone's keys, so in countries whose numbers have no fixed length `+43 664 123456 wsp` is +43664123456977: valid, and another
# subscriber's. npm libphonenumber-js 1.13.16 stops at the word. Hurt: whoever parses what people typed beside their number, and who
# moves from one port to another and expects the same number.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv && venv/bin/pip install -q phonenumbers==9.0.43
npm init -y >/dev/null && npm install --silent libphonenumber-js@1.13.16 google-libphonenumber@3.2.47
printf '%s\n' 'phonenumbers +43664123456977 True' 'google-libphonenumber +43664123456977 true' 'libphonenumber-js +43664123456 true' >want
venv/bin/python >seen <<'END'
import phonenumbers as pn
found = pn.parse("+43 664 123456 wsp", None)
print("phonenumbers", pn.format_number(found, pn.PhoneNumberFormat.E164), pn.is_valid_number(found))
END
node >>seen <<'END'
const { parsePhoneNumberFromString } = require("libphonenumber-js/max");
const { PhoneNumberUtil, PhoneNumberFormat } = require("google-libphonenumber");
const util = PhoneNumberUtil.getInstance();
const big = util.parse("+43 664 123456 wsp", "AT");
console.log("google-libphonenumber", util.format(big, PhoneNumberFormat.E164), util.isValidNumber(big));
const small = parsePhoneNumberFromString("+43 664 123456 wsp", "AT");
console.log("libphonenumber-js", small.number, small.isValid());
END
diff want seen && cat seen
