//! Owns: everything that speaks HTTP to the outside. A route matches path and method, then never rejects: its handler
//! answers, errors included.

pub mod body;
pub mod connection_limit;
pub mod server;

pub mod problem;
pub mod refusals;
pub mod request;
pub mod sources;

pub mod admin;
pub mod api;
pub mod openapi;

pub mod answers;
pub mod batches;
pub mod decide;
pub mod heartbeat;
pub mod ingest;
pub mod manifest;
mod number_changes;
pub mod ops;
pub mod preferences;
pub mod receipts;

use std::convert::Infallible;

use warp::filters::BoxedFilter;
use warp::reply::Response;
use warp::{Filter, Rejection};

use problem::Problem;

/// One or more routes. Boxed, because unboxed ones do not compile in this number.
pub type Route = BoxedFilter<(Response,)>;

/// All `routes`, tried in their order, and a problem for what none of them answers.
///
/// # Panics
/// Without any route.
#[must_use]
pub fn join(routes: Vec<Route>) -> Route {
    let mut routes = routes.into_iter();
    let first = routes.next().expect("at least one route");
    // Nested from the end: a request goes through one layer for each route that it passes by, and the first is the busiest.
    match routes.rev().reduce(|rest, route| route.or(rest).unify().boxed()) {
        // One layer for both steps, since each boxed one costs a request an allocation.
        Some(rest) => first.or(rest).unify().recover(unanswered).unify().boxed(),
        None => first.recover(unanswered).unify().boxed(),
    }
}

async fn unanswered(rejection: Rejection) -> Result<Response, Infallible> {
    let problem = if rejection.find::<warp::reject::MethodNotAllowed>().is_some() {
        Problem::new(405, "method-not-allowed", "This address does not know that method.")
    } else {
        Problem::new(404, "not-found", "There is nothing at this address.")
    };
    Ok(problem.response())
}
