// node transpile.mjs [COMPONENT [DIRECTORY]]: the component as JavaScript and core modules.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { transpile } from "@bytecodealliance/jco-transpile";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const [component = here("../../target/whiskjack/whiskjack.wasm"), directory = here("component")] = process.argv.slice(2);

const { files } = await transpile(component, { name: "whiskjack", instantiation: "async", minify: true });
await mkdir(directory, { recursive: true });
const code = Object.entries(files).filter(([name]) => !name.endsWith(".d.ts"));
await Promise.all(code.map(([name, bytes]) => writeFile(join(directory, name), bytes)));
// Node takes it for a module wherever it is.
await writeFile(join(directory, "package.json"), '{"type": "module"}\n');
