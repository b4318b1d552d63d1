"""Forwards once and prints the result."""

import argparse
import json
import os
import pathlib
import sys

from wasmtime import WasmtimeError
from wasmtime.component import Variant

from forwarder import Forwarder, record
from state import load, save, state_file

COMPONENT = pathlib.Path(__file__).parent / "../../target/whiskjack/whiskjack.wasm"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True, type=pathlib.Path)
    parser.add_argument("--state", required=True, type=pathlib.Path, help="file of the checkpoint")
    parser.add_argument("--component", default=COMPONENT, type=pathlib.Path)
    options = parser.parse_args()
    try:
        state = state_file(options.state)
        forwarder = Forwarder(str(options.component), json.loads(options.config.read_text(encoding="utf-8-sig")))
        result, status = forward(forwarder, state)
    except (ValueError, OSError, RuntimeError, WasmtimeError) as error:
        print(f"whiskjack: {error}", file=sys.stderr)
        return 1 if isinstance(error, (RuntimeError, WasmtimeError)) else 2
    print(json.dumps(result, ensure_ascii=False))
    return status


def forward(forwarder: Forwarder, state: pathlib.Path) -> tuple[dict, int]:
    key = os.environ.get("__OW_API_KEY")
    context = record(
        api_origin=os.environ.get("__OW_API_HOST"),
        authorization=Variant("key", key) if key else Variant("missing"),
        namespace=None,
        action_name=None,
        activation_id=None,
        deadline_ms=None,
        checkpoint=Variant("host", load(state)),
    )
    try:
        return forwarder.run(context, lambda checkpoint: save(state, checkpoint))
    finally:
        forwarder.close()


if __name__ == "__main__":
    sys.exit(main())
