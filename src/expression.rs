//! Owns: the expressions of conditions and texts: what may stand in one, and evaluating it. Compiled once; an unknown name is an
//! error, never silently false; nothing can be reached but the context.
//! Why so little may stand in one: fuel counts steps, and one step can make a list of a hundred million or a text of gigabytes. So
//! nothing here makes much out of little: no repetition, no functions, no lists in lists, and only filters whose result is bounded by
//! what they are given. A step then costs about what its text and its facts are long.

use std::borrow::Cow;
use std::sync::LazyLock;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, Value, filters, tests as is};
use tokio::runtime::{Handle, RuntimeFlavor};

/// Steps an expression may take.
const FUEL: u64 = 10_000;
/// Longest expression, in bytes.
const BYTES_MAX: usize = 2_000;
/// Longest text that a filter makes longer than it was, in bytes.
const GROWN_MAX: usize = 10_000;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(environment);

fn environment() -> Environment<'static> {
    let mut all = Environment::empty();
    all.set_undefined_behavior(UndefinedBehavior::Strict);
    all.set_fuel(Some(FUEL));
    all.set_recursion_limit(32);
    all.add_filter("lower", filters::lower);
    all.add_filter("upper", filters::upper);
    all.add_filter("title", filters::title);
    all.add_filter("capitalize", filters::capitalize);
    all.add_filter("trim", filters::trim);
    all.add_filter("default", filters::default);
    all.add_filter("d", filters::default);
    all.add_filter("length", filters::length);
    all.add_filter("count", filters::length);
    all.add_filter("first", filters::first);
    all.add_filter("last", filters::last);
    all.add_filter("min", filters::min);
    all.add_filter("max", filters::max);
    all.add_filter("round", filters::round);
    all.add_filter("abs", filters::abs);
    all.add_filter("int", filters::int);
    all.add_filter("float", filters::float);
    all.add_filter("string", filters::string);
    all.add_filter("bool", filters::bool);
    all.add_filter("replace", replace);
    all.add_filter("join", join);
    all.add_test("defined", is::is_defined);
    all.add_test("undefined", is::is_undefined);
    all.add_test("none", is::is_none);
    all.add_test("true", is::is_true);
    all.add_test("false", is::is_false);
    all.add_test("boolean", is::is_boolean);
    all.add_test("number", is::is_number);
    all.add_test("integer", is::is_integer);
    all.add_test("float", is::is_float);
    all.add_test("string", is::is_string);
    all.add_test("sequence", is::is_sequence);
    all.add_test("mapping", is::is_mapping);
    all.add_test("odd", is::is_odd);
    all.add_test("even", is::is_even);
    all.add_test("divisibleby", is::is_divisibleby);
    all.add_test("startingwith", is::is_startingwith);
    all.add_test("endingwith", is::is_endingwith);
    all.add_test("in", is::is_in);
    all.add_test("eq", is::is_eq);
    all.add_test("ne", is::is_ne);
    all.add_test("lt", is::is_lt);
    all.add_test("le", is::is_le);
    all.add_test("gt", is::is_gt);
    all.add_test("ge", is::is_ge);
    all
}

fn too_long() -> Error {
    Error::new(ErrorKind::InvalidOperation, "the text would be too long")
}

/// As everybody's `replace`, but one after another cannot make gigabytes.
#[expect(clippy::needless_pass_by_value, reason = "the engine hands values over")]
fn replace(text: Cow<'_, str>, from: Cow<'_, str>, to: Cow<'_, str>) -> Result<String, Error> {
    let places = text.matches(from.as_ref()).count();
    let grown = text.len().saturating_add(places.saturating_mul(to.len()));
    if grown > GROWN_MAX.max(text.len()) { Err(too_long()) } else { Ok(text.replace(from.as_ref(), &to)) }
}

/// As everybody's `join`, of lists alone.
#[expect(clippy::needless_pass_by_value, reason = "the engine hands values over")]
fn join(list: &Value, with: Option<Cow<'_, str>>) -> Result<String, Error> {
    if list.kind() != ValueKind::Seq {
        return Err(Error::new(ErrorKind::InvalidOperation, "only a list can be joined"));
    }
    let mut joined = String::new();
    for (n, item) in list.try_iter()?.enumerate() {
        if n > 0 {
            joined.push_str(with.as_deref().unwrap_or_default());
        }
        joined.push_str(&item.to_string());
        if joined.len() > GROWN_MAX {
            return Err(too_long());
        }
    }
    Ok(joined)
}

/// A compiled expression.
#[derive(Debug)]
pub struct Expression(minijinja::Expression<'static, 'static>);

impl Expression {
    /// # Errors
    /// What is wrong with the text, in words.
    pub fn compile(text: &str) -> Result<Self, String> {
        bounded(text)?;
        ENVIRONMENT.compile_expression_owned(text.to_owned()).map(Self).map_err(|e| words(&e))
    }

    /// The dotted names that it looks up, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.0.undeclared_variables(true).into_iter().collect();
        names.sort();
        names
    }

    /// # Errors
    /// A name that the context does not have, or fuel used up.
    pub fn value(&self, context: &Value) -> Result<Value, String> {
        let value = self.0.eval(context).map_err(|e| words(&e))?;
        if value.is_undefined() { Err("it has no value here".to_owned()) } else { Ok(value) }
    }

    /// # Errors
    /// As [`Expression::value`].
    pub fn holds(&self, context: &Value) -> Result<bool, String> {
        Ok(self.value(context)?.is_true())
    }

    /// # Errors
    /// As [`Expression::value`].
    pub fn text(&self, context: &Value) -> Result<String, String> {
        let value = self.value(context)?;
        match value.kind() {
            ValueKind::String | ValueKind::Number | ValueKind::Bool => Ok(value.to_string()),
            kind => Err(format!("it is a {kind}, and must be a text, a number or true or false")),
        }
    }
}

/// Does what only computes without keeping the other tasks of this thread waiting.
pub fn aside<T>(work: impl FnOnce() -> T) -> T {
    match Handle::try_current().map(|handle| handle.runtime_flavor()) {
        Ok(RuntimeFlavor::MultiThread) => tokio::task::block_in_place(work),
        // One thread alone has nobody to hand its tasks to.
        _ => work(),
    }
}

/// What a bracket opens.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// `[1, 2]`
    List,
    /// `(a or b)`: with a comma in it, a list as well.
    Group,
    /// `name[0]`, `default('x')`
    Behind,
}

/// Refuses what makes much out of little: repetition, lists in lists (each time one becomes a text its quotes double), maps.
fn bounded(text: &str) -> Result<(), String> {
    if text.len() > BYTES_MAX {
        return Err(format!("it is longer than {BYTES_MAX} bytes"));
    }
    let mut open: Vec<Open> = Vec::new();
    // The last thing before the present one, without blanks: a value, after which a bracket looks into it, or not.
    let mut after_value = false;
    let mut rest = text.char_indices().peekable();
    while let Some((at, c)) = rest.next() {
        match c {
            c if c.is_whitespace() => continue,
            '\'' | '"' => {
                let mut escaped = false;
                for (_, inner) in rest.by_ref() {
                    if inner == c && !escaped {
                        break;
                    }
                    escaped = inner == '\\' && !escaped;
                }
                after_value = true;
                continue;
            }
            c if c.is_alphanumeric() || c == '_' => {
                let mut end = at + c.len_utf8();
                while let Some((next, c)) = rest.next_if(|(_, c)| c.is_alphanumeric() || *c == '_') {
                    end = next + c.len_utf8();
                }
                after_value = !matches!(&text[at..end], "in" | "not" | "and" | "or" | "if" | "else" | "is");
                continue;
            }
            '*' => return Err("`*` is not available".to_owned()),
            '{' => return Err("`{` is not available".to_owned()),
            '[' if !after_value && open.contains(&Open::List) => {
                return Err("a list in a list is not available".to_owned());
            }
            '[' => open.push(if after_value { Open::Behind } else { Open::List }),
            '(' => open.push(if after_value { Open::Behind } else { Open::Group }),
            ',' if open.last() == Some(&Open::Group) => return Err("write a list with `[` and `]`".to_owned()),
            ')' | ']' => {
                open.pop();
                after_value = true;
                continue;
            }
            _ => {}
        }
        after_value = false;
    }
    Ok(())
}

fn words(error: &Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn nothing_is_multiplied_and_texts_may_hold_a_star() {
        for text in ["7 in [1] * 100000000", "'x' ** 2", "[[1], [2]]", "((1, 2), 3)", "{'a': 1}", "[x|default([1])]"] {
            assert!(Expression::compile(text).is_err(), "{text}");
        }
        for text in
            [r#"'a*b' == "it\"s *""#, "a in ['x', 'y'] and (b or c)", "a[0] in [b[1], c.d]", "a|default([1, 2])"]
        {
            assert!(Expression::compile(text).is_ok(), "{text}");
        }
        let list = Expression::compile("[1, 2]").expect("a list").text(&Value::UNDEFINED);
        assert!(list.expect_err("a list is no state").contains("sequence"));
    }

    /// Each was minutes of a core or all memory with the engine's own filters and functions.
    #[test]
    fn what_would_take_a_core_or_all_memory_is_refused_at_once() {
        let chain = |step: &str| format!("'aaaaaaaaaa'{}", step.repeat(60));
        let context = Value::from_pairs([("a", "\"\\'".repeat(1000))]);
        for text in [
            chain("|replace('a', 'aaaaaaaaaa')"),
            chain("|replace('', 'aaaaaaaaaa')"),
            chain("|join('aaaaaaaaaa')"),
            chain("|tojson"),
            chain("|list|string"),
            chain("|split('a')|string"),
            format!("{}a{}", "[".repeat(60), "]|string".repeat(60)),
            format!("{}a{}", "(".repeat(60), ",)|string".repeat(60)),
            "range(100000)|list|string".to_owned(),
            "[1]|batch(1000000000, 'x')".to_owned(),
            "[1]|slice(1000000000)".to_owned(),
            "'x'|indent(1000000000)".to_owned(),
            "'%1000000000s'|format(1)".to_owned(),
        ] {
            let started = Instant::now();
            let value = Expression::compile(&text).and_then(|one| one.value(&context));
            assert!(value.is_err(), "{text}");
            assert!(started.elapsed() < Duration::from_secs(1), "{text}: {:?}", started.elapsed());
        }
    }

    #[test]
    fn what_people_use_works() {
        let context = Value::from_pairs([("name", "Ana Pérez")]);
        for (text, expected) in [
            ("name|upper", "ANA PÉREZ"),
            ("name|replace('Pérez', 'P.')", "Ana P."),
            ("name|replace('x', '')", "Ana Pérez"),
            ("['a', name]|join(' & ')", "a & Ana Pérez"),
            ("missing|default('none')", "none"),
            ("name[0:3] ~ '!'", "Ana!"),
            ("'x' if name is startingwith('B') else 'y'", "y"),
            ("name|length", "9"),
        ] {
            let value = Expression::compile(text).and_then(|one| one.text(&context));
            assert_eq!(value.as_deref(), Ok(expected), "{text}");
        }
    }
}
