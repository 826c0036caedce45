//! Kafka in its own quorum (KRaft): listeners in clear, with a login, in TLS; a broker without its
//! controllers.

use std::fs;
use std::path::Path;

use crate::daemon::{Daemon, folder, free_port, output};
use crate::jvm;
use crate::kit::certificates::{Certified, Identity};
use crate::kit::running::eventually;
use crate::table::{Table, down, up};

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    let jars = jvm::jars("kafka");
    table.version(jvm::version(&jars, "kafka_2.13-"));
    let [open, controller, login, tls] = [(); 4].map(|()| free_port());
    let Identity { certificate, key } = Identity::new("127.0.0.1", Certified::Well);
    let key = format!("{}{}", key.serialize_pem(), certificate.pem());
    fs::write(home.path().join("key.pem"), key).unwrap();
    let settings = format!(
        "process.roles=broker,controller\n\
         controller.quorum.voters=1@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{open},CONTROLLER://127.0.0.1:{controller},\
         SASL_PLAINTEXT://127.0.0.1:{login},SSL://127.0.0.1:{tls}\n\
         sasl.enabled.mechanisms=PLAIN\n\
         listener.name.sasl_plaintext.plain.sasl.jaas.config=\
         org.apache.kafka.common.security.plain.PlainLoginModule required user_u=\"p\";\n\
         ssl.keystore.type=PEM\nssl.keystore.location={}/key.pem\n",
        home.path().display()
    );
    let broker = server(home.path(), &jars, "alone", &settings, open);
    eventually("the end of the start", || {
        broker.log_text().contains("Kafka Server started")
    });
    let kafka = |port| format!("kafka://127.0.0.1:{port}");
    table.state("serves", kafka(open), &up(""));
    table.log("serves, again", kafka(open), &broker, 0);
    table.state("wants a login", kafka(login), &up(""));
    table.log("wants a login, again", kafka(login), &broker, 0);
    table.state("the controller's port", kafka(controller), &up(""));
    table.tls("TLS", format!("kafkas://127.0.0.1:{tls}"), &up(""));
    broker.stop();
    table.state("stopped", kafka(open), &down("refused", ""));

    let [open, controller] = [(); 2].map(|()| free_port());
    let settings = format!(
        "process.roles=broker\n\
         controller.quorum.voters=2@127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{open}\n"
    );
    let lost = server(home.path(), &jars, "lost", &settings, open);
    eventually("a broker that looks for its controllers", || {
        lost.log_text().contains("could not be established")
    });
    table.state("without its controllers", kafka(open), &down("refused", ""));
}

/// A server that has these settings beside the usual ones; it may not listen yet.
fn server(home: &Path, jars: &str, name: &str, settings: &str, port: u16) -> Daemon {
    let data = home.join(name);
    let file = home.join(format!("{name}.properties"));
    let usual = format!(
        "node.id=1\ncontroller.listener.names=CONTROLLER\n\
         listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,\
         SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL\n\
         log.dirs={}\noffsets.topic.replication.factor=1\n{settings}",
        data.display()
    );
    fs::write(&file, usual).unwrap();
    let cluster = "AAAAAAAAAAAAAAAAAAAAAA";
    let mut format = jvm::java(jars, home);
    format.args(["kafka.tools.StorageTool", "format", "-t", cluster, "-c"]);
    output(format.arg(&file));
    let mut java = jvm::java(jars, home);
    Daemon::launch(java.arg("kafka.Kafka").arg(&file), home, port)
}
