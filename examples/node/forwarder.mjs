// One run of the component: plan, forward each slice, conclude.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { WASIShim } from "@bytecodealliance/preview2-shim/instantiation";
import { hostParams } from "./params.mjs";
import { transport } from "./transport.mjs";

const FORWARDER = "whiskjack:forwarder/forwarder@0.1.0";
const SAVE_EVERY_MS = 15_000;

/// Forwards once with the component that was transpiled into `directory`. `context` is that of wit/types.wit; `save` keeps a
/// checkpoint. Returns the result and an exit status: 0 all was forwarded, 1 something failed or is owed, 2 the configuration is wrong.
export async function forward(directory, params, context, save = () => {}) {
  const { receivers, security, faults } = hostParams(params);
  if (faults.length) return { result: { error: faults.join("; ") }, status: 2 };
  const { Connection, end } = transport(receivers, security);
  try {
    const forwarder = await load(directory, { "whiskjack:forwarder/transport": { Connection } });
    return work(forwarder, params, context, save);
  } finally {
    await end();
  }
}

function work(forwarder, params, context, save) {
  const plan = planned(forwarder, params, context);
  if (plan.error) return { result: { error: plan.error }, status: plan.status };
  const slices = [...plan.slices];
  const outcomes = [];
  let savedAt = Date.now();
  for (const slice of slices) {
    const outcome = forwarder.forward(plan, slice);
    outcomes.push(outcome);
    if (outcome.rest) slices.push(outcome.rest);
    if (Date.now() - savedAt > SAVE_EVERY_MS) {
      keep(forwarder.conclude(plan, outcomes, false));
      savedAt = Date.now();
    }
  }
  const report = forwarder.conclude(plan, outcomes, true);
  keep(report);
  return { result: JSON.parse(Buffer.from(report.result)), status: report.complete ? 0 : 1 };

  function keep({ checkpoint }) {
    if (checkpoint) save(checkpoint);
  }
}

function planned(forwarder, params, context) {
  try {
    return forwarder.plan(Buffer.from(JSON.stringify(params)), context);
  } catch (error) {
    // A trap is an Error; what `plan` returns as its error is thrown as it is.
    if (error instanceof Error) throw error;
    const { tag, val } = error;
    if (tag !== "invalid-config") return { error: withRemedy(val.message ?? val), status: 1 };
    return { error: val.map(({ key, remedy }) => `${key}: ${remedy}`).join("; "), status: 2 };
  }
}

/// Only this host knows how its HTTP client learns whom to trust.
function withRemedy(message) {
  if (!message.includes("certificate")) return message;
  return `${message}; put the certificate of its CA into a file, and name that in NODE_EXTRA_CA_CERTS`;
}

async function load(directory, own) {
  const { instantiate } = await import(pathToFileURL(join(directory, "whiskjack.js"))).catch((cause) => {
    throw new Error(`there is no transpiled component in ${directory}: run \`npm run transpile\``, { cause });
  });
  const compile = async (file) => WebAssembly.compile(await readFile(join(directory, file)));
  // No environment: the component has no use for it, and our key is there.
  const wasi = new WASIShim({ sandbox: { env: {}, args: [], preopens: {} } }).getImportObject();
  const imports = new Proxy({ ...wasi, ...own }, {
    get(all, name) {
      if (name in all) return all[name];
      throw new Error(`the component wants ${name}, which this host has not: it is for ${FORWARDER}; transpile the component of the same release`);
    },
  });
  const instance = await instantiate(compile, imports);
  if (instance[FORWARDER]) return instance[FORWARDER];
  const found = Object.keys(instance).filter((name) => name.includes("@")).join(", ") || "nothing";
  throw new Error(`the component exports ${found}, this host is for ${FORWARDER}; transpile the component of the same release`);
}
