//! Owns: the page at `/`: the chats as the clients' phones would show them. Everything from outside is escaped by maud;
//! the script reads data only from attributes.

use std::collections::HashSet;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use warp::Reply;
use warp::reply::Response;

use super::fill::RenderedButton;
use super::ledger::{Message, Status};
use super::world::World;
use super::{Inner, error};

/// Messages looked at for the page, newest first.
const MESSAGES_SHOWN_MAX: usize = 2_000;
/// Chats in the list.
const CHATS_SHOWN_MAX: usize = 100;

/// The page; `chat` is the `wa_id` of the open chat.
pub fn page(inner: &Inner, chat: Option<&str>) -> Response {
    let now_ms = inner.now_ms();
    // Anything but digits is no chat, and would not be cut safely below.
    let chat = chat.filter(|wa_id| wa_id.bytes().all(|byte| byte.is_ascii_digit()));
    let world = inner.world();
    let chats = chats(&world);
    let open = chat.or_else(|| chats.first().map(|newest| newest.wa_id.as_str()));
    let messages: Vec<&Message> = open.map(|wa_id| of_chat(&world, wa_id)).unwrap_or_default();
    let body = html! {
        (DOCTYPE)
        html lang="es" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "WhatsApp de prueba" }
                style { (PreEscaped(include_str!("page.css"))) }
                noscript { meta http-equiv="refresh" content="2"; }
            }
            body.chosen[chat.is_some()] {
                main {
                    (list(&world, &chats, open))
                    section.chat {
                        @if let Some(wa_id) = open {
                            (head(&world, wa_id, now_ms))
                            div #bubbles { div.thread { @for message in messages { (bubble(message)) } } }
                            form #reply data-from=(wa_id) {
                                input name="text" autocomplete="off" maxlength="4096"
                                    placeholder="Responder como el cliente" aria-label="Mensaje del cliente";
                                button type="submit" aria-label="Enviar" { (icon("M3 20v-6l8-2-8-2V4l19 8z")) }
                            }
                        } @else {
                            div.empty { h2 { "Todavía no hay mensajes" }
                                p { "Acá aparece lo que reciben los clientes, en cuanto el servicio envíe un aviso." } }
                        }
                    }
                }
                script { (PreEscaped(include_str!("page.js"))) }
            }
        }
    };
    drop(world);
    warp::reply::with_header(body.into_string(), "content-type", "text/html; charset=utf-8").into_response()
}

/// The newest message of each chat, newest chat first.
fn chats(world: &World) -> Vec<&Message> {
    let mut seen = HashSet::new();
    let newest = world.ledger.messages().rev().take(MESSAGES_SHOWN_MAX);
    newest.filter(|message| seen.insert(message.wa_id.as_str())).take(CHATS_SHOWN_MAX).collect()
}

fn of_chat<'a>(world: &'a World, wa_id: &str) -> Vec<&'a Message> {
    let newest = world.ledger.messages().rev().take(MESSAGES_SHOWN_MAX);
    let mut messages: Vec<&Message> = newest.filter(|message| message.wa_id == wa_id).collect();
    messages.reverse();
    messages
}

fn list(world: &World, chats: &[&Message], open: Option<&str>) -> Markup {
    let stats = world.stats();
    html! {
        nav {
            header { h1 { "Teléfonos de prueba" } span.badge { "simulador" } }
            div #chats {
                p.counts { (stats.accepted) " aceptados · " (stats.refused.values().sum::<u64>()) " rechazados" }
                @for last in chats {
                    a.row.open[open == Some(last.wa_id.as_str())] href={ "?chat=" (last.wa_id) } {
                        (avatar(world, &last.wa_id))
                        span.who { (who(world, &last.wa_id)) }
                        (time(last.accepted_at_ms))
                        span.last { (ticks(last)) " " (last.content.text) }
                    }
                }
            }
        }
    }
}

fn head(world: &World, wa_id: &str, now_ms: i64) -> Markup {
    let window = world.window_until_ms(wa_id).filter(|until| now_ms < *until);
    html! {
        header {
            a.back href="/" aria-label="Volver" { (icon("M20 11H8l5-5-1.5-1.5L4 12l7.5 7.5L13 18l-5-5h12z")) }
            (avatar(world, wa_id))
            div {
                strong { (who(world, wa_id)) }
                small #window {
                    @if world.client_name(wa_id).is_some() { (spaced(wa_id)) " · " }
                    @match window {
                        Some(until) => { "texto libre: quedan " (remaining(until - now_ms)) }
                        None => "solo plantillas: no escribió en 24 h",
                    }
                }
            }
        }
    }
}

fn who(world: &World, wa_id: &str) -> String {
    world.client_name(wa_id).map_or_else(|| spaced(wa_id), str::to_owned)
}

fn remaining(ms: i64) -> String {
    let minutes = ms / 60_000;
    if minutes < 60 { format!("{minutes} min") } else { format!("{} h", minutes / 60) }
}

/// The number in groups, as phones show it.
fn spaced(wa_id: &str) -> String {
    if let Some(rest) = wa_id.strip_prefix("549").filter(|rest| rest.len() == 10) {
        // Areas have two (Buenos Aires), three or four digits; three is right more often than four.
        let (area, local) = rest.split_at(if rest.starts_with("11") { 2 } else { 3 });
        let (first, last) = local.split_at(local.len() - 4);
        return format!("+54 9 {area} {first}-{last}");
    }
    format!("+{wa_id}")
}

/// A coloured disc, so that chats differ at a glance.
fn avatar(world: &World, wa_id: &str) -> Markup {
    let hash = wa_id.bytes().fold(7_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add(u32::from(byte)));
    let hue = hash.wrapping_mul(137) % 360; // the golden angle keeps neighbouring numbers apart
    let initial = world.client_name(wa_id).and_then(|name| name.chars().next());
    let tail = &wa_id[wa_id.len().saturating_sub(2)..];
    html! {
        span.avatar style={ "--hue:" (hue) } aria-hidden="true" {
            @match initial { Some(letter) => (letter.to_uppercase()), None => (tail) }
        }
    }
}

fn bubble(message: &Message) -> Markup {
    let content = &message.content;
    let failed = message.statuses.iter().find_map(|one| one.code);
    html! {
        article.bubble.in[message.incoming].out[!message.incoming] {
            @if let Some(header) = &content.header { strong.head { (header) } }
            p { (content.text) }
            @if let Some(footer) = &content.footer { small.foot { (footer) } }
            span.meta {
                @if let Some(template) = &message.template {
                    span.template title="Plantilla" { (template) " · " (message.language.as_deref().unwrap_or("")) }
                }
                (time(message.accepted_at_ms)) " " (ticks(message))
            }
            @if let Some(code) = failed { p.failed title=(error::title(code)) { "No se entregó (código " (code) ")" } }
            @for one in &content.buttons { (button(one)) }
        }
    }
}

fn button(button: &RenderedButton) -> Markup {
    const LINK: &str = "M14 3v2h3.6l-9.8 9.8 1.4 1.4L19 6.4V10h2V3zM5 5h5v2H7v10h10v-3h2v5H5z";
    const REPLY: &str = "M10 9V5l-7 7 7 7v-4.1c5 0 8.5 1.6 11 5.1-1-5-4-10-11-11z";
    // Only web addresses become links: a template could hold any scheme.
    let link = button.url.as_deref().filter(|url| url.starts_with("https://") || url.starts_with("http://"));
    html! {
        @if let Some(url) = link {
            a.action href=(url) rel="noreferrer" target="_blank" { (icon(LINK)) (button.text) }
        } @else if let Some(payload) = &button.payload {
            button.action type="button" data-payload=(payload) data-text=(button.text) { (icon(REPLY)) (button.text) }
        } @else {
            span.action { (button.text) }
        }
    }
}

/// The ticks under a message, drawn as phones draw them, with a word for those who cannot see them.
fn ticks(message: &Message) -> Markup {
    const ONE: &str = "M9 16.2 4.8 12l-1.4 1.4L9 19 21 7l-1.4-1.4z";
    const TWO: &str =
        "M18 7l-1.4-1.4-6.3 6.3 1.4 1.4zm4.2-1.4L11.7 16.2 7.5 12l-1.4 1.4L11.7 19l12-12zM.4 13.4 6 19l1.4-1.4L1.8 12z";
    const CLOCK: &str = "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm0 18a8 8 0 1 1 0-16 8 8 0 0 1 0 16zm.5-13H11v6l5.2 3.1.8-1.2-4.5-2.7z";
    const ALERT: &str = "M12 2a10 10 0 1 0 0 20 10 10 0 0 0 0-20zm1 15h-2v-2h2zm0-4h-2V7h2z";
    let (class, path, word) = match message.status() {
        _ if message.incoming => return html! {},
        Status::Accepted => ("accepted", CLOCK, "aceptado"),
        Status::Sent => ("sent", ONE, "enviado"),
        Status::Delivered => ("delivered", TWO, "entregado"),
        Status::Read => ("read", TWO, "leído"),
        Status::Failed => ("failed", ALERT, "falló"),
    };
    html! { span.tick.(class) role="img" aria-label=(word) title=(word) { (icon(path)) } }
}

fn icon(path: &str) -> Markup {
    html! { svg viewBox="0 0 24 24" aria-hidden="true" { path d=(path) {} } }
}

/// Hours and minutes: UTC from here, the reader's own zone once the script ran.
fn time(at_ms: i64) -> Markup {
    let Ok(at) = Timestamp::from_millisecond(at_ms) else { return html! {} };
    html! { time datetime=(at) { (at.to_zoned(TimeZone::UTC).strftime("%H:%M").to_string()) } }
}
