//! A namespace to look at: a small shop's last ten minutes, the same ones every time.

use serde_json::json;

use crate::activation::{Activation, Status};
use crate::log;

/// The actions worth monitoring.
pub const ACTIONS: [&str; 5] =
    ["hello-world", "shop/checkout", "shop/send-mail", "media/resize-image", "R&D report.v2@eu"];

/// An action that only [fails](failing).
pub const FAILING: &str = "shop/refund";

const MINUTE: i64 = 60_000;
const MINUTES: i64 = 10;

/// About forty activations with a few hundred lines, over the ten minutes that end at `now_ms` (milliseconds since 1970).
pub fn first_wave(now_ms: i64) -> Vec<Activation> {
    let begin = now_ms - MINUTES * MINUTE;
    let mut all = Vec::new();
    for minute in 0..MINUTES {
        let at = begin + minute * MINUTE;
        all.push(hello(at + 1_500, minute == 0));
        match minute {
            3 => all.push(crashed_checkout(at + 12_000)),
            7 => all.push(refused_checkout(at + 12_000)),
            _ => all.push(checkout(at + 12_000, minute).package("shop")),
        }
        all.push(mail(at + 20_000, minute));
        if minute % 4 == 1 {
            all.extend(order(at + 30_000, minute));
        }
    }
    all.push(resize(begin + 95_000, 41_000));
    all.push(report(begin + 200_000));
    all
}

/// Five that came after a first wave of at most three minutes ago. One of them had started long before they did.
pub fn second_wave(now_ms: i64) -> Vec<Activation> {
    vec![
        resize(now_ms - 240_000, 239_500),
        hello(now_ms - 8_000, false),
        checkout(now_ms - 6_000, 11).package("shop"),
        mail(now_ms - 4_000, 11),
        hello(now_ms - 2_000, true),
    ]
}

/// An activation of [`FAILING`] that ended just now: a line of JSON as ECS loggers print it, then a stack trace with its cause.
pub fn failing(now_ms: i64) -> Activation {
    const TRACE: &str = "java.lang.IllegalStateException: order 4051 is not refunded
\tat shop.Refund.refund(Refund.java:48)
\tat shop.Refund.main(Refund.java:21)
\tat java.base/java.lang.reflect.Method.invoke(Method.java:569)
Caused by: java.net.ConnectException: Connection refused
\tat java.base/sun.nio.ch.Net.connect(Net.java:579)
\tat shop.Bank.send(Bank.java:77)
\tat shop.Refund.refund(Refund.java:44)
\t... 2 more";
    let start = now_ms - 1_500;
    let warning = json!({
        "@timestamp": log::time(i128::from(start + 900) * 1_000_000), "log.level": "WARN", "message": "the bank does not answer, once more",
        "ecs.version": "1.2.0", "log.logger": "shop.Bank", "process.thread.name": "main", "order": 4051
    });
    Activation::new("refund")
        .package("shop")
        .runtime("java:17")
        .start(start)
        .duration(1_340)
        .status(Status::DeveloperError)
        .result(json!({"error": "order 4051 is not refunded"}))
        .at(900)
        .stdout(&warning.to_string())
        .at(1_310)
        .stderr(TRACE)
}

/// Says the same thing twice; cold or warm.
fn hello(start: i64, cold: bool) -> Activation {
    let run = Activation::new("hello-world").start(start).duration(12);
    let run = if cold { run.cold(233).stdout("container ready") } else { run };
    run.stdout("ping\nping").stdout("Hello, stranger from Zürich! 👋").result(json!({"greeting": "Hello"}))
}

/// Without its package: the caller knows how it was invoked.
fn checkout(start: i64, number: i64) -> Activation {
    let order = 4_000 + number * 17;
    let items = 2 + number % 3;
    let mut run = Activation::new("checkout").start(start).duration(180);
    run = run.stdout(&format!("order {order}: {items} items"));
    for item in 1..=items {
        let line = json!({"level": "info", "order": order, "item": item, "price": 9.9 * item as f64});
        run = run.stdout(&line.to_string());
    }
    run.stdout("  {not quite JSON: \"indented\",\tand with a tab}")
        .stderr("\u{1b}[33mwarn\u{1b}[0m payment provider took 96 ms")
        .stdout("")
        .stdout(&format!("order {order}: paid\norder {order}: done"))
        .result(json!({"order": order, "paid": true}))
}

fn crashed_checkout(start: i64) -> Activation {
    const TRACE: &str = "TypeError: Cannot read properties of undefined (reading 'price')
    at total (/nodejsAction/shop/cart.js:41:27)
    at Array.reduce (<anonymous>)
    at main (/nodejsAction/shop/index.js:12:19)
    at NodeActionRunner.run (/nodejsAction/runner.js:95:24)";
    let error = "The action did not produce a valid response and exited unexpectedly.";
    Activation::new("checkout")
        .package("shop")
        .start(start)
        .duration(75)
        .cold(410)
        .status(Status::DeveloperError)
        .result(json!({"error": error}))
        .stdout("order 4051: 3 items")
        .stderr(TRACE)
        .stderr(log::DEVELOPER_ERROR)
}

fn refused_checkout(start: i64) -> Activation {
    Activation::new("checkout")
        .package("shop")
        .start(start)
        .duration(64)
        .status(Status::ApplicationError)
        .result(json!({"error": "card refused"}))
        .stdout("order 4119: 1 items")
        .stderr("payment provider says: 402 card refused")
}

fn mail(start: i64, number: i64) -> Activation {
    let mut run = Activation::new("send-mail").package("shop").runtime("python:3.11");
    run =
        run.start(start).duration(900).stdout(&format!("template: receipt, language: {}", language(number)));
    for (step, text) in ["EHLO", "MAIL FROM", "RCPT TO", "DATA", "QUIT"].iter().enumerate() {
        run = run.at(150 * step as i64).stderr(&format!("DEBUG smtp: {text} -> 250 OK"));
    }
    run.stdout(&format!("sent mail {number}: “Merci / Danke / ありがとう”")).result(json!([{"sent": true}]))
}

fn language(number: i64) -> &'static str {
    ["de", "fr", "it", "ja"][(number % 4) as usize]
}

/// A trigger that fires a sequence of two components.
fn order(start: i64, number: i64) -> [Activation; 4] {
    let id = |part: u32| format!("{:08x}{:024x}", 0xde30_0000_u32 + 16 * number as u32 + part, number);
    let sequence = id(0);
    let components = [
        checkout(start + 40, number + 20).package("shop").id(id(1)).cause(&sequence),
        mail(start + 260, number + 20).id(id(2)).cause(&sequence),
    ];
    let [first, second] = components;
    [
        Activation::trigger("order-placed")
            .id(id(3))
            .start(start)
            .result(json!({"cart": number}))
            .rule("order-to-shop", "guest/shop/order", &sequence)
            .inactive_rule("order-to-audit", "guest/audit"),
        Activation::sequence("order")
            .package("shop")
            .id(&sequence)
            .start(start + 20)
            .duration(1_150)
            .component_time(1_080)
            .component(id(1))
            .component(id(2)),
        first,
        second,
    ]
}

/// Logs all the way through its run, much longer than the others take.
fn resize(start: i64, duration: i64) -> Activation {
    let mut run = Activation::new("resize-image").package("media").runtime("go:1.22");
    run = run.start(start).duration(duration).stdout("reading 48 images");
    for image in 1..=24 {
        run = run.at(duration * image / 25).stdout(&format!("image {image:>2}: 4032×3024 → 1280×960"));
    }
    run.at(duration).stdout("written 48 images")
}

fn report(start: i64) -> Activation {
    let row =
        |number: i64| format!("{number:>4} | {:>8} | {}", number * 31, "#".repeat(number as usize % 30));
    let table: Vec<String> = (1..=60).map(row).collect();
    Activation::new("R&D report.v2@eu")
        .runtime("blackbox")
        .start(start)
        .duration(2_400)
        .stdout(&table.join("\n"))
        .stderr("LAST_ACTIVATION hello-world 1700000000000")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Clock, Double, Options};

    const NOW: i64 = 1_700_000_000_000;

    #[test]
    fn the_demo_is_ten_minutes_of_all_actions_and_the_same_every_time() {
        let worlds =
            [(); 2].map(|()| Double::start(Options { clock: Clock::fixed(NOW), ..Options::default() }));
        let [one, two] = worlds.map(|double| {
            double.world().add_all(first_wave(NOW));
            double.world().records()
        });
        assert!((35..=50).contains(&one.len()), "{} records", one.len());
        let lines: usize = one.iter().map(|record| record.logs.len()).sum();
        assert!((200..=500).contains(&lines), "{lines} lines");
        assert!(one.iter().all(|record| record.start >= NOW - 600_000 && record.visible_at <= NOW));
        let texts =
            |records: &[crate::Record]| records.iter().map(|r| r.full().to_owned()).collect::<Vec<_>>();
        assert_eq!(texts(&one), texts(&two));
        for action in ACTIONS {
            let (package, name) = action.rsplit_once('/').map_or((None, action), |(p, n)| (Some(p), n));
            let seen = one.iter().any(|record| record.name == name && record.package.as_deref() == package);
            assert!(seen, "{action} never ran");
        }
    }

    #[test]
    fn one_run_of_the_second_wave_started_before_the_newest_of_the_first() {
        let double = Double::start(Options { clock: Clock::fixed(NOW), ..Options::default() });
        double.world().add_all(first_wave(NOW));
        let newest = double.world().records().iter().map(|record| record.start).max().unwrap();
        let later = NOW + 30_000;
        double.world().clock().set(later);
        let second = double.world().add_all(second_wave(later));
        let records = double.world().records();
        let added = records.iter().filter(|record| second.contains(&record.id));
        let late: Vec<_> = added.filter(|record| record.start < newest && record.end > NOW).collect();
        assert_eq!(late.len(), 1);
        assert!(records.iter().all(|record| record.visible_at <= later));
    }
}
