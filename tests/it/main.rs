//! The one test binary. Areas side by side; what they share is in `support`.

mod support;

mod demo_data;
mod format;
mod money;
mod phone;
mod sandbox;
