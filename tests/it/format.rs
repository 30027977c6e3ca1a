//! Values as they read in a message: languages, dates, names, and the provider's rules for values.

use hookbridge::domain::locale::Locale::{self, En, Es, EsAr, PtBr};
use hookbridge::domain::text::{decode_entities, platform_date, platform_datetime};
use hookbridge::render::clean::parameter;
use hookbridge::render::format::{date, date_long, datetime, greeting_name, instant, list, month, time_of_day};
use jiff::civil::{Date, date as day, time};
use jiff::tz::TimeZone;
use proptest::prelude::*;

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).expect("a zone")
}

#[test]
fn entities_are_decoded_exactly_once() {
    for (stored, meant) in [
        ("O&#039;Brien", "O'Brien"),
        ("O&#x27;Brien &amp; Co", "O'Brien & Co"),
        ("&quot;A&quot; &lt;b&gt;", "\"A\" <b>"),
        ("&amp;lt;", "&lt;"),
        ("&amp;#039;", "&#039;"),
        ("&amp;amp;", "&amp;"),
        ("Jos&eacute; Mu&ntilde;oz &iexcl;&Ccedil;!", "José Muñoz ¡Ç!"),
        ("&#128512;", "😀"),
        ("AT&T, A & B; C", "AT&T, A & B; C"),
        ("/cart?a=1&copy=2&lt=3", "/cart?a=1&copy=2&lt=3"),
        ("&unknown; &; &#; &#x; &#xD800; &#99999999; &#0;", "&unknown; &; &#; &#x; &#xD800; &#99999999; &#0;"),
        ("{{7*7}}", "{{7*7}}"),
        ("", ""),
    ] {
        assert_eq!(decode_entities(stored), meant);
    }
}

#[test]
fn dates_that_are_not_set_are_none() {
    for zero in ["", "  ", "0000-00-00", "0000-00-00 00:00:00", "2026-00-00", "2026-11-00", "2026-00-11", "0000-11-23"]
    {
        assert_eq!(platform_date(zero), Ok(None), "{zero}");
        assert_eq!(platform_datetime(zero), Ok(None), "{zero}");
    }
}

#[test]
fn dates_that_are_set_are_read_and_broken_ones_are_named() {
    assert_eq!(platform_date("2026-11-23"), Ok(Some(day(2026, 11, 23))));
    assert_eq!(platform_date("2026-11-23 14:05:09"), Ok(Some(day(2026, 11, 23))));
    assert_eq!(platform_datetime("2026-11-23 14:05:09"), Ok(Some(day(2026, 11, 23).at(14, 5, 9, 0))));
    assert_eq!(platform_datetime("2026-11-23 14:05:09.120"), Ok(Some(day(2026, 11, 23).at(14, 5, 9, 120_000_000))));
    assert_eq!(platform_datetime("2026-11-23"), Ok(Some(day(2026, 11, 23).at(0, 0, 0, 0))));
    for bad in
        ["2026-02-30", "2026-13-01", "23/11/2026", "tomorrow", "2026-11", "2026-11-23 25:00:00", "２０２６-11-23"]
    {
        assert!(platform_date(bad).is_err(), "{bad}");
    }
    assert_eq!(platform_date("x").expect_err("no date").to_string(), "`x` is not a date of the platform");
}

#[test]
fn languages_have_a_name_on_each_side() {
    let names = [
        ("spanish", Some(EsAr)),
        ("Spanish", Some(EsAr)),
        ("spanish-ar", Some(EsAr)),
        ("spanishar", Some(EsAr)),
        ("castellano", Some(EsAr)),
        ("English", Some(En)),
        ("english_gb", Some(En)),
        ("portuguese-br", Some(PtBr)),
        ("Portuguese-PT", Some(PtBr)),
        ("", None),
        ("french", None),
        ("spanglish", None),
    ];
    for (name, locale) in names {
        assert_eq!(Locale::from_platform(name), locale, "{name}");
    }
    assert_eq!(Locale::ALL.map(Locale::code), ["es_AR", "es", "en", "pt_BR"]);
    for locale in Locale::ALL {
        assert_eq!(locale.code().parse(), Ok(locale));
        assert_eq!(locale.tag().parse(), Ok(locale), "a webhook's hyphen");
    }
    assert!("es_MX".parse::<Locale>().is_err() && "en_US".parse::<Locale>().is_err(), "other templates");
    for (country, locale) in [("AR", EsAr), ("uy", EsAr), ("", EsAr), ("ES", Es), ("MX", Es), ("CL", Es)] {
        assert_eq!(EsAr.written_in(country), locale, "{country}");
    }
    assert_eq!((En.written_in("ES"), PtBr.written_in("PT")), (En, PtBr));
}

#[test]
fn dates_read_as_each_language_writes_them() {
    let d = day(2026, 11, 3);
    assert_eq!(Locale::ALL.map(|l| date(d, l)), ["03/11/2026", "03/11/2026", "3 Nov 2026", "03/11/2026"]);
    let long = ["3 de noviembre de 2026", "3 November 2026", "3 de novembro de 2026"];
    assert_eq!(Locale::PAGES.map(|l| date_long(d, l)), long);
    assert_eq!(date_long(day(2026, 3, 1), PtBr), "1º de março de 2026");
    assert_eq!(time_of_day(time(9, 5, 59, 0)), "09:05");
    for locale in Locale::ALL {
        assert!((1..=12).all(|m| !month(day(2026, m, 1), locale).is_empty()));
    }
}

#[test]
fn a_server_s_time_is_shown_on_the_reader_s_clock() {
    let stored = day(2026, 11, 23).at(22, 30, 0, 0);
    let at = instant(stored, &zone("America/Argentina/Buenos_Aires")).expect("a moment");
    assert_eq!(at.to_string(), "2026-11-24T01:30:00Z");
    assert_eq!(datetime(at, &zone("America/Argentina/Buenos_Aires"), EsAr), "23/11/2026 22:30");
    assert_eq!(datetime(at, &zone("Europe/Madrid"), EsAr), "24/11/2026 02:30");
    assert_eq!(datetime(at, &TimeZone::UTC, En), "24 Nov 2026, 01:30");
}

#[test]
fn a_skipped_hour_moves_forward_and_a_doubled_hour_is_its_first() {
    let new_york = zone("America/New_York");
    let gap = instant(day(2026, 3, 8).at(2, 30, 0, 0), &new_york).expect("a moment");
    assert_eq!(datetime(gap, &new_york, En), "8 Mar 2026, 03:30");
    let fold = instant(day(2026, 11, 1).at(1, 30, 0, 0), &new_york).expect("a moment");
    assert_eq!(fold.to_string(), "2026-11-01T05:30:00Z");
    let sao_paulo = zone("America/Sao_Paulo");
    let midnight = instant(day(2018, 11, 4).at(0, 0, 0, 0), &sao_paulo).expect("a moment");
    assert_eq!(datetime(midnight, &sao_paulo, PtBr), "04/11/2018 01:00", "a midnight that never was");
}

#[test]
fn lists_read_as_each_language_joins_them() {
    let none: [&str; 0] = [];
    assert_eq!(list(&none, EsAr), "");
    assert_eq!(list(&["a"], EsAr), "a");
    assert_eq!(Locale::ALL.map(|l| list(&["a", "b", "c"], l)), ["a, b y c", "a, b y c", "a, b and c", "a, b e c"]);
    assert_eq!(list(&["a".to_owned(), "b".to_owned()], En), "a and b");
    let (e, y) = (
        ["Inés", "iglesia", "Íñigo", "hijo", "Hidalgo", "Yvonne", "\"Ibiza\""],
        ["hielo", "Hiena", "Yolanda", "Ana", "y", "h"],
    );
    assert!(e.iter().all(|word| list(&["a", word], EsAr) == format!("a e {word}")));
    assert!(y.iter().all(|word| list(&["a", word], EsAr) == format!("a y {word}")));
}

#[test]
fn a_greeting_uses_the_first_name_or_the_company_or_neither() {
    let cases = [
        ("Ana", "ACME", Some("Ana")),
        ("  Juan   Carlos ", "", Some("Juan Carlos")),
        ("MARÍA DEL CARMEN", "", Some("María del Carmen")),
        ("ana-maría", "", Some("Ana-María")),
        ("O'BRIEN", "", Some("O'Brien")),
        ("JP", "", Some("JP")),
        ("McKenzie", "", Some("McKenzie")),
        ("van der Berg", "", Some("van der Berg")),
        ("李", "", Some("李")),
        ("-", "HOSTING S.A.", Some("HOSTING S.A.")),
        ("", " acme  srl ", Some("acme srl")),
        (".", "12345", None),
        ("", "", None),
        ("<script>", "", Some("<Script>")),
        ("&lt;b&gt;", "", Some("&lt;b&gt;")),
        ("ANA & LUZ", "", Some("Ana & Luz")),
        ("İPEK", "", Some("İpek")),
        ("{{7*7}}", "", None),
        ("Ganaste: http://evil.example/x", "ACME S.A.", Some("ACME S.A.")),
        ("evil.com/pay", "www.evil.example", None),
    ];
    for (first_name, company, greeting) in cases {
        assert_eq!(greeting_name(first_name, company).as_deref(), greeting, "{first_name} of {company}");
    }
}

#[test]
fn a_value_obeys_the_provider_s_rules() {
    for (value, clean) in [
        ("Plan\r\nBasic\tmonthly", "Plan Basic monthly"),
        ("a     b", "a b"),
        ("a\u{2028}b\u{2029}c\u{85}d\u{a0}e", "a b c d e"),
        ("  a  ", "a"),
        ("", "-"),
        (" \n\t ", "-"),
        ("\u{200b}\u{200d}\u{fe0f}\u{2800}\u{3164}", "-"),
        ("\u{1d173}\u{13430}\u{1bca0}\u{301}\u{fffc}\u{e000}", "-"),
        ("e\u{301}", "e\u{301}"),
        ("\u{0}a\u{7}b\u{1b}[0m", "ab[0m"),
        ("pay\u{202e}moc.knab\u{202c}", "paymoc.knab"),
        ("👨\u{200d}👩\u{200d}👧 fam", "👨\u{200d}👩\u{200d}👧 fam"),
        ("<script>alert('1')</script> {{7*7}}", "<script>alert('1')</script> {{7*7}}"),
    ] {
        assert_eq!(parameter(value, 60), clean);
    }
}

#[test]
fn a_long_value_is_cut_between_graphemes() {
    assert_eq!(parameter(&"x".repeat(2000), 10), "xxxxxxxxx…");
    assert_eq!(parameter("abcd", 4), "abcd");
    assert_eq!(parameter("abc def", 5), "abc…", "no blank before the dots");
    assert_eq!(parameter("ab👨\u{200d}👩\u{200d}👧cd", 6), "ab…", "a family stays together");
    assert_eq!(parameter("e\u{301}e\u{301}e\u{301}", 4), "e\u{301}…");
    assert_eq!(parameter("😀😀😀😀", 8), "😀😀😀😀", "an emoji counts as two, as it does in UTF-16");
    assert_eq!(parameter("😀😀😀😀", 7), "😀😀😀…");
    assert_eq!(parameter("abc", 1), "…");
    assert_eq!(parameter("abc", 0), "…");
}

proptest! {
    #[test]
    fn any_value_is_made_acceptable(value in any::<String>(), max in 1_usize..80) {
        let clean = parameter(&value, max);
        prop_assert!(!clean.trim().is_empty() && clean.encode_utf16().count() <= max);
        prop_assert!(!clean.contains("  ") && !clean.chars().any(char::is_control));
        prop_assert_eq!(clean.trim(), clean.as_str());
        prop_assert_eq!(parameter(&clean, max), clean, "stable");
    }

    #[test]
    fn blanks_of_all_kinds_never_pass(value in "[ \\t\\n\\r\\u{a0}\\u{2003}\\u{2028}ab]{0,200}", max in 1_usize..300) {
        let clean = parameter(&value, max);
        let others = clean.chars().any(|c| c.is_whitespace() && c != ' ');
        prop_assert!(!others && !clean.contains("  "));
    }

    #[test]
    fn decoding_and_reading_any_text_never_panics(text in any::<String>(), near in "(&(#x?)?[a-z0-9;]{0,8}){0,6}") {
        for one in [&text, &near] {
            let _ = decode_entities(one);
            let _ = (platform_date(one), platform_datetime(one));
            let _ = greeting_name(one, &text);
            let _ = list(&[one, one], EsAr);
            let _ = Locale::from_platform(one);
        }
    }

    #[test]
    fn every_day_reads_back_from_the_platform_s_form(days in 0_i32..60_000) {
        let d: Date = day(1970, 1, 1).checked_add(jiff::Span::new().days(days)).expect("a day");
        prop_assert_eq!(platform_date(&d.to_string()), Ok(Some(d)));
    }
}
