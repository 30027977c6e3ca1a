//! Owns: template expressions over facts. Compiled once, evaluated with fuel: an expression cannot run away, cannot reach
//! anything but its context, and an unknown name is an error, never silently false.

use std::sync::LazyLock;

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
        ENVIRONMENT.compile_expression_owned(text.to_owned()).map(Self).map_err(|e| words(&e))
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
        Ok(self.value(context)?.to_string())
    }
}

fn words(error: &minijinja::Error) -> String {
    match error.detail() {
        Some(detail) => format!("{}: {detail}", error.kind()),
        None => error.kind().to_string(),
    }
}
