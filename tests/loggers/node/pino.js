const log = require("pino")({ name: "shop" });

log.info({ order: 4000, customer: { group: "new" } }, "paid");
log.warn("slow");
try {
  try {
    JSON.parse("{");
  } catch (cause) {
    throw new TypeError("order 4001 is not paid", { cause });
  }
} catch (error) {
  log.error(error, "it failed");
}
