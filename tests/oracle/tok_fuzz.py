"""Compares what common/tokenizer makes of random strings with the tokenizers library: ids, places, decoded text. Prints the
first differences. Strings are pieces after each other: of every kind, of the tokenizer's own tokens, of the texts in
$SLUICE_TEST_DATA.

usage: tok_fuzz.py SEED COUNT TOKENIZER_DIR… (from the root of the tree, after make unit)"""
import array
import glob
import itertools
import json
import os
import random
import struct
import subprocess
import sys

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import Tokenizer

CHUNK, POOL = 20000, 4000
ANSWERS = os.environ.get("TOK_ANSWERS", "build/cpu/tests/oracle/tok_answers")

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


class Refused(Exception):
    pass


def answers(d, texts, compat=False):
    """For each text: ids, how many without the post-processor's, places, decoded, decoded without special tokens; or what is wrong."""
    raw = [t.encode() for t in texts]
    p = subprocess.run([ANSWERS, d] + ["compat"] * compat, input=b"".join(struct.pack("I", len(t)) + t for t in raw), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if p.returncode == 1 and not p.stdout:
        raise Refused(p.stderr.decode().strip())
    p.check_returncode()
    out, at = p.stdout, 0

    def take(n):
        nonlocal at
        at += n
        return out[at - n:at]
    number = lambda: int.from_bytes(take(4), sys.byteorder)
    for _ in texts:
        n = number()
        if n == 0xFFFFFFFF:
            yield take(number()).decode()
            continue
        ids, places = take(4 * n), take(8 * n)
        yield ids, take(4 * number()), places, take(number()), take(number())


def numbers(list):
    return array.array("I", list).tobytes()


def differs(tok, texts, ours, every=10):
    """The first of the texts that the library has otherwise, as (text, what, library's, ours); None. Ids without special tokens and
    decoding without them are compared for one text in `every`."""
    encodings = tok.encode_batch(texts)
    ids = [e.ids for e in encodings]
    decoded = tok.decode_batch(ids, skip_special_tokens=False)
    for i, (text, mine, e, list, back) in enumerate(zip(texts, ours, encodings, ids, decoded)):
        if isinstance(mine, str):
            return text, "error", list, mine
        if mine[0] != numbers(list):
            return text, "ids", list, array.array("I", mine[0]).tolist()
        if mine[2] != numbers(itertools.chain.from_iterable(e.offsets)):
            return text, "places", e.offsets, array.array("I", mine[2]).tolist()
        if mine[3] != back.encode():
            return text, "decoded", back, mine[3].decode()
        if i % every:
            continue
        plain, skipped = tok.encode(text, add_special_tokens=False).ids, tok.decode(list)
        if mine[1] != numbers(plain):
            return text, "ids without special tokens", plain, array.array("I", mine[1]).tolist()
        if mine[4] != skipped.encode():
            return text, "decoded without special tokens", skipped, mine[4].decode()


def library(d):
    """The library's tokenizer of a directory, and its added tokens."""
    if os.path.exists(d + "/tokenizer.json"):
        tok = Tokenizer.from_file(d + "/tokenizer.json")
    else:
        import transformers
        tok = transformers.BlenderbotTokenizer.from_pretrained(d).backend_tokenizer
    tok.no_truncation()
    tok.no_padding()
    return tok, [t.content for t in tok.get_added_tokens_decoder().values()] or ["<s>"]


def prose():
    """Text to cut pieces from."""
    data, text = os.environ.get("SLUICE_TEST_DATA"), []
    for path in sorted(glob.glob(data + "/corpora/**/*", recursive=True)) if data else []:
        if os.path.isfile(path) and os.path.getsize(path) > 1000:
            with open(path, "rb") as f:
                text.append(f.read(2000000).decode(errors="ignore"))
    return text or ["A little text, "]


def strings(rng, count, added, vocab, corpora):
    def cut():
        text = rng.choice(corpora)
        at = rng.randrange(len(text))
        return text[at:at + rng.choice((1, 3, 10, 30, 100))]
    pool = [rng.choice((lambda: piece(rng, added), cut, lambda: rng.choice(vocab)))() for _ in range(POOL)]
    lengths = rng.choices((0, 1, 2, 3, 5, 8, 13, 40, 120), (1, 20, 20, 20, 15, 10, 5, 1, .2), k=count)
    return ["".join(rng.choices(pool, k=n)) for n in lengths]


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    status, corpora = 0, prose()
    for d in sys.argv[3:]:
        rng, done, wrong = random.Random(seed), 0, 0
        tok, added = library(d)
        vocab = [t.translate({0x120: " ", 0x10A: "\n", 0x2581: " "}) for t in tok.get_vocab()]
        vocab.sort()
        while done < count:
            texts = strings(rng, min(CHUNK, count - done), added, vocab, corpora)
            done += len(texts)
            found = differs(tok, texts, answers(d, texts))
            if found:
                wrong += 1
                print("%s: %r: %s\n  library %r\n  ours    %r" % ((d,) + found), flush=True)
        print("%s: seed %d: %d strings, %s" % (d, seed, count, "%d parts of them with a difference" % wrong if wrong else "no difference"), flush=True)
        status |= wrong > 0
    sys.exit(status)


if __name__ == "__main__":
    main()
