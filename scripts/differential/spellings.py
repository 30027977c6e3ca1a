"""Spellings of numbers whose meaning is known, and what the differential run makes of them.

    spellings.py write            rows: region, text, the number that is meant, its kind, the spelling's name, clean or noisy, and
                                  how the reference library reads the text
    spellings.py compare ROWS OURS OTHER   the table of classes, and the goals; fails if one is missed
"""

import json
import random
import sys
from collections import Counter, defaultdict

import phonenumbers as pn
from phonenumbers import PhoneNumberFormat as Format
from phonenumbers import PhoneNumberType as Kind

KINDS = ["FIXED_LINE", "MOBILE", "TOLL_FREE", "PREMIUM_RATE", "SHARED_COST", "PERSONAL_NUMBER", "VOIP", "PAGER", "UAN", "VOICEMAIL"]
MOBILES_A_REGION = 30
IDENTITY = str.maketrans("0123456789", "".join(chr(0xFF10 + n) for n in range(10)))
ARABIC = str.maketrans("0123456789", "".join(chr(0x0660 + n) for n in range(10)))


def spellings(number, region):
    """32 ways to write a number: name, text, whether nothing about it is odd."""
    code, nsn = str(number.country_code), pn.national_significant_number(number)
    national = pn.format_number(number, Format.NATIONAL)
    whole = pn.format_number(number, Format.INTERNATIONAL)
    digits = "".join(c for c in national if c.isdigit())
    half = len(nsn) // 2
    return [
        ("+E.164", f"+{code}{nsn}", True),
        ("international", whole, True),
        ("national", national, True),
        ("national digits", digits, True),
        ("form", f"+{code}.{nsn}", True),
        ("form, as dialled", f"+{code}.{national}", True),
        ("00", f"00{code}{nsn}", True),
        ("00 with blanks", f"00 {code} {nsn}", True),
        ("no plus", f"{code}{nsn}", True),
        ("no plus, blanks", whole.lstrip("+"), True),
        ("hyphens", whole.replace(" ", "-"), True),
        ("dots", whole.replace(" ", ".").replace("-", "."), True),
        ("label before", f"Cel: {whole}", True),
        ("label behind", f"{whole} (Ana)", True),
        ("form's code, whole number", f"+{code}.+{code}{nsn}", True),
        ("full-width", f"+{code}{nsn}".translate(IDENTITY), True),
        ("Arabic digits", f"+{code}{nsn}".translate(ARABIC), True),
        ("entity", f"&#43;{code} {nsn}", True),
        ("hard blanks", whole.replace(" ", "\u00a0"), True),
        ("direction marks", f"\u202a{whole}\u202c", True),
        ("significant digits", nsn, False),
        ("code twice, form", f"+{code}.{code}{nsn}", False),
        ("code twice", f"+{code} {code} {nsn}", False),
        ("code twice, no plus", f"{code}{code}{nsn}", False),
        ("00 behind the form's code", f"+{code}.00{code}{nsn}", False),
        ("link", f"https://wa.me/{code}{nsn}", False),
        ("(0)", f"+{code} (0) {nsn}", False),
        ("empty code", f"+.{nsn}", False),
        ("label behind, wsp", f"{national} wsp", False),
        ("two numbers", f"{whole} / {whole}", False),
        ("slash within", f"{nsn[:half]}/{nsn[half:]}", False),
        ("other form's code", f"+{'1' if code != '1' else '54'}.00{code}{nsn}", False),
    ]


def noisy(number, region, dice):
    """A mobile as people mistype it: the right reading may be none."""
    nsn, code = pn.national_significant_number(number), str(number.country_code)
    at = dice.randrange(len(nsn))
    return [
        ("digit lost", nsn[:at] + nsn[at + 1 :]),
        ("digit doubled", nsn[:at] + nsn[at] + nsn[at:]),
        ("letter in place of a digit", nsn[:at] + "O" + nsn[at + 1 :]),
        ("letter, with code", f"+{code}.{nsn[:at]}l{nsn[at + 1:]}"),
        ("spreadsheet", f"{float(code + nsn):.5E}"),
        ("last digits behind a slash", f"{nsn}/{nsn[-2:]}"),
        ("extension", f"{nsn} int. 12"),
    ]


def random_mobile(region, dice):
    example = pn.example_number_for_type(region, Kind.MOBILE)
    if example is None:
        return None
    nsn = pn.national_significant_number(example)
    for _ in range(200):
        kept = dice.randrange(1, max(2, len(nsn) - 4))
        text = nsn[:kept] + "".join(dice.choice("0123456789") for _ in range(len(nsn) - kept))
        try:
            found = pn.parse(f"+{example.country_code}{text}", None)
        except pn.NumberParseException:
            continue
        if pn.is_valid_number(found) and pn.number_type(found) == Kind.MOBILE and pn.region_code_for_number(found) == region:
            return found
    return None


def reference(text, region):
    try:
        found = pn.parse(text, region)
    except pn.NumberParseException:
        return ""
    return pn.format_number(found, Format.E164) if pn.is_valid_number(found) else ""


def write():
    dice = random.Random(20261201)
    for region in sorted(pn.SUPPORTED_REGIONS):
        meant = []
        for name in KINDS:
            example = pn.example_number_for_type(region, getattr(Kind, name))
            if example is not None and pn.is_valid_number(example):
                meant.append((example, name))
        for _ in range(MOBILES_A_REGION):
            mobile = random_mobile(region, dice)
            if mobile is not None:
                meant.append((mobile, "MOBILE"))
        for number, name in meant:
            truth = pn.format_number(number, Format.E164)
            rows = [(spelled, text, "clean" if clean else "odd") for spelled, text, clean in spellings(number, region)]
            if name == "MOBILE":
                rows += [(spelled, text, "noise") for spelled, text in noisy(number, region, dice)]
            for spelled, text, sort in rows:
                print(json.dumps([region, text, truth, name, spelled, sort, reference(text, region)]))


def compare(rows, ours, other):
    classes, by_spelling, examples = Counter(), defaultdict(Counter), {}
    clean = accepted = wrong_certain = mistyped = 0
    theirs = {"phonenumbers": Counter(), "libphonenumber-js": Counter()}
    for row, our, js in zip(open(rows), open(ours), open(other), strict=True):
        region, text, truth, kind, spelled, sort, reference_says = json.loads(row)
        our, js = json.loads(our), json.loads(js)
        to = our["to"]
        if to is None:
            result = "refused"
        else:
            result = ("same, " if to == truth else "different, ") + ("certain" if our["certain"] else "assumed")
        group = {"clean": "clean", "odd": "odd", "noise": "noise"}[sort]
        what = "mobile" if kind == "MOBILE" else "landline" if kind == "FIXED_LINE" else "other kind"
        classes[(group, what, result)] += 1
        if group == "clean" and kind == "MOBILE":
            clean += 1
            accepted += to is not None
        # Where numbers have no fixed length, a digit less or more leaves another valid number, which nobody can tell from a right
        # one. Anything beyond that plain reading of the text is not certain.
        if result == "different, certain":
            plain = sort == "noise" and to == reference_says
            mistyped += plain
            wrong_certain += not plain
        if result.startswith("different") or (result == "refused" and kind == "MOBILE" and sort != "noise"):
            by_spelling[(group, what, result)][(spelled, our["assumed"] or our["error"] or "")] += 1
            examples.setdefault((group, what, result, spelled), (region, text, truth, to))
        for name, says in (("phonenumbers", reference_says), ("libphonenumber-js", js)):
            theirs[name][(sort, "none" if not says else "same" if says == truth else "different")] += 1
    print(f"{sum(classes.values())} texts; {clean} clean spellings of valid mobiles, {accepted} accepted "
          f"({100 * accepted / clean:.3f} %); {wrong_certain} different numbers called certain, apart from "
          f"{mistyped} mistyped texts that are another valid number as they stand\n")
    print("| texts | kind | outcome | number |\n|---|---|---|---|")
    for (group, what, result), n in sorted(classes.items()):
        print(f"| {group} | {what} | {result} | {n} |")
    print("\n| library | texts | same | different | none |\n|---|---|---|---|---|")
    for name, counts in theirs.items():
        for sort in ("clean", "odd", "noise"):
            print(f"| {name} | {sort} | {counts[(sort, 'same')]} | {counts[(sort, 'different')]} | {counts[(sort, 'none')]} |")
    print("\n| texts | kind | outcome | spelling | why | number |\n|---|---|---|---|---|---|")
    for (group, what, result), counts in sorted(by_spelling.items()):
        for (spelled, why), n in counts.most_common(12):
            print(f"| {group} | {what} | {result} | {spelled} | {why} | {n} |")
    print("\nexamples:", file=sys.stderr)
    for key, example in sorted(examples.items()):
        print(key, example, file=sys.stderr)
    if wrong_certain or accepted < 0.999 * clean:
        sys.exit("a goal is missed")


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write()
    else:
        compare(*sys.argv[2:5])
