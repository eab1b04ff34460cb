"""Compares `tok --compat transformers` with transformers' AutoTokenizer (or the class named) on random strings: ids with
and without special tokens. usage: tok_compat.py SEED COUNT TOKENIZER_DIR[=CLASS]… (from the root of the tree, after make)"""
import os
import random
import sys

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import transformers
from tok_fuzz import piece, run


def main():
    seed, count, status = int(sys.argv[1]), int(sys.argv[2]), 0
    for arg in sys.argv[3:]:
        d, _, name = arg.partition("=")
        tok = getattr(transformers, name or "AutoTokenizer").from_pretrained(d)
        rng = random.Random(seed)
        added = [str(t) for t in tok.added_tokens_decoder.values()] or ["<s>"]
        texts = ["".join(piece(rng, added) for _ in range(rng.randint(1, 14))) for _ in range(count)]
        for special in (False, True):
            ours = run(["bin/tok", "-q", "-m", d, "--compat", "transformers", "--add-special-tokens", "yes" if special else "no"], [{"text": t} for t in texts])
            wrong = 0
            for text, r in zip(texts, ours):
                want = tok(text, add_special_tokens=special)["input_ids"]
                if r["input_ids"] != want:
                    wrong += 1
                    if wrong <= 2:
                        print("%s: %r\n  transformers %s\n  tok          %s" % (d, text, want, r["input_ids"]))
            print("%s, special tokens %s: %d of %d differ" % (arg, special, wrong, count))
            status |= wrong > 0
    sys.exit(status)


if __name__ == "__main__":
    main()
