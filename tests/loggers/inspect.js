const util = require("util");
function pay(n) { return new Error(`order ${n} is not paid`); }
console.error([pay(1), pay(2)]);
console.error("next");
console.error({ first: pay(3), second: 2 });
console.error("next");
console.error("it failed:", new AggregateError([pay(4), new TypeError("no money", { cause: pay(5) })], "both failed"));
console.error("next");
const error = pay(6);
error.code = "E_PAY";
console.error([error, 7]);
console.error("next");
console.error({ failed: { error: pay(7) } });
console.error("next");
console.error(util.inspect(new Map([["a", pay(8)]])));
console.error("next");
console.error([pay(9)]);
console.error("next");
Promise.any([Promise.reject(pay(10)), Promise.reject(pay(11))]);
