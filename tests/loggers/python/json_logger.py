import logging
import sys

from pythonjsonlogger.json import JsonFormatter

handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
log = logging.getLogger("shop")
log.addHandler(handler)
log.setLevel("INFO")

log.info("paid", extra={"order": 4000})
try:
    try:
        1 / 0
    except ZeroDivisionError as cause:
        raise KeyError("order 4001") from cause
except KeyError:
    log.exception("it failed")
