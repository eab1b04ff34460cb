"""Prints tests/golden/tok/parts.jsonl: small tokenizer.json files, each for one part or a combination, with what the
tokenizers library makes of some texts: ids, offsets in bytes, decoded text with and without special tokens."""
import base64
import itertools
import json
import struct
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


# ---- models and parts of other families -------------------------------------------------------------------------------

def charsmap(pairs):
    """A Precompiled map in SentencePiece's form: darts-clone's double array, then the replacements."""
    text, values = b"", {}
    for old, new in pairs:
        values[old.encode()] = len(text)
        text += new.encode() + b"\0"
    root = {}
    for key, value in values.items():
        node = root
        for b in key:
            node = node.setdefault(b, {})
        node[-1] = value
    units, todo = {0: 0}, [(root, 0)]
    used = {0}
    while todo:
        node, at = todo.pop()
        labels = [0 if b == -1 else b for b in node]
        base = next(c for c in range(1, 1 << 20) if all(c ^ b not in used for b in labels))
        used.update(base ^ b for b in labels)
        units[at] = units.get(at, 0) | (at ^ base) << 10 | (1 << 8 if -1 in node else 0)
        for b, child in node.items():
            if b == -1:
                units[base] = 1 << 31 | child
            else:
                units[base ^ b] = b
                todo.append((child, base ^ b))
    n = (max(units) + 256) // 256 * 256
    return base64.b64encode(struct.pack("<I", 4 * n) + struct.pack("<%dI" % n, *(units.get(i, 0) for i in range(n))) + text).decode()


MAP = charsmap([("ﬁ", "fi"), ("１", "1"), ("²", "2"), ("½", "1/2"), ("\u0301", ""), ("e", "E"), ("é", "E\u0301x"), ("\r", " "), ("\t", ""), ("ab", "X"), ("中", "ab"), ("\U0001f468", "man"), ("\u00a0", " ")])


def scores(*tokens):
    """Unigram's list: longer tokens are likelier, by uneven steps."""
    return [[t, -round(3.7 / len(t) + 0.013 * i, 11)] for i, t in enumerate(tokens)]


def unigram(extra=(), drop="ow中", **kw):
    tokens = list(dict.fromkeys(["<unk>"] + list(extra) + [c for c in LETTERS if c not in drop] + WORDS))
    return dict({"type": "Unigram", "unk_id": 0, "byte_fallback": False, "vocab": scores(*tokens)}, **kw)


def wordpiece(**kw):
    tokens = ["[UNK]", "[CLS]", "[SEP]"] + LETTERS + WORDS + ["##" + c for c in LETTERS if c not in "q中"] + ["##" + w for w in WORDS] + ["##"]
    return dict({"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 12,
                 "vocab": {t: i for i, t in enumerate(dict.fromkeys(tokens))}}, **kw)


def bert(clean=True, chinese=True, accents=None, lower=True):
    return {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese, "strip_accents": accents, "lowercase": lower}


def more_configs():
    space = {"type": "WhitespaceSplit"}
    meta = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    yield "Unigram", tok(model=unigram(), pre=meta, decoder=meta)
    yield "Unigram of a whole text", tok(model=unigram(drop=""))
    yield "Unigram, byte_fallback", tok(model=unigram(extra=BYTES[1:], byte_fallback=True), pre=meta)
    yield "Unigram, byte_fallback of some bytes", tok(model=unigram(extra=[b for b in BYTES if b != "<0xE4>"], byte_fallback=True), pre=meta)
    yield "Unigram with equal scores", tok(model=dict(unigram(), vocab=[[t, -1.0] for t, _ in unigram()["vocab"]]))
    yield "Unigram with positive scores", tok(model=dict(unigram(), vocab=[[t, len(t) * 0.5] for t, _ in unigram()["vocab"]]))
    yield "Unigram whose unknown is a word", tok(model=unigram(unk_id=3), added=[token("<unk>")])
    yield "Unigram with a token twice", tok(model=dict(unigram(), vocab=unigram()["vocab"] + [["hello", -0.001], ["<unk>", -2.5]]))
    yield "Unigram without a type", tok(model={k: v for k, v in unigram().items() if k != "type"}, pre=meta)
    yield "WordPiece", tok(model=wordpiece(), normalizer=bert(), pre={"type": "BertPreTokenizer"}, decoder={"type": "WordPiece", "prefix": "##", "cleanup": True})
    yield "WordPiece, not cleaned up", tok(model=wordpiece(), pre=space, decoder={"type": "WordPiece", "prefix": "##", "cleanup": False})
    yield "WordPiece with another prefix", tok(model=wordpiece(continuing_subword_prefix="a", max_input_chars_per_word=100), pre=space, decoder={"type": "WordPiece", "prefix": "a", "cleanup": True})
    yield "WordPiece without a prefix", tok(model=wordpiece(continuing_subword_prefix=""), pre=space)
    yield "WordPiece without a type", tok(model={k: v for k, v in wordpiece().items() if k != "type"}, pre=space)
    level = {"type": "WordLevel", "unk_token": "[UNK]", "vocab": {t: i for i, t in enumerate(["[UNK]", "hello", "world", "the", "中", " ", "\n", "12"])}}
    yield "WordLevel", tok(model=level, pre=space)
    yield "WordLevel of a whole text", tok(model=level)
    yield "WordLevel without a type", tok(model={k: v for k, v in level.items() if k != "type"}, pre={"type": "Whitespace"})
    for n, kw in enumerate((dict(), dict(lower=False), dict(accents=True, lower=False), dict(accents=False), dict(clean=False), dict(chinese=False))):
        yield "BertNormalizer %d" % n, tok(normalizer=bert(**kw), pre={"type": "BertPreTokenizer"}, added=[token("the", special=False, normalized=True)])
    for n in ("Nmt", "StripAccents"):
        yield n, tok(normalizer={"type": n})
    yield "NFD and StripAccents", tok(normalizer=seq("normalizers", {"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}))
    yield "Precompiled", tok(normalizer={"type": "Precompiled", "precompiled_charsmap": MAP})
    yield "Precompiled in a sequence", tok(model=unigram(), normalizer=seq("normalizers", {"type": "Nmt"}, {"type": "Precompiled", "precompiled_charsmap": MAP}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}), pre=meta, decoder=meta)
    yield "UnicodeScripts", tok(pre={"type": "UnicodeScripts"})
    yield "UnicodeScripts after Whitespace", tok(pre=seq("pretokenizers", {"type": "UnicodeScripts"}, {"type": "WhitespaceSplit"}))
    for n in (1, 3):
        yield "FixedLength %d" % n, tok(pre={"type": "FixedLength", "length": n})
    yield "FixedLength as it is", tok(pre={"type": "FixedLength"})
    yield "BPEDecoder", tok(decoder={"type": "BPEDecoder", "suffix": "o"})
    yield "BPEDecoder without a suffix", tok(decoder={"type": "BPEDecoder", "suffix": ""})
    for c in (True, False):
        yield "CTC %s" % c, tok(decoder={"type": "CTC", "pad_token": "l", "word_delimiter_token": " ", "cleanup": c}, added=[token(" n't", special=False), token(" .", special=False), token(" do not", special=False)])
    yield "CTC and WordPiece", tok(decoder=seq("decoders", {"type": "CTC", "pad_token": "", "word_delimiter_token": "e", "cleanup": True}, {"type": "WordPiece", "prefix": "l", "cleanup": True}))
    yield "offsets trimmed, unknown tokens that are added ones", tok(post={"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, added=[token("<unk>", lstrip=True)])
    template = {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "</s>", "type_id": 0}}], "pair": [], "special_tokens": {"</s>": {"id": "</s>", "ids": [1], "tokens": ["</s>"]}}}
    twice = unigram(extra=["</s>"])
    yield "a special token twice in a vocabulary", tok(model=dict(twice, vocab=twice["vocab"] + [["</s>", 0.0]]), post=template, added=[token("</s>")])
    empty = lambda content: {"type": "Replace", "pattern": {"String": ""}, "content": content}
    yield "added, normalized and special, but the same", tok(normalizer={"type": "Lowercase"}, added=[token("<mask>", normalized=True), token("MIXED", normalized=True)])
    yield "added twice, normalized and not", tok(normalizer={"type": "Prepend", "prepend": "x"}, added=[token("<mask>", normalized=True), token("<mask>"), token("the"), token("the", normalized=True, special=False)])
    yield "added blanks that take blanks", tok(added=[token(" ", lstrip=True, rstrip=True), token("\n", rstrip=True, special=False)])
    yield "added to a vocabulary with holes", tok(model=dict(wordpiece(), vocab=dict(wordpiece()["vocab"], **{"far": 999, "farther": 1999})), added=[token("farther"), token("new1"), token("far"), token("new2")])
    yield "added, normalized, trimmed", tok(normalizer={"type": "Prepend", "prepend": "é"}, added=[token("  ", normalized=True), token("x<tag> ", normalized=True)], post={"type": "RobertaProcessing", "sep": ["</s>", 5], "cls": ["<s>", 6], "trim_offsets": True, "add_prefix_space": False})
    yield "Replace of nothing", tok(normalizer=empty("é"), decoder=empty("_"))
    yield "some characters dropped of pieces that come again", tok(model=bpe(drop="l中"), pre={"type": "FixedLength", "length": 2})
    before = dict(template, single=[{"SpecialToken": {"id": "</s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}])
    trim = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    yield "ByteLevel after template, a first blank that nobody put in", tok(pre={"type": "Split", "pattern": {"String": "[CLS]"}, "behavior": "Removed", "invert": False}, post=seq("processors", before, trim))
    yield "Split at nothing", tok(pre={"type": "Split", "pattern": {"String": ""}, "behavior": "Isolated", "invert": True})
    yield "Replace in front of what follows an added token", tok(normalizer={"type": "Replace", "pattern": {"Regex": "\\b"}, "content": "xx"}, added=[token("<mask>"), token("<tag>")])
    yield "Unigram's unknown blanks, trimmed", tok(model=unigram(drop=" \u0301"), post=dict(trim, add_prefix_space=False))
    deepseek = [r"\p{N}{1,3}", "[一-龥぀-ゟ゠-ヿ]+", r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""]
    splits = lambda patterns: [{"type": "Split", "pattern": {"Regex": p}, "behavior": "Isolated", "invert": False} for p in patterns]
    yield "DeepSeek's splits", tok(model=bytelevel_model(), pre=seq("pretokenizers", *splits(deepseek), {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}))
    yield "DeepSeek's splits with line ends as they are", tok(pre=seq("pretokenizers", {"type": "Punctuation"}, *splits([p.replace(r"\r\n", "\r\n") for p in deepseek])))
    yield "DeepSeek's splits in another order", tok(pre=seq("pretokenizers", *splits(deepseek[1:] + deepseek[:1])))
    blanks = charsmap([("\u0600", "x"), (" \u0308", "y"), ("e", "E"), ("\u00ad", ""), ("\r\n", " "), ("\u201c", '"')])
    yield "Precompiled, blanks in graphemes", tok(model=unigram(), normalizer={"type": "Precompiled", "precompiled_charsmap": blanks}, pre=seq("pretokenizers", space, meta), decoder=meta)


CHINESE = ["abc 123 中・文ー_the  1", "12345\r\n\r\n  the...\n\x01\x02a 中\u3097\u3098文 $the", "the 中  文\t1  中"]
OWN_TEXTS = {"DeepSeek's splits": CHINESE, "DeepSeek's splits with line ends as they are": CHINESE, "DeepSeek's splits in another order": CHINESE,
              "Precompiled, blanks in graphemes": ["the \u0308the a", "the\u0600 the a", "the \u0600 \u0308the", "\u00adhello the a", "the \u00adhello a", "the\r\n\u0308the", "\u201chello\u201c the"]}


def main():
    out = sys.stdout
    models = []  # a model that came before is the number of the line where it did
    for name, config in itertools.chain(configs(), more_configs()):
        try:
            t = Tokenizer.from_str(json.dumps(config))
        except BaseException as e:
            sys.exit("%s: %s" % (name, e))
        cases = []
        for text in OWN_TEXTS.get(name, TEXTS):
            at = [0]
            for ch in text:
                at.append(at[-1] + len(ch.encode()))
            e = t.encode(text, add_special_tokens=True)
            n = t.encode(text, add_special_tokens=False)
            case = {"text": text, "ids": e.ids, "offsets": [at[i] for o in e.offsets for i in o], "plain": len(n.ids),
                          "decoded": t.decode(e.ids, skip_special_tokens=False), "skipped": t.decode(e.ids)}
            if case["skipped"] == case["decoded"]:
                del case["skipped"]
            cases.append(case)
        models.append(config["model"])
        if models.index(config["model"]) < len(models) - 1:
            config["model"] = models.index(config["model"])
        out.write(json.dumps({"name": name, "tokenizer": config, "cases": cases}, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
