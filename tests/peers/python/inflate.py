"""Takes windows apart with Python's zlib, which is not ours.

Reads whole Lumberjack windows on stdin; prints for each a line of JSON: how many events its W announces, the types and
sequence numbers of the frames inside its C, and how many bytes are left when they are read.
"""

import json
import struct
import sys
import zlib


def frames(data):
    at, found = 0, []
    while at < len(data):
        kind, sequence, count = data[at + 1 : at + 2].decode(), *struct.unpack_from(">II", data, at + 2)
        at += 10
        if kind == "J":
            at += count
        else:
            for _ in range(2 * count):
                at += 4 + struct.unpack_from(">I", data, at)[0]
        if at > len(data):
            raise SystemExit("a frame is cut off")
        found.append([kind, sequence])
    return found


def main():
    data = sys.stdin.buffer.read()
    at = 0
    while at < len(data):
        assert data[at + 1 : at + 2] == b"W", data[at : at + 2]
        announced = struct.unpack_from(">I", data, at + 2)[0]
        at += 6
        assert data[at + 1 : at + 2] == b"C", data[at : at + 2]
        length = struct.unpack_from(">I", data, at + 2)[0]
        at += 6
        stream = zlib.decompressobj()
        inflated = stream.decompress(data[at : at + length]) + stream.flush()
        if not stream.eof:
            raise SystemExit("the stream has no end")
        at += length
        print(json.dumps({"announced": announced, "left": len(stream.unused_data), "frames": frames(inflated)}))


if __name__ == "__main__":
    main()
