//! Cassandra with a login: while it starts, when it serves.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::daemon::{Daemon, folder, free_port};
use crate::jvm;
use crate::table::{Table, down, up};

/// What Cassandra's own start script opens to it of Java's inside.
const OPEN: &[&str] = &[
    "java.base/java.io",
    "java.base/java.lang",
    "java.base/java.lang.module",
    "java.base/java.lang.reflect",
    "java.base/java.math",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.loader",
    "java.base/jdk.internal.math",
    "java.base/jdk.internal.misc",
    "java.base/jdk.internal.module",
    "java.base/jdk.internal.ref",
    "java.base/jdk.internal.reflect",
    "java.base/jdk.internal.util.jar",
    "java.base/jdk.internal.vm",
    "java.base/sun.nio.ch",
    "java.management.rmi/com.sun.jmx.remote.internal.rmi",
    "java.rmi/sun.rmi.registry",
    "java.rmi/sun.rmi.server",
    "java.rmi/sun.rmi.transport",
    "java.rmi/sun.rmi.transport.tcp",
    "java.sql/java.sql",
    "jdk.management/com.sun.management.internal",
    "jdk.unsupported/sun.misc",
];

pub(crate) fn play(table: &mut Table) {
    let home = folder();
    let jars = jvm::jars("cassandra");
    table.version(jvm::version(&jars, "cassandra-all-"));
    let port = free_port();
    let mut java = node(home.path(), &jars, port);
    let url = format!("cassandra://127.0.0.1:{port}");
    let node = Daemon::launch(&mut java, home.path(), port);
    // Its port opens late.
    table.state("starts", &url, &down("refused", ""));
    node.wait_until_it_listens();
    table.state("serves, wants a login", &url, &up(""));
    table.log("serves, again", &url, &node, 0);
    node.stop();
    table.state("stopped", &url, &down("refused", ""));
}

fn node(home: &Path, jars: &str, port: u16) -> Command {
    let (at, between) = (home.display(), free_port());
    let settings = format!(
        "cluster_name: test\nnum_tokens: 1\n\
         partitioner: org.apache.cassandra.dht.Murmur3Partitioner\n\
         data_file_directories: [{at}/data]\ncommitlog_directory: {at}/commitlog\n\
         saved_caches_directory: {at}/caches\nhints_directory: {at}/hints\n\
         cdc_raw_directory: {at}/cdc\ncommitlog_sync: periodic\n\
         commitlog_sync_period: 10000ms\nendpoint_snitch: SimpleSnitch\n\
         listen_address: 127.0.0.1\nrpc_address: 127.0.0.1\n\
         storage_port: {between}\nnative_transport_port: {port}\n\
         authenticator: PasswordAuthenticator\n\
         seed_provider:\n  - class_name: org.apache.cassandra.locator.SimpleSeedProvider\n    \
         parameters: [{{seeds: \"127.0.0.1:{between}\"}}]\n"
    );
    fs::write(home.join("cassandra.yaml"), settings).unwrap();
    // The level that Cassandra ships with.
    let log = "<configuration><appender name=\"out\" class=\"ch.qos.logback.core.ConsoleAppender\">\
        <encoder><pattern>%d %p %c: %m%n</pattern></encoder></appender>\
        <root level=\"INFO\"><appender-ref ref=\"out\"/></root></configuration>";
    fs::write(home.join("logback.xml"), log).unwrap();
    let mut java = jvm::java(jars, home);
    java.arg("-Djdk.attach.allowAttachSelf=true");
    for package in OPEN {
        java.args(["--add-opens", &format!("{package}=ALL-UNNAMED")]);
        java.args(["--add-exports", &format!("{package}=ALL-UNNAMED")]);
    }
    java.arg(format!("-Dcassandra.config=file://{at}/cassandra.yaml"));
    java.arg(format!("-Dcassandra.storagedir={at}"));
    java.arg(format!("-Dlogback.configurationFile={at}/logback.xml"));
    // One node needs not wait for what others tell.
    java.args([
        "-Dcassandra.skip_wait_for_gossip_to_settle=0",
        "-Dcassandra.ring_delay_ms=1",
    ]);
    java.arg("org.apache.cassandra.service.CassandraDaemon");
    java
}
