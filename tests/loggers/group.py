import sys, traceback
def fail(n):
    error = ValueError(f"no order {n}\nof that number")
    error.add_note("a note")
    raise error
def group():
    errors = []
    for n in (1, 2):
        try: fail(n)
        except ValueError as error: errors.append(error)
    raise ExceptionGroup("orders", errors)
try: group()
except ExceptionGroup: traceback.print_exc()
print("next", file=sys.stderr)
try:
    try: fail(3)
    except ValueError as error: raise RuntimeError("not paid") from error
except RuntimeError: traceback.print_exc()
print("next", file=sys.stderr)
try:
    fail(4)
except ValueError:
    group()
