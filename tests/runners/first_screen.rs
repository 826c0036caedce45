use crate::case;
use crate::engine::Engine;
use crate::engines::ROWS;
use crate::fixture::Fixture;
use crate::job;
use crate::kit::forge::Forge;

/// Lines that a terminal shows at once.
const SCREEN: usize = 24;

#[test]
fn the_first_screen_of_a_failed_step_says_it_all() {
    let fixture = Fixture::new();
    let cases = case::all(&fixture.nginx, &fixture.stopped);
    let case = cases.iter().find(|case| case.job == "gateway").unwrap();
    let row = ROWS.iter().find(|row| row.engine == Engine::Act).unwrap();
    let program = row.engine.find().unwrap_or_else(|why| panic!("{why}"));
    let forge = Forge::new(row.forge);
    let done = job::run(row, &program, &fixture, case, &forge, false);
    let lines = done.said.lines();
    let step = lines.skip_while(|line| !line.ends_with("Run Main ./"));
    let screen = step.take(SCREEN).collect::<Vec<_>>().join("\n");
    for text in [
        "gateway: attempt 1 of 2: status: HTTP 502 Bad Gateway",
        "gateway: attempt 2 of 2",
        "DEP-DOWN:gateway status: HTTP 502 Bad Gateway (2 attempts in ",
        "this is the environment, not the change under test (exit code 70)",
        "::error title=DEP-DOWN%3Agateway::",
        "Failure - Main",
    ] {
        assert!(screen.contains(text), "not shown: {text}\n{screen}");
    }
}
