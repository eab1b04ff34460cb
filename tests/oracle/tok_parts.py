"""Prints tests/golden/tok/parts.jsonl: small tokenizer.json files, each for one part or a combination, with what the
tokenizers library makes of some texts: ids, offsets in bytes, decoded text with and without special tokens."""
import json
import sys

import tokenizers
from tokenizers import Tokenizer

LETTERS = [chr(c) for c in range(0x20, 0x7F)] + list("▁éèñßſıİäöüÄÖÜΩÅжЖ中文字日本한국\u0301\u0323ﬁ１²½ⅧΣσς")
WORDS = ["he", "ll", "hell", "hello", "▁w", "or", "▁wor", "ld", "▁world", "▁hello", "▁▁", "▁▁▁▁", "in", "ing", "th", "the",
         "▁the", "12", "aa", "aaaa", "ab", "bc", "abc", "éé", "e\u0301"]
MERGES = [("h", "e"), ("l", "l"), ("he", "ll"), ("hell", "o"), ("▁", "w"), ("o", "r"), ("▁w", "or"), ("l", "d"),
          ("▁wor", "ld"), ("▁", "hello"), ("▁", "▁"), ("▁▁", "▁▁"), ("i", "n"), ("in", "g"), ("t", "h"), ("th", "e"),
          ("▁", "the"), ("1", "2"), ("a", "a"), ("aa", "aa"), ("b", "c"), ("a", "b"), ("a", "bc"), ("é", "é"), ("e", "\u0301")]

TEXTS = ["", " ", "hello world", " hello  world ", "Hello, World! It's 12 o'clock.", "aaaaaaa abc aabc", "a\u0323\u0301e\u0301\u0323",
         "é è ñ e\u0301 Å \u212b \u2126", "ﬁ １２ ² ½ Ⅷ", "İstanbul ıſß ΣΑΣ", "中文字 日本 한국 \u1112\u1161\u11ab", "\u0958 \u09dc \ufb1d", "\n\t\r\n x \u00a0\u3000y\u2028",
         "<s>hello</s> <pad>world", "hello <mask> there", "hello<mask>there", " <mask> <mask>  the", "x<tag> y<tag>\n\t z", "MiXeD mixed MIXED", "...hello---world!!! $5 + 3 = 8",
         "▁hello▁▁world", "12345 1a2b3", "\U0001f600\U0001f468\u200d\U0001f469", "q\u0000z", "the-final--countdown", "--", "-a-", "the<s>the", "[CLS] the [SEP]", "\u0301abc", "e\u0345\u0301\u0323", "ab" * 40, "  \u2581 x"]


def token(content, **kw):
    return dict({"id": 0, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}, **kw)


def bpe(extra=(), merges=MERGES, drop="", **kw):
    vocab = {}
    for t in list(extra) + [c for c in LETTERS if c not in drop] + WORDS:
        vocab.setdefault(t, len(vocab))
    merges = [m for m in merges if m[0] in vocab and m[1] in vocab]
    return dict({"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                 "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocab,
                 "merges": [list(m) for m in merges]}, **kw)


BYTES = ["<unk>"] + ["<0x%02X>" % b for b in range(256)]


def alphabet():
    return sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet())


def bytelevel_model(**kw):
    vocab = {c: i for i, c in enumerate(alphabet() + ["he", "ll", "hell", "hello", "Ġhello", "Ġw", "ĠĠ", "ä¸", "ä¸Ń", "in"])}
    merges = ["h e", "l l", "he ll", "hell o", "Ġ hello", "Ġ w", "Ġ Ġ", "ä ¸", "ä¸ Ń", "i n"]
    return dict(bpe(), vocab=vocab, merges=merges, **kw)


def tok(model=None, normalizer=None, pre=None, post=None, decoder=None, added=()):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": list(added), "normalizer": normalizer,
            "pre_tokenizer": pre, "post_processor": post, "decoder": decoder, "model": model or bpe(extra=["<unk>"], unk_token="<unk>")}


def seq(kind, *parts):
    return {"type": "Sequence", kind: list(parts)}


def configs():
    unk = lambda **kw: bpe(extra=["<unk>"], unk_token="<unk>", **kw)
    yield "plain", tok()
    for f in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase"):
        yield f, tok(normalizer={"type": f})
    for l, r in ((True, True), (True, False), (False, True)):
        yield "Strip %s %s" % (l, r), tok(normalizer={"type": "Strip", "strip_left": l, "strip_right": r})
    yield "Prepend", tok(normalizer={"type": "Prepend", "prepend": "▁"})
    yield "Replace string", tok(normalizer={"type": "Replace", "pattern": {"String": "l"}, "content": "LL"})
    yield "Replace by nothing", tok(normalizer={"type": "Replace", "pattern": {"String": "o"}, "content": ""})
    yield "Replace regex", tok(normalizer={"type": "Replace", "pattern": {"Regex": "[ \\t]{2,}|\\d+"}, "content": "▁"})
    yield "ByteLevel normalizer", tok(model=bytelevel_model(), normalizer={"type": "ByteLevel"}, decoder={"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True})
    yield "normalizers in sequence", tok(normalizer=seq("normalizers", {"type": "NFD"}, {"type": "Lowercase"}, seq("normalizers", {"type": "Replace", "pattern": {"Regex": "\\p{M}"}, "content": ""}), {"type": "Strip", "strip_left": True, "strip_right": True}))
    yield "NFKC after Replace", tok(normalizer=seq("normalizers", {"type": "Replace", "pattern": {"String": "e"}, "content": "e\u0301"}, {"type": "NFKC"}))
    for b in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        for inv in (False, True):
            yield "Split %s %s" % (b, inv), tok(pre={"type": "Split", "pattern": {"String": "-"}, "behavior": b, "invert": inv})
            yield "Split regex %s %s" % (b, inv), tok(pre={"type": "Split", "pattern": {"Regex": "\\s+|\\p{P}|l"}, "behavior": b, "invert": inv})
        yield "Punctuation " + b, tok(pre={"type": "Punctuation", "behavior": b})
    for d in (True, False):
        yield "Digits %s" % d, tok(pre={"type": "Digits", "individual_digits": d})
    for k in ("Whitespace", "WhitespaceSplit"):
        yield k, tok(pre={"type": k})
    yield "CharDelimiterSplit", tok(pre={"type": "CharDelimiterSplit", "delimiter": "l"})
    for scheme in ("always", "first", "never"):
        for split in (True, False):
            m = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": split}
            yield "Metaspace %s %s" % (scheme, split), tok(pre=m, decoder=m, added=[token("<s>"), token("</s>", normalized=True)])
    for prefix in (True, False):
        for regex in (True, False):
            for trim in (True, False):
                b = {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": regex}
                yield "ByteLevel %s %s %s" % (prefix, regex, trim), tok(model=bytelevel_model(ignore_merges=trim), pre=b, post=b, decoder=b, added=[token("<s>"), token(" <mask>", special=False), token("<tag>", lstrip=True, rstrip=True)])
    b = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
    yield "ByteLevel before Split", tok(model=bytelevel_model(), pre=seq("pretokenizers", b, {"type": "Split", "pattern": {"String": "Ġ"}, "behavior": "MergedWithNext", "invert": False}), decoder=b)
    yield "ByteLevel without some bytes", tok(model=dict(bytelevel_model(), vocab={k: v for k, v in bytelevel_model()["vocab"].items() if k not in "xz"}), pre=b, decoder=b)
    yield "pre-tokenizers in sequence", tok(model=bytelevel_model(), pre=seq("pretokenizers", {"type": "Digits", "individual_digits": True}, {"type": "Punctuation", "behavior": "Contiguous"}, dict(b, use_regex=True)), decoder=b)
    yield "no unknown token", tok(model=bpe(drop="ow"))
    yield "unknown", tok(model=unk(drop="ow3"))
    yield "unknown, fused", tok(model=unk(drop="ow3", fuse_unk=True))
    yield "byte fallback", tok(model=bpe(extra=BYTES, drop="ow中", unk_token="<unk>", byte_fallback=True, fuse_unk=True))
    yield "byte fallback, some bytes", tok(model=bpe(extra=[x for x in BYTES if x != "<0xF0>"], drop="ow中", unk_token="<unk>", byte_fallback=True))
    yield "ignore_merges", tok(model=unk(ignore_merges=True), pre={"type": "WhitespaceSplit"})
    yield "merges as strings", tok(model=unk(merges=[]) | {"merges": [" ".join(m) for m in MERGES]})
    yield "later merge of the same pair", tok(model=unk(merges=[("a", "b"), ("b", "c"), ("a", "bc"), ("a", "a"), ("a", "b")]))
    suffix = {c + "</w>": 0 for c in LETTERS} | {"hello</w>": 0, "lo</w>": 0}
    yield "end_of_word_suffix", tok(model=bpe(extra=["<unk>"] + list(suffix), unk_token="<unk>", end_of_word_suffix="</w>", merges=[("h", "e"), ("l", "l"), ("he", "ll"), ("hell", "o</w>")]), pre={"type": "Whitespace"})
    prefix = ["##" + c for c in LETTERS] + ["##ll", "hell"]
    yield "continuing_subword_prefix", tok(model=bpe(extra=["<unk>"] + prefix, unk_token="<unk>", continuing_subword_prefix="##", merges=[("h", "##e"), ("##l", "##l"), ("he", "##ll")]), pre={"type": "Whitespace"})
    many = [token("<s>"), token("</s>"), token("<pad>", special=False), token("the", special=False, normalized=True)]
    yield "added tokens", tok(added=many)
    for flag in ("single_word", "lstrip", "rstrip"):
        yield "added " + flag, tok(added=[token("<mask>", **{flag: True}), token("<tag>", special=False, **{flag: True}), token("the", normalized=True, special=False, **{flag: True})])
    yield "added lstrip and rstrip", tok(added=[token("<mask>", lstrip=True, rstrip=True), token("<tag>", rstrip=True), token(" y", special=False)])
    yield "added longest", tok(added=[token(t, special=False) for t in ("<", "<ma", "<mask>", "<tag", "  ", "   ", "h", "hello w")])
    yield "added, normalized", tok(normalizer=seq("normalizers", {"type": "NFC"}, {"type": "Lowercase"}), added=[token("MIXED", special=False, normalized=True), token("É", normalized=True), token("Hello", normalized=False)])
    yield "added in the vocabulary", tok(added=[token("hello"), token("ing", special=False), token("new1"), token("new2")])
    yield "added twice", tok(added=[token("<mask>", special=False), token("<mask>", lstrip=True), token("<tag>", rstrip=True), token("<tag>", special=False)])
    spm = dict(model=bpe(extra=BYTES, drop="中", unk_token="<unk>", byte_fallback=True, fuse_unk=True),
               normalizer=seq("normalizers", {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}),
               decoder=seq("decoders", {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}))
    template = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"SpecialToken": {"id": "two", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}],
                "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}, "two": {"id": "two", "ids": [5, 6], "tokens": ["<", ">"]}, "</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}}
    yield "SentencePiece-style", tok(added=[token("<unk>"), token("<s>"), token("</s>")], post=template, **spm)
    yield "decoders", tok(decoder=seq("decoders", {"type": "Replace", "pattern": {"Regex": "[aeiou]+"}, "content": "_"}, {"type": "Fuse"}, {"type": "Strip", "content": "h", "start": 2, "stop": 0}))
    yield "template after ByteLevel", tok(model=bytelevel_model(), pre=dict(b, use_regex=True), post=seq("processors", dict(b, trim_offsets=True), template), decoder=b)
    yield "ByteLevel after template", tok(model=bytelevel_model(), pre=dict(b, use_regex=True), post=seq("processors", template, dict(b, trim_offsets=True, add_prefix_space=True)), decoder=b)
    yield "Roberta", tok(model=bytelevel_model(), pre=dict(b, use_regex=True), decoder=b, added=[token("<s>"), token("</s>")], post={"type": "RobertaProcessing", "sep": ["</s>", 5], "cls": ["<s>", 6], "trim_offsets": True, "add_prefix_space": True})
    yield "Bert", tok(post={"type": "BertProcessing", "sep": ["[SEP]", 5], "cls": ["[CLS]", 6]}, added=[token("[CLS]"), token("[SEP]")])


def main():
    out = sys.stdout
    for name, config in configs():
        try:
            t = Tokenizer.from_str(json.dumps(config))
        except BaseException as e:
            sys.exit("%s: %s" % (name, e))
        cases = []
        for text in TEXTS:
            at = [0]
            for ch in text:
                at.append(at[-1] + len(ch.encode()))
            e = t.encode(text, add_special_tokens=True)
            n = t.encode(text, add_special_tokens=False)
            cases.append({"text": text, "ids": e.ids, "offsets": [at[i] for o in e.offsets for i in o], "plain": len(n.ids),
                          "decoded": t.decode(e.ids, skip_special_tokens=False), "skipped": t.decode(e.ids)})
        out.write(json.dumps({"name": name, "tokenizer": config, "cases": cases}, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
