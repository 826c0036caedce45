//! What happens within TLS: another version of HTTP, a client certificate, many handshakes at
//! once.

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use crate::kit::certificates::{Certified, Identity, trusted_pem};
use crate::kit::http2::Http2;
use crate::kit::log::Log;
use crate::kit::program;
use crate::kit::running::eventually;
use crate::kit::step::Preflight;
use crate::kit::tls::Tls;
use crate::lab::{DEP, Lab};
use crate::row::Row;

/// How many targets two cores have to ask within a second each.
const MANY: usize = 4000;

/// Trusts the authority that has signed the dependency's certificate.
fn trusting(lab: &Lab, step: Preflight) -> Preflight {
    let authority = lab.path("authority.pem");
    fs::write(&authority, trusted_pem()).unwrap();
    step.set("ca-certificates", authority.display())
}

fn at(lab: &Lab) -> Preflight {
    trusting(lab, lab.step(&format!("https://{DEP}/")))
}

fn tls() -> Tls {
    Tls::named(DEP, Certified::Well)
}

/// A dependency that speaks HTTP/2 like this, and answers in HTTP/1.1.
fn either(lab: &Lab, behaviour: Http2) -> Arc<Log> {
    let well = "HTTP/1.1 200 X\r\nContent-Length: 0\r\n\r\n";
    let log = tls().serve_http2_or_1(&format!("{DEP}:443"), behaviour, well);
    lab.watch("dep", &log);
    log
}

/// A real nginx in the world; gone when dropped.
struct Nginx(Child);

impl Nginx {
    fn start(lab: &Lab) -> Self {
        let Identity { certificate, key } = Identity::new(DEP, Certified::Well);
        fs::write(lab.path("good.pem"), certificate.pem()).unwrap();
        fs::write(lab.path("good.key"), key.serialize_pem()).unwrap();
        let config = format!(
            "daemon off; master_process off; pid nginx.pid; error_log stderr;
             events {{ worker_connections 16384; }}
             http {{
                 access_log off;
                 client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f;
                 uwsgi_temp_path u; scgi_temp_path s;
                 server {{
                     listen {DEP}:443 ssl backlog=4096;
                     ssl_certificate good.pem; ssl_certificate_key good.key;
                     return 401;
                 }}
             }}"
        );
        fs::write(lab.path("nginx.conf"), config).unwrap();
        let program = program::find("nginx").unwrap_or_else(|why| panic!("{why}"));
        let nginx = Command::new(program)
            .arg("-p")
            .arg(lab.path(""))
            .args(["-e", "stderr", "-c", "nginx.conf"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        eventually("nginx", || TcpStream::connect((DEP, 443)).is_ok());
        Self(nginx)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row::up("HTTP/2 that asks for HTTP/1.1, by a reset", |lab| {
            either(lab, Http2::Resets(h2::Reason::HTTP_1_1_REQUIRED));
            at(lab).run()
        })
        .seen("dep 2/2"),
        Row::up("a client certificate is asked for (TLS 1.3)", |lab| {
            let tls = tls().only(&rustls::version::TLS13);
            tls.wanting_client_certificate()
                .serve(&format!("{DEP}:443"));
            at(lab).run()
        }),
        Row::up("a client certificate is asked for (TLS 1.2)", |lab| {
            let tls = tls().only(&rustls::version::TLS12);
            tls.wanting_client_certificate()
                .serve(&format!("{DEP}:443"));
            at(lab).run()
        }),
        Row::up("4,000 https targets with a second each", |lab| {
            let _nginx = Nginx::start(lab);
            let mut targets = String::new();
            for number in 0..MANY {
                targets.push_str(&format!("t{number}: https://{DEP}/{number}\n"));
            }
            let config = lab.path("many.yml");
            fs::write(
                &config,
                format!("targets:\n  {}", targets.replace('\n', "\n  ")),
            )
            .unwrap();
            let step = lab.step("").unset("url").set("config", config.display());
            trusting(lab, step)
                .set("timeout", "1s")
                .set("deadline", "1m")
                .run()
        })
        .within(0..=60_000),
    ]
}
