#!/usr/bin/env python3
"""How Python writes numbers and JSON.

usage: json_text.py OUTPUT_DIR      (tests/golden/stream)

repr.txt: "BITS REPR" of doubles, the bits in hex. dumps.jsonl: texts, and what json.dumps makes of them.
"""
import json
import os
import random
import struct
import sys

out = sys.argv[1]
os.makedirs(out, exist_ok=True)
rng = random.Random(7)


def bits(v):
    return struct.unpack("<Q", struct.pack("<d", v))[0]


def from_bits(b):
    return struct.unpack("<d", struct.pack("<Q", b))[0]


values = [0.0, -0.0, 0.1, 1 / 3, 1e15, 1e16, 1e17, 123456789012345680.0, 9007199254740993.0, 1e-4, 9.99e-5, 5e-324, float("inf"),
          float("-inf"), float("nan"), 1.7976931348623157e308, 2.2250738585072014e-308, 2.225073858507201e-308, 9.5, 4.35, 2e-44]
values += [2.0**k for k in range(-1074, 1024, 7)]
values += [from_bits(bits(2.0**k) + d) for k in range(-300, 300, 41) for d in (-1, 1)]
values += [float(f"1e{k}") for k in range(-323, 309, 9)]
values += [from_bits(bits(float(f"1e{k}")) + d) for k in range(-300, 300, 29) for d in (-1, 1)]
values += [round(rng.uniform(-1000, 1000), rng.randrange(0, 8)) for _ in range(300)]
values += [rng.uniform(-20, 0) for _ in range(300)]
values += [from_bits(rng.getrandbits(64)) for _ in range(800)]
values += [struct.unpack("<f", struct.pack("<f", rng.gauss(0, 1)))[0] for _ in range(200)]
with open(os.path.join(out, "repr.txt"), "w") as f:
    for v in values:
        f.write(f"{bits(v):016x} {v!r}\n")

texts = ['{}', '[]', '[[], {}]', '"\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u001f\\u007f\\u0080"', '"é ü 漢字 \U0001f600 \\u2028"', '[1, -1, 0, 9223372036854775807, -9223372036854775808]',
         '[1.0, 1e5, 1e22, 1E-7, -0.0, 123456.789]', '{"b": 1, "a": {"d": [1, 2, {"z": null}], "c": true}, "é": false, "B": []}', '{"a": 1, "b": 2, "a": 3}',
         '[null, true, false, "", " ", {"": ""}]', '{"a b": [[1], [2, 3]], "c": {"d": {}}}']
with open(os.path.join(out, "dumps.jsonl"), "w") as f:
    for t in texts:
        v = json.loads(t)
        case = {"in": t, "compact": json.dumps(v, ensure_ascii=False, separators=(",", ":")), "spaced": json.dumps(v, ensure_ascii=False),
                "pretty": json.dumps(v, indent=2), "sorted": json.dumps(v, indent=2, sort_keys=True)}
        f.write(json.dumps(case) + "\n")
