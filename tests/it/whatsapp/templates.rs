//! Templates: the JSON that creates them, the rules they must keep, and what the provider says it has.

use hookbridge::whatsapp::{
    AccountError, Examples, NumberInfo, Problem, TemplateDefinition, TemplateInfo, UrlButton, check, creation_json,
};
use serde_json::{Value, json};

use super::provider::{Act, PHONE_NUMBER_ID, Provider, TOKEN, api, settings};

fn pairs(values: &[(&str, &str)]) -> Examples {
    Examples::Named(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn list(values: &[&str]) -> Examples {
    Examples::Positional(values.iter().map(|value| (*value).to_owned()).collect())
}

fn overdue() -> TemplateDefinition {
    TemplateDefinition {
        name: "factura_vencida".to_owned(),
        language: "es_AR".to_owned(),
        body: "Hola {{nombre}}, la factura {{numero}} por {{importe}} venció. Podés verla en tu área de cliente."
            .to_owned(),
        examples: pairs(&[("nombre", "Ana"), ("numero", "1234"), ("importe", "$ 12.500,00")]),
        footer: Some("Respondé BAJA para no recibir más avisos".to_owned()),
        button: Some(UrlButton {
            text: "Ver factura".to_owned(),
            url: "https://example.com/viewinvoice.php?id={{1}}".to_owned(),
            example: Some("1234".to_owned()),
        }),
    }
}

fn with(change: impl FnOnce(&mut TemplateDefinition)) -> Vec<String> {
    let mut template = overdue();
    change(&mut template);
    check(&template).iter().map(Problem::to_string).collect()
}

fn body(text: &str, examples: Examples) -> Vec<Problem> {
    check(&TemplateDefinition { body: text.to_owned(), examples, ..overdue() })
}

#[test]
fn a_named_template_becomes_metas_json() {
    let expected = json!({
        "name": "factura_vencida", "language": "es_AR", "category": "UTILITY", "parameter_format": "named",
        "components": [
            {"type": "BODY", "text": overdue().body, "example": {"body_text_named_params": [
                {"param_name": "nombre", "example": "Ana"},
                {"param_name": "numero", "example": "1234"},
                {"param_name": "importe", "example": "$ 12.500,00"},
            ]}},
            {"type": "FOOTER", "text": "Respondé BAJA para no recibir más avisos"},
            {"type": "BUTTONS", "buttons": [{"type": "URL", "text": "Ver factura",
                "url": "https://example.com/viewinvoice.php?id={{1}}", "example": ["1234"]}]},
        ],
    });
    assert_eq!(creation_json(&overdue()), expected);
    assert_eq!(check(&overdue()), []);
}

#[test]
fn a_positional_template_has_its_examples_in_an_array_in_an_array() {
    let template = TemplateDefinition {
        body: "Hola {{1}}, la factura {{2}} está lista.".to_owned(),
        examples: list(&["Ana", "1234"]),
        footer: None,
        button: None,
        ..overdue()
    };
    let json = creation_json(&template);
    assert_eq!(json["parameter_format"], "positional");
    let body = json!({"type": "BODY", "text": template.body, "example": {"body_text": [["Ana", "1234"]]}});
    assert_eq!(json["components"], json!([body]));
    let fixed = TemplateDefinition { body: "Tu cuenta cambió.".to_owned(), examples: list(&[]), ..template };
    assert_eq!(creation_json(&fixed)["components"], json!([{"type": "BODY", "text": "Tu cuenta cambió."}]));
    assert_eq!(check(&fixed), []);
}

#[test]
fn names_languages_and_lengths_are_checked() {
    for name in ["", "Factura", "factura-vencida", "año", &"a".repeat(513)] {
        assert_eq!(with(|t| t.name = name.to_owned()).len(), 1, "{name}");
    }
    for language in ["es-AR", "ES", "es_ar", "spanish", "", "es_ARG"] {
        assert_eq!(with(|t| t.language = language.to_owned()).len(), 1, "{language}");
    }
    for language in ["es", "en_US", "fil", "pt_BR"] {
        assert!(with(|t| t.language = language.to_owned()).is_empty(), "{language}");
    }
    assert!(with(|t| t.footer = Some("ñ".repeat(60))).is_empty());
    assert_eq!(with(|t| t.footer = Some("ñ".repeat(61))), ["the footer has 61 characters; at most 60 are allowed"]);
    assert_eq!(with(|t| t.footer = Some("Hola {{1}} !".to_owned())), ["the footer may not hold variables"]);
    assert_eq!(with(|t| t.footer = Some(" ".to_owned())), ["the footer is empty"]);
    assert_eq!(body(&"ñ".repeat(1024), list(&[])), []);
    let long = body(&"ñ".repeat(1025), list(&[]));
    assert_eq!(long[0].to_string(), "the body has 1025 characters; at most 1024 are allowed");
}

#[test]
fn places_and_numbers_of_variables_are_checked() {
    let two = || list(&["Ana", "7"]);
    assert_eq!(body("{{1}} tiene una factura nueva con número {{2}} hoy", two()), [Problem::VariableFirst]);
    assert_eq!(body("Hola {{1}}, tenés una factura nueva número {{2}}", two()), [Problem::VariableLast]);
    assert_eq!(body("Hola, te avisamos {{1}} {{2}} que hay novedades", two()), [Problem::Adjacent]);
    assert_eq!(body("Hola, te avisamos {{1}}{{2}} que hay novedades", two()), [Problem::Adjacent]);
    let few = Problem::FewWords { variables: 2, words: 4, needed: 5 };
    assert_eq!(body("Hola {{1}}, tu factura {{2}} venció.", two()), [few]);
    assert_eq!(body("Hola {{1}}, tu nueva factura {{2}} venció.", two()), []);
    let gap = body("Hola {{1}}, tu nueva factura {{3}} venció ayer.", list(&["Ana", "7", "8"]));
    assert_eq!(gap, [Problem::Gap(2), Problem::ExampleUnused("2".to_owned())]);
    for text in
        ["Hola {{1}, tu factura está lista", "Hola {{1, tu factura", "Hola 1}}, tu factura", "Hola {{{1}}}, tu factura"]
    {
        let problems = body(text, list(&["Ana"]));
        assert_eq!(problems.len(), 1, "{text}: {problems:?}");
        assert!(problems[0].to_string().contains("brackets"), "{problems:?}");
    }
    for name in ["nombre", "01", "0", "", " 1", "-1", "99999999999999999999999"] {
        let problems = body(&format!("Hola {{{{{name}}}}}, tu nueva factura venció ayer."), list(&[]));
        assert!(problems.contains(&Problem::VariableName(name.to_owned())), "{name}: {problems:?}");
    }
    let capital = body("Hola {{Nombre}}, tu nueva factura venció ayer.", pairs(&[("Nombre", "Ana")]));
    assert_eq!(capital, [Problem::VariableName("Nombre".to_owned())]);
}

#[test]
fn every_variable_has_an_example_that_could_be_sent() {
    let text = "Hola {{1}}, tu nueva factura venció ayer.";
    assert_eq!(body(text, list(&[])), [Problem::ExampleMissing("1".to_owned())]);
    assert_eq!(body(text, list(&[" "])), [Problem::ExampleMissing("1".to_owned())]);
    assert_eq!(body(text, list(&["Ana", "x"])), [Problem::ExampleUnused("2".to_owned())]);
    for bad in ["A\nna", "A\tna", "A     na"] {
        assert_eq!(body(text, list(&[bad])), [Problem::ExampleBlanks], "{bad:?}");
    }
    assert_eq!(body(text, list(&["A    na"])), []);
    let named = "Hola {{nombre}}, tu nueva factura venció ayer.";
    let problems = body(named, pairs(&[("otro", "x")]));
    assert_eq!(problems, [Problem::ExampleMissing("nombre".to_owned()), Problem::ExampleUnused("otro".to_owned())]);
}

#[test]
fn a_button_has_one_variable_at_the_end_of_its_address() {
    let button = |text: &str, url: &str, example: Option<&str>| {
        with(|t| {
            t.button =
                Some(UrlButton { text: text.to_owned(), url: url.to_owned(), example: example.map(str::to_owned) });
        })
    };
    assert!(button("Ver", "https://example.com/", None).is_empty());
    assert_eq!(button(&"ñ".repeat(26), "https://example.com/", None).len(), 1);
    assert_eq!(button("Ver {{1}}", "https://example.com/", None), ["the button's text may not hold variables"]);
    assert_eq!(button("Ver", "example.com/x", None), ["the button's address must begin with https:// or http://"]);
    assert_eq!(button("Ver", "https://example.com/{{1}}", None), ["`{{1}}` has no example"]);
    assert_eq!(button("Ver", "https://example.com/", Some("7")).len(), 1);
    for url in [
        "https://example.com/{{1}}/x",
        "https://example.com/{{2}}",
        "https://e.com/{{1}}/{{1}}",
        "https://e.com/{{id}}",
    ] {
        assert_eq!(
            button("Ver", url, Some("7")),
            ["the button's address may hold one variable, `{{1}}`, at its end"],
            "{url}"
        );
    }
    let long = format!("https://example.com/{}", "x".repeat(2000));
    assert_eq!(button("Ver", &long, None).len(), 1);
}

fn page(names: &[&str], next: Option<&str>) -> Value {
    let template = |name: &&str| {
        json!({"id": "1", "name": name, "language": "en-US", "status": "APPROVED", "category": "UTILITY", "parameter_format": "NAMED",
            "components": [{"type": "HEADER", "text": "{{1}}"}, {"type": "BODY", "text": "A {{x}} b {{y}} c {{x}} d"}]})
    };
    let data: Vec<Value> = names.iter().map(template).collect();
    let mut page = json!({"data": data, "paging": {"cursors": {"before": "b", "after": next.unwrap_or("end")}}});
    if next.is_some() {
        page["paging"]["next"] = json!("https://evil.example/steal");
    }
    page
}

#[tokio::test]
async fn the_list_of_templates_is_read_to_its_last_page() {
    let provider = Provider::start(|request| {
        let last = request.head.contains("after=QVFI%3D");
        let page = if last { page(&["c"], None) } else { page(&["a", "b"], Some("QVFI=")) };
        Act::Answer(200, "", page.to_string())
    })
    .await;
    let templates = provider.api().list_templates("102290129340398").await.expect("a list");
    let names: Vec<_> = templates.iter().map(|template| template.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let expected = TemplateInfo {
        id: "1".to_owned(),
        name: "a".to_owned(),
        language: "en_US".to_owned(),
        status: "APPROVED".to_owned(),
        category: "UTILITY".to_owned(),
        body_variables: 2,
        named: true,
        body: "A {{x}} b {{y}} c {{x}} d".to_owned(),
        footer: None,
        button: None,
    };
    assert_eq!(templates[0], expected);
    let heads: Vec<_> = provider.requests().into_iter().map(|request| request.head).collect();
    assert_eq!(heads.len(), 2);
    assert!(heads[0].starts_with("GET /v23.0/102290129340398/message_templates?fields=id%2Cname"), "{}", heads[0]);
}

#[tokio::test]
async fn a_list_that_does_not_end_is_given_up() {
    let provider = Provider::start(|_| Act::Answer(200, "", page(&["a"], Some("same")).to_string())).await;
    assert_eq!(provider.api().list_templates("1").await, Err(AccountError::Endless));
    assert_eq!(provider.requests().len(), 2);
}

#[tokio::test]
async fn the_numbers_rating_and_limit_are_read() {
    let body = r#"{"display_phone_number":"+54 9 11 2345-6789","quality_rating":"GREEN","whatsapp_business_manager_messaging_limit":"TIER_250","id":"1"}"#;
    let provider = Provider::start(|_| Act::Answer(200, "", body.to_owned())).await;
    let expected = NumberInfo {
        display_phone_number: Some("+54 9 11 2345-6789".to_owned()),
        quality_rating: Some("GREEN".to_owned()),
        messaging_limit: Some("TIER_250".to_owned()),
    };
    assert_eq!(provider.api().number_info().await, Ok(expected));
    assert!(
        provider.requests()[0].head.starts_with(&format!("GET /v23.0/{PHONE_NUMBER_ID}?fields=display_phone_number"))
    );
}

#[tokio::test]
async fn questions_without_an_answer_say_why_without_the_token() {
    let refused = json!({"error": {"code": 200, "message": format!("no right for {TOKEN}")}}).to_string();
    let provider = Provider::start(move |_| Act::Answer(403, "", refused.clone())).await;
    let error = provider.api().number_info().await.expect_err("a refusal");
    assert!(matches!(error, AccountError::Provider { code: 200, .. }), "{error:?}");
    assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
    let html = Provider::always(|| Act::Answer(502, "", "<html>".to_owned())).await;
    assert_eq!(html.api().number_info().await, Err(AccountError::Unreadable(502)));
    let closed = Provider::always(|| Act::Close).await;
    assert!(matches!(closed.api().list_templates("1").await, Err(AccountError::Network(_))));
    let nowhere = api(settings("http://127.0.0.1:9"));
    assert_eq!(nowhere.list_templates("../me").await, Err(AccountError::Id("waba_id")));
}
