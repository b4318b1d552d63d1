const fs = require("fs");
class Überfall extends Error { get name() { return "Überfall"; } }
const failing = n => Promise.reject(new Error(`order ${n} is not paid`));
const read = name => new Promise((_, reject) => fs.readFile(name, reject));
async function main() {
  await Promise.any([failing(1), failing(2)]).catch(error => console.error("any failed:", error));
  console.error("next");
  await Promise.any([failing(3)]).catch(error => console.error(error));
  console.error("next");
  await read("absent").catch(error => console.error(error));
  console.error("next");
  await read("absent").catch(error => console.error("not read:", error));
  console.error("next");
  await read("absent\nfile").catch(error => console.error(error));
  console.error("next");
  await read("absent").catch(error => console.error({ order: 4, error }));
  console.error("next");
  await read("absent").catch(error => console.error([error, error]));
  console.error("next");
  await read("absent").catch(error => console.error(new Error("no order", { cause: error })));
  console.error("next");
  await fs.promises.readFile("absent").catch(error => console.error({ order: 5, error }));
  console.error("next");
  console.error(new Überfall("bäm"));
  console.error("next");
  await read("absent");
}
main();
