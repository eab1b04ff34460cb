"""Random tokenizer.json files out of tok_parts.py's parts, each on random texts, in common/tokenizer and in the tokenizers
library: ids, places, decoded text. usage: tok_random.py SEED FILES (from the root of the tree, after make unit)"""
import collections
import json
import random
import sys
import tempfile

from tok_fuzz import Refused, answers, differs, piece
from tok_parts import LETTERS, MAP, MERGES, WORDS, bert, bpe, bytelevel_model, seq, token, tok, unigram, wordpiece, BYTES
from tokenizers import Tokenizer

BEHAVIORS = ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
TEXT_SCHEMES = ("first", "always", "never")
LITERALS = (" ", "l", "▁", "e\u0301", "the", "--", "中", "Ġ", "")
REGEXES = ("\\s+|l", "o*", "o?", "(?=[A-Z])", "\\s{2,}|l", "o+", "\\p{L}+", "^", "$", "\\b", "(?<=e)", ".", "\\s+(?!\\S)|\\s+", "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}", "'s|'t| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+")
CONTENTS = ("", " ", "▁", "xx", "é", "e\u0301", "l", "中文", "\u0301")
ADDED = ["<s>", "</s>", "<mask>", "the", "É", "<tag>", "  ", "ello", "l", "\n", "hello world", "Hello", "中", "e\u0301", "<", "<ma", "▁x", " y"]
DOUBLED = "a Replace that matched nothing in front of the text"  # which the library doubles: an error here


class Parts:
    """Parts of a file, each with random options."""

    def __init__(self, rng):
        self.rng = rng
        self.one = rng.choice
        self.coin = lambda p=0.5: rng.random() < p

    def pattern(self):
        return {"String": self.one(LITERALS)} if self.coin() else {"Regex": self.one(REGEXES)}

    def bytelevel(self):
        return {"type": "ByteLevel", "add_prefix_space": self.coin(), "trim_offsets": self.coin(), "use_regex": self.coin()}

    def metaspace(self):
        return {"type": "Metaspace", "replacement": self.one("▁▁▁_é"), "prepend_scheme": self.one(TEXT_SCHEMES), "split": self.coin()}

    def normalizer(self):
        return self.one([
            lambda: {"type": self.one(("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt"))},
            lambda: {"type": self.one(("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt"))},
            lambda: bert(self.coin(), self.coin(), self.one((None, True, False)), self.coin()),
            lambda: {"type": "Precompiled", "precompiled_charsmap": MAP},
            lambda: {"type": "Prepend", "prepend": self.one(CONTENTS[1:])},
            lambda: {"type": "Strip", "strip_left": self.coin(), "strip_right": self.coin()},
            lambda: {"type": "Replace", "pattern": self.pattern(), "content": self.one(CONTENTS)},
            lambda: {"type": "Replace", "pattern": self.pattern(), "content": self.one(CONTENTS)},
            lambda: {"type": "ByteLevel"} if self.coin(0.3) else {"type": "Lowercase"}])()

    def pre(self):
        return self.one([
            lambda: {"type": self.one(("Whitespace", "WhitespaceSplit", "BertPreTokenizer", "UnicodeScripts"))},
            lambda: {"type": "Digits", "individual_digits": self.coin()},
            lambda: {"type": "FixedLength", "length": self.one((1, 2, 3, 7))},
            lambda: {"type": "CharDelimiterSplit", "delimiter": self.one("l é中▁")},
            self.metaspace,
            lambda: {"type": "Punctuation", "behavior": self.one(BEHAVIORS)},
            lambda: {"type": "Split", "pattern": self.pattern(), "behavior": self.one(BEHAVIORS), "invert": self.coin()},
            lambda: {"type": "Split", "pattern": self.pattern(), "behavior": self.one(BEHAVIORS), "invert": self.coin()},
            lambda: self.bytelevel() if self.coin(0.3) else {"type": "Whitespace"}])()

    def decoder(self):
        return self.one([
            lambda: {"type": self.one(("ByteFallback", "Fuse"))},
            self.bytelevel, self.metaspace,
            lambda: {"type": "WordPiece", "prefix": self.one(("##", "", "l", "▁")), "cleanup": self.coin()},
            lambda: {"type": "BPEDecoder", "suffix": self.one(("o", "", "</w>", "l"))},
            lambda: {"type": "CTC", "pad_token": self.one(("l", "", "<s>")), "word_delimiter_token": self.one(("▁", " ", "e")), "cleanup": self.coin()},
            lambda: {"type": "Strip", "content": self.one("h ▁lé"), "start": self.rng.randint(0, 3), "stop": self.rng.randint(0, 3)},
            lambda: {"type": "Replace", "pattern": self.pattern(), "content": self.one(CONTENTS)}])()

    def template(self):
        special = lambda i: {"SpecialToken": {"id": i, "type_id": 0}}
        names = [special(self.one(("<s>", "two", "</s>"))) for _ in range(self.rng.randint(0, 4))]
        names.insert(self.rng.randint(0, len(names)), {"Sequence": {"id": "A", "type_id": 0}})
        return {"type": "TemplateProcessing", "single": names, "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}, "two": {"id": "two", "ids": [5, 6], "tokens": ["<", ">"]}, "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}}

    def post(self):
        trim = {k: v for k, v in self.bytelevel().items() if k != "use_regex"}
        return self.one([
            self.bytelevel, self.template,
            lambda: dict(trim, type="RobertaProcessing", sep=["</s>", 5], cls=["<s>", 6]),
            lambda: {"type": "BertProcessing", "sep": ["[SEP]", 5], "cls": ["[CLS]", 6]},
            lambda: seq("processors", self.bytelevel(), self.template()),
            lambda: seq("processors", self.template(), self.bytelevel())])()

    def some(self, kind, part, most):
        n = self.rng.randint(0, most)
        return None if not n else part() if n == 1 else seq(kind, *(part() for _ in range(n)))

    def affixed(self):
        """BPE with a prefix, or a suffix, of word pieces."""
        if self.coin():
            end = [c + "</w>" for c in LETTERS] + ["hello</w>", "lo</w>"]
            return bpe(extra=["<unk>"] + end, unk_token="<unk>", end_of_word_suffix="</w>", fuse_unk=self.coin(), merges=[("h", "e"), ("l", "l"), ("he", "ll"), ("l", "o</w>"), ("hell", "o</w>")])
        return bpe(extra=["<unk>"] + ["##" + c for c in LETTERS] + ["##ll", "hell"], unk_token="<unk>", continuing_subword_prefix="##", fuse_unk=self.coin(), merges=[("h", "##e"), ("##l", "##l"), ("he", "##ll")])

    def model(self):
        drop = "".join(self.rng.sample(LETTERS, self.rng.randint(0, 6))) + self.one(("", "ow3", "中"))
        merges = self.rng.sample(MERGES, self.rng.randint(0, len(MERGES)))
        scored = lambda m: dict(m, vocab=[[t, self.rng.randint(-8, 0) / self.one((1, 2, 3))] for t, _ in m["vocab"]]) if self.coin() else m
        return self.one([
            lambda: bpe(extra=["<unk>"], unk_token=self.one(("<unk>", None)), drop=drop, fuse_unk=self.coin(), ignore_merges=self.coin(), merges=merges),
            lambda: bpe(extra=[b for b in BYTES if self.coin(0.995)], drop=drop, unk_token=None if self.coin(0.2) else "o", byte_fallback=True, fuse_unk=self.coin(), merges=merges),
            self.affixed,
            lambda: scored(unigram(drop=drop, unk_id=self.rng.randint(0, 9))),
            lambda: scored(unigram(extra=[b for b in BYTES[1:] if self.coin(0.995)], byte_fallback=self.coin(0.8), drop=drop)),
            lambda: wordpiece(continuing_subword_prefix=self.one(("##", "##", "a", "")), max_input_chars_per_word=self.one((1, 5, 12, 100))),
            lambda: {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {t: i for i, t in enumerate(["[UNK]"] + LETTERS + WORDS)}},
            lambda: bytelevel_model(ignore_merges=self.coin()), lambda: bytelevel_model(ignore_merges=self.coin())])()

    def added(self):
        return [token(c, lstrip=self.coin(0.2), rstrip=self.coin(0.2), single_word=self.coin(0.2), normalized=self.coin(), special=self.coin()) for c in self.rng.choices(ADDED, k=self.rng.randint(0, 5))]

    def file(self):
        model, pre = self.model(), self.some("pretokenizers", self.pre, 3)
        if "Ġ" in model["vocab"] and self.coin(0.8):
            pre = seq("pretokenizers", *([pre] if pre else []), self.bytelevel())
        return tok(model=model, normalizer=self.some("normalizers", self.normalizer, 3), pre=pre, post=self.post() if self.coin(0.4) else None, decoder=self.some("decoders", self.decoder, 3), added=self.added())


def is_defined(t):
    """Not where normalizing makes two added tokens one, of which the library takes either, or makes one nothing, which it finds everywhere."""
    forms = [t.normalizer.normalize_str(a.content) if t.normalizer else a.content for a in t.get_added_tokens_decoder().values() if a.normalized]
    return all(forms) and len(set(forms)) == len(forms)


def text(rng):
    return "".join(piece(rng, ADDED) if rng.random() < 0.6 else rng.choice(WORDS).replace("▁", rng.choice("▁ ")) for _ in range(rng.randint(0, 10)))


def library_panics(t, text):
    try:
        e = t.encode(text)
        t.encode(text, add_special_tokens=False)
        t.decode(e.ids), t.decode(e.ids, skip_special_tokens=False)
    except BaseException:
        return True


def main():
    rng, wrong, files = random.Random(int(sys.argv[1])), 0, 0
    refused, same = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as d:
        while files < int(sys.argv[2]):
            c = Parts(rng).file()
            texts = [text(rng) for _ in range(60)]
            try:
                t = Tokenizer.from_str(json.dumps(c))
                if not is_defined(t):
                    continue
            except BaseException:
                continue
            files += 1
            with open(d + "/tokenizer.json", "w") as f:
                json.dump(c, f)
            texts = [x for x in texts if not library_panics(t, x)]
            try:
                pairs = [(x, mine) for x, mine in zip(texts, answers(d, texts)) if not (isinstance(mine, str) and DOUBLED in mine)]
            except Refused as e:
                refused[str(e)[-90:]] += 1
                continue
            same += len(pairs)
            found = pairs and differs(t, *zip(*pairs), every=1)
            if found:
                wrong += 1
                c["model"] = {k: v for k, v in c["model"].items() if k not in ("vocab", "merges")}
                if wrong <= 8:
                    print("%s\n  %r: %s\n  library %r\n  ours    %r" % ((json.dumps(c, ensure_ascii=False).replace(MAP, "MAP")[:3000],) + found), flush=True)
    print("seed %s: %d files, %d texts; %d files differ; refused: %s" % (sys.argv[1], files, same, wrong, dict(refused)))
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
