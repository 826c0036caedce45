//! The page about protocols, and the report's schema, follow from the table of protocols.
//!
//! `UPDATE_DOCUMENTS=1 cargo test --test contract protocols::` writes them anew from it, for you
//! to read.

use std::env;
use std::fs;

use dep_preflight::facade::{PROTOCOLS, Protocol, Scheme, Tls};
use serde_json::{Value, json};

use super::{Outcome, at, path, read, schema};

const PAGE: &str = "docs/protocols.md";
const SCHEMA: &str = "report.schema.json";

#[test]
fn the_page_says_what_the_table_says() -> Outcome {
    let page = read(PAGE)?;
    let page_now = [
        ("Addresses", addresses()),
        ("Questions and answers", answers()),
    ]
    .into_iter()
    .try_fold(page.clone(), |page, (heading, table)| {
        with_table(&page, heading, &table)
    })?;
    if is_update() {
        fs::write(path(PAGE), page_now)?;
        return Ok(());
    }
    let differs: Vec<_> = page_now
        .lines()
        .filter(|line| !page.lines().any(|shown| shown == *line))
        .collect();
    assert!(
        page == page_now,
        "{PAGE} against src/protocol/mod.rs (UPDATE_DOCUMENTS=1 writes it anew): {differs:#?}"
    );
    Ok(())
}

#[test]
fn the_schema_knows_every_protocol() -> Outcome {
    let names = ["http"]
        .into_iter()
        .chain(PROTOCOLS.iter().map(|protocol| protocol.name));
    let names: Vec<_> = names.collect();
    if is_update() {
        let text = read(SCHEMA)?;
        let (before, rest) = text
            .split_once("    \"protocol\": {")
            .ok_or("no $defs/protocol")?;
        let (about, rest) = rest.split_once("\"enum\": [").ok_or("no enumeration")?;
        let (_, after) = rest.split_once(']').ok_or("no end of it")?;
        let list: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
        let list = list.join(",\n        ");
        let text = format!(
            "{before}    \"protocol\": {{{about}\"enum\": [\n        {list}\n      ]{after}"
        );
        fs::write(path(SCHEMA), text)?;
    }
    assert_eq!(
        at(&schema()?, "/$defs/protocol/enum")?,
        &json!(names),
        "{SCHEMA} against src/protocol/mod.rs (UPDATE_DOCUMENTS=1 writes it anew)"
    );
    Ok(())
}

/// A target may be asked in every protocol that there is, by every scheme that it has.
#[test]
fn the_schema_takes_every_address() -> Outcome {
    let schema = schema()?;
    let defs = at(&schema, "/$defs")?;
    let address = json!({"$ref": "#/$defs/address", "$defs": defs});
    let address = jsonschema::validator_for(&address)?;
    for scheme in PROTOCOLS.iter().flat_map(|protocol| protocol.schemes) {
        let url: Value = json!(format!("{}://h.example", scheme.name));
        assert!(address.is_valid(&url), "{url}");
    }
    Ok(())
}

/// The protocols, with what their addresses may look like.
fn addresses() -> Vec<Vec<String>> {
    let head = ["protocol", "address", "TLS", "path"];
    let http = [
        "`http`",
        "`http://`, `ws://` 80; `https://`, `wss://` 443",
        "by the scheme",
        "asked for",
    ];
    let mut rows = vec![row(head), row(http)];
    rows.extend(PROTOCOLS.iter().map(|protocol| {
        row([
            format!("`{}`", protocol.name),
            schemes(protocol),
            tls(protocol).to_owned(),
            protocol.path.unwrap_or("not used").to_owned(),
        ])
    }));
    rows
}

/// What is asked in each protocol, and what its answers mean.
fn answers() -> Vec<Vec<String>> {
    let head = [
        "protocol",
        "it asks",
        "up",
        "down, `not-serving`",
        "what an `up` does not say",
        "in the server's log",
    ];
    let mut rows = vec![row(head)];
    rows.extend(PROTOCOLS.iter().map(|protocol| {
        let page = &protocol.page;
        let name = format!("`{}`", protocol.name);
        row([&name, page.asks, page.up, page.down, page.blind, page.log])
    }));
    rows
}

/// The schemes, those with the same port and TLS together.
fn schemes(protocol: &Protocol) -> String {
    let mut groups: Vec<(Vec<String>, &Scheme)> = Vec::new();
    for scheme in protocol.schemes {
        let name = format!("`{}://`", scheme.name);
        let is_srv = |name: &str| name.ends_with("+srv");
        match groups.last_mut() {
            Some((names, first))
                if (first.port, first.tls) == (scheme.port, scheme.tls)
                    && !is_srv(first.name)
                    && !is_srv(scheme.name) =>
            {
                names.push(name);
            }
            _ => groups.push((vec![name], scheme)),
        }
    }
    let groups: Vec<_> = groups
        .into_iter()
        .map(|(names, scheme)| {
            let port = match scheme.port {
                Some(port) => port.to_string(),
                None if scheme.name.ends_with("+srv") => "by SRV records".to_owned(),
                None => "and a port".to_owned(),
            };
            format!("{} {port}", names.join(", "))
        })
        .collect();
    groups.join("; ")
}

fn tls(protocol: &Protocol) -> &'static str {
    let with_tls = protocol.schemes.iter().filter(|scheme| scheme.tls).count();
    match protocol.tls {
        _ if with_tls == protocol.schemes.len() => "always",
        Tls::FromTheStart if with_tls > 0 => "by the scheme, or `tls: true`",
        Tls::FromTheStart => "`tls: true`",
        Tls::Upgrade if with_tls > 0 => "by the scheme, from the start; `tls: true`: upgrade",
        Tls::Upgrade => "`tls: true`: upgrade",
        Tls::Never if with_tls > 0 => "by the scheme",
        Tls::Never => "none",
    }
}

fn row<const N: usize>(cells: [impl Into<String>; N]) -> Vec<String> {
    cells.map(Into::into).into()
}

/// The page with this table in place of the one under a heading.
fn with_table(page: &str, heading: &str, rows: &[Vec<String>]) -> Result<String, String> {
    let lines: Vec<_> = page.lines().collect();
    let after = |start: usize, wanted: &dyn Fn(&str) -> bool| {
        let rest = lines.get(start..).unwrap_or_default();
        rest.iter()
            .position(|line| wanted(line))
            .map(|at| start + at)
    };
    let start = after(0, &|line| line.trim_start_matches('#').trim() == heading)
        .and_then(|at| after(at, &|line| line.starts_with('|')))
        .ok_or_else(|| format!("no table under \"{heading}\""))?;
    let end = after(start, &|line| !line.starts_with('|')).unwrap_or(lines.len());
    let mut table = Vec::new();
    for (index, cells) in rows.iter().enumerate() {
        for cell in cells {
            assert!(!cell.is_empty(), "an empty cell in {cells:?}");
            assert!(!cell.contains(['|', '\n']), "no cell of a table: {cell:?}");
        }
        table.push(format!("| {} |", cells.join(" | ")));
        if index == 0 {
            table.push(format!("|{}", "---|".repeat(cells.len())));
        }
    }
    let mut text = Vec::new();
    text.extend(lines.iter().take(start).map(|line| (*line).to_owned()));
    text.extend(table);
    text.extend(lines.iter().skip(end).map(|line| (*line).to_owned()));
    Ok(text.join("\n") + "\n")
}

fn is_update() -> bool {
    env::var_os("UPDATE_DOCUMENTS").is_some_and(|value| !value.is_empty())
}
