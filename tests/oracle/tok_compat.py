"""Compares what `tok --compat transformers` gives with transformers' AutoTokenizer (or the class named) on random strings: ids with
and without special tokens. usage: tok_compat.py SEED COUNT TOKENIZER_DIR[=CLASS]… (from the root of the tree, after make unit)"""
import os
import random
import sys

os.environ["TRANSFORMERS_VERBOSITY"] = "error"
import transformers
from tok_fuzz import Refused, answers, numbers, piece


def main():
    seed, count, status = int(sys.argv[1]), int(sys.argv[2]), 0
    for arg in sys.argv[3:]:
        d, _, name = arg.partition("=")
        tok = getattr(transformers, name or "AutoTokenizer").from_pretrained(d)
        rng = random.Random(seed)
        added = [str(t) for t in tok.added_tokens_decoder.values()] or ["<s>"]
        texts = ["".join(piece(rng, added) for _ in range(rng.randint(1, 14))) for _ in range(count)]
        try:
            ours = list(answers(d, texts, compat=True))
        except Refused as e:
            print("%s: refused: %s" % (arg, e))
            continue
        for special in (False, True):
            wrong = 0
            for text, mine, want in zip(texts, ours, tok(texts, add_special_tokens=special)["input_ids"]):
                mine = mine if isinstance(mine, str) else mine[0] if special else mine[1]
                if mine != numbers(want):
                    wrong += 1
                    if wrong <= 2:
                        print("%s: %r\n  transformers %s\n  ours         %s" % (d, text, want, mine if isinstance(mine, str) else memoryview(mine).cast("I").tolist()))
            print("%s, special tokens %s: %d of %d differ" % (arg, special, wrong, count))
            status |= wrong > 0
    sys.exit(status)


if __name__ == "__main__":
    main()
