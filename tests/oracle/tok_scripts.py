"""Prints common/tokenizer/unicode_scripts.c: the scripts that UnicodeScripts of the tokenizers library tells apart, asked
code point by code point. Their names do not matter, only which are the same."""
import tokenizers
from tokenizers import pre_tokenizers

SCRIPTS = pre_tokenizers.UnicodeScripts()
pieces = lambda text: [p for p, _ in SCRIPTS.pre_tokenize_str(text)]


def main():
    known, table = [], []  # known: a character of each script
    text = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000 and pieces(chr(c)))
    for run in pieces(text):
        number = next((i for i, rep in enumerate(known) if len(pieces(rep + run[0])) == 1), len(known))
        if number == len(known):
            known.append(run[0])
        for ch in run:
            c = ord(ch)
            if table and table[-1][1] == c - 1 and table[-1][2] == number:
                table[-1][1] = c
            else:
                table.append([c, c, number])
    print("/*\n * The scripts that UnicodeScripts tells apart (tokenizers %s), as ranges with numbers. What is in no" % tokenizers.__version__)
    print(" * range goes with any. Made by tests/oracle/tok_scripts.py.\n */")
    print('#include "common/tokenizer/unicode.h"')
    print("\n/* clang-format off */\nconst struct uni_range uni_scripts[] = {")
    line = "\t"
    for row in table:
        item = "{0x%04x, 0x%04x, %d}, " % tuple(row)
        if len(line) + 7 + len(item) > 100:
            print(line.rstrip())
            line = "\t"
        line += item
    print(line.rstrip())
    print("};\n/* clang-format on */\nconst size_t uni_nscripts = sizeof uni_scripts / sizeof *uni_scripts;")


if __name__ == "__main__":
    main()
