const { ecsFormat } = require("@elastic/ecs-pino-format");
const log = require("pino")({ ...ecsFormat({ serviceName: "shop" }) });

log.info({ order: 4000 }, "paid");
try {
  JSON.parse("{");
} catch (error) {
  log.error({ err: error }, "it failed");
}
