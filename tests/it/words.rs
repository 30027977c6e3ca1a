//! The words that code, documents and pages use: plain technical English, and one word per concept in each language.
//!
//! The subject of a sentence is a type or a part. Connections, providers and processes are no persons, and clients are
//! "the client" or "they".

use std::path::Path;

use crate::support::files::{below, read};

/// Words that name nothing in this field, and persons.
const BANNED: [&str; 19] = [
    "door", "doors", "deed", "deeds", "wish", "wishes", "wished", "told", "gone", "rung", "he", "his", "him",
    "himself", "she", "her", "hers", "herself", "rings",
];
/// The same, of two words.
const BANNED_PAIRS: [&str; 2] = ["lets in", "let in"];
/// What Spanish texts call otherwise: hook, revisión periódica, titular, decisión.
const BANNED_ES: [&str; 12] = [
    "gancho",
    "ganchos",
    "barrida",
    "barridas",
    "ronda",
    "rondas",
    "repaso",
    "dueño",
    "dueña",
    "dueños",
    "tu palabra",
    "averiguar",
];
/// What Portuguese texts call otherwise: hook, varredura, ticket, titular, configurações, consultar.
const BANNED_PT: [&str; 9] =
    ["gancho", "ganchos", "ronda", "rondas", "chamado", "chamados", "dono", "ajustes", "averiguar"];

/// `text` without what stands between backticks: names of columns, keys and codes are what they are.
fn prose(text: &str) -> String {
    text.split('`').step_by(2).collect::<Vec<_>>().join(" ")
}

/// The first banned word of `text`.
fn banned<'a>(text: &str, words: &[&'a str]) -> Option<&'a str> {
    let lower = text.to_lowercase();
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    words.iter().copied().find(|word| {
        lower.match_indices(word).any(|(at, _)| {
            let (before, after) = (&lower[..at], &lower[at + word.len()..]);
            !before.ends_with(is_part) && !after.starts_with(is_part)
        })
    })
}

/// What people read in a line of code: its comment, and its texts that are sentences.
fn read_by_people(line: &str) -> Vec<String> {
    let line = line.trim_start();
    if line.starts_with("//") || line.starts_with("* ") || line.starts_with("/*") {
        return vec![prose(line)];
    }
    let code = line.split(" // ").next().unwrap_or_default();
    let comment = line.split(" // ").skip(1).map(prose);
    let texts = code.split('"').skip(1).step_by(2).filter(|text| text.contains(' ')).map(prose);
    comment.chain(texts).collect()
}

fn english() -> Vec<&'static str> {
    BANNED.into_iter().chain(BANNED_PAIRS).collect()
}

fn shown(path: &Path) -> String {
    path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(path).to_string_lossy().into_owned()
}

#[test]
fn code_speaks_of_types_and_parts_and_not_of_persons() {
    let words = english();
    let mut wrong: Vec<String> = Vec::new();
    for (path, text) in below("src", "rs").into_iter().chain(below("php-hooks", "php")) {
        let path = shown(&path);
        for (number, line) in text.lines().enumerate() {
            for part in read_by_people(line) {
                let Some(word) = banned(&part, &words) else { continue };
                wrong.push(format!("{path}:{}: \"{word}\": {}", number + 1, part.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn documents_speak_of_types_and_parts_and_not_of_persons() {
    let words = english();
    let mut wrong = Vec::new();
    let mut documents = below("docs", "md");
    documents.extend(below("php-hooks", "md"));
    documents.extend(below("findings", "md"));
    documents.extend(["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(|name| (name.into(), read(name))));
    for (path, text) in documents {
        let path = shown(&path);
        if path.ends_with(".es.md") {
            continue;
        }
        // Blocks of code are what they are; so are the names between backticks, which may be broken by a line.
        let text = text.split("```").step_by(2).collect::<Vec<_>>().join("\n");
        for paragraph in text.split("\n\n").map(prose) {
            if let Some(word) = banned(&paragraph, &words) {
                wrong.push(format!("{path}: \"{word}\" in: {}", paragraph.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The texts of one language in a table of texts, each with its line.
fn texts<'a>(toml: &'a str, language: &str) -> Vec<(usize, &'a str)> {
    let before = format!("{language} = \"");
    let of = |line: &'a str| {
        let (_, text) = line.split_once(&before)?;
        text.split_once("\", ")
            .or_else(|| text.split_once("\" }"))
            .or_else(|| text.split_once('"'))
            .map(|(text, _)| text)
    };
    toml.lines().enumerate().filter_map(|(number, line)| Some((number + 1, of(line)?))).collect()
}

#[test]
fn pages_have_one_word_for_each_concept_in_each_language() {
    let english = english();
    let languages = [("en", &english[..]), ("es_AR", &BANNED_ES[..]), ("pt_BR", &BANNED_PT[..])];
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (path, text) in below("src", "toml") {
        let path = shown(&path);
        for (language, words) in languages {
            for (number, sentence) in texts(&text, language) {
                seen += 1;
                if let Some(word) = banned(&prose(sentence), words) {
                    wrong.push(format!("{path}:{number}: {language} says \"{word}\": {sentence}"));
                }
                if language == "pt_BR" && sentence.contains('«') && sentence.contains('»') {
                    wrong.push(format!("{path}:{number}: Portuguese quotes are “ and ”: {sentence}"));
                }
            }
        }
        for (number, line) in text.lines().enumerate().filter(|(_, line)| line.starts_with('#')) {
            if let Some(word) = banned(&prose(line), &english) {
                wrong.push(format!("{path}:{}: \"{word}\": {line}", number + 1));
            }
        }
        // A text to clients is a file of its own, one for each language.
        let stem = Path::new(&path).file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let words = match stem.rsplit('.').next().unwrap_or_default() {
            "en" => &english[..],
            "es" | "es_AR" => &BANNED_ES[..],
            "pt_BR" => &BANNED_PT[..],
            _ => continue,
        };
        if let Some(word) = banned(&text, words) {
            wrong.push(format!("{path}: says \"{word}\""));
        }
    }
    assert!(seen > 1000, "{seen} texts");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
