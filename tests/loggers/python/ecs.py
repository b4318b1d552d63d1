import logging
import sys

import ecs_logging

handler = logging.StreamHandler(sys.stdout)
handler.setFormatter(ecs_logging.StdlibFormatter())
log = logging.getLogger("shop")
log.addHandler(handler)
log.setLevel("INFO")

log.info("paid", extra={"order": 4000, "trace.id": "4bf92f3577b34da6"})
try:
    try:
        1 / 0
    except ZeroDivisionError as cause:
        raise KeyError("order 4001") from cause
except KeyError:
    log.exception("it failed")
