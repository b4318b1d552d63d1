//! The texts: lines of one activation each.

/// Name, stream, and what makes the lines of one activation.
pub(crate) const KINDS: [(&str, &str, fn(&mut Dice) -> Vec<String>); 3] =
    [("json", "stdout", json), ("access", "stdout", access), ("traces", "stderr", traces)];

/// Numbers that look random and are the same each time (splitmix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// Small numbers more often than large ones, as most things are.
    fn skewed(&mut self, end: u64) -> u64 {
        let most = 1 + self.below(end);
        self.below(most)
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.skewed(from.len() as u64) as usize]
    }
}

/// A logger that writes JSON: a handful of messages with fields of their own, five or so to a run.
fn json(dice: &mut Dice) -> Vec<String> {
    const MESSAGES: [&str; 7] = [
        "request received",
        "order accepted",
        "cache miss, asking the database",
        "stock reserved",
        "payment authorised",
        "request done",
        "customer has no address, using the default",
    ];
    const PATHS: [&str; 5] = ["/v1/orders", "/v1/cart", "/v1/orders/export", "/v2/customers", "/health"];
    let request = uuid(dice);
    let customer = 100_000 + dice.skewed(900_000);
    (0..2 + dice.below(7))
        .map(|_| {
            let level = ["info", "debug", "warn"][dice.skewed(3) as usize];
            let message = dice.pick(&MESSAGES);
            let fields = match dice.below(4) {
                0 => format!(r#""durationMs":{}.{:02}"#, dice.skewed(900), dice.below(100)),
                1 => format!(r#""orderId":"ord_{:013x}","items":{}"#, dice.next() >> 12, 1 + dice.skewed(12)),
                2 => format!(r#""path":"{}","status":{}"#, dice.pick(&PATHS), dice.pick(&[200, 201, 404, 500])),
                _ => format!(
                    r#""amount":{{"value":"{}.{:02}","currency":"EUR"}},"retry":{}"#,
                    dice.skewed(4_000),
                    dice.below(100),
                    dice.below(2) == 0
                ),
            };
            format!(
                r#"{{"level":"{level}","logger":"shop.checkout","msg":"{message}","requestId":"{request}","customer":{customer},{fields}}}"#
            )
        })
        .collect()
}

/// The combined format of web servers, one or two lines to a run.
fn access(dice: &mut Dice) -> Vec<String> {
    const AGENTS: [&str; 6] = [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/119.0.0.0 Safari/537.36",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0",
        "kube-probe/1.27",
        "python-requests/2.31.0",
        "okhttp/4.12.0",
    ];
    const PARTS: [&str; 6] = ["products", "images", "search", "cart", "api/v1/prices", "static/js"];
    (0..1 + dice.below(2))
        .map(|_| {
            let (agent, part) = (dice.pick(&AGENTS), dice.pick(&PARTS));
            let from = if dice.below(3) == 0 { "https://shop.example.com/" } else { "-" };
            format!(
                r#"{}.{}.{}.{} - - [14/Nov/2023:{:02}:{:02}:{:02} +0000] "{} /{part}/{}?page={} HTTP/1.1" {} {} "{from}" "{agent}""#,
                dice.pick(&[203, 198, 192, 100, 81]),
                dice.skewed(256),
                dice.below(256),
                dice.below(256),
                22 - dice.skewed(3),
                dice.below(60),
                dice.below(60),
                dice.pick(&["GET", "POST", "HEAD"]),
                dice.skewed(60_000),
                1 + dice.skewed(20),
                dice.pick(&[200, 304, 301, 404, 503]),
                dice.skewed(48_000),
            )
        })
        .collect()
}

/// Errors with where they come from: some twenty frames out of some hundred places.
fn traces(dice: &mut Dice) -> Vec<String> {
    const ERRORS: [&str; 4] = [
        "java.lang.IllegalStateException: connection pool is exhausted, waited",
        "java.net.SocketTimeoutException: Read timed out after",
        "com.example.shop.PriceNotFoundException: no price for article",
        "java.lang.NullPointerException: Cannot invoke \"Customer.address()\" because \"customer\" is null, order",
    ];
    const PACKAGES: [&str; 6] = [
        "com.example.shop.checkout",
        "com.example.shop.prices.remote",
        "com.fasterxml.jackson.databind.deser",
        "java.util.concurrent",
        "org.apache.http.impl.client",
        "jdk.internal.reflect",
    ];
    const CLASSES: [&str; 7] = [
        "OrderService",
        "PriceClient",
        "BeanDeserializer",
        "ThreadPoolExecutor$Worker",
        "DirectMethodHandleAccessor",
        "RetryPolicy",
        "CompletableFuture",
    ];
    const METHODS: [&str; 7] =
        ["invoke", "run", "lambda$price$3", "execute", "deserialize", "doGet", "submit"];
    let mut lines =
        vec![format!("Exception in thread \"main\" {} {}", dice.pick(&ERRORS), dice.skewed(90_000))];
    for _ in 0..10 + dice.below(20) {
        let (package, class, method) = (dice.pick(&PACKAGES), dice.pick(&CLASSES), dice.pick(&METHODS));
        let file = class.split('$').next().unwrap_or(class);
        // A place in the source is the same each time.
        let line = 20 + (package.len() * 97 + class.len() * 31 + method.len() * 7) % 800;
        lines.push(format!("\tat {package}.{class}.{method}({file}.java:{line})"));
    }
    lines
}

fn uuid(dice: &mut Dice) -> String {
    let (a, b) = (dice.next(), dice.next());
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        a >> 32,
        a & 0xffff,
        (a >> 16) & 0xfff,
        b >> 52,
        b & 0xffff_ffff_ffff
    )
}
