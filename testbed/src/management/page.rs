//! The page at `/`: what goes on, for people who would rather look than read. It sets nothing.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use certwright::Clock as _;
use ring::digest::{SHA256, digest};
use serde_json::Value;

use crate::acme::world::World;
use crate::management::listener::Bed;
use crate::management::show;
use crate::wire::reply::Reply;

/// How much of each list is shown, the newest first.
const SHOWN: usize = 50;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page; with the query `main`, its changing part alone.
pub(crate) fn page(bed: &Bed, query: &str) -> Reply {
    let main = main(bed);
    let html = if query == "main" {
        main
    } else {
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>certwright test bed</title>\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <meta name=\"color-scheme\" content=\"light dark\"><style>{STYLE}</style></head><body>\
             <header><h1>certwright test bed</h1><label hidden><input type=\"checkbox\" id=\"follow\" checked> follow \
             <span id=\"state\" role=\"status\"></span></label></header><main>{main}</main>\
             <script>{SCRIPT}</script></body></html>\n"
        )
    };
    // Whatever a client called itself, nothing runs or is loaded but this style and this script.
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())));
    let policy = format!(
        "default-src 'none'; style-src {}; script-src {}; connect-src 'self'; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'",
        hash(STYLE),
        hash(SCRIPT)
    );
    Reply::of(200, "text/html; charset=utf-8", html.into_bytes())
        .with("Content-Security-Policy", policy)
        .with("Referrer-Policy", "no-referrer")
}

fn main(bed: &Bed) -> String {
    let world = bed.shared.world();
    let mut html = format!(
        "<dl><dt>directory</dt><dd><code>{}</code></dd><dt>time</dt><dd>{}</dd>",
        escaped(&world.site.at("directory")),
        escaped(&bed.clock.now().to_string())
    );
    if let Some(names) = &bed.dns {
        html += &format!("<dt>name server</dt><dd><code>{}</code></dd>", names.address());
    }
    html += "</dl>";
    html += &orders(&world);
    html += &accounts(&world);
    html += &certificates(&world);
    html += &requests(&world);
    drop(world);
    html + &queries(bed)
}

/// A section with a table; or a sentence where there is nothing.
fn section(title: &str, count: usize, head: &[&str], rows: &[Vec<String>]) -> String {
    let mut html = format!("<section><h2>{title} <small>{count}</small></h2>");
    if rows.is_empty() {
        return html + "<p>None yet.</p></section>";
    }
    html += "<div class=\"scroll\"><table><thead><tr>";
    for name in head {
        html += &format!("<th scope=\"col\">{name}</th>");
    }
    html += "</tr></thead><tbody>";
    for row in rows {
        html += "<tr>";
        for (name, cell) in head.iter().zip(row) {
            html += &format!("<td data-name=\"{name}\">{cell}</td>");
        }
        html += "</tr>";
    }
    html += "</tbody></table></div>";
    if count > rows.len() {
        html += &format!("<p>The newest {} of {count}.</p>", rows.len());
    }
    html + "</section>"
}

fn orders(world: &World) -> String {
    let newest = (0..world.orders.len()).rev().take(SHOWN);
    let rows = newest.map(|number| {
        let order = show::order(world, number);
        let names = list(&order["identifiers"], |identifier| text(&identifier["value"]));
        let proofs = list(&order["authorization_ids"], |id| proof(world, id));
        vec![
            number.to_string(),
            status(&order["status"]),
            format!("{names}{}", error(&order["error"])),
            format!("<details id=\"order-{number}\"><summary>authorizations</summary>{proofs}</details>"),
            text(&order["account"]),
            text(&order["profile"]),
        ]
    });
    let head = ["order", "status", "names", "authorizations", "account", "profile"];
    section("Orders", world.orders.len(), &head, &rows.collect::<Vec<_>>())
}

fn proof(world: &World, id: &Value) -> String {
    let number = id.as_u64().and_then(|id| usize::try_from(id).ok()).unwrap_or(usize::MAX);
    let shown = show::authorization(world, number);
    let challenges = list(&shown["challenges"], |challenge| {
        format!("{} {}{}", text(&challenge["type"]), status(&challenge["status"]), error(&challenge["error"]))
    });
    format!("{} {} {challenges}", text(&shown["name"]), status(&shown["status"]))
}

fn accounts(world: &World) -> String {
    let newest = (0..world.accounts.len()).rev().take(SHOWN);
    let rows = newest.map(|number| {
        let account = show::account(world, number);
        vec![
            number.to_string(),
            status(&account["status"]),
            list(&account["contact"], text),
            account["orders"].as_array().map_or(0, Vec::len).to_string(),
            format!("<code>{}</code>", text(&account["key_thumbprint"])),
        ]
    });
    let head = ["account", "status", "contact", "orders", "key"];
    section("Accounts", world.accounts.len(), &head, &rows.collect::<Vec<_>>())
}

fn certificates(world: &World) -> String {
    let newest = (0..world.certificates.len()).rev().take(SHOWN);
    let rows = newest.map(|number| {
        let shown = show::certificate(world, number);
        vec![
            number.to_string(),
            status(&shown["status"]),
            list(&shown["names"], text),
            text(&shown["not_after"]),
            format!("<code>{}</code>", text(&shown["serial"])),
        ]
    });
    let head = ["certificate", "status", "names", "until", "serial"];
    section("Certificates", world.certificates.len(), &head, &rows.collect::<Vec<_>>())
}

fn requests(world: &World) -> String {
    let last = world.log.last();
    let mut rows: Vec<Vec<String>> = world
        .log
        .after(last.saturating_sub(SHOWN))
        .map(|(number, entry)| {
            let said = serde_json::from_str::<Value>(&entry.answer).unwrap_or_default();
            let failed = entry.status.is_none_or(|status| status >= 400);
            vec![
                number.to_string(),
                format!("{:.3} s", entry.at.as_secs_f64()),
                escaped(&entry.method),
                format!("<code>{}</code>", escaped(&entry.path)),
                status(&entry.status.map_or_else(|| "no answer".into(), Value::from)),
                if failed { error(&said) } else { String::new() },
            ]
        })
        .collect();
    rows.reverse();
    section("Requests", last, &["request", "at", "method", "path", "status", "problem"], &rows)
}

fn queries(bed: &Bed) -> String {
    let Some(names) = &bed.dns else { return String::new() };
    let shared = names.shared();
    let log = shared.log();
    let rows = log.after(0).rev().take(SHOWN).map(|(number, entry)| {
        let shown = show::message(number, entry);
        vec![
            number.to_string(),
            format!("{:.3} s", entry.at.as_secs_f64()),
            text(&shown["operation"]),
            format!("<code>{}</code>", escaped(&entry.name)),
            text(&shown["type"]),
            status(&shown["code"]),
            list(&shown["records"], |record| format!("<code>{}</code>", text(record))),
        ]
    });
    let rows: Vec<_> = rows.collect();
    section("Names", log.last(), &["message", "at", "operation", "name", "type", "code", "records"], &rows)
}

/// A list, each entry as markup.
fn list(value: &Value, entry: impl Fn(&Value) -> String) -> String {
    let entries = value.as_array().map(Vec::as_slice).unwrap_or_default();
    let items: String = entries.iter().map(|one| format!("<li>{}</li>", entry(one))).collect();
    if items.is_empty() { items } else { format!("<ul>{items}</ul>") }
}

/// A word that says how things are. Its colour is not the only sign.
fn status(value: &Value) -> String {
    let word = text(value);
    let class = match word.as_str() {
        "valid" | "ready" | "NOERROR" | "200" | "201" | "204" => "good",
        "pending" | "processing" => "open",
        _ => "bad",
    };
    format!("<span class=\"{class}\">{word}</span>")
}

/// A problem document in one line.
fn error(value: &Value) -> String {
    let Some(detail) = value.get("detail") else { return String::new() };
    let kind = value["type"].as_str().and_then(|kind| kind.rsplit(':').next()).unwrap_or_default();
    format!("<p class=\"problem\"><b>{}</b> {}</p>", escaped(kind), text(detail))
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => escaped(text),
        other => escaped(&other.to_string()),
    }
}

/// Text that cannot become markup, in an element or in a quoted attribute; what is invisible or turns the direction of
/// writing is shown as what it is.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            char if char.is_control()
                || matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}') =>
            {
                html.push_str(&format!("\\u{{{:x}}}", u32::from(char)));
            }
            char => html.push(char),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_does_not_become_markup() {
        assert_eq!(escaped("<script>\"'&"), "&lt;script&gt;&quot;&#39;&amp;");
        assert_eq!(escaped("a\u{202e}b\0"), "a\\u{202e}b\\u{0}");
        let hostile = serde_json::json!({"type": "urn:x:<b>", "detail": ["<i>"]});
        assert!(
            !error(&hostile).contains("<i>")
                && !error(&hostile).contains("urn:x:")
                && !error(&hostile).contains("<b><")
        );
        assert!(!status(&"<u>".into()).contains("<u>") && !list(&serde_json::json!(["<li>x"]), text).contains("<li>x"));
    }

    #[test]
    fn the_page_takes_nothing_from_elsewhere() {
        for part in [STYLE, SCRIPT] {
            assert!(
                !part.contains("http") && !part.contains("//") && !part.contains("@import") && !part.contains("url(")
            );
            assert!(!part.contains("</"), "the end of an element would end the style or the script");
        }
    }
}
