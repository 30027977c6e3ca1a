//! Owns: template expressions over facts. Compiled once, evaluated with fuel: an expression cannot run away, cannot reach
//! anything but its context, and an unknown name is an error, never silently false.

use std::sync::LazyLock;

use minijinja::value::ValueKind;
use minijinja::{Environment, UndefinedBehavior, Value};

/// Steps an expression may take.
const FUEL: u64 = 10_000;

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(32);
    environment
});

/// A compiled expression.
#[derive(Debug)]
pub struct Expression(minijinja::Expression<'static, 'static>);

impl Expression {
    /// # Errors
    /// What is wrong with the text, in words.
    pub fn compile(text: &str) -> Result<Self, String> {
        // `[1] * 100000000` is one step of fuel, and whoever looks into that list is busy for seconds (found by fuzzing).
        if has_star(text) {
            return Err("`*` is not available in conditions".to_owned());
        }
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

/// Whether there is a `*` outside of quoted texts.
fn has_star(text: &str) -> bool {
    let mut quote = None;
    let mut escaped = false;
    for c in text.chars() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c == '*' => return true,
            _ => {}
        }
    }
    false
}

fn words(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_multiplied_and_texts_may_hold_a_star() {
        assert!(Expression::compile("7 in [1] * 100000000").is_err());
        assert!(Expression::compile("'x' ** 2").is_err());
        assert!(Expression::compile(r#"'a*b' == "it\"s *""#).is_ok());
        let list = Expression::compile("[1, 2]").expect("a list").text(&Value::UNDEFINED);
        assert!(list.expect_err("a list is no state").contains("sequence"));
    }
}
