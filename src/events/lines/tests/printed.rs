//! What runtimes and loggers print of errors: the programs in `tests/loggers`, and traces that nobody could print here.

macro_rules! printed {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/loggers/", $name, ".txt"))
    };
}

/// What programs printed, and how each trace in it begins, with what stands between.
pub(super) const PRINTED: [(&str, &[&str]); 16] = [
    (
        printed!("Messages.java"),
        &[
            "java.lang.IllegalStateException: first",
            "served 1",
            "served 2",
            "Messages$Quiet: alone",
            "served 3",
            "java.lang.RuntimeException: outer",
            "Exception in thread \"main\" java.lang.RuntimeException: third",
        ],
    ),
    (
        printed!("group.py"),
        &[
            "  + Exception Group Traceback (most recent call last):",
            "next",
            "Traceback (most recent call last):",
            "next",
            "Traceback (most recent call last):",
        ],
    ),
    (printed!("assertion.js"), &["Error: first", "next", "node:assert:90"]),
    (printed!("panics.go"), &["error: caught", "next", "panic: runtime error: invalid memory address"]),
    (
        printed!("raise.rb"),
        &[
            "/action/raise.rb:6:in `rescue in pay': broke (NoMoney)",
            "/action/raise.rb:14:in `<main>': undefined method",
            "/action/raise.rb:6:in `rescue in pay': broke (NoMoney)",
        ],
    ),
    (
        printed!("raise.php"),
        &["Exception: no order", "next", "Exception: no order", "next", "PHP Fatal error:  Uncaught"],
    ),
    (
        printed!("causes.rs"),
        &["Error: not paid", "Error: not paid", "", "thread 'main' (29999) panicked at src/main.rs"],
    ),
    (
        printed!("java/Failures"),
        &[
            "2026-11-30T06:48:47,566 INFO ",
            "  - 4001",
            "  - 4002",
            "2026-11-30T06:48:47,624 ERROR",
            "2026-11-30T06:48:47,625 ERROR",
            "2026-11-30T06:48:47,626 ERROR",
            "2026-11-30T06:48:47,626 ERROR",
            "is not refunded",
            "2026-11-30T06:48:47,626 INFO ",
            "2026-11-30T06:48:47,644 ERROR",
            "2026-11-30T06:48:47,644 WARN ",
            "is not refunded",
            "2026-11-30T06:48:47,644 ERROR",
            "is not refunded",
            "java.lang.IllegalStateException: order 4001",
            "2026-11-30T06:48:47,644 INFO ",
        ],
    ),
    (
        printed!("failures.py"),
        &[
            "2026-11-30 06:52:00,740 WARNING",
            "  - 4001",
            "  - 4002",
            "2026-11-30 06:52:00,740 ERROR",
            "2026-11-30 06:52:00,771 ERROR",
            "2026-11-30 06:52:00,772 ERROR",
            "2026-11-30 06:52:00,772 WARNING",
            "2026-11-30 06:52:00,772 ERROR shop.failures: it failed: Traceback",
            "2026-11-30 06:52:00,772 ERROR",
            "2026-11-30 06:52:00,772 ERROR",
            "2026-11-30 06:52:00,772 ERROR",
            "2026-11-30 06:52:00,772 WARNING",
        ],
    ),
    (
        printed!("causes.rb"),
        &[
            "E, [",
            "E, [",
            "",
            "E, [",
            "/action/causes.rb:15:in `rescue in pay': order 4",
            "next",
            "#<Thread:",
            "joined",
            "next",
            "/action/causes.rb:29:in `deep'",
            "/action/causes.rb:15:in `rescue in pay': order 6",
        ],
    ),
    (
        printed!("causes.php"),
        &[
            "DomainException: no order",
            "it failed: DomainException: no order",
            "Error: order 4",
            "DomainException: no order",
            "next",
            "PHP Warning:  Undefined variable",
            "PHP Warning:  careful",
            "next",
            "PHP Fatal error:  Uncaught DomainException: no order",
        ],
    ),
    (
        printed!("Causes.cs.mono"),
        &[
            "Shop.NotPaid: not paid ---> ",
            "next",
            "it failed: System.AggregateException: ",
            "",
            "next",
            "ERROR Shop.NotPaid: not paid ---> ",
            "next",
            "System.AggregateException: ",
            "",
            "next",
            "",
            "Unhandled Exception:",
            "[ERROR] FATAL UNHANDLED EXCEPTION: Shop.NotPaid: ",
        ],
    ),
    (
        printed!("Causes.cs.net"),
        &[
            "Shop.NotPaid: not paid",
            "next",
            "it failed: System.AggregateException: ",
            "next",
            "ERROR Shop.NotPaid: not paid",
            "next",
            "System.AggregateException: ",
            "",
            "next",
            "Unhandled exception. Shop.NotPaid: not paid",
        ],
    ),
    (
        printed!("Jul.java"),
        &[
            "Nov 30, 2026 9:53:33 AM Jul main\nINFO: served",
            "Nov 30, 2026 9:53:33 AM Jul main\nSEVERE: it failed\njava.lang.IllegalStateException: order 4\n\tat ",
            "",
            "Nov 30, 2026 9:53:33 AM Jul main\nWARNING: careful",
            "Nov 30, 2026 9:53:33 AM Jul main\nWARNING: order 5:\n  - 5001\nis not paid\njava.lang.IllegalStateException: order 5\n\tat ",
            "",
            "Nov 30, 2026 9:53:33 AM Jul main\nINFO: order 6:",
            "  - 6001",
            "Nov 30, 2026 9:53:33 AM Jul main\nINFO: retried\njava.lang.IllegalStateException: order 6\n\tat ",
            "",
            "Nov 30, 2026 9:53:33 AM Jul main\nSEVERE: alone",
            "Nov 30, 2026 9:53:33 AM Jul main\nINFO: done",
        ],
    ),
    (
        printed!("inspect.js"),
        &[
            "[\n  Error: order 1 is not paid\n      at ",
            "next",
            "{\n  first: Error: order 3 is not paid\n      at ",
            "next",
            "it failed: AggregateError: both failed\n    at ",
            "next",
            "[\n  Error: order 6 is not paid\n      at ",
            "next",
            "{\n  failed: {\n    error: Error: order 7 is not paid\n        at ",
            "next",
            "Map(1) {\n  'a' => Error: order 8 is not paid\n      at ",
            "next",
            "[\n  Error: order 9 is not paid\n      at ",
            "next",
            "node:internal/process/promises:391\n",
        ],
    ),
    (
        printed!("tasks.py"),
        &[
            "Task exception was never retrieved\nfuture: <Task finished name='Task-2' ",
            "is not paid",
            "next",
            "Exception in callback main.<locals>.<lambda>() at /action/tasks.py:23\nhandle: <Handle ",
            "next",
            "Future exception was never retrieved\nfuture: <Future finished exception=Broke('order 2')>\nBroke: order 2",
            "next",
            "it failed",
            "order: 3",
            "next",
            "_GatheringFuture exception was never retrieved\nfuture: <_GatheringFuture finished exception=",
            "is not paid",
            "2026-11-30 09:53:34,159 ERROR asyncio: Task exception was never retrieved\nfuture: ",
            "is not paid",
            "next",
            "2026-11-30 09:53:34,161 ERROR asyncio: Exception in callback main.<locals>.<lambda>() at /action/tasks.py:23\nhandle: ",
            "next",
            "2026-11-30 09:53:34,161 ERROR asyncio: Future exception was never retrieved\nfuture: ",
            "next",
            "2026-11-30 09:53:34,167 ERROR asyncio: it failed",
            "order: 3",
            "next",
            "2026-11-30 09:53:34,167 ERROR asyncio: _GatheringFuture exception was never retrieved\nfuture: ",
            "is not paid",
        ],
    ),
];

/// Written after the documentation of each language, or of versions that are not at hand.
pub(super) const OTHERS: [&str; 8] = [
    // Swift 6 on Linux.
    "main/main.swift:3: Fatal error: no money\n\n*** Program crashed: Illegal instruction at 0x00007f3c5a2b1c40 ***\n\nPlatform: x86_64 Linux (Ubuntu 22.04.5 LTS)\n\nThread 0 \"main\" crashed:\n\n0      0x00007f3c5a2b1c40 _assertionFailure(_:_:file:line:flags:) + 176 in libswiftCore.so\n1 [ra] 0x0000558a1b2c3d4e pay() + 41 in main at /action/main.swift:3:5\n\n     1│ func pay() {\n     2│     // no money\n     3│     fatalError(\"no money\")\n      │     ▲\n     4│ }\n\nRegisters:\n\nrax 0x0000000000000001  1\nrdx 0x0000000000000000  0\n\nImages (7 omitted):\n\n0x0000558a1b2c0000–0x0000558a1b2c5000 3f7e2d1c main /action/main\n\nBacktrace took 0.05s",
    // .NET, where a task hands on what another one threw.
    "Unhandled exception. System.AggregateException: One or more errors occurred. (no\nmoney)\n ---> System.InvalidOperationException: no\nmoney\n   at Shop.Pay.<Run>b__0() in /action/Pay.cs:line 12\n   at System.Threading.Tasks.Task`1.InnerInvoke()\n--- End of stack trace from previous location ---\n   at System.Threading.ExecutionContext.RunFromThreadPoolDispatchLoop(Thread threadPoolThread, ContextCallback callback)\n   --- End of inner exception stack trace ---\n   at Program.<Main>$(String[] args) in /action/Program.cs:line 3",
    // Ruby 3.4.
    "pay.rb:4:in 'rescue in Shop#pay': outer (RuntimeError)\n\tfrom pay.rb:1:in 'Shop#pay'\n\tfrom pay.rb:7:in '<main>'\npay.rb:2:in 'Shop#pay': inner (ArgumentError)\n\tfrom pay.rb:7:in '<main>'",
    // PHP with `xdebug`, or with `log_errors` and a trace.
    "PHP Warning:  Undefined variable $order in /action/index.php on line 3\nPHP Stack trace:\nPHP   1. {main}() /action/index.php:0\nPHP   2. pay() /action/index.php:7",
    // Go before 1.18 did not indent the lines of a message.
    "panic: first\nsecond\n\ngoroutine 1 [running]:\npanic({0x45e0a0?, 0x47a9f8?})\n\t/go/src/runtime/panic.go:884 +0x213\nmain.main()\n\t/action/main.go:4 +0x27\nexit status 2",
    // Python finds no frame for what it cannot parse.
    "  File \"/action/a.py\", line 1\n    def f(:\n          ^\nSyntaxError: invalid syntax",
    // zap of Go, for a console.
    "2026-11-30T12:00:00.123Z\tERROR\tshop/main.go:21\tit failed\t{\"error\": \"no money\"}\nmain.(*Shop).pay\n\t/action/main.go:21\nnet/http.HandlerFunc.ServeHTTP\n\t/go/src/net/http/server.go:2136",
    // Rails, without tags.
    "NoMethodError (undefined method `pay' for nil:NilClass):\n  \napp/controllers/orders_controller.rb:7:in `create'\napp/models/order.rb:3:in `pay'",
];
