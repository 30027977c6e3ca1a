//! The one test binary. Areas side by side; what they share is in `support`.

mod support;

mod api;
mod asking;
mod browser;
mod cancelling;
mod commands;
mod content;
mod crawl;
