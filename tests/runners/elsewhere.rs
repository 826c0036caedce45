use crate::case;
use crate::engine::Engine;
use crate::engines::{ROWS, Row};
use crate::fixture::Fixture;
use crate::job;
use crate::kit::forge::{Behaviour, Forge, Memory, Mood, Past};

/// Runs that found the target of this job down, on the default branch; the newest first.
fn red_runs(job: &str) -> Vec<Past> {
    let said = format!("down: {job} (status 502) - environment, not this change");
    [(60, 12), (240, 11), (420, 10)]
        .map(|(ago, run)| Past::new(ago, said.clone(), 100 + run))
        .into()
}

fn on_act() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(|row| row.engine == Engine::Act)
}

#[test]
fn a_red_step_shows_the_red_runs_before_it_and_hears_a_green_one() {
    let fixture = Fixture::new();
    let cases = case::all(&fixture.nginx, &fixture.stopped);
    for name in ["gateway", "pushed"] {
        let case = cases.iter().find(|case| case.job == name).unwrap();
        for row in on_act() {
            let program = row.engine.find().unwrap_or_else(|why| panic!("{why}"));
            let play = |past: Vec<Past>| {
                let forge = Forge::with(
                    row.forge,
                    Behaviour::Version(row.version),
                    Memory::of(Mood::Tells(past)),
                );
                let done = job::run(row, &program, &fixture, case, &forge, false);
                assert_eq!(forge.asked().len(), 1, "{}", done.said);
                (done.said, forge.posted("description").pop().unwrap())
            };
            let (said, status) = play(red_runs(name));
            let line = format!("  {name}: down on main too, since ");
            assert!(
                said.contains(&line) && said.contains(" at least (run 112)"),
                "{said}"
            );
            assert!(
                said.contains("this is the environment, not the change"),
                "{said}"
            );
            assert!(
                status.ends_with(" - environment, not this change"),
                "{status}"
            );

            // A run on the default branch that ends while this one waits.
            let green = Past::new(-2, format!("up: {name}"), 113);
            let (said, status) = play([vec![green], red_runs(name)].concat());
            let line = format!("  {name}: another run reported it up at ");
            assert!(said.contains(&line), "{said}");
            assert!(!said.contains("environment, not"), "{said}");
            assert!(
                status.starts_with("down: ") && status.ends_with(')'),
                "{status}"
            );
            assert!(said.contains("(exit code 70)"), "{said}");
        }
    }
}
