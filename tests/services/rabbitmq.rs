//! RabbitMQ: while it starts, when it serves, in maintenance.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::daemon::{Daemon, as_user, folder, free_port, output};
use crate::kit::certificates::{Certified, Identity, trusted_pem};
use crate::kit::running::eventually;
use crate::table::{Table, down, up};

/// Where the package has what its own start scripts call.
const PROGRAMS: &str = "/usr/lib/rabbitmq/bin";

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    let node = Node::new(home.path());
    // Erlang's name server, which the broker would start by itself and leave behind.
    let mut epmd = as_user("rabbitmq", "epmd", home.path());
    epmd.args(["-address", "127.0.0.1", "-port", &node.names.to_string()]);
    let epmd = Daemon::start(&mut epmd, home.path(), node.names);

    let url = format!("amqp://127.0.0.1:{}", node.port);
    let mut start = node.program("rabbitmq-server");
    // What it does under systemd: the broker takes the script's place.
    start.env("RUNNING_UNDER_SYSTEMD", "true");
    let broker = Daemon::launch(&mut start, home.path(), node.port)
        .logging_to(home.path().join("log/test@localhost.log"));
    // Its port opens at the end of its start.
    table.state("starts", &url, &down("refused", ""));
    broker.wait_until_it_listens();
    eventually("the end of the start", || {
        broker.log_text().contains("Server startup complete")
    });
    table.version(output(node.program("rabbitmqctl").arg("version")));
    // It asks for a login whoever comes.
    table.state("serves, wants a login", &url, &up(""));
    // One line says that a connection was accepted, two that its client has closed it.
    table.log("serves, again", &url, &broker, 3 * 20);
    let amqps = format!("amqps://127.0.0.1:{}", node.tls_port);
    table.tls("TLS", amqps, &up(""));
    output(
        node.program("rabbitmqctl")
            .arg("eval")
            .arg("rabbit_maintenance:suspend_all_client_listeners()."),
    );
    table.state("in maintenance", &url, &down("refused", ""));
    broker.stop();
    table.state("stopped", &url, &down("refused", ""));
    drop(epmd);
}

/// A broker with all its files in one folder, and all its ports on loopback.
struct Node<'a> {
    home: &'a Path,
    port: u16,
    tls_port: u16,
    names: u16,
    between: u16,
}

impl<'a> Node<'a> {
    fn new(home: &'a Path) -> Self {
        let node = Self {
            home,
            port: free_port(),
            tls_port: free_port(),
            names: free_port(),
            between: free_port(),
        };
        let Identity { certificate, key } = Identity::new("127.0.0.1", Certified::Well);
        let write = |name: &str, text: String| fs::write(home.join(name), text).unwrap();
        write("cert.pem", certificate.pem());
        write("key.pem", key.serialize_pem());
        write("ca.pem", trusted_pem());
        let at = home.display();
        write(
            "rabbitmq.conf",
            format!(
                "listeners.tcp.1 = 127.0.0.1:{}\nlisteners.ssl.1 = 127.0.0.1:{}\n\
                 ssl_options.cacertfile = {at}/ca.pem\nssl_options.certfile = {at}/cert.pem\n\
                 ssl_options.keyfile = {at}/key.pem\n",
                node.port, node.tls_port
            ),
        );
        write("plugins", "[].\n".to_owned());
        node
    }

    /// One of its programs, with the settings of this node.
    fn program(&self, name: &str) -> Command {
        let mut command = as_user("rabbitmq", &format!("{PROGRAMS}/{name}"), self.home);
        command.env("RABBITMQ_NODENAME", "test@localhost");
        command.env("RABBITMQ_DIST_PORT", self.between.to_string());
        command.env("ERL_EPMD_PORT", self.names.to_string());
        command.env("ERL_EPMD_ADDRESS", "127.0.0.1");
        for (name, file) in [
            ("RABBITMQ_CONFIG_FILE", "rabbitmq.conf"),
            ("RABBITMQ_MNESIA_BASE", "data"),
            ("RABBITMQ_LOG_BASE", "log"),
            ("RABBITMQ_ENABLED_PLUGINS_FILE", "plugins"),
        ] {
            command.env(name, self.home.join(file));
        }
        command
    }
}
