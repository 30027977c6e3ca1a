//! The administrators' page and the API, area by area.

mod erasing;
mod events;
mod hookpoints;
mod messages;
mod overview;
mod phones;
pub mod privacy;
mod rules;
mod settings;
mod templates;
mod why;
