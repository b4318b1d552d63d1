// The OpenWhisk action of a Node.js runtime. The platform keeps the checkpoint.
import { fileURLToPath } from "node:url";
import { forward } from "./forwarder.mjs";

// The component ends by itself a little before the platform ends it.
const MARGIN_MS = 1500n;

export async function main(params) {
  const key = platform("API_KEY");
  const deadline = platform("DEADLINE");
  const { result } = await forward(fileURLToPath(new URL("component", import.meta.url)), params, {
    apiOrigin: platform("API_HOST"),
    authorization: key ? { tag: "key", val: key } : { tag: "missing" },
    namespace: platform("NAMESPACE"),
    actionName: platform("ACTION_NAME"),
    activationId: platform("ACTIVATION_ID"),
    deadlineMs: deadline && BigInt(deadline) - MARGIN_MS,
    checkpoint: { tag: "platform" },
  });
  return result;
}

// Some versions of the runtime write "undefined" where the platform said nothing.
function platform(name) {
  const value = process.env[`__OW_${name}`];
  return value && value !== "undefined" ? value : undefined;
}
