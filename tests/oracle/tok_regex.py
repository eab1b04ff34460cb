"""Prints common/tokenizer/regex_tables.c: what the properties of Oniguruma (in the tokenizers library) are to PCRE2: an
expression that it knows, and the code points that it lacks. Asked of every code point that came after PCRE2's Unicode 14.0,
and of the older ones in which the two are known to differ; with --all of every code point there is, which takes long.
Needs a Python whose unicodedata is 14.0 (3.11)."""
import ctypes
import sys
import unicodedata

import tokenizers
from tokenizers import Regex, pre_tokenizers

OLD = [*range(0x363, 0x370), 0xC04, 0xF82, 0xF83, 0x10FC, *range(0x1DD3, 0x1DE7), *range(0xA7F2, 0xA7F5), 0xAB69, 0x11080, 0x11081, 0x1171E, 0x180E, *range(0x100),
       *range(0x24B6, 0x24EA), *range(0x1F130, 0x1F14A), *range(0x1F150, 0x1F16A), *range(0x1F170, 0x1F18A)]
NEW = Regex(r"\P{Cn}+")


def points():
    every = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
    if "--all" in sys.argv:
        return every
    unknown = "".join(chr(c) for c in every if unicodedata.category(chr(c)) == "Cn")
    found = pre_tokenizers.Split(NEW, "removed", invert=True).pre_tokenize_str(unknown)
    return sorted(OLD + [ord(ch) for piece, _ in found for ch in piece])


ALL = points()
TEXT = "".join(map(chr, ALL))
RAW = TEXT.encode()
UTF, UCP, NO_CHECK = 0x00080000, 0x00020000, 0x40000000

CATEGORIES = {"L": "Letter", "Lu": "Uppercase_Letter", "Ll": "Lowercase_Letter", "Lt": "Titlecase_Letter", "Lm": "Modifier_Letter", "Lo": "Other_Letter",
              "M": "Mark", "Mn": "Nonspacing_Mark", "Mc": "Spacing_Mark", "Me": "Enclosing_Mark", "N": "Number", "Nd": "Decimal_Number", "Nl": "Letter_Number",
              "No": "Other_Number", "P": "Punctuation", "Pc": "Connector_Punctuation", "Pd": "Dash_Punctuation", "Ps": "Open_Punctuation", "Pe": "Close_Punctuation",
              "Pi": "Initial_Punctuation", "Pf": "Final_Punctuation", "Po": "Other_Punctuation", "S": "Symbol", "Sm": "Math_Symbol", "Sc": "Currency_Symbol",
              "Sk": "Modifier_Symbol", "So": "Other_Symbol", "Z": "Separator", "Zs": "Space_Separator", "Zl": "Line_Separator", "Zp": "Paragraph_Separator",
              "Cc": "Control", "Cf": "Format", "Co": "Private_Use"}
SCRIPTS = """Adlam Ahom Anatolian_Hieroglyphs Arabic Armenian Avestan Balinese Bamum Batak Bengali Bopomofo Brahmi Braille Buginese Buhid Canadian_Aboriginal
Carian Chakma Cham Cherokee Common Coptic Cuneiform Cypriot Cyrillic Deseret Devanagari Egyptian_Hieroglyphs Ethiopic Georgian Glagolitic Gothic Grantha Greek
Gujarati Gurmukhi Han Hangul Hanunoo Hebrew Hiragana Inherited Javanese Kaithi Kannada Katakana Kayah_Li Kharoshthi Khmer Lao Latin Lepcha Limbu Linear_A
Linear_B Lisu Lycian Lydian Malayalam Mandaic Meetei_Mayek Mongolian Myanmar New_Tai_Lue Nko Ogham Ol_Chiki Old_Italic Old_Persian Oriya Osage Osmanya Phags_Pa
Phoenician Rejang Runic Samaritan Saurashtra Shavian Sinhala Sundanese Syloti_Nagri Syriac Tagalog Tagbanwa Tai_Le Tai_Tham Tai_Viet Tamil Telugu Thaana Thai
Tibetan Tifinagh Tirhuta Ugaritic Vai Yi""".split()
BINARY = "Alphabetic Lowercase Uppercase White_Space Emoji Emoji_Presentation Emoji_Modifier Emoji_Modifier_Base Extended_Pictographic Ideographic Dash Hex_Digit ASCII_Hex_Digit".split()
OTHERS = {"Any": r"\x{0}-\x{10ffff}", "Assigned": r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Z}\p{Cc}\p{Cf}\p{Co}\p{Cs}", "ASCII": r"\x00-\x7f", "Alnum": r"\p{Alphabetic}\p{Nd}",
          "Alpha": r"\p{Alphabetic}", "Blank": r"\p{Zs}\t", "Cntrl": r"\p{Cc}", "Digit": r"\p{Nd}", "Graph": r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}", "Lower": r"\p{Lowercase}",
          "Print": r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}\p{Zs}", "Punct": r"\p{P}", "Space": r"\p{White_Space}", "Upper": r"\p{Uppercase}", "XDigit": "0-9A-Fa-f",
          "Word": r"\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}"}
# Those that are best told by what they are not.
NEGATED = {"C": r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Z}", "Cn": OTHERS["Assigned"], "Unassigned": OTHERS["Assigned"], "Other": r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Z}"}


def oniguruma(expression):
    split = pre_tokenizers.Split(Regex("(?:" + expression + ")+"), "removed", invert=True)
    return {ord(ch) for piece, _ in split.pre_tokenize_str(TEXT) for ch in piece}


class PCRE2:
    def __init__(self):
        self.lib = lib = ctypes.CDLL("libpcre2-8.so.0")
        lib.pcre2_compile_8.restype = lib.pcre2_match_data_create_8.restype = ctypes.c_void_p
        lib.pcre2_compile_8.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_uint32, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_size_t), ctypes.c_void_p]
        lib.pcre2_match_8.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_void_p]
        lib.pcre2_get_ovector_pointer_8.restype = ctypes.POINTER(ctypes.c_size_t)
        lib.pcre2_get_ovector_pointer_8.argtypes = [ctypes.c_void_p]

    def find(self, inside):
        pattern, code, at, out = ("[" + inside + "]+").encode(), ctypes.c_int(), ctypes.c_size_t(), set()
        re = self.lib.pcre2_compile_8(pattern, len(pattern), UTF | UCP, ctypes.byref(code), ctypes.byref(at), None)
        assert re, inside
        data, place = self.lib.pcre2_match_data_create_8(4, None), 0
        while self.lib.pcre2_match_8(re, RAW, len(RAW), place, NO_CHECK, data, None) >= 0:
            v = self.lib.pcre2_get_ovector_pointer_8(data)
            out.update(map(ord, RAW[v[0]:v[1]].decode()))
            place = v[1]
        return out


def ranges(points):
    out = []
    for c in sorted(points):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def main():
    pcre, all_points, seen = PCRE2(), set(ALL), {}
    rows = [(n, r"\p{%s}" % k, 0) for k, long in CATEGORIES.items() for n in (k, long)]
    rows += [(s, r"\p{sc:%s}" % s, 0) for s in SCRIPTS] + [(b, r"\p{%s}" % b, 0) for b in BINARY]
    rows += [(n, e, 0) for n, e in OTHERS.items()] + [(n, e, 1) for n, e in NEGATED.items()]
    print("/*\n * Oniguruma's properties (in tokenizers %s) for PCRE2 10.42: the inside of a class, and what it lacks." % tokenizers.__version__)
    print(" * Made by tests/oracle/tok_regex.py.\n */")
    print('#include "common/tokenizer/regex.h"\n\n/* clang-format off */\nconst struct regex_property regex_properties[] = {')
    for name, inside, negated in rows:
        want = oniguruma(r"\p{%s}" % name)
        if negated:
            want = all_points - want
        got = seen.setdefault(inside, pcre.find(inside))
        if got - want:
            sys.stderr.write("%s: %d too many\n" % (name, len(got - want)))
        more = "".join("\\x{%x}" % a if a == b else "\\x{%x}-\\x{%x}" % (a, b) for a, b in ranges(want - got))
        lines = [more[i:i + 80] for i in range(0, len(more), 80)] or [""]
        print('\t{"%s", "%s",%s %d},' % (name.lower().replace("_", ""), inside.replace("\\", "\\\\"), "".join('\n\t\t"%s"' % l.replace("\\", "\\\\") for l in lines) + ",", negated))
    more = oniguruma("[[:punct:]]") - pcre.find(r"\p{P}\p{S}")
    print('\t{"[punct]", "\\\\p{P}\\\\p{S}", "%s", 0},' % "".join("\\\\x{%x}-\\\\x{%x}" % (a, b) for a, b in ranges(more)))
    print("\t{0},\n};\n/* clang-format on */")


if __name__ == "__main__":
    main()
