#!/usr/bin/env bash
# libphonenumber's ports read 00 + the region's own calling code as a number of another country, valid and mobile.
# PyPI phonenumbers 9.0.43, npm libphonenumber-js 1.13.16, google-libphonenumber 3.2.47. Seen: Brazil's own prefix for calls abroad is
# 00 and two digits of a carrier (0055 is one), Colombia's is 005 and others, so `0055 51 99123-4567`, written in Brazil for a
# Brazilian number, is read as +51 991234567, a mobile in Peru; `005493512345678` in Colombia as a landline in Dresden. It is right
# as dialling and wrong as writing. Hurt: whoever stores numbers with 00 in Brazil or Colombia and writes to what comes out.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv && venv/bin/pip install -q phonenumbers==9.0.43
npm init -y >/dev/null && npm install --silent libphonenumber-js@1.13.16 google-libphonenumber@3.2.47
cat >want <<'END'
BR 0055 51 99123-4567 +51991234567 True
BR 0055 66 99123-4567 +66991234567 True
CO 005493512345678 +493512345678 True
CO 0057 301 2345678 +73012345678 True
END
venv/bin/python >python <<'END'
import phonenumbers as pn
for region, text in [("BR", "0055 51 99123-4567"), ("BR", "0055 66 99123-4567"), ("CO", "005493512345678"), ("CO", "0057 301 2345678")]:
    found = pn.parse(text, region)
    print(region, text, pn.format_number(found, pn.PhoneNumberFormat.E164), pn.is_valid_number(found))
END
node >node <<'END'
const { parsePhoneNumberFromString } = require("libphonenumber-js/max");
const { PhoneNumberUtil, PhoneNumberFormat } = require("google-libphonenumber");
const util = PhoneNumberUtil.getInstance();
const word = (yes) => (yes ? "True" : "False");
for (const [region, text] of [["BR", "0055 51 99123-4567"], ["BR", "0055 66 99123-4567"], ["CO", "005493512345678"], ["CO", "0057 301 2345678"]]) {
  const small = parsePhoneNumberFromString(text, region);
  const big = util.parse(text, region);
  const bigs = `${util.format(big, PhoneNumberFormat.E164)} ${word(util.isValidNumber(big))}`;
  const smalls = `${small.number} ${word(small.isValid())}`;
  if (bigs !== smalls) throw new Error(`${text}: ${bigs} and ${smalls}`);
  console.log(region, text, smalls);
}
END
diff want python && diff want node && cat want
