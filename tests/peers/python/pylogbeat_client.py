"""The client of the PyPI package pylogbeat as a process that a test can start.

Usage: pylogbeat_client.py HOST PORT. Each line of stdin is a JSON array of events: one window, all on one connection.
Each is answered by a line on stdout: {"acknowledged": n}, or {"error": "..."}, after which the process ends.
"""

import json
import sys

import pylogbeat


def main(host, port):
    client = pylogbeat.PyLogBeatClient(host, int(port), ssl_enable=False, timeout=10)
    client.connect()
    try:
        for line in sys.stdin:
            events = json.loads(line)
            try:
                # Returns when the window is acknowledged.
                client.send([json.dumps(event) for event in events])
            except (pylogbeat.ConnectionException, OSError) as error:
                print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
                return
            print(json.dumps({"acknowledged": len(events)}), flush=True)
    finally:
        client.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
