console.error(new Error("first\nsecond"));
console.error("next");
require("node:assert").strictEqual([1].length, 2);
