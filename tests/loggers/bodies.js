const assert = require("assert");
const body = JSON.stringify({ error: { code: 400 } }, null, 2);
console.error(new Error(`upstream said 400: ${body}`));
console.error("next");
console.error(new Error(`bad\n  b: [\n   1\n  ]`));
console.error("next");
console.error("Error: alone");
console.error({ first: new Error("order 1 is not paid"), second: 2 });
console.error("next");
console.error("Error: alone");
console.error([new Error("order 2 is not paid")]);
console.error("next");
try { assert.deepStrictEqual([{ a: 1 }], [{ a: 2 }]); } catch (error) { console.error("it failed:", error); }
console.error("next");
assert.deepStrictEqual([{ a: 1 }], [{ a: 2 }]);
