use super::*;

#[test]
fn scalars_are_text_and_duplicates_stay() {
    let tree = parse("a: <500\nb: 200\na: {optional: true, x: ~}\nc: no\n8080: [1]").unwrap();
    let scalar = |text: &str| Node::Scalar(text.into());
    let Node::Map(entries) = tree else {
        panic!("no mapping")
    };
    assert_eq!(entries.len(), 5);
    let entry = |key: &str, line, node| Entry {
        key: key.into(),
        line,
        node,
    };
    assert_eq!(entries[0], entry("a", 1, scalar("<500")));
    assert_eq!(entries[1], entry("b", 2, scalar("200")));
    assert_eq!(entries[3], entry("c", 4, scalar("no")));
    let list = Node::List(vec![scalar("1")]);
    assert_eq!(entries[4], entry("8080", 5, list));
}

#[test]
fn an_own_key_beats_a_merged_one() {
    let tree = parse("x: &x {k: 1, l: 2}\ny: {<<: *x, k: 3}").unwrap();
    let Node::Map(entries) = tree else {
        panic!("no mapping")
    };
    let Node::Map(y) = &entries[1].node else {
        panic!("no mapping")
    };
    // A key that was merged stands where it was written.
    let keys: Vec<_> = y
        .iter()
        .map(|entry| (entry.key.as_str(), entry.line))
        .collect();
    assert_eq!(keys, [("k", 2), ("l", 1)]);
}

#[test]
fn tags_that_are_not_known_are_refused_where_they_stand() {
    for text in [
        "a: 1\nb: !2xx",
        "a: 1\nb: !2xx 3",
        "a: 1\nb: !!binary aGk=",
        "a: 1\nb: !env {c: d}",
        "a: 1\nb: !!map [c]",
        "a: 1\nb: !<tag:example,2000:x> c",
    ] {
        let why = parse(text).unwrap_err().to_string();
        assert!(
            why.contains("line 2") && why.contains("tag"),
            "{text}: {why}"
        );
    }
    let text =
        "a: !!str\nb: !!int 7\nc: !!null\nd: !!map {}\ne: !!seq []\nf: !<tag:yaml.org,2002:str> ~";
    let Node::Map(entries) = parse(text).unwrap() else {
        panic!("no mapping")
    };
    let nodes: Vec<_> = entries.into_iter().map(|entry| entry.node).collect();
    let scalar = |text: &str| Node::Scalar(text.into());
    let (map, list) = (Node::Map(Vec::new()), Node::List(Vec::new()));
    assert_eq!(
        nodes,
        [scalar(""), scalar("7"), Node::Null, map, list, scalar("~")]
    );
}

#[test]
fn a_merge_of_what_is_no_mapping_is_refused() {
    for text in [
        "a: 1\nb: {<<: foo}",
        "x: &x 1\nb: {<<: [*x]}",
        "a: 1\nb: {<<: }",
    ] {
        let why = parse(text).unwrap_err().to_string();
        assert!(
            why.contains("line 2") && why.contains("<<"),
            "{text}: {why}"
        );
    }
    assert!(parse("x: &x {k: 1}\ny: {!!merge <<: [*x, *x]}").is_ok());
}

#[test]
fn aliases_cannot_fill_the_memory() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..20 {
        let alias = format!("*a{}, ", level - 1).repeat(10);
        text.push_str(&format!("a{level}: &a{level} [{alias}]\n"));
    }
    assert!(
        parse(&text)
            .unwrap_err()
            .to_string()
            .contains("too large: more than a configuration can need")
    );
    assert!(parse(&"[".repeat(100_000)).is_err());
    assert!(
        parse("a: 1\n---\nb: 2")
            .unwrap_err()
            .to_string()
            .contains("second document")
    );
    assert_eq!(parse("").unwrap(), Node::Null);
}

#[test]
fn errors_show_a_place_and_no_text() {
    let error = parse("a: https://u:secret@h\n b: [")
        .unwrap_err()
        .to_string();
    assert!(error.contains("line 2"), "{error}");
    assert!(!error.contains("secret"), "{error}");
}
