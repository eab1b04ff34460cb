"""Prints common/tokenizer/unicode_tables.c: where the Unicode tables inside the tokenizers library differ from those
of the libraries in Debian 12 (utf8proc: 15.0, PCRE2: 14.0). Each is asked code point by code point.

The library has several tables of different ages: Oniguruma's (\\p{..}, 16.0), Rust's own (is_numeric, to_lowercase,
17.0), unicode-normalization-alignments' (11.0), unicode_categories' (Punctuation, 8.0).
Needs a Python whose unicodedata is 14.0 (3.11): the table of categories is what came after that."""
import ctypes
import struct
import sys
import unicodedata

import tokenizers
from tokenizers import Regex, normalizers, pre_tokenizers

assert unicodedata.unidata_version == "14.0.0"
ALL = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
TEXT = "".join(map(chr, ALL))
CATS = "Lu Ll Lt Lm Lo Mn Mc Me Nd Nl No Pc Pd Ps Pe Pi Pf Po Sm Sc Sk So Zs Zl Zp Cc Cf Co".split()


def categories():
    cat = {}
    for k in CATS:
        split = pre_tokenizers.Split(Regex(r"\p{%s}+" % k), "removed", invert=True)
        for piece, _ in split.pre_tokenize_str(TEXT):
            for ch in piece:
                cat[ord(ch)] = k
    return cat


def ranges(points):
    """[(first, last, value)] of a {code point: value}."""
    out = []
    for c in sorted(points):
        if out and out[-1][1] == c - 1 and out[-1][2] == points[c]:
            out[-1][1] = c
        else:
            out.append([c, c, points[c]])
    return out


def table(comment, decl, rows):
    print("\n/* %s */\n%s = {" % (comment, decl))
    line = "\t"
    for r in rows:
        if len(line) - 1 + 8 + len(r) > 99:
            print(line.rstrip())
            line = "\t"
        line += r + " "
    print(line.rstrip())
    print("\t{0},\n};")


def main():
    cat = categories()
    get = lambda c: cat.get(c, "Cn")
    new = {c: get(c) for c in ALL if unicodedata.category(chr(c)) != get(c)}

    lower = normalizers.Lowercase()
    lowers = {}
    for c in ALL:
        got = lower.normalize_str(chr(c))
        if got != chr(c).lower():
            assert len(got) == 1
            lowers[c] = ord(got) - c
    digits = pre_tokenizers.Digits(individual_digits=True)
    numeric = {c: 0 for c in ALL if (len(digits.pre_tokenize_str("a" + chr(c))) == 2) != (get(c)[0] == "N")}
    punct = pre_tokenizers.Punctuation()
    ascii_symbols = "$+<=>^`|~"
    nopunct = {c: 0 for c in ALL if (len(punct.pre_tokenize_str("a" + chr(c))) == 2)
               != (get(c)[0] == "P" or (c < 128 and chr(c) in ascii_symbols))}

    # A code point whose decomposition or combining class came after the normalizer's tables: it stays as it is. The
    # class is seen by whether it moves in front of U+0345, whose class (240) is the highest.
    nfkd, nfd = normalizers.NFKD(), normalizers.NFD()
    # (U+1E030 to 1E06D are of Unicode 15, which utf8proc has and this Python has not.)
    still = {c: 0 for c in ALL if nfkd.normalize_str(chr(c)) != unicodedata.normalize("NFKD", chr(c)) or 0x1E030 <= c <= 0x1E06D}
    for c in ALL:
        known = unicodedata.combining(chr(c))
        moved = nfd.normalize_str("a\u0345" + chr(c))[1] != "\u0345"
        true = known or c in new and get(c) in ("Mn", "Mc", "Me")
        if true and not moved and 0 < (known or 1) < 240:
            still[c] = 0

    # What the accent strippers and the cleaner of Bert take away, beside what its category says.
    gone = lambda n: {c for c in ALL if n.normalize_str("a" + chr(c) + "b") == "ab"}
    bert = lambda **kw: normalizers.BertNormalizer(**dict(dict(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=False), **kw))
    no_mark = gone(normalizers.StripAccents()) ^ {c for c in ALL if get(c)[0] == "M"}
    no_nonspacing = gone(bert(strip_accents=True)) ^ {c for c in ALL if get(c) == "Mn"}
    no_control = gone(bert(clean_text=True)) ^ {c for c in ALL if get(c) in ("Cc", "Cf", "Co")}

    # Which code points join the one before them (U+0061) to one grapheme, though utf8proc does not say so.
    utf8proc = ctypes.CDLL("libutf8proc.so.2")
    joins = gone_after_a()
    cuts = lambda c: utf8proc.utf8proc_grapheme_break_stateful(0x61, c, ctypes.byref(ctypes.c_int32(0))) & 1
    joined = [c for c in ALL if c in joins and cuts(c)]
    assert all(cuts(c) for c in ALL if c and c not in joins)

    print("/*\n * Where the Unicode tables inside the tokenizers library (%s) differ from those of utf8proc and" % tokenizers.__version__)
    print(" * PCRE2, as ranges. Made by tests/oracle/tok_unicode.py; unicode.h says what each is for.\n */")
    print('#include "common/tokenizer/unicode.h"')
    row = lambda r: "{0x%04x, 0x%04x, UTF8PROC_CATEGORY_%s}," % (r[0], r[1], r[2].upper())
    table("General categories of Unicode 16.0 that are not those of 14.0.", "const struct uni_range uni_new_categories[]", map(row, ranges(new)))
    row = lambda r: "{0x%04x, 0x%04x, 0}," % (r[0], r[1])
    table("is_numeric beyond N of 16.0 (Unicode 17.0).", "const struct uni_range uni_extra_numeric[]", map(row, ranges(numeric)))
    table("P of 16.0 that Punctuation does not take for punctuation, and one S that it does.", "const struct uni_range uni_other_punct[]", map(row, ranges(nopunct)))
    table("No decomposition and combining class 0 in the normalizers.", "const struct uni_range uni_inert[]", map(row, ranges(still)))
    row = lambda r: "{0x%04x, 0x%04x, %d}," % (r[0], r[1], r[2])
    table("Lower case = code point + value: what came after Unicode 14.0.", "const struct uni_range uni_new_lower[]", map(row, ranges(lowers)))
    row = lambda r: "{0x%04x, 0x%04x, 0}," % (r[0], r[1])
    flat = lambda points: map(row, ranges({c: 0 for c in points}))
    table("StripAccents takes marks (M), but for these; it takes those that are not M.", "const struct uni_range uni_other_mark[]", flat(no_mark))
    table("BertNormalizer's strip_accents likewise, with Mn.", "const struct uni_range uni_other_nonspacing[]", flat(no_nonspacing))
    table("BertNormalizer's clean_text likewise, with Cc, Cf and Co.", "const struct uni_range uni_other_control[]", flat(no_control))
    table("A grapheme goes on here, though utf8proc ends it.", "const struct uni_range uni_other_join[]", flat(joined))


def gone_after_a():
    """Code points that are in one grapheme with an a before them: Precompiled replaces whole graphemes by what their
    beginning becomes, and here an a becomes a b."""
    units = [0] * 512
    units[0] = 256 << 10                             # the root's children are at 256 ^ byte
    a = 256 ^ 0x61
    units[a] = 0x61 | 1 << 8 | (a ^ 0x100) << 10     # a child of the root, with a value
    units[0x100] = 1 << 31 | 0                       # … which is 0: the text begins there
    blob = struct.pack("<I", 4 * len(units)) + struct.pack("<%dI" % len(units), *units) + b"b\0"
    n = normalizers.Precompiled(blob)
    return {c for c in ALL if c and n.normalize_str("a" + chr(c)) == "b"}


if __name__ == "__main__":
    main()
