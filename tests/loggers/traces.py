import logging
logging.basicConfig(level="INFO")
def f(x): return 1/x
try:
    try: f(0)
    except ZeroDivisionError as e: raise KeyError("missing\nkey") from e
except KeyError: logging.exception("it failed")
def g():
    try: f(0)
    except ZeroDivisionError: int("x")
g()
