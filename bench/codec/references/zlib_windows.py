"""Bytes of the C zlib, as zlib.go does it for Go's encoders."""

import struct
import sys
import time
import zlib

windows, data, at = [], sys.stdin.buffer.read(), 0
while at < len(data):
    (size,) = struct.unpack_from(">I", data, at)
    windows.append(data[at + 4 : at + 4 + size])
    at += 4 + size

for level in map(int, sys.argv[1:]):
    began = time.process_time()
    total = sum(len(zlib.compress(window, level)) for window in windows)
    print("zlib", level, total, f"{(time.process_time() - began) * 1e3:.3f}")
