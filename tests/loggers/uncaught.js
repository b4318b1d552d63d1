function f() { throw new TypeError("boom", {cause: new Error("inner")}); }
console.log("before"); f();
