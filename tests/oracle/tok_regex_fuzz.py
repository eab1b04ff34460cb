"""Compares patterns with the tokenizers library: every match of a pattern in a text becomes a mark. Patterns are those below,
and random ones. What tok refuses by name is counted, and the reasons are printed. usage: tok_regex_fuzz.py SEED COUNT
With --golden in their place: prints tests/golden/tok/patterns.jsonl, what the library makes of those below."""
import collections
import json
import random
import sys
import tempfile

from tok_fuzz import Refused, answers, numbers
from tokenizers import Regex, Tokenizer, normalizers

CHARS = list("aAbBsStTkK 019_-.,'!\t\n\r") + list("éÉßſıİΣσςжЖ中、かカ한²½Ⅷ١\u0301\u200d\u00a0\u2028\U0001f600\U0001f1e9\u1c89\U000105c0\u180e\u24b6")
FIXED = [r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+", r"[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+",
         r"\p{N}{1,2}+", r"a{2}+", r"a{2}?b", r"a{,2}b", r"a{1,2}?", r"[a[bc]]", r"[^a[^b]]", r"[\S&&[^a]]", r"[^\W_]", r"\bs", r"s\b", r"\B.", r"[[:alpha:]]+", r"[[:^alpha:]]", r"[[:punct:]]+", r"\p{^L}", r"\P{^L}", r"\p{Letter}",
         r"[[:upper:][:digit:]]", r"\h+", r"\H", r"\v|\e", r"\R", r"a(?i)b|t", r"(a(?i)b|t)S", r"(?m:a.b)", "(?x: a  b # c\n)", r"(?-i)a", r"a++b", r"a*+", r"(?>a|ab)s", r"(?<=a)b", r"(?<!a)b", r"^.", r".$", r"\A.", r".\z", r".\Z", r"(?=s)", r"x*", r"\u4e2d", r"\x{e9}", r"\x61", r"[\x{e9}-\x{ff}]", r"[a-c-e]", r"[-a]", r"[a-]", r"[\w-]", r"[\d-z]", r"[&a]",
         r"\p{Hiragana}|\p{Katakana}", r"\p{Cyrillic}+", r"\p{Greek}", r"[^\p{Latin}]", r"\p{Emoji}", r"\p{Alnum}+", r"\p{C}", r"[\p{C}a]", r"\p{Cn}", r"\p{Any}", r"\p{Graph}+", r"\p{Print}", r"\p{Word}", r"\p{Alphabetic}", r"(?i)k", r"(?i)[a-t]+", r"(?i)[^s]", r"(?i)\p{Ll}", r"(a)\1", r"a{3}", r"(?>[^a].+?)s", r"(?>[^s].*?)\P{L}", r"{", r"a{", r"}", r"]", r"a{1}{2}", r"a+*", r"(?#c)a", r"\-\_\!", r"\i\j", r"\_"]


def pattern(rng, depth=0):
    atom = lambda: rng.choice([
        lambda: rng.choice(["a", "b", "s", "t", "K", "é", "中", " ", "'", "-", "_", "1", "\\.", "\\n", "."]),
        lambda: rng.choice([r"\s", r"\S", r"\w", r"\W", r"\d", r"\D", r"\h", r"\p{L}", r"\P{L}", r"\p{Lu}", r"\p{N}", r"\p{M}", r"\p{Han}", r"\p{P}", r"\b", r"\B", r"^", r"$"]),
        lambda: cls(2),
        lambda: rng.choice(["(?:%s)", "(%s)", "(?i:%s)", "(?=%s)", "(?!%s)", "(?>%s)", "(?m:%s)"]) % pattern(rng, depth + 1) if depth < 3 else "a",
        lambda: "(?i)" if depth < 3 else "b",
    ])()

    def cls(left):
        item = lambda: rng.choice([
            lambda: rng.choice(["a", "b-t", "A-Z", "0-9", "é", "中", " ", "_", "\\n", "\\-", "\u0300-\u0400"]),
            lambda: rng.choice([r"\s", r"\S", r"\w", r"\W", r"\d", r"\p{L}", r"\P{Lu}", r"\p{^N}", "[:alpha:]", "[:^space:]", "[:punct:]"]),
            lambda: cls(left - 1) if left else "x",
            lambda: "&&" if left else "y",
        ])()
        return "[" + rng.choice(["", "", "^"]) + "a" * rng.randint(0, 1) + "".join(item() for _ in range(rng.randint(1, 3))) + "]"
    out = ""
    for _ in range(rng.randint(1, 3)):
        a = atom()
        out += a
        if a[0] != "^" and a != "$" and a not in (r"\b", r"\B", "(?i)") and not a.startswith(("(?=", "(?!")):
            out += rng.choice(["", "", "", "", "*", "+", "?", "+?", "*?", "++", "{2}", "{1,2}", "{,2}", "{2}+", "{1,3}?", "{2}?"])
    return out + ("|" + pattern(rng, depth + 1) if depth < 2 and rng.random() < 0.3 else "")


def golden():
    rng = random.Random(7)
    for p in FIXED:
        try:
            replace = normalizers.Replace(Regex(p), "#")
        except Exception:
            continue  # the library refuses it
        texts = ["".join(rng.choice(CHARS) for _ in range(30)) for _ in range(8)] + ["aab abc\nabS aB 's 'T ſs"]
        print(json.dumps({"pattern": p, "texts": texts, "marked": [replace.normalize_str(t) for t in texts]}, ensure_ascii=False))


def main():
    if sys.argv[1] == "--golden":
        return golden()
    rng = random.Random(int(sys.argv[1]))
    patterns = FIXED + [pattern(rng) for _ in range(int(sys.argv[2]))]
    vocab = {c: i for i, c in enumerate(dict.fromkeys(["<unk>", "\u0001"] + CHARS))}
    refused, wrong, same, theirs = collections.Counter(), 0, 0, 0
    with tempfile.TemporaryDirectory() as d:
        for p in patterns:
            config = {"version": "1.0", "added_tokens": [], "normalizer": {"type": "Replace", "pattern": {"Regex": p}, "content": "\u0001"}, "pre_tokenizer": None, "post_processor": None, "decoder": None,
                      "model": {"type": "BPE", "unk_token": "<unk>", "vocab": vocab, "merges": []}}
            try:
                tok = Tokenizer.from_str(json.dumps(config))
            except BaseException:
                theirs += 1
                continue
            with open(d + "/tokenizer.json", "w") as f:
                json.dump(config, f)
            texts = ["".join(rng.choice(CHARS) for _ in range(rng.randint(0, 30))) for _ in range(40)] + ["aab abc\nabS aB 's 'T ſs"]
            try:
                ours = list(answers(d, texts))
            except Refused as e:
                refused[str(e).split(": ")[-1][:70]] += 1
                continue
            for text, mine in zip(texts, ours):
                if isinstance(mine, str):
                    refused[mine.split(": ")[-1][:70]] += 1
                    break
                try:
                    want = numbers(tok.encode(text).ids)
                except BaseException:
                    continue  # it is too costly for the library
                if mine[0] != want:
                    wrong += 1
                    if wrong <= 40:
                        print("%r on %r" % (p, text))
                    break
            else:
                same += 1
    print("%d the same, %d differ, %d that the library refuses; refused:" % (same, wrong, theirs), dict(refused))
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
