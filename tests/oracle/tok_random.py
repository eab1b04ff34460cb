"""Random tokenizer.json files out of tok_parts.py's parts, each on random texts: ids, and decoded text, of bin/tok against the
tokenizers library. usage: tok_random.py SEED FILES (from the root of the tree, after make)"""
import json
import random
import sys
import tempfile

from tokenizers import Tokenizer
from tok_fuzz import piece, run
from tok_parts import MAP, bert, bpe, bytelevel_model, seq, token, tok, unigram, wordpiece, BYTES

NORMALIZERS = [{"type": n} for n in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt")] + [
    bert(), bert(lower=False), bert(accents=True), {"type": "Precompiled", "precompiled_charsmap": MAP}, {"type": "Prepend", "prepend": "▁"}, {"type": "Strip", "strip_left": True, "strip_right": True},
    {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}, {"type": "Replace", "pattern": {"Regex": "\\s{2,}|l"}, "content": ""}, {"type": "Replace", "pattern": {"Regex": "o+"}, "content": "xx"}]
PRE = [{"type": n} for n in ("Whitespace", "WhitespaceSplit", "BertPreTokenizer", "UnicodeScripts")] + [
    {"type": "Digits", "individual_digits": True}, {"type": "Digits", "individual_digits": False}, {"type": "FixedLength", "length": 3}, {"type": "CharDelimiterSplit", "delimiter": "l"},
    {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False}] + [
    {"type": "Punctuation", "behavior": b} for b in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")] + [
    {"type": "Split", "pattern": {"Regex": r}, "behavior": b, "invert": i} for r in ("\\s+|l", "o*", "(?=[A-Z])") for b in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous") for i in (False, True)]
BYTE = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
DECODERS = [{"type": n} for n in ("ByteFallback", "Fuse")] + [BYTE, {"type": "WordPiece", "prefix": "##", "cleanup": True}, {"type": "BPEDecoder", "suffix": "o"}, {"type": "CTC", "pad_token": "l", "word_delimiter_token": "▁", "cleanup": True},
    {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}, {"type": "Strip", "content": "h", "start": 1, "stop": 1}, {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}]
ADDED = [token("<s>"), token("</s>", special=False), token("<mask>", lstrip=True), token("the", normalized=True, special=False), token("É", normalized=True), token("<tag>", rstrip=True, single_word=True), token("  ", special=False), token("ello", single_word=True, special=False)]


def config(rng):
    some = lambda kind, parts, most: (lambda n: None if not n else rng.choice(parts) if n == 1 else seq(kind, *(rng.choice(parts) for _ in range(n))))(rng.randint(0, most))
    model = rng.choice([lambda: bpe(extra=["<unk>"], unk_token="<unk>", drop="ow3", fuse_unk=rng.random() < 0.5), lambda: bpe(extra=BYTES, drop="ow中", unk_token="<unk>", byte_fallback=True, fuse_unk=rng.random() < 0.5),
                        unigram, lambda: unigram(extra=BYTES[1:], byte_fallback=True), wordpiece, lambda: bytelevel_model(ignore_merges=rng.random() < 0.5)])()
    pre = some("pretokenizers", PRE, 3)
    if "Ġ" in model["vocab"]:
        pre = seq("pretokenizers", *([pre] if pre else []), dict(BYTE, add_prefix_space=rng.random() < 0.3, use_regex=rng.random() < 0.5))
    return tok(model=model, normalizer=some("normalizers", NORMALIZERS, 3), pre=pre, decoder=some("decoders", DECODERS, 3), added=rng.sample(ADDED, rng.randint(0, 4)))


def main():
    rng, wrong = random.Random(int(sys.argv[1])), 0
    with tempfile.TemporaryDirectory() as d:
        for _ in range(int(sys.argv[2])):
            c = config(rng)
            with open(d + "/tokenizer.json", "w") as f:
                json.dump(c, f)
            t = Tokenizer.from_file(d + "/tokenizer.json")
            texts = ["".join(piece(rng, [a["content"] for a in ADDED]) for _ in range(rng.randint(0, 8))) for _ in range(60)]
            texts = [x for x in texts if x.strip("\0")]
            ours = run(["bin/tok", "-q", "-m", d, "--add-special-tokens", "no"], [{"text": x} for x in texts])
            back = run(["bin/tok", "-q", "-m", d, "--decode"], [{"input_ids": r["input_ids"]} for r in ours])
            for x, r, b in zip(texts, ours, back):
                try:
                    want = t.encode(x, add_special_tokens=False).ids
                    decoded = t.decode(want, skip_special_tokens=False)
                except BaseException:
                    continue  # the library panics
                if r["input_ids"] != want or b["text"] != decoded:
                    wrong += 1
                    brief = {k: v for k, v in c.items() if k not in ("model", "version", "truncation", "padding")}
                    if wrong <= 8:
                        print("%s %s\n  %r\n  library %s %r\n  tok     %s %r" % (json.dumps(brief, ensure_ascii=False)[:1500].replace(MAP, "MAP"), c["model"]["type"], x, want[:40], decoded[:200], r["input_ids"][:40], b["text"][:200]))
                    break
    print("%d of %s files differ" % (wrong, sys.argv[2]))
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
