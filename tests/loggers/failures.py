import logging
import traceback

logging.basicConfig(format="%(asctime)s %(levelname)-5s %(name)s: %(message)s")
log = logging.getLogger("shop.failures")


class NotPaid(Exception):
    pass


def bank(order):
    raise ConnectionError("no route\nto the bank")


def pay(order):
    try:
        bank(order)
    except ConnectionError as error:
        raise NotPaid(f"order {order} is not paid") from error


log.warning("refunds:\n  - 4001\n  - 4002")
try:
    pay(4001)
except NotPaid as error:
    log.exception("it failed")
    log.exception("it failed:\nsee the bank")
    log.error("it failed: %s", error)
    log.warning("retrying")
    log.error("it failed: %s", traceback.format_exc().strip())
    log.error("it failed: %r", error, exc_info=error)
    log.error("it failed", stack_info=True)
    logging.getLogger().exception(error)
log.warning("done")
