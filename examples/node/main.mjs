// The command: forwards once and prints the result.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { forward } from "./forwarder.mjs";
import { load, save, stateFile } from "./state.mjs";

const USAGE = "usage: node main.mjs --config FILE --state FILE [--component DIRECTORY]";

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`whiskjack: ${error.message}`);
  process.exitCode ??= 1;
}

async function main() {
  const text = { type: "string" };
  const { config, state, component } = usage(() => parseArgs({ options: { config: text, state: text, component: text } }).values);
  if (!config || !state) usage(() => { throw new Error("--config and --state are needed"); });
  const file = usage(() => stateFile(state));
  const { __OW_API_HOST: apiOrigin, __OW_API_KEY: key } = process.env;
  const { result, status } = await forward(
    component ?? fileURLToPath(new URL("component", import.meta.url)),
    usage(() => JSON.parse(readFileSync(config, "utf8").replace(/^\uFEFF/, ""))),
    {
      apiOrigin,
      authorization: key ? { tag: "key", val: key } : { tag: "missing" },
      checkpoint: { tag: "host", val: load(file) },
    },
    (checkpoint) => save(file, checkpoint),
  );
  console.log(JSON.stringify(result));
  return status;
}

function usage(read) {
  try {
    return read();
  } catch (error) {
    process.exitCode = 2;
    throw new Error(`${error.message}\n${USAGE}`);
  }
}
