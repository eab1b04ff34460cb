"""Prints common/tokenizer/unicode_tables.c: where the Unicode tables inside the tokenizers library differ from those
of the libraries in Debian 12 (utf8proc: 15.0, PCRE2: 14.0). Each is asked code point by code point.

The library has several tables of different ages: Oniguruma's (\\p{..}, 16.0), Rust's own (is_numeric, to_lowercase,
17.0), unicode-normalization-alignments' (11.0), unicode_categories' (Punctuation, 8.0).
Needs a Python whose unicodedata is 14.0 (3.11): the table of categories is what came after that."""
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
    still = {c: 0 for c in ALL if nfkd.normalize_str(chr(c)) != unicodedata.normalize("NFKD", chr(c))}
    for c in ALL:
        known = unicodedata.combining(chr(c))
        moved = nfd.normalize_str("a\u0345" + chr(c))[1] != "\u0345"
        true = known or c in new and get(c) in ("Mn", "Mc", "Me")
        if true and not moved and 0 < (known or 1) < 240:
            still[c] = 0

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


if __name__ == "__main__":
    main()
