//! The watchdog's ways out. Each ends the process that it is in, so each test starts this test
//! program once more for one scene.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::*;
use crate::report::model::Start;

/// Names the scene in the environment.
const SCENE: &str = "WATCHDOG_SCENE";

/// Does nothing but in a process that a test started for a scene.
#[test]
fn in_a_process_of_its_own() {
    let Ok(scene) = std::env::var(SCENE) else {
        return;
    };
    let start = Start::now();
    let status = run(start.instant, |watchdog| match scene.as_str() {
        "panic at once" => panic!("out of the blue"),
        "hang at once" => {
            watchdog.deadline(Instant::now() + Duration::from_millis(100));
            stand_aside()
        }
        "panic while probing" => {
            thread::spawn(|| {
                thread::sleep(Duration::from_millis(300));
                panic!("out of the blue");
            });
            crate::run(start, Vec::new(), std::env::vars_os().collect(), watchdog)
        }
        "stand still" => {
            let over = Instant::now().checked_sub(Duration::from_millis(50));
            for _ in 0..2 {
                watchdog.deadline(over.unwrap());
                thread::sleep(Duration::from_millis(50));
            }
            watchdog.claim.settle(75);
            stand_aside()
        }
        "hang in the log" => hang(watchdog, Claim::begin),
        "hang in the outputs" => hang(watchdog, Claim::begin_outputs),
        "hang once settled" => hang(watchdog, |claim| claim.settle(70)),
        other => panic!("no scene {other}"),
    });
    panic!("the process went on: {status:?}");
}

/// Publishes so far, and no farther.
fn hang(watchdog: &Watchdog, so_far: impl FnOnce(&Claim)) -> u8 {
    let sinks = Sinks {
        outputs: std::env::var_os("GITHUB_OUTPUT").map(Into::into),
        ..unprepared(watchdog)
    };
    watchdog.report_to(&sinks);
    so_far(&watchdog.claim);
    watchdog.deadline(Instant::now() + Duration::from_millis(100));
    stand_aside()
}

struct Ended {
    code: Option<i32>,
    log: String,
}

fn play(scene: &str, ci: bool, variables: &[(&str, &str)]) -> Ended {
    let test = "run::watchdog::tests::in_a_process_of_its_own";
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env_clear()
        .env(SCENE, scene)
        .envs(ci.then_some(("CI", "true")))
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    Ended {
        code: done.status.code(),
        log: String::from_utf8(done.stdout).unwrap(),
    }
}

#[test]
fn a_failure_before_anything_is_known() {
    for (scene, why) in [
        ("panic at once", "out of the blue"),
        ("hang at once", "the step did not end before its deadline"),
    ] {
        for ci in [false, true] {
            let ended = play(scene, ci, &[]);
            let line = format!("dep-preflight failed, and says nothing about any target: {why}");
            assert_eq!(ended.code, Some(1), "{}", ended.log);
            assert!(ended.log.contains(&line), "{}", ended.log);
            let command = ended.log.contains("::error title=INTERNAL::");
            assert_eq!(command, ci, "{}", ended.log);
        }
    }
}

/// What the run has published stands: the outputs that it may have begun are not begun anew, and
/// an exit status that is settled is the process's.
#[test]
fn a_run_that_hangs_while_it_publishes() {
    let failed = "dep-preflight failed while it published what it had found: the step did not end";
    for (scene, code, words, writes) in [
        ("hang in the log", 1, failed, true),
        ("hang in the outputs", 1, failed, false),
        (
            "hang once settled",
            70,
            "not all of it could be reported",
            false,
        ),
    ] {
        let home = tempfile::tempdir().unwrap();
        let outputs = home.path().join("outputs");
        let ended = play(scene, true, &[("GITHUB_OUTPUT", outputs.to_str().unwrap())]);
        assert_eq!(ended.code, Some(code), "{scene}: {}", ended.log);
        assert!(ended.log.contains(words), "{scene}: {}", ended.log);
        let commands = ended.log.contains("::error");
        assert_eq!(commands, code == 1, "{scene}: {}", ended.log);
        let outputs = std::fs::read_to_string(outputs).unwrap_or_default();
        assert_eq!(outputs.contains("\nerror\n"), writes, "{scene}: {outputs}");
    }
}

/// The time that a process gets which stood still over its deadline is not taken back when the run
/// says once more which deadline it has.
#[test]
fn a_run_that_stood_still() {
    let ended = play("stand still", false, &[]);
    assert_eq!(ended.code, Some(75), "{}", ended.log);
}

/// In every place, at a forge whose authority only the inputs know.
#[test]
fn a_panic_is_published() {
    let hanging = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", hanging.local_addr().unwrap());
    let home = tempfile::tempdir().unwrap();
    let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
    let (forge, requests) = forge(Path::new(&path("roots.pem")));
    let ended = play(
        "panic while probing",
        true,
        &[
            ("GITHUB_API_URL", &format!("https://{forge}")),
            ("GITHUB_REPOSITORY", "acme/shop"),
            ("GITHUB_EVENT_NAME", "push"),
            ("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567"),
            ("GITHUB_OUTPUT", &path("outputs")),
            ("PREFLIGHT_URL", &url),
            ("PREFLIGHT_TOKEN", "token"),
            ("PREFLIGHT_CA_CERTIFICATES", &path("roots.pem")),
        ],
    );
    assert_eq!(ended.code, Some(1), "{}", ended.log);
    for word in ["out of the blue", "::error title=INTERNAL::"] {
        assert!(ended.log.contains(word), "{word}\n{}", ended.log);
    }
    let outputs = std::fs::read_to_string(path("outputs")).unwrap();
    assert!(outputs.contains("\nerror\n"), "{outputs}");
    let request = requests
        .recv_timeout(Duration::from_secs(10))
        .unwrap_or_else(|why| panic!("no commit status, {why}\n{}", ended.log));
    assert!(request.starts_with("POST /repos/acme/shop/statuses/0123"));
    assert!(request.contains(r#""state":"error""#), "{request}");
    assert!(request.contains("out of the blue"), "{request}");
}

/// A forge behind TLS that takes every status. Its own certificate is the root to trust.
fn forge(roots: &Path) -> (SocketAddr, Receiver<String>) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(roots, made.cert.pem()).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let certificate: CertificateDer<'static> = made.cert.der().clone();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, requests) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut request = String::new();
            let mut bytes = [0; 4096];
            while !request.ends_with('}') {
                match stream.read(&mut bytes) {
                    Ok(0) | Err(_) => break,
                    Ok(read) => request.push_str(&String::from_utf8_lossy(&bytes[..read])),
                }
            }
            let _ = stream.write_all(b"HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}");
            let _ = stream.flush();
            let _ = sender.send(request);
        }
    });
    (address, requests)
}
