"""Compares bin/tok with the tokenizers library on random strings: ids, and decoded text. Prints the first differences.

usage: tok_fuzz.py SEED COUNT TOKENIZER_DIR… (from the root of the tree, after make)"""
import json
import random
import subprocess
import sys

from tokenizers import Tokenizer

MARKS = [0x300, 0x301, 0x308, 0x323, 0x345, 0x5B0, 0x93C, 0x3099, 0xFE0F, 0x200D, 0x20E3, 0x1161, 0x11A8, 0x1100, 0xAC00, 0x958,
         0x1E69, 0x212B, 0x2126, 0xFB01, 0xB2, 0x130, 0x131, 0x17F, 0xDF]
BLANKS = [9, 10, 11, 12, 13, 32, 0x85, 0xA0, 0x1680, 0x2003, 0x2028, 0x3000, 0x200B, 0x180E, 0xFEFF]
WORDS = ["'s", "'S", "'re", "'LL", "'ſ", "'d", "'", "''", "'v", "the ", "user\n", "Hello ", "<0x0A>", "def f(x):\n\t", "１２", "Ⅷ", "é", "ﬁ"]


def any_char(rng, top):
    c = rng.randrange(top)
    return chr(c) if not 0xD800 <= c < 0xE000 else "x"


def piece(rng, added):
    many = lambda n, f: "".join(f() for _ in range(rng.randint(1, n)))
    return rng.choice([
        lambda: many(12, lambda: rng.choice("abcdefghijklmnopqrstuvwxyzABCDEFGH")),
        lambda: " " * rng.randint(1, 4),
        lambda: many(4, lambda: chr(rng.choice(BLANKS))),
        lambda: many(7, lambda: rng.choice("0123456789")),
        lambda: rng.choice(WORDS),
        lambda: rng.choice(added),
        lambda: rng.choice(added)[:rng.randint(0, 9)],
        lambda: many(5, lambda: chr(rng.choice(MARKS))),
        lambda: any_char(rng, 0x20000) * rng.randint(1, 6),
        lambda: many(5, lambda: any_char(rng, 0x20000)),
        lambda: many(8, lambda: chr(rng.randint(0x4E00, 0x9FFF))),
        lambda: many(10, lambda: chr(rng.randint(0x400, 0x4FF))),
        lambda: many(4, lambda: chr(rng.randint(0x1F300, 0x1FAFF))),
        lambda: any_char(rng, 0x110000),
        lambda: rng.choice("!@#$%^&*()-_=+[]{};:,.<>/?\\|`~\"") * rng.randint(1, 5),
        lambda: "\u2581" * rng.randint(1, 3),
        lambda: rng.choice("aA .\n中") * rng.randint(20, 200),
    ])()


def run(args, lines):
    p = subprocess.run(args, input="".join(json.dumps(x) + "\n" for x in lines).encode(), stdout=subprocess.PIPE, check=True)
    q = subprocess.run(["bin/mpcat"], input=p.stdout, stdout=subprocess.PIPE, check=True)
    return [json.loads(x) for x in q.stdout.decode().split("\n")[:-1]]


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    status = 0
    for d in sys.argv[3:]:
        rng = random.Random(seed)
        with open(d + "/tokenizer.json") as f:
            added = [t["content"] for t in json.load(f)["added_tokens"]] or ["<s>"]
        tok = Tokenizer.from_file(d + "/tokenizer.json")
        tok.no_truncation()
        tok.no_padding()
        texts = ["".join(piece(rng, added) for _ in range(rng.randint(1, 14))) for _ in range(count)]
        special = rng.choice(["yes", "no"])
        ours = run(["bin/tok", "-q", "-m", d, "--add-special-tokens", special], [{"text": t} for t in texts])
        back = run(["bin/tok", "-q", "-m", d, "--decode"], [{"input_ids": r["input_ids"]} for r in ours])
        wrong = 0
        for text, r, b in zip(texts, ours, back):
            want = tok.encode(text, add_special_tokens=special == "yes").ids
            decoded = tok.decode(want, skip_special_tokens=False)
            if r["input_ids"] != want or b["text"] != decoded:
                wrong += 1
                if wrong <= 3:
                    print("%s: %r\n  library %s\n  tok     %s" % (d, text, want, r["input_ids"]))
        print("%s: %d of %d differ" % (d, wrong, count))
        status |= wrong > 0
    sys.exit(status)


if __name__ == "__main__":
    main()
