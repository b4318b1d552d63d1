// node pack.mjs [DIRECTORY [ZIP]]: the OpenWhisk action, with the component that was transpiled into DIRECTORY.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { zipSync } from "fflate";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [directory = here("component"), zip = here("whiskjack-node.zip")] = process.argv.slice(2);

const OURS = ["package.json", "index.js", "action.mjs", "forwarder.mjs", "params.mjs", "host-keys.json", "transport.mjs", "sockets.mjs"];

const SHIM = "node_modules/@bytecodealliance/preview2-shim";

const entries = {};
for (const file of OURS) add(file, here(file));
// Its dependency, jco-node-fs, is for a call on files that the component does not make.
addAll(SHIM, here(SHIM));
addAll("component", directory);
writeFileSync(zip, zipSync(entries, { level: 9, mtime: new Date("2020-01-01T00:00:00") }));

function addAll(name, path) {
  for (const file of readdirSync(path, { recursive: true, withFileTypes: true })) {
    const full = join(file.parentPath ?? file.path, file.name);
    // Neither type declarations nor the shim of browsers are of use here.
    if (file.isFile() && !/\.d\.ts$|[\\/]browser[\\/]|\.md$|\.map$/.test(full)) add(`${name}${full.slice(path.length)}`, full);
  }
}

function add(name, path) {
  entries[name] = readFileSync(path);
}
