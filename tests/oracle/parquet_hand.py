"""Parquet files put together by hand, for what pyarrow reads but does not write, or does neither."""
import gzip
import struct

BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTE_ARRAY, FIXED = range(8)
REQUIRED, OPTIONAL, REPEATED = range(3)
UTF8, MAP, MAP_KEY_VALUE, LIST, ENUM, DECIMAL, DATE, TIME_MILLIS, TIME_MICROS, TIMESTAMP_MILLIS, TIMESTAMP_MICROS = range(11)
UINT_8, JSON, BSON, INTERVAL = 11, 19, 20, 21
PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED = 0, 2, 3, 4


# ---- Thrift's compact protocol: a struct is {id: value}, a list a list of them, a string bytes ----

def varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    return bytes(out + bytes([n]))


def zigzag(n):
    return varint(n << 1 if n >= 0 else (-n << 1) - 1)


class Long(int):
    """An i64; other whole numbers are i32."""


def kind(v):
    if isinstance(v, bool):
        return 1 if v else 2
    return {int: 5, Long: 6, bytes: 8, list: 9, dict: 12}[type(v)]


def value(v):
    if isinstance(v, bool):
        return b""
    if isinstance(v, int):
        return zigzag(v)
    if isinstance(v, bytes):
        return varint(len(v)) + v
    if isinstance(v, list):
        head = kind(v[0]) if v else 12
        return (bytes([len(v) << 4 | head]) if len(v) < 15 else bytes([0xF0 | head]) + varint(len(v))) + b"".join(map(value, v))
    out, last = b"", 0
    for i in sorted(v):
        if v[i] is not None:
            out += bytes([i - last << 4 | kind(v[i])]) + value(v[i])
            last = i
    return out + b"\0"


# ---- the format ----

def field(name, repetition=REQUIRED, type=None, children=0, converted=None, logical=None, width=None, scale=None, precision=None):
    return {1: type, 2: width, 3: repetition, 4: name.encode(), 5: children or None, 6: converted, 7: scale, 8: precision, 10: logical}


def bits(width, levels):
    """One bit-packed group after a run of the first, so that both forms are there."""
    packed = sum(v << (width * i) for i, v in enumerate(levels[1:]))
    groups = (len(levels) - 1 + 7) // 8
    body = varint(1 << 1) + bytes([levels[0]]) + varint(groups << 1 | 1) + packed.to_bytes(groups * width, "little")
    return struct.pack("<I", len(body)) + body


def old_bits(width, levels):
    text = "".join(f"{v:0{width}b}" for v in levels)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[i:i + 8], 2) for i in range(0, len(text), 8))


def column(type, values, defs=None, reps=None, old=False, page={}):
    """A page: (levels of each entry and the highest, or None), values in PLAIN."""
    body = b""
    for levels in (reps, defs):
        if levels:
            width = levels[1].bit_length()
            body += old_bits(width, levels[0]) if old else bits(width, levels[0])
    n = len((defs or reps or (values,))[0])
    for v in values:
        body += struct.pack("<I", len(v)) + v if type == BYTE_ARRAY else v if isinstance(v, bytes) else struct.pack("<i" if type == INT32 else "<q", v)
    level = BIT_PACKED if old else RLE
    return type, n, {1: 0, 2: len(body), 3: len(body), 5: {1: n, 2: PLAIN, 3: level, 4: level}, **page}, body


def parquet(schema, rows, columns, codec=0, footer=None, chunk=None):
    data, chunks = b"PAR1", []
    for type, n, header, body in columns:
        page = (header if isinstance(header, bytes) else value(header)) + body
        meta = {1: type, 2: [PLAIN], 3: [b"x"], 4: codec, 5: Long(n), 6: Long(len(page)), 7: Long(len(page)), 9: Long(len(data))}
        data += page
        chunks.append({2: Long(0), 3: meta, **(chunk or {})})
    meta = value({1: 1, 2: schema, 3: Long(rows), 4: [{1: chunks, 2: Long(len(data)), 3: Long(rows)}], **(footer or {})})
    return data + meta + struct.pack("<I", len(meta)) + b"PAR1"


def root(n):
    return field("schema", None, children=n)


def files():
    """{name: (bytes, rows; None: to be refused, or a bad row)}"""
    texts = [b"a", b"b", b"c"]
    three = ([1, 1, 0, 1], 1), ([0, 1, 0, 0], 1)  # [x, x], [], [x]
    out = {}

    def flat(name, rows, values, type, **how):
        out[name] = parquet([root(1), field("v", type=type, **how)], len(values), [column(type, values)]), rows and [{"v": v} for v in rows]

    rows = [{"l": ["a", "b"]}, {"l": []}, {"l": ["c"]}]
    out["list-bare"] = parquet([root(1), field("l", REPEATED, BYTE_ARRAY, converted=UTF8)], 3, [column(BYTE_ARRAY, texts, *three)]), rows
    out["list-two-levels"] = parquet([root(1), field("l", children=1, converted=LIST), field("array", REPEATED, BYTE_ARRAY, converted=UTF8)], 3, [column(BYTE_ARRAY, texts, *three)]), rows
    item = [field("x", type=BYTE_ARRAY, converted=UTF8)]
    objects = [{"l": [{"x": "a"}, {"x": "b"}]}, {"l": []}, {"l": [{"x": "c"}]}]
    for name, group in ("list-array", "array"), ("list-tuple", "l_tuple"):
        out[name] = parquet([root(1), field("l", children=1, converted=LIST), field(group, REPEATED, children=1)] + item, 3, [column(BYTE_ARRAY, texts, *three)]), objects
    out["list-other-name"] = parquet([root(1), field("l", children=1, converted=LIST), field("bag", REPEATED, children=1)] + item, 3, [column(BYTE_ARRAY, texts, *three)]), rows
    out["list-of-two"] = parquet([root(1), field("l", children=1, converted=LIST), field("bag", REPEATED, children=2)] + item + [field("y", type=INT32)], 3,
                                 [column(BYTE_ARRAY, texts, *three), column(INT32, [1, 2, 3], *three)]), \
        [{"l": [{"x": "a", "y": 1}, {"x": "b", "y": 2}]}, {"l": []}, {"l": [{"x": "c", "y": 3}]}]
    out["group-repeated"] = parquet([root(1), field("l", REPEATED, children=1)] + item, 3, [column(BYTE_ARRAY, texts, *three)]), objects
    lists = ([2, 2, 0, 1], 2), ([0, 2, 0, 0], 2)  # [[x, x]], [], [[]]
    out["list-of-bare-lists"] = parquet([root(1), field("l", children=1, converted=LIST), field("m", REPEATED, children=1), field("x", REPEATED, BYTE_ARRAY, converted=UTF8)], 3,
                                        [column(BYTE_ARRAY, texts[:2], *lists)]), [{"l": [{"x": ["a", "b"]}]}, {"l": []}, {"l": [{"x": []}]}]
    out["map-old"] = parquet([root(1), field("m", OPTIONAL, children=1, converted=MAP_KEY_VALUE), field("map", REPEATED, children=2), field("key", type=BYTE_ARRAY, converted=UTF8), field("value", OPTIONAL, INT32)], 3,
                             [column(BYTE_ARRAY, texts[:2], ([2, 2, 1, 0], 2), ([0, 1, 0, 0], 1)), column(INT32, [5], ([3, 2, 1, 0], 3), ([0, 1, 0, 0], 1))]), \
        [{"m": [["a", 5], ["b", None]]}, {"m": []}, {"m": None}]
    out["map-keys"] = parquet([root(1), field("m", OPTIONAL, children=1, converted=MAP), field("key_value", REPEATED, children=1), field("key", type=BYTE_ARRAY, converted=UTF8)], 3,
                              [column(BYTE_ARRAY, texts[:2], ([2, 2, 1, 0], 2), ([0, 1, 0, 0], 1))]), [{"m": ["a", "b"]}, {"m": []}, {"m": None}]
    out["levels-old"] = parquet([root(1), field("l", OPTIONAL, children=1, converted=LIST), field("list", REPEATED, children=1), field("element", OPTIONAL, BYTE_ARRAY, converted=UTF8)], 5,
                                [column(BYTE_ARRAY, texts, ([3, 2, 3, 0, 1, 3, 2], 3), ([0, 1, 1, 0, 0, 0, 0], 1), old=True)]), \
        [{"l": ["a", None, "b"]}, {"l": None}, {"l": []}, {"l": ["c"]}, {"l": [None]}]

    flat("enum", ["a", "b"], texts[:2], BYTE_ARRAY, converted=ENUM)
    flat("json", ['{"a": 1}'], [b'{"a": 1}'], BYTE_ARRAY, converted=JSON)
    flat("uuid", ["00112233-4455-6677-8899-aabbccddeeff"], [bytes(range(0, 256, 17))], FIXED, width=16, logical={14: {}})
    flat("decimal-bytes", ["-1.28", "0.05", "32.768"][:2] + ["327.68"], [b"\x80", b"\x05", b"\x00\x80\x00"], BYTE_ARRAY, converted=DECIMAL, scale=2, precision=9)
    flat("time-old", ["00:00:01.500000"], [1500], INT32, converted=TIME_MILLIS)
    flat("timestamp-old", ["1970-01-01 00:00:01.500000+00:00"], [1500], INT64, converted=TIMESTAMP_MILLIS)
    flat("time-beyond", None, [86400000], INT32, converted=TIME_MILLIS)
    flat("timestamp-least", None, [-2 ** 63], INT64, converted=TIMESTAMP_MICROS)
    flat("unsigned-old", [4294967295], [-1], INT32, converted=UINT_8 + 2)
    flat("interval", None, [bytes(12)], FIXED, width=12, converted=INTERVAL)

    one = [root(1), field("v", type=INT32)]
    out["encrypted-column"] = parquet(one, 1, [column(INT32, [1])], chunk={8: {1: {}}}), None
    out["encrypted"] = parquet(one, 1, [column(INT32, [1])], footer={8: {1: {}}}), None
    out["elsewhere"] = parquet(one, 1, [column(INT32, [1])], chunk={1: b"other.parquet"}), None
    out["lzo"] = parquet(one, 1, [column(INT32, [1])], codec=3), None
    out["checksum"] = parquet(one, 1, [column(INT32, [1], page={4: 12345})]), None
    out["fewer-rows"] = parquet(one, 2, [column(INT32, [1])]), None
    out["more-rows"] = parquet(one, 1, [column(INT32, [1, 2])]), None
    deep = [root(1)] + [field("d", children=1) for _ in range(150)] + [field("v", type=INT32)]
    out["deep"] = parquet(deep, 1, [column(INT32, [1])]), None
    out["no-fields"] = parquet([root(2), field("v", type=INT32), field("g", type=None, children=0)], 1, [column(INT32, [1])]), None
    out["fields-missing"] = parquet([root(3), field("v", type=INT32)], 1, [column(INT32, [1])]), None
    out["fields-many"] = parquet([root(2 ** 31 - 1), field("v", type=INT32)], 1, [column(INT32, [1])]), None
    out["level-high"] = parquet([root(1), field("v", OPTIONAL, children=1, converted=LIST), field("list", REPEATED, children=1), field("element", type=INT32)], 1,
                                [column(INT32, [1], ([3], 2), ([0], 1))]), None
    out["begins-in-list"] = parquet([root(1), field("l", REPEATED, INT32)], 1, [column(INT32, [1, 2], ([1, 1], 1), ([1, 1], 1))]), None
    pair = [root(1), field("l", children=1, converted=LIST), field("bag", REPEATED, children=2), field("x", type=INT32), field("y", type=INT32)]
    out["lists-differ"] = parquet(pair, 2, [column(INT32, [1, 2, 3], ([1] * 3, 1), ([0, 1, 0], 1)), column(INT32, [1, 2, 3], ([1] * 3, 1), ([0, 0, 1], 1))]), None
    out["nulls-differ"] = parquet([root(1), field("s", OPTIONAL, children=2), field("x", type=INT32), field("y", type=INT32)], 2,
                                  [column(INT32, [1], ([1, 0], 1)), column(INT32, [1], ([0, 1], 1))]), None
    type, n, header, body = column(INT32, [1])
    out["index-without-dictionary"] = parquet(one, 1, [(type, n, {**header, 5: {1: 1, 2: PLAIN_DICTIONARY, 3: RLE, 4: RLE}}, b"\0\2\0\0")]), None
    dictionary = struct.pack("<i", 7) + value({1: 0, 2: 3, 3: 3, 5: {1: 1, 2: PLAIN_DICTIONARY, 3: RLE, 4: RLE}}) + b"\1\2\1"
    out["index-beyond-dictionary"] = parquet(one, 1, [(type, n, {1: 2, 2: 4, 3: 4, 7: {1: 1, 2: PLAIN}}, dictionary)]), None
    out["size-lies"] = parquet(one, 1, [(type, n, {**header, 2: 200 << 20}, body)], codec=1), None
    out["size-huge"] = parquet(one, 1, [(type, n, {**header, 2: 2 ** 31 - 1}, body)]), None
    page = value(header) + body  # of one value, 1
    empty = [root(1), field("v", OPTIONAL, INT32)]
    out["header-long"] = parquet(one, 1, [(type, n, {**header, 5: {**header[5], 5: {5: b"x" * 5000}}}, body)]), [{"v": 1}]
    out["index-page"] = parquet(one, 1, [(type, n, {1: 1, 2: 3, 3: 3, 6: {}}, b"abc" + page)]), [{"v": 1}]
    out["page-without-values"] = parquet(one, 1, [(type, n, {1: 0, 2: 0, 3: 0, 5: {1: 0, 2: PLAIN, 3: RLE, 4: RLE}}, page)]), [{"v": 1}]
    out["nulls-without-bytes"] = parquet(empty, 2, [column(INT32, [], ([0, 0], 1))]), [{"v": None}] * 2
    out["null-typed"] = parquet([root(1), field("v", type=INT32, logical={11: {}})], 1, [column(INT32, [1])]), [{"v": None}]
    both = value({1: 0, 2: 4, 3: 4, 8: {1: 1, 2: 0, 3: 1, 4: PLAIN, 5: 1 << 20, 6: 0}})[:-1] + b"\x0c" + zigzag(5) + value(header[5]) + b"\0"
    out["header-twice"] = parquet(one, 1, [(type, n, both, body)]), [{"v": 1}]
    members = gzip.compress(body[:2], mtime=0) + gzip.compress(body[2:], mtime=0)
    out["gzip-members"] = parquet(one, 1, [(type, n, {**header, 3: len(members)}, members)], codec=2), [{"v": 1}]
    dictionary = value({1: 2, 2: 4, 3: 4, 7: {1: 1, 2: PLAIN}}) + struct.pack("<i", 7)
    out["two-dictionaries"] = parquet(one, 1, [(type, n, {1: 2, 2: 4, 3: 4, 7: {1: 1, 2: PLAIN}}, struct.pack("<i", 7) + dictionary + page)]), None
    out["dictionary-short"] = parquet(one, 1, [(type, n, {1: 2, 2: 4, 3: 4, 7: {1: 2, 2: PLAIN}}, struct.pack("<i", 7) + page)]), None
    out["levels-short"] = parquet(empty, 1, [(type, n, {**header, 2: 5, 3: 5}, struct.pack("<I", 9) + b"\0")]), None
    out["levels-few"] = parquet(empty, 3, [(type, 3, {**header, 2: 6, 3: 6, 5: {1: 3, 2: PLAIN, 3: RLE, 4: RLE}}, struct.pack("<I", 2) + b"\2\0")]), None
    out["levels-unknown"] = parquet(empty, 1, [(type, n, {**header, 5: {1: 1, 2: PLAIN, 3: 7, 4: RLE}}, body)]), None
    out["encoding-unknown"] = parquet(one, 1, [(type, n, {**header, 5: {1: 1, 2: 99, 3: RLE, 4: RLE}}, body)]), None
    out["encoding-of-others"] = parquet(one, 1, [(type, n, {**header, 5: {1: 1, 2: RLE, 3: RLE, 4: RLE}}, body)]), None
    out["codec-unknown"] = parquet(one, 1, [(type, n, header, body)], codec=99), None
    out["page-of-nothing"] = parquet(one, 1, [(type, n, {}, body)]), None
    out["type-of-others"] = parquet(one, 1, [(INT64, n, header, body)]), None
    out["values-more"] = parquet(one, 1, [(type, n, {**header, 5: {1: 2, 2: PLAIN, 3: RLE, 4: RLE}}, body)]), None
    out["list-of-none"] = parquet([root(1), field("l", children=1, converted=LIST), field("x", type=INT32)], 1, [column(INT32, [1])]), None
    out["map-of-none"] = parquet([root(1), field("m", children=1, converted=MAP), field("x", type=INT32)], 1, [column(INT32, [1])]), None
    out["name-of-bytes"] = parquet([root(1), {**field("v", type=INT32), 4: b"\xff"}], 1, [column(INT32, [1])]), None
    out["scale-huge"] = parquet([root(1), field("v", type=INT32, converted=DECIMAL, scale=2 ** 30, precision=9)], 1, [column(INT32, [1])]), None
    out["date-of-text"] = parquet([root(1), field("v", type=BYTE_ARRAY, converted=DATE)], 1, [column(BYTE_ARRAY, [b"x"])]), None
    out["rows-lie"] = parquet(one, 1, [column(INT32, [1])], footer={3: Long(2)}), None
    out["rows-without-columns"] = parquet([root(0)], 1, []), None
    out["columns-missing"] = parquet([root(2), field("v", type=INT32), field("w", type=INT32)], 1, [column(INT32, [1])]), None
    endless = b"".join(struct.pack("<I", len(x)) + x for x in (b"\2\0" + varint((2 ** 30) << 1) + b"\1", varint((2 ** 30 + 1) << 1) + b"\2"))
    out["row-endless"] = parquet([root(1), field("l", OPTIONAL, children=1, converted=LIST), field("list", REPEATED, children=1), field("element", OPTIONAL, INT32)], 1,
                                 [(INT32, 2 ** 30 + 1, {1: 0, 2: len(endless), 3: len(endless), 5: {1: 2 ** 30 + 1, 2: PLAIN, 3: RLE, 4: RLE}}, endless)]), None
    out["page-beyond-file"] = parquet(one, 1, [(type, n, {**header, 3: 2 ** 31 - 1}, body)]), None
    return out
