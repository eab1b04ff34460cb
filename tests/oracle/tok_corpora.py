"""Prints tests/golden/tok/corpora.tsv: for each tokenizer directory and file of text under DATA, how many ids the
tokenizers library makes of it and CRC-32s of ids and of offsets in bytes (u32, little-endian).

A file is encoded in pieces of at least 16384 bytes that end at a character, without special tokens; bytes that are not
UTF-8 leave the file out. usage: tok_corpora.py DATA"""
import glob
import os
import struct
import sys
import zlib

import transformers
from tokenizers import Tokenizer

TOKENIZERS = ["llama-3.2", "qwen2.5", "smollm2", "tinyllama", "phi-3-mini", "gpt2-hf", "gpt-neox-20b", "t5-small-unigram", "bert-base-uncased", "blenderbot"]
PIECE = 16384


def pieces(raw):
    at = 0
    while at < len(raw):
        to = min(at + PIECE, len(raw))
        while to < len(raw) and raw[to] & 0xC0 == 0x80:
            to += 1
        yield raw[at:to].decode()
        at = to


def main():
    data = sys.argv[1]
    files = [f for f in sorted(glob.glob(os.path.join(data, "corpora", "**", "*"), recursive=True)) if os.path.isfile(f)]
    for name in TOKENIZERS:
        path = os.path.join(data, "tokenizers", name)
        if name == "blenderbot":  # vocab.json and merges.txt: transformers makes the rest
            tok = transformers.BlenderbotTokenizer.from_pretrained(path).backend_tokenizer
        else:
            tok = Tokenizer.from_file(os.path.join(path, "tokenizer.json"))
        tok.no_truncation()
        tok.no_padding()
        for path in files:
            if "JSONTestSuite" in path:
                continue
            with open(path, "rb") as f:
                raw = f.read()
            try:
                raw.decode()
            except UnicodeDecodeError:
                continue
            n = ids = offsets = 0
            for text in pieces(raw):
                e = tok.encode(text, add_special_tokens=False)
                at = [0]
                for ch in text:
                    at.append(at[-1] + len(ch.encode()))
                n += len(e.ids)
                ids = zlib.crc32(struct.pack("<%dI" % len(e.ids), *e.ids), ids)
                flat = [at[i] for o in e.offsets for i in o]
                offsets = zlib.crc32(struct.pack("<%dI" % len(flat), *flat), offsets)
            print("%s\t%s\t%d\t%08x\t%08x" % (name, os.path.relpath(path, os.path.join(data, "corpora")), n, ids, offsets), flush=True)


if __name__ == "__main__":
    main()
