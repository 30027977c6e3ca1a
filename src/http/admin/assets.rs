//! Owns: the files that pages load: style, htmx, a few lines of script, the icon. Embedded; the address holds the content's
//! hash, so that a browser keeps them for ever and never an old one.

use rust_embed::RustEmbed;
use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::Response;

use crate::signature::hex;

#[derive(RustEmbed)]
#[folder = "src/http/admin/assets/"]
struct Files;

/// Where a page finds `name`.
#[must_use]
pub fn address(name: &str) -> String {
    let hash = Files::get(name).map(|file| hex(&file.metadata.sha256_hash()[..6])).unwrap_or_default();
    format!("/admin/assets/{name}?v={hash}")
}

/// The file.
#[must_use]
pub fn answer(name: &str) -> Option<Response> {
    let file = Files::get(name)?;
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => return None,
    };
    let mut response = Response::new(file.data.into_owned().into());
    *response.status_mut() = StatusCode::OK;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable"));
    Some(response)
}
