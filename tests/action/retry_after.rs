use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::kit::server::{Server, response};
use crate::kit::step::Preflight;

#[test]
fn retry_after_is_honoured() {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
    let due = httpdate::parse_http_date(&date).unwrap();
    let table = [("1".to_owned(), None, 1000), (date, Some(due), 0)];
    for (value, due, least) in table {
        let times = Arc::new(Mutex::new(Vec::new()));
        let asked = Arc::clone(&times);
        let server = Server::start(move |peer| {
            let Some(head) = peer.request() else { return };
            asked.lock().unwrap().push(SystemTime::now());
            let status = if head.number == 1 { 503 } else { 200 };
            peer.send(response(status, &format!("Retry-After: {value}\r\n")));
        });
        let run = Preflight::probing(server.url()).set("attempts", 2).run();
        run.up();
        let offsets = run.offsets();
        assert!(offsets[1] - offsets[0] >= least, "{offsets:?}\n{run}");
        assert!(
            due.is_none_or(|due| times.lock().unwrap()[1] >= due),
            "too early\n{run}"
        );
    }
}

/// What cannot be waited for is given up at once, and said.
#[test]
fn a_retry_after_past_the_deadline_ends_it() {
    let far = SystemTime::now() + Duration::from_hours(1);
    for value in [
        "3600".to_owned(),
        httpdate::fmt_http_date(far),
        "99999999999999999999".to_owned(),
        u64::MAX.to_string(),
    ] {
        let server = Server::reply(response(503, &format!("Retry-After: {value}\r\n")));
        let step = Preflight::probing(server.url()).set("attempts", "unlimited");
        let run = step.set("deadline", "40s").run();
        run.down("status");
        assert_eq!(server.requests(), 1, "{run}");
        let message = run.message();
        assert!(message.contains("asked to be retried only after"), "{run}");
        assert!(message.contains("past the deadline"), "{run}");
        assert_eq!(
            message.contains("more than a year"),
            value.len() == 20,
            "{run}"
        );
        assert!(run.took < Duration::from_secs(20), "{run}");
    }
}

#[test]
fn a_retry_after_that_says_nothing_is_nothing() {
    for value in ["soon", "0"] {
        let server = Server::replies([
            response(503, &format!("Retry-After: {value}\r\n")),
            response(200, ""),
        ]);
        Preflight::probing(server.url())
            .set("attempts", 2)
            .run()
            .up();
    }
    // Nor does it matter with an answer that is expected.
    let server = Server::reply(response(429, "Retry-After: 3600\r\n"));
    Preflight::probing(server.url())
        .set("attempts", 2)
        .run()
        .up();
}
