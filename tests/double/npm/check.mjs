// Asks a double everything that a forwarder and a deployer ask, with the official client, and prints the answers as one JSON object.
// Usage: node check.mjs ORIGIN KEY

import openwhisk from "openwhisk";

const [origin, key] = process.argv.slice(2);
const client = (api_key) => openwhisk({ apihost: origin, api_key });
const { activations, packages } = client(key);

const answers = {};
answers.list = await activations.list();
answers.most = await activations.list({ limit: 0 });
answers.pages = [];
for (let skip = 0; ; skip += 25) {
  const page = await activations.list({ name: "hello", limit: 25, skip });
  if (page.length === 0) break;
  answers.pages.push(...page);
}
const tenth = answers.pages.at(-11).start;
answers.range = await activations.list({ since: tenth, upto: tenth + 2 });
answers.packaged = await activations.list({ name: "shop/checkout" });
answers.unpackaged = await activations.list({ name: "checkout" });
answers.docs = await activations.list({ docs: true, limit: 1 });
answers.count = await activations.list({ name: "hello", count: true });

const name = answers.list[0].activationId;
answers.record = await activations.get({ name });
answers.logs = await activations.logs({ name });
answers.result = await activations.result({ name });
answers.missing = await failure(activations.get({ name: "0".repeat(32) }));
answers.refused = await failure(client("00000000-0000-4000-8000-000000000000:wrong").activations.list());

const state = (through) => ({ name: "state", package: { annotations: [{ key: "state", value: { through } }] } });
answers.created = await packages.create(state(1));
answers.conflict = await failure(packages.create(state(9)));
answers.updated = await packages.update(state(2));
answers.stored = await packages.get({ name: "state" });
await packages.delete({ name: "state" });
answers.removed = await failure(packages.get({ name: "state" }));

const { actions, triggers, rules, feeds } = client(key);
const action = Buffer.from("PK\u0003\u0004");
answers.action = await actions.create({ name: "fwd", action, kind: "rust:1.34", annotations: { "provide-api-key": true }, limits: { timeout: 50000 } });
answers.actionAgain = await failure(actions.create({ name: "fwd", action, kind: "rust:1.34" }));
answers.actionUpdated = await actions.update({ name: "fwd", action, kind: "rust:1.34", params: { a: 1 } });
answers.trigger = await triggers.create({ name: "tick" });
answers.feed = await feeds.create({ name: "/whisk.system/alarms/alarm", trigger: "tick", params: { cron: "* * * * *" } });
answers.feedRead = await feeds.get({ name: "/whisk.system/alarms/alarm", trigger: "tick" });
answers.feedAgain = await feeds.create({ name: "/whisk.system/alarms/alarm", trigger: "tick", params: { cron: "* * * * *" } });
answers.rule = await rules.create({ name: "each", action: "fwd", trigger: "tick" });
await rules.disable({ name: "each" });
answers.ruleDisabled = await rules.get({ name: "each" });
await rules.enable({ name: "each" });
answers.fired = await triggers.invoke({ name: "tick", params: { b: 2 } });
answers.firedRecord = await activations.get({ name: answers.fired.activationId });
await rules.delete({ name: "each" });
await feeds.delete({ name: "/whisk.system/alarms/alarm", trigger: "tick" });
await triggers.delete({ name: "tick" });
await actions.delete({ name: "fwd" });
answers.undeployed = [
  await failure(rules.get({ name: "each" })),
  await failure(triggers.get({ name: "tick" })),
  await failure(actions.get({ name: "fwd" })),
].map(({ status }) => status);

process.stdout.write(JSON.stringify(answers));

async function failure(promise) {
  try {
    return await promise;
  } catch (error) {
    return { status: error.statusCode, error: error.error?.error };
  }
}
