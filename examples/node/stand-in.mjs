// node stand-in.mjs ZIP: runs an action as OpenWhisk's Node.js runtime does. Each line of stdin is the body of a `/run`; a line of
// stdout is its result.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { unzipSync } from "fflate";

const CONTEXT = ["api_key", "namespace", "action_name", "activation_id", "deadline"];

const directory = mkdtempSync(join(tmpdir(), "action-"));
process.on("exit", () => rmSync(directory, { recursive: true, force: true }));
for (const [name, bytes] of Object.entries(unzipSync(readFileSync(process.argv[2])))) {
  mkdirSync(join(directory, dirname(name)), { recursive: true });
  writeFileSync(join(directory, name), bytes);
}
process.chdir(directory);
const { main } = createRequire(import.meta.url)(directory);

for await (const line of createInterface({ input: process.stdin })) {
  const body = JSON.parse(line);
  // What is missing becomes the text "undefined", as there.
  for (const name of CONTEXT) process.env[`__OW_${name.toUpperCase()}`] = body[name];
  const result = await main(body.value).catch((error) => ({ error: error.message }));
  console.log(JSON.stringify(result));
}
