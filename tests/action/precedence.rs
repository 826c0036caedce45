use crate::kit::server::{Server, response};
use crate::kit::step::Preflight;

/// A server whose requests show which method won.
fn config(server: &Server, step_wide: &str, own: &str) -> String {
    format!(
        "{step_wide}\ntargets:\n  llm:\n    url: {}\n    {own}\n",
        server.url()
    )
}

/// The command line wins over the environment, that over the config file,
/// and a target's own option over all of them.
#[test]
fn the_nearest_option_wins() {
    let table = [
        ("", "", "", "", "GET"),
        ("", "", "", "method: HEAD", "HEAD"),
        ("", "", "OPTIONS", "", "OPTIONS"),
        ("", "", "OPTIONS", "method: HEAD", "OPTIONS"),
        ("", "HEAD", "OPTIONS", "", "HEAD"),
        ("", "HEAD", "OPTIONS", "method: OPTIONS", "HEAD"),
        ("OPTIONS", "", "HEAD", "method: HEAD", "OPTIONS"),
        ("OPTIONS", "HEAD", "", "method: OPTIONS", "HEAD"),
        ("OPTIONS", "", "", "", "OPTIONS"),
    ];
    for (argument, own, variable, step_wide, method) in table {
        let server = Server::status(200);
        let own = if own.is_empty() {
            String::new()
        } else {
            format!("method: {own}")
        };
        let step = Preflight::new().file("preflight.yml", config(&server, step_wide, &own));
        let step = step.set("config", "preflight.yml").set("method", variable);
        let given = (!argument.is_empty()).then_some(["--method", argument]);
        let run = step.args(given.into_iter().flatten()).run();
        run.up();
        assert_eq!(server.received()[0].word(0), method, "{run}");
    }
}

/// Every option of a target, told apart by what it does.
#[test]
fn targets_have_options_of_their_own() {
    let plain = Server::status(503);
    let own = Server::replies([
        response(302, "Location: /x\r\n"),
        response(503, ""),
        response(204, ""),
    ]);
    let silent = Server::silent();
    let targets = format!(
        "plain: {}\n\
         own: {{url: '{}', redirects: 0, attempts: 5, interval: 1ms, expect: 204, method: OPTIONS, \
                headers: {{X-Number: 5, X-Flag: true}}}}\n\
         silent: {{url: '{}', timeout: 300ms, optional: true}}\n",
        plain.url(),
        own.url(),
        silent.url(),
    );
    let run = Preflight::new()
        .set("targets", targets)
        .set("timeout", "30s")
        .run();
    run.down("status");
    assert_eq!(run.output("up"), r#"["own"]"#, "{run}");
    assert_eq!(
        (plain.requests(), own.requests(), silent.requests()),
        (1, 3, 1),
        "{run}"
    );
    assert_eq!(own.received()[0].word(0), "OPTIONS");
    assert_eq!(own.received()[2].header("x-number"), Some("5"));
    assert_eq!(plain.received()[0].header("x-number"), None);
    assert_eq!(run.target(2)["cause"], "response-timeout", "{run}");
}

/// YAML writes numbers and booleans without quotes.
#[test]
fn a_config_file_has_every_step_wide_option() {
    let (server, silent) = (Server::status(503), Server::silent());
    let file = format!(
        "targets:\n  llm: {}\n  extra: {{url: '{}', optional: TRUE, attempts: unlimited, timeout: 1s}}\n\
         timeout: 5s\nattempts: 2\ninterval: 1ms\ndeadline: 2s\nexpect: 204\nmethod: HEAD\nredirects: 3\n\
         control: off\nfail-on-down: false\ncommit-status: true\nstatus-context: ours\n\
         target-url: https://forge.example/\nsummary: false\nreport-file: report.json\n",
        server.url(),
        silent.url(),
    );
    let step = Preflight::new()
        .unset("attempts")
        .unset("interval")
        .file("preflight.yml", file);
    let run = step.set("config", "preflight.yml").lenient().run();
    run.down("status");
    assert_eq!((server.requests(), run.summary.as_str()), (2, ""), "{run}");
    assert!(run.output("report-file").ends_with("report.json"), "{run}");
}

/// What `action.yml` hands over for an input that was not given is empty.
#[test]
fn the_config_file_is_not_hidden_by_empty_inputs() {
    let server = Server::status(503);
    let file = format!(
        "attempts: 4\ninterval: 1ms\ntargets: {{llm: '{}'}}",
        server.url()
    );
    let step = Preflight::new()
        .file("preflight.yml", file)
        .set("config", "preflight.yml");
    step.set("attempts", "")
        .set("interval", "")
        .run()
        .down("status");
    assert_eq!(server.requests(), 4);
}
