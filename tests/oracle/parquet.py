#!/usr/bin/env python3
"""Parquet files that pyarrow writes, and the rows that it reads from them, as JSON lines.

usage: parquet.py files OUTPUT_DIR            (tests/golden/parquet: NAME.jsonl has the rows of NAME+….parquet)
       parquet.py seeds OUTPUT_DIR            (tests/fuzz/corpus/parquet: the same in small)
       parquet.py digests DATA_DIR            rows and CRC-32 of the rows of every Parquet file below it
       parquet.py random SEED COUNT PROGRAM   random files through PROGRAM (the built tests/unit/test_parquet)
"""
import datetime
import decimal
import json
import math
import pathlib
import random
import subprocess
import sys
import tempfile
import uuid
import zlib

import pyarrow as pa
import pyarrow.parquet as pq

import parquet_hand

CODECS = ["none", "snappy", "gzip", "zstd", "lz4"]


# ---- what is wanted ----

def plain(v):
    """A value as JSON has it: what json has no type for as str() of it."""
    if isinstance(v, dict):
        return {k: plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if isinstance(v, float):
        return v if math.isfinite(v) else None
    if isinstance(v, bytes):
        return v.decode()
    return v if v is None or isinstance(v, (bool, int, str)) else str(v)


def lines(path):
    file = pq.ParquetFile(path)
    table = file.read()
    if table.num_rows != file.metadata.num_rows:  # it loses rows where all lists of several row groups are empty
        raise pa.ArrowInvalid(f"{table.num_rows} of {file.metadata.num_rows} rows")
    return [json.dumps(plain(row), ensure_ascii=False, separators=(",", ":")) for row in table.to_pylist()]


# ---- random tables ----

def text(rng):
    alphabet = rng.choice(["ab", "abcdefgh ", "xyz\n\t\"\\/\x01\x1f\x7f", "äöü€𝄞\u2028", "a\x00b"])
    return "".join(rng.choice(alphabet) for _ in range(rng.choice([0, 1, 3, 8, 40, 300])))


def whole(bits, signed=True):
    def value(rng):
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        return rng.choice([low, high, 0, 1, rng.randint(low, high), rng.randint(max(low, -20), 20), rng.randint(max(low, -20), 20)])
    return value


def real(rng):
    return rng.choice([0.0, -0.0, 1.5, -2.25, rng.gauss(0, 1), rng.uniform(-1, 1) * 10.0 ** rng.randint(-30, 30), math.nan, math.inf, 1e16, 1e-5])


def digits(precision, scale):
    def value(rng):
        n = rng.choice([0, 1, -1, rng.randint(-(10 ** precision) + 1, 10 ** precision - 1), rng.randint(-999, 999) % 10 ** precision])
        return decimal.Decimal((n < 0, tuple(map(int, str(abs(n)))), -scale))
    return value


def seconds(rng):
    return rng.choice([0, -1, rng.randint(-62135596800 + 86400, 253402300799 - 86400), rng.randint(0, 2 * 10 ** 9)])


def moment(ticks):
    most = 9 * 10 ** 18 // ticks  # what 64 bits of nanoseconds hold

    def value(rng):
        s = seconds(rng)
        return max(-most, min(most, s)) * ticks + rng.choice([0, rng.randrange(ticks), rng.randrange(ticks) // 1000 * 1000])
    return value


def in_day(ticks):
    return lambda rng: rng.choice([0, 86400 * ticks - 1, rng.randrange(86400 * ticks), rng.randrange(86400) * ticks])


FLAT = [  # type, one of its values
    (pa.bool_(), lambda rng: rng.random() < 0.5),
    (pa.int8(), whole(8)), (pa.int16(), whole(16)), (pa.int32(), whole(32)), (pa.int64(), whole(64)),
    (pa.uint8(), whole(8, False)), (pa.uint16(), whole(16, False)), (pa.uint32(), whole(32, False)), (pa.uint64(), whole(64, False)),
    (pa.float32(), real), (pa.float64(), real), (pa.float16(), lambda rng: rng.choice([0.0, -0.0, 1.5, math.nan, math.inf, rng.uniform(-6e4, 6e4), 6e-8, 2e-5])),
    (pa.string(), text), (pa.large_string(), text), (pa.string_view(), text),
    (pa.binary(), lambda rng: text(rng).encode()), (pa.binary(5), lambda rng: f"{rng.randrange(10 ** 5):05}".encode()),
    (pa.decimal128(5, 2), digits(5, 2)), (pa.decimal128(18, 0), digits(18, 0)), (pa.decimal128(38, 11), digits(38, 11)),
    (pa.decimal256(76, 30), digits(76, 30)), (pa.decimal128(9, 9), digits(9, 9)),
    (pa.date32(), lambda rng: rng.choice([0, -1, 11016, -719162, 2932896, rng.randint(-719162, 2932896)])),
    (pa.time32("ms"), in_day(1000)), (pa.time64("us"), in_day(10 ** 6)), (pa.time64("ns"), in_day(10 ** 9)),
    (pa.timestamp("ms"), moment(1000)), (pa.timestamp("us"), moment(10 ** 6)), (pa.timestamp("ns"), moment(10 ** 9)),
    (pa.timestamp("ms", "UTC"), moment(1000)), (pa.timestamp("us", "UTC"), moment(10 ** 6)), (pa.timestamp("s", "UTC"), seconds),
    (pa.null(), lambda rng: None),
    (pa.dictionary(pa.int32(), pa.string()), lambda rng: rng.choice(["red", "green", "blü"])),
]


def some(make, nullable):
    share = random.choice([0.0, 0.1, 0.5, 1.0])
    return lambda rng: None if nullable and rng.random() < share else make(rng)


def random_type(rng, depth):
    """A type, and what makes one of its values."""
    kind = rng.choice(["flat"] * 3 + ["list", "struct", "map", "list"]) if depth else "flat"
    if kind == "flat":
        return rng.choice(FLAT)
    if kind == "list":
        item, make = random_type(rng, depth - 1)
        nullable = rng.random() < 0.7 or pa.types.is_null(item)
        make = some(make, nullable)
        return (rng.choice([pa.list_, pa.large_list])(pa.field("item", item, nullable)),
                lambda r: [make(r) for _ in range(r.choice([0, 0, 1, 2, 3, 9]))])
    if kind == "map":
        item, make = random_type(rng, depth - 1)
        make = some(make, True)
        return pa.map_(pa.string(), item), lambda r: [(text(r), make(r)) for _ in range(r.choice([0, 1, 3]))]
    fields, makes = [], {}
    for i in range(rng.randint(1, 4)):
        item, make = random_type(rng, depth - 1)
        nullable = rng.random() < 0.7 or pa.types.is_null(item)
        name = rng.choice(["role", "content", "é\"", ""]) + str(i)
        fields.append(pa.field(name, item, nullable))
        makes[name] = some(make, nullable)
    return pa.struct(fields), lambda r: {k: m(r) for k, m in makes.items()}


def column(values, kind):
    """pa.array, for types that it does not take numbers for at any depth."""
    if pa.types.is_struct(kind):
        parts = []
        for f in kind:
            own = [None if v is None else v[f.name] for v in values]
            some_value = next((x for x in own if x is not None), None)  # stands where the struct is null and its member cannot be
            parts.append(column([some_value if x is None and not f.nullable else x for x in own], f.type))
        return pa.StructArray.from_arrays(parts, fields=list(kind), mask=pa.array([v is None for v in values], pa.bool_()))
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_map(kind):
        flat = [x for v in values if v is not None for x in v]
        at, offsets = 0, []
        for v in values:
            offsets.append(None if v is None else at)
            at += len(v or [])
        offsets = pa.array(offsets + [at], pa.int64() if pa.types.is_large_list(kind) else pa.int32())
        if pa.types.is_map(kind):
            return pa.MapArray.from_arrays(offsets, column([k for k, _ in flat], kind.key_type), column([x for _, x in flat], kind.item_type), type=kind)
        make = pa.LargeListArray if pa.types.is_large_list(kind) else pa.ListArray
        return make.from_arrays(offsets, column(flat, kind.value_type), type=kind)
    return pa.array(values, kind)


ENCODINGS = {
    "BOOLEAN": ["PLAIN", "RLE"],
    "INT32": ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
    "INT64": ["PLAIN", "DELTA_BINARY_PACKED", "BYTE_STREAM_SPLIT"],
    "FLOAT": ["PLAIN", "BYTE_STREAM_SPLIT"],
    "DOUBLE": ["PLAIN", "BYTE_STREAM_SPLIT"],
    "BYTE_ARRAY": ["PLAIN", "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BYTE_ARRAY"],
    "FIXED_LEN_BYTE_ARRAY": ["PLAIN", "BYTE_STREAM_SPLIT", "DELTA_BYTE_ARRAY"],
    "INT96": ["PLAIN"],
}


def columns(table, path, **how):
    """(path, physical type) of each column of the file that table makes."""
    pq.write_table(table.slice(0, 0), path, **how)
    schema = pq.ParquetFile(path).schema
    return [(schema.column(i).path, schema.column(i).physical_type) for i in range(len(schema))]


def write_random(rng, path):
    n = rng.choice([0, 1, 5, 40, 200, 1000])
    names, arrays, fields = [], [], []
    for i in range(rng.randint(1, 6)):
        kind, make = random_type(rng, rng.choice([0, 0, 1, 2, 3]))
        nullable = rng.random() < 0.7 or pa.types.is_null(kind)
        make = some(make, nullable)
        repeat = rng.choice([1, 1, 20])  # runs
        values = []
        while len(values) < n:
            values += [make(rng)] * rng.randint(1, repeat)
        names.append(f"c{i}")
        arrays.append(column(values[:n], kind))
        fields.append(pa.field(names[-1], kind, nullable))
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    shape = dict(store_decimal_as_integer=rng.random() < 0.5, use_compliant_nested_type=rng.random() < 0.7,
                 use_deprecated_int96_timestamps=rng.random() < 0.3 and not any(f"timestamp[{u}" in str(table.schema) for u in ("s", "ms", "us")),
                 version="2.6" if "timestamp[ns]" in str(table.schema) else rng.choice(["1.0", "2.4", "2.6"]))
    found = columns(table, path, **shape)
    in_dictionary = [c for c, kind in found if rng.random() < 0.4 and kind != "BOOLEAN"]
    encodings = {c: rng.choice(ENCODINGS[kind]) for c, kind in found if c not in in_dictionary}
    pq.write_table(
        table, path, compression={c: rng.choice(CODECS) for c, _ in found}, use_dictionary=in_dictionary or False, column_encoding=encodings or None,
        data_page_version=rng.choice(["1.0", "2.0"]), data_page_size=rng.choice([1, 100, 1000, 2 ** 20]), write_batch_size=rng.choice([1, 3, 64, 1024]),
        row_group_size=rng.choice([1 + n // 3, 10 ** 6]), dictionary_pagesize_limit=rng.choice([50, 1000, 2 ** 20]),
        write_statistics=rng.random() < 0.5, write_page_checksum=rng.random() < 0.5, write_page_index=rng.random() < 0.3, **shape)


def compare(seed, count, program):
    rows = bad = unwritten = 0
    with tempfile.TemporaryDirectory() as tmp:
        for i in range(count):
            rng = random.Random(f"{seed} {i}")
            random.seed(f"{seed} {i}")
            path = f"{tmp}/random.parquet"
            try:
                write_random(rng, path)
                want = lines(path)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError):
                unwritten += 1
                continue
            got = subprocess.run([program, path], capture_output=True).stdout.decode().split("\n")[:-1]
            rows += len(want)
            if got != want:
                bad += 1
                kept = f"parquet-{seed}-{i}.parquet"
                pathlib.Path(kept).write_bytes(pathlib.Path(path).read_bytes())
                at = next((k for k, (a, b) in enumerate(zip(want, got)) if a != b), min(len(want), len(got)))
                print(f"{kept}: row {at + 1} of {len(want)}\n  wanted {want[at:at + 1]}\n  got    {got[at:at + 1]}"[:3000])
    print(f"{count - unwritten} files, {rows} rows: {bad} differ ({unwritten} that pyarrow does not write or not read)")
    return bad != 0


# ---- the kept files ----

def types_table(rng, n):
    fields = {}
    for kind, make in FLAT:
        make = some(make, True) if pa.types.is_null(kind) else (lambda r, m=make: None if r.random() < 0.15 else m(r))
        values = [make(rng) for _ in range(n)]
        fields[str(kind).replace(" ", "")] = column(values, kind)
    fields["run"] = pa.array([i // 9 for i in range(n)], pa.int64())
    fields["same"] = pa.array(["the same"] * n)
    fields["never"] = pa.array([None] * n, pa.string())
    return pa.table(fields)


def write_files(out):
    def keep(name, table, rows=True, **how):
        path = out / f"{name}.parquet"
        pq.write_table(table, path, write_statistics=False, store_schema=False, **how)
        if rows:
            keep_rows(name, lines(path))

    def keep_rows(name, rows):
        (out / f"{name.split('+')[0]}.jsonl").write_text("".join(x + "\n" for x in rows), encoding="utf-8")

    out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(5)
    random.seed(5)
    table = types_table(rng, 36)
    small = dict(data_page_size=60, write_batch_size=5, row_group_size=21)
    found = columns(table, out / "types+dictionary.parquet")
    keep("types+dictionary", table, compression="snappy", dictionary_pagesize_limit=100, **small)
    for k in range(3):
        encodings = {c: ENCODINGS[kind][k % len(ENCODINGS[kind])] for c, kind in found}
        keep(f"types+{k}", table, use_dictionary=False, column_encoding=encodings, compression="zstd", data_page_version="2.0" if k % 2 else "1.0",
             store_decimal_as_integer=False, **small)
    keep("old-types", table.select(["timestamp[ns]", "decimal128(5,2)", "decimal128(18,0)", "uint32"]), use_deprecated_int96_timestamps=True, store_decimal_as_integer=True, version="1.0", **small)

    kinds = [random_type(rng, 3) for _ in range(60)]
    kinds = [k for k in kinds if not (pa.types.is_struct(k[0]) or k in FLAT)][:9]
    message = pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))
    chat = lambda r: [dict(role=r.choice(["user", "assistant"]), content=text(r)) for _ in range(r.choice([0, 1, 2, 5]))]
    kinds.append((message, chat))
    makes = [(kind, some(make, True)) for kind, make in kinds]
    nested = pa.table({f"c{i}": column([make(rng) for _ in range(26)], kind) for i, (kind, make) in enumerate(makes)})
    keep("nested+1", nested, compression="none", data_page_version="1.0", **small)
    keep("nested+2", nested, compression="none", data_page_version="2.0", **small)

    plain_table = pa.table({"text": [text(rng) for _ in range(12)] + [None], "zeros": ["0" * 400] * 13, "list": [[1, 2], [], None] * 4 + [[3]]})
    for codec in CODECS:
        for version in "12":
            keep(f"codec+{codec}-{version}", plain_table, compression=codec, data_page_version=version + ".0", use_dictionary=False, write_page_checksum=codec in ("gzip", "none"))
    keep("empty", plain_table.slice(0, 0))
    keep("all-null", pa.table({"a": pa.array([None] * 7, pa.int32()), "b": pa.array([None] * 7, message)}), data_page_version="2.0", compression="snappy")

    keep("long", pa.table({"text": ["abcdefghij" * 1000] * 10000}), compression="zstd", use_dictionary=False, data_page_size=10 ** 6, rows=False)
    turns = [(f"Question {i}?", f"Answer {i}.", f"None {i}") for i in range(1, 6)]
    say = lambda role, content: dict(content=content, role=role)
    prefs = dict(prompt=[q for q, _, _ in turns], chosen=[[say("user", q), say("assistant", a)] for q, a, _ in turns],
                 rejected=[[say("user", q), say("assistant", b)] for q, _, b in turns], score=[8.5, None, 0.1, 7.0, 1e-7], day=[datetime.date(2024, 1, i) for i in range(1, 6)])
    keep("prefs", pa.table(prefs), row_group_size=2)
    pq.write_table(pa.table({**prefs, "note": [b"a", b"b", b"\xff", b"d", None]}), out / "prefs-bad.parquet", write_statistics=False, store_schema=False)
    pq.write_table(plain_table, out / "brotli.parquet", compression="brotli", use_dictionary=False, write_statistics=False, store_schema=False)
    pq.write_table(pa.table({"id": [1, 2, 3], "image": [{"bytes": b"ok"}, {"bytes": b"\xff\xd8"}, {"bytes": None}]}), out / "binary.parquet", store_schema=False)
    for name, (data, rows) in parquet_hand.files().items():
        (out / f"{name}.parquet").write_bytes(data)
        if rows is None:
            continue
        keep_rows(name, [json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in rows])
        try:
            if (read := lines(out / f"{name}.parquet")) != [json.dumps(r, ensure_ascii=False, separators=(",", ":")) for r in rows]:
                print(f"{name}: pyarrow reads", *read, sep="\n  ")
        except Exception as e:
            print(f"{name}: pyarrow refuses: {e}")


def write_seeds(out):
    out.mkdir(parents=True, exist_ok=True)
    rng = random.Random(6)
    random.seed(6)
    table = types_table(rng, 4)
    found = columns(table, out / "x.parquet")
    (out / "x.parquet").unlink()
    how = dict(compression="none", write_statistics=False, store_schema=False)
    for name, kind in found:
        if "string_" in name or "large" in name or name.startswith("dictionary"):
            continue
        plain_name = "".join(c for c in name if c.isalnum())
        for encoding in ENCODINGS[kind] if name in ("bool", "int32", "int64", "double", "string", "fixed_size_binary[5]") else ENCODINGS[kind][:1]:
            pq.write_table(table.select([name]), out / f"{plain_name}-{encoding}", use_dictionary=False, column_encoding={name: encoding},
                           data_page_version=rng.choice(["1.0", "2.0"]), **how)
    for name in "string", "int32", "same":
        pq.write_table(table.select([name]), out / f"{name}-dictionary", data_page_version=rng.choice(["1.0", "2.0"]), **how)
    words = pa.table({"t": ["one two one two one two"] * 3})
    for codec in CODECS:
        pq.write_table(words, out / codec, **{**how, "compression": codec}, use_dictionary=False)
    message = pa.list_(pa.struct([("role", pa.string()), ("content", pa.list_(pa.int32()))]))
    chat = pa.table({"m": pa.array([[{"role": "a", "content": [1, None]}, {"role": None, "content": []}], None, [], [None]], message), "p": pa.array([[("k", 1)], None, [], []], pa.map_(pa.string(), pa.int8()))})
    for version in "1.0", "2.0":
        pq.write_table(chat, out / f"nested-{version}", use_dictionary=False, data_page_version=version, data_page_size=1, write_batch_size=1, row_group_size=3, **how)
    for name, (data, rows) in parquet_hand.files().items():
        if name not in ("row-endless", "deep"):
            (out / name).write_bytes(data)


def digests(data):
    for path in sorted(data.rglob("*.parquet")):
        rows = "".join(x + "\n" for x in lines(path)).encode()
        print(path.relative_to(data), rows.count(b"\n"), f"{zlib.crc32(rows):08x}", sep="\t")


if sys.argv[1] == "files":
    write_files(pathlib.Path(sys.argv[2]))
elif sys.argv[1] == "seeds":
    write_seeds(pathlib.Path(sys.argv[2]))
elif sys.argv[1] == "digests":
    digests(pathlib.Path(sys.argv[2]))
else:
    sys.exit(compare(int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]))
