const { createLogger, format, transports } = require("winston");
const log = createLogger({
  defaultMeta: { service: "shop" },
  format: format.combine(format.timestamp(), format.errors({ stack: true }), format.json()),
  transports: [new transports.Console()],
});

log.info("paid", { order: 4000 });
try {
  try {
    JSON.parse("{");
  } catch (cause) {
    throw new TypeError("order 4001 is not paid", { cause });
  }
} catch (error) {
  log.error("it failed:", error);
  log.error(error);
}
