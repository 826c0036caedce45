//! The program against real servers: each is started on loopback with files of its own, brought
//! into a state, asked, and stopped. Prints a table of all states
//! (`cargo test --test services -- --nocapture`); `SERVICES=word` plays only the servers whose
//! name has the word, `SERVICES_WITHOUT="kafka cassandra"` leaves these out, and the table says so.
//!
//! A server that is not installed is a failure. Nothing but loopback is contacted.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on fails; the table is for people"
)]

#[path = "../kit/mod.rs"]
mod kit;

// What the servers' files stand on.

/// A server that runs beside the test, with its log.
mod daemon;

/// The way to a server from another host, for all that it knows.
mod elsewhere;

/// Java's programs.
mod jvm;

/// What came of each state, as a table.
mod table;

// The servers.

mod cassandra;
mod dnsmasq;
mod dovecot;
mod etcd;
mod ferretdb;
mod grpc;
mod kafka;
mod memcached;
mod mosquitto;
mod mysql;
mod nats;
mod openssh;
mod postgres;
mod rabbitmq;
mod redis;
mod slapd;
mod vsftpd;
mod zookeeper;

use table::{Server, Weight};

/// All servers, in the order of the documents' table.
const SERVERS: &[Server] = &[
    Server {
        name: "etcd",
        weight: Weight::Light,
        play: etcd::play,
    },
    Server {
        name: "postgres",
        weight: Weight::Light,
        play: postgres::play,
    },
    Server {
        name: "mariadb",
        weight: Weight::Light,
        play: mysql::play,
    },
    Server {
        name: "redis",
        weight: Weight::Light,
        play: redis::play,
    },
    Server {
        name: "valkey",
        weight: Weight::Light,
        play: redis::valkey,
    },
    Server {
        name: "ferretdb",
        weight: Weight::Heavy,
        play: ferretdb::play,
    },
    Server {
        name: "rabbitmq",
        weight: Weight::Heavy,
        play: rabbitmq::play,
    },
    Server {
        name: "kafka",
        weight: Weight::Heavy,
        play: kafka::play,
    },
    Server {
        name: "grpc",
        weight: Weight::Light,
        play: grpc::play,
    },
    Server {
        name: "zookeeper",
        weight: Weight::Light,
        play: zookeeper::play,
    },
    Server {
        name: "memcached",
        weight: Weight::Light,
        play: memcached::play,
    },
    Server {
        name: "nats",
        weight: Weight::Light,
        play: nats::play,
    },
    Server {
        name: "mosquitto",
        weight: Weight::Light,
        play: mosquitto::play,
    },
    Server {
        name: "openssh",
        weight: Weight::Light,
        play: openssh::play,
    },
    Server {
        name: "dovecot",
        weight: Weight::Light,
        play: dovecot::play,
    },
    Server {
        name: "vsftpd",
        weight: Weight::Light,
        play: vsftpd::play,
    },
    Server {
        name: "slapd",
        weight: Weight::Light,
        play: slapd::play,
    },
    Server {
        name: "cassandra",
        weight: Weight::Heavy,
        play: cassandra::play,
    },
    Server {
        name: "dnsmasq",
        weight: Weight::Light,
        play: dnsmasq::play,
    },
];

/// Those that are there in every distribution, and start within a second.
#[test]
fn light() {
    table::run(SERVERS, Weight::Light);
}

/// Those that need a large download, or half a minute to start.
#[test]
fn heavy() {
    table::run(SERVERS, Weight::Heavy);
}
