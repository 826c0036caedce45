use super::*;

#[track_caller]
fn refused(value: &str, words: &[&str]) {
    let why = url(value).expect_err(value).to_string();
    for word in words {
        assert!(why.contains(word), "{word:?} is not in {why:?} of {value}");
    }
}

#[test]
fn addresses() {
    for good in [
        "https://h.example/p?q=1",
        " http://h \n",
        "HTTP://H/",
        "http://h/?next=http://i/",
        "http://h/#http://i/",
        "http://h/$PATH/{id}",
        "http://[::1]:80/",
        "http://bücher.example/",
    ] {
        assert!(url(good).is_ok(), "{good}: {:?}", url(good));
    }
    for bad in [
        "h.example",
        "h:80",
        "ftp://h",
        "http://u:p@h",
        "http://u@h",
        "http://",
        "http://h:0",
        "http:/h",
        "https:h",
        "https//h",
        "http://h /x",
        "http://[::1",
        "http://h:99999",
        "/health",
        "://h",
        "",
    ] {
        assert!(url(bad).is_err(), "{bad}");
    }
}

#[test]
fn an_empty_variable_is_not_another_host() {
    for empty in [
        "https:///health",
        "https://",
        "https://?x",
        "https://:8080/",
        "https:///h.example/",
        "https://\\h/",
        "http://h:/health",
        "http://.h.example/",
    ] {
        refused(empty, &["variable", "empty"]);
    }
    assert!(link("https:///x").is_err());
}

#[test]
fn a_list_of_addresses_is_not_one() {
    for list in [
        "http://a/x,http://b/y",
        "http://a,http://b",
        "http://a http://b",
        "http://a\nhttp://b",
        "a.example,http://b",
        "http://a,b",
        "http://a;b/",
        "http://a/http:/.//b",
    ] {
        refused(list, &["targets"]);
    }
}

#[test]
fn a_host_that_cannot_be_one_is_refused() {
    for (host, word) in [
        ("$HOST", "variable"),
        ("${HOST}", "variable"),
        ("{{HOST}}", "variable"),
        ("<host>", "variable"),
        ("h:$PORT", "variable"),
        ("*.example", "\"*\""),
        ("a,b", "targets"),
        ("a..b", "dot"),
        (".", "dot"),
        ("-x", "dash"),
        ("a.-x.test", "dash"),
        (&"a".repeat(64), "63"),
        (&["a"; 128].join("."), "253"),
    ] {
        refused(&format!("http://{host}/"), &[word]);
    }
    for host in [
        "my_api",
        "_svc.test",
        "svc_.test",
        "x-",
        "x-.test",
        "h.example.",
        &"a".repeat(63),
        &["a"; 127].join("."),
    ] {
        assert!(url(&format!("http://{host}/")).is_ok(), "{host}");
    }
}

#[test]
fn https_is_for_hosts_that_a_certificate_can_name() {
    for host in ["x-", "feature-branch-.stage.test", "a.b-"] {
        refused(&format!("https://{host}/"), &["TLS", "certificate"]);
    }
    for host in [
        "my_api",
        "_svc.test",
        "svc_.test",
        "h.example.",
        "xn--bcher-kva.test",
    ] {
        assert!(url(&format!("https://{host}/")).is_ok(), "{host}");
    }
}

#[test]
fn a_missing_scheme_is_offered() {
    for (value, meant) in [
        ("example.com", "did you mean https://example.com ?"),
        ("localhost:8080", "did you mean http://localhost:8080 ?"),
        ("localhost/health", "did you mean http://localhost/health ?"),
        ("127.0.0.1", "did you mean http://127.0.0.1 ?"),
        (
            "api:8080/x?key=v",
            "did you mean http://api:8080/x?key=*** ?",
        ),
        ("api:443", "did you mean https://api ?"),
    ] {
        refused(value, &["no scheme", meant]);
    }
    for value in ["u:p@h", "/health", "://h", "h:port"] {
        let why = url(value).unwrap_err().to_string();
        assert!(!why.contains("did you mean"), "{value}: {why}");
    }
}

#[test]
fn quotes_are_not_a_part_of_it() {
    for value in [
        "\"http://h/\"",
        "'http://h/'",
        "<http://h/>",
        "\u{201c}http://h/\u{201d}",
    ] {
        refused(value, &["quotes", "leave them out"]);
    }
}

#[test]
fn an_unknown_scheme_is_told_which_there_are() {
    refused("htps://h/", &["http and https", "did you mean https://"]);
    refused("htpp://h/", &["http and https", "did you mean http://"]);
    let why = url("ftp://h/").unwrap_err().to_string();
    assert_eq!(why, "has a scheme other than http and https");
}

#[test]
fn an_address_with_user_info_is_shown_without() {
    refused(
        "https://u:p@db.example:5432/app?k=v#f",
        &[
            "write https://db.example:5432/app?k=*** instead",
            "no login",
        ],
    );
    let why = link("https://u:p@h/x").unwrap_err().to_string();
    assert!(why.contains("https://h/x"), "{why}");
}

#[test]
fn an_address_of_a_megabyte_is_refused_at_once() {
    for start in ["http://h/", "http://", "http://ü.", "h"] {
        assert!(url(&format!("{start}{}", "ü".repeat(1 << 19))).is_err());
    }
}

#[test]
fn the_servers_of_a_srv_name_stand_in_its_records() {
    let good = target("mongodb+srv://Cluster0.Example/app").unwrap();
    assert_eq!(good.host(), "cluster0.example");
    let Address::Service(service) = good else {
        panic!("{good:?}");
    };
    assert_eq!(service.to_string(), "mongodb+srv://cluster0.example/app");
    assert_eq!(service.protocol.name, "mongodb");
    for (value, word) in [
        ("mongodb+srv://h:27017", "has a port"),
        ("mongodb+srv://h:0", "has a port"),
        ("mongodb+srv://127.0.0.1", "only names"),
        ("mongodb+srv://[::1]", "only names"),
        ("mongodb+srv://h1,h2", "several hosts"),
    ] {
        let why = target(value).expect_err(value).to_string();
        assert!(why.contains(word), "{value}: {why}");
    }
}

#[test]
fn a_port_that_may_be_a_password_is_not_shown() {
    for (value, write) in [
        ("postgres://u:S3cret", "write postgres://HOST:5432,"),
        ("postgres://u:S3cret/db", "write postgres://HOST:5432,"),
        ("redis://:S3cret", "write redis://HOST:6379,"),
        ("redis://h:63x79?db=1", "write redis://HOST:6379,"),
        ("mongodb://u:S3cret,h2:1", "write mongodb://HOST:27017,"),
        ("kafka://[::1]:S3cret", "write kafka://HOST:9092,"),
        ("oracle://u:S3cret", "write SCHEME://HOST:PORT,"),
    ] {
        let why = target(value).expect_err(value);
        assert!(why.hides_value(), "{value}: {why}");
        let why = why.to_string();
        assert!(why.contains(write), "{value}: {why}");
    }
    for value in [
        "redis://h:$PORT",
        "redis://h:${{ vars.PORT }}",
        "redis://h:<port>",
        "redis://h:",
        "redis://h:99999",
        "redis://[::1",
    ] {
        let why = target(value).expect_err(value);
        assert!(!why.hides_value(), "{value}: {why}");
    }
    assert!(target("redis://[::1]:6379").is_ok());
}

#[test]
fn a_name_to_ask_for_is_one() {
    for (value, path) in [
        ("dns://1.1.1.1", ""),
        ("dns://1.1.1.1/", ""),
        ("dns://ns.example:5353/Dep.Example.", "dep.example."),
        ("dns://[::1]/b\u{fc}cher.example", "xn--bcher-kva.example"),
        ("dns://ns/_sip._tcp.example", "_sip._tcp.example"),
    ] {
        let Ok(Address::Service(service)) = target(value) else {
            panic!("{value}");
        };
        assert_eq!(service.path, path, "{value}");
    }
    let long = format!("dns://ns/{}.example", "x".repeat(64));
    for value in [
        "dns://ns/a..example",
        "dns://ns/a/b",
        "dns://ns/a:80",
        "dns://ns//",
        "dns://ns/10.0.0.1",
        "dns://ns/$NAME",
        &long,
    ] {
        let why = target(value).expect_err(value).to_string();
        assert!(why.contains("dns://SERVER/NAME"), "{value}: {why}");
    }
}
