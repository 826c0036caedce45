//! Addresses as applications have them, with a login: they come from secrets. Which words give one
//! away is proven beside the code, in `src/address/secret.rs`; here is that nothing of the value
//! gets out, wherever it stands.

use crate::inputs::refused;
use crate::kit::step::Preflight;

/// All words of the values below, but for the schemes.
const WORDS: &[&str] = &["carl", "hunt", "3r", "s3cret", "orders"];

const VALUES: &[&str] = &[
    // URLs, with passwords that nobody has escaped.
    "postgres://carl:hunt3r@db.s3cret.example:5432/orders",
    "postgres://carl:hunt@3r@db.s3cret.example/orders",
    "postgres://carl:hunt/3r@db.s3cret.example/orders",
    "postgres://carl:hunt?3r@db.s3cret.example/orders",
    "postgres://carl:hunt#3r@db.s3cret.example/orders",
    "postgres://carl:hunt:3r@db.s3cret.example/orders",
    "postgres://carl:hunt[3r@db.s3cret.example/orders",
    "postgres://carl:hunt%3r@db.s3cret.example/orders",
    "postgres://carl:hunt 3r@db.s3cret.example/orders",
    "postgres://carl:hunt\t3r@db.s3cret.example/orders",
    "postgres://carl:hunt\\3r@db.s3cret.example/orders",
    "postgres://carl:hunt://3r@db.s3cret.example/orders",
    "postgres://carl:hunt$3r{carl}@db.s3cret.example/orders",
    "POSTGRES://carl:hunt3r@db.s3cret.example/orders",
    "postgresql+asyncpg://carl:hunt3r@db.s3cret.example/orders",
    "postgres://carl@db.s3cret.example/orders",
    "postgres:///orders?host=db.s3cret.example&user=carl&password=hunt3r",
    "postgres://db.s3cret.example/orders?user=carl&password=hunt3r",
    "redis://:hunt3r@s3cret.example:6379/0",
    "redis://hunt3r@s3cret.example",
    "redis://hunt/3r@s3cret.example",
    "rediss://carl:hunt3r@s3cret.example:6380",
    "mongodb://carl:hunt3r@db.s3cret.example:27017,db2.s3cret.example/orders",
    "mongodb+srv://carl:hunt3r@s3cret.example/orders",
    "amqps://carl:hunt3r@s3cret.example/orders",
    "nats://hunt3r@s3cret.example:4222",
    "smtp://carl@s3cret.example:hunt3r@s3cret.example:587",
    "sqlserver://carl:hunt3r@s3cret.example:1433?database=orders",
    "sqlserver://s3cret.example:1433;user=carl;password=hunt3r",
    "oracle://carl:hunt3r@s3cret.example:1521/orders",
    "postgress://carl:hunt3r@s3cret.example",
    "tcp://carl:hunt3r@s3cret.example",
    "carl:hunt3r@s3cret.example:5432/orders",
    "://carl:hunt3r@s3cret.example",
    "mongodb://carl%3Ahunt3r%40s3cret.example/orders",
    // Go.
    "carl:hunt3r@tcp(db.s3cret.example:3306)/orders",
    "carl:hunt3r@unix(/run/s3cret)/orders",
    "carl@/orders",
    // libpq.
    "host=db.s3cret.example user=carl password=hunt3r dbname=orders",
    "host = 'db.s3cret.example' user = carl password = 'hunt 3r'",
    "dbname=orders passfile=/s3cret user=carl password=hunt3r",
    // ADO, ODBC.
    "Server=db.s3cret.example;User Id=carl;Password=hunt3r;Database=orders",
    "Data Source=db.s3cret.example;Uid=carl;Pwd=hunt3r",
    "Driver={carl};Server=db.s3cret.example;Uid=carl;PWD={hunt3r}",
    // JDBC.
    "jdbc:postgresql://db.s3cret.example/orders?user=carl&password=hunt3r",
    "jdbc:mysql://carl:hunt3r@db.s3cret.example/orders",
    "jdbc:sqlserver://db.s3cret.example;user=carl;password=hunt3r",
    "jdbc:oracle:thin:carl/hunt3r@//db.s3cret.example:1521/orders",
    "jdbc:oracle:thin:carl/hunt3r@db.s3cret.example:1521:orders",
    // StackExchange.Redis, Azure.
    "s3cret.example:6380,password=hunt3r,ssl=True",
    "redis://s3cret.example:6380,pass=hunt3r",
    "Endpoint=sb://s3cret.example/;SharedAccessKeyName=carl;SharedAccessKey=hunt3r=",
    "Endpoint=sb://s3cret.example/;SharedAccessSignature=hunt3r",
    "AccountName=carl;AccountKey=hunt3r==;EndpointSuffix=s3cret.example",
];

/// The places where an address may stand, each with this one.
fn everywhere(value: &str) -> Vec<(&'static str, Preflight)> {
    let quoted = format!("'{}'", value.replace('\'', "''"));
    let config = |text: String| {
        let step = Preflight::new().file("preflight.yml", text);
        step.set("config", "preflight.yml")
    };
    let targets = |text: String| Preflight::new().set("targets", text);
    vec![
        ("url", Preflight::probing(value)),
        ("targets.db", targets(format!("db: {quoted}\n"))),
        (
            "targets.db",
            targets(format!("db: {{url: {quoted}, timeout: 1s}}\n")),
        ),
        (
            "targets.db",
            config(format!("targets:\n  db:\n    url: {quoted}\n")),
        ),
        ("url", Preflight::new().args([value])),
        ("url", Preflight::new().args(["--url", value])),
        (
            "targets",
            Preflight::new().args(["--targets", &format!("db: {quoted}")]),
        ),
    ]
}

/// Asserts that the value is refused wherever it stands, in these words, and that nothing of it is
/// shown.
fn refused_everywhere(values: &[&str], words: &str) {
    let mut wrong = String::new();
    for value in values {
        for (place, step) in everywhere(value) {
            let run = step.set("report-file", "report.json").run();
            let all = run.all() + &run.read("report.json");
            let shown: Vec<_> = WORDS.iter().filter(|word| all.contains(**word)).collect();
            let told = run.stdout.contains(place) && run.stdout.contains(words);
            if run.code != Some(78) || !shown.is_empty() || !told {
                wrong += &format!("{value:?} at {place}, shows {shown:?}\n{run}");
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn nothing_of_a_login_gets_out() {
    refused_everywhere(VALUES, "carries user info or a password");
}

/// What stands where a port does may be a password whose host was lost.
#[test]
fn nothing_of_a_port_gets_out_that_is_none() {
    let values = [
        "postgres://carl:hunt3r",
        "postgres://carl:hunt3r/orders",
        "redis://:hunt3r",
        "mongodb://carl:hunt3r,s3cret.example:27017",
    ];
    refused_everywhere(&values, "has a port that is not a number");
}

/// A value in a wrong place, or in YAML of another shape than it should have: no password shows.
#[test]
fn passwords_in_wrong_places_stay_hidden() {
    let value = "postgres://carl:hunt3r@db.s3cret.example/orders";
    let targets = [
        value.to_owned(),
        format!("- {value}"),
        format!("{value}: x"),
        format!("? {value}"),
        format!("db: [{value}]"),
        format!("db: {{{value}}}"),
        format!("db: {{url: [{value}]}}"),
        format!("db: {{url: {{{value}: x}}}}"),
        format!("db: {{ulr: '{value}'}}"),
        format!("db: {{url: 'tcp://127.0.0.1:1', tls: '{value}'}}"),
        format!("db: {{url: 'tcp://127.0.0.1:1', timeout: '{value}'}}"),
        format!("db: '{value}"),
        format!("db: @{value}"),
        format!("db: !!binary '{value}'"),
        "db: 'postgres://carl:it's hunt3r@db'".to_owned(),
        "db: postgres://carl:hunt: 3r@db".to_owned(),
        // The blank makes a comment of what follows.
        "db: postgres://carl:hunt #3r@db".to_owned(),
    ];
    for targets in targets {
        let run = refused(Preflight::new().set("targets", &targets), &[]);
        run.hides(&["carl", "hunt", "3r@"]);
    }
    let inputs = [
        "name",
        "timeout",
        "attempts",
        "expect",
        "method",
        "redirects",
        "control",
        "target-url",
        "sha",
        "commit-status",
        "summary",
        "ca-certificates",
        "config",
    ];
    for input in inputs {
        let run = refused(
            Preflight::probing("tcp://127.0.0.1:1").set(input, value),
            &[input],
        );
        run.hides(&["carl", "hunt", "3r@"]);
    }
}
