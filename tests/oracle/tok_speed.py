"""How fast a peer makes ids of texts, for tests/bench/tok.sh: tokenizers, tiktoken (built from the same files), gigatoken.

usage: tok_speed.py tokenizers|tiktoken|gigatoken TOKENIZER_DIR FILE   a line: its name, seconds to load, MB/s of the first pass
           (of the process: peers keep what they saw) and of the best of the later ones by CPU time, how many ids, their
           CRC-32 as 32-bit numbers
       tok_speed.py PEER TOKENIZER_DIR --to OUTPUT FILE   the file's ids are written, nothing is measured: a whole process
       tok_speed.py PEER TOKENIZER_DIR                    loads, and prints the seconds

Files are cut at line ends into documents of a thousand characters, as tests/bench/bench_tokenizer.c cuts them. One thread."""
import os
import sys
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"


def documents(path):
    docs, now, size = [], [], 0
    with open(path, encoding="utf-8", newline="\n") as f:
        for line in f:
            now.append(line)
            size += len(line)
            if size >= 1000:
                docs.append("".join(now))
                now, size = [], 0
    return docs + ["".join(now)] * bool(now)


def load_tokenizers(directory):
    from tokenizers import Tokenizer
    tok = Tokenizer.from_file(directory + "/tokenizer.json")
    tok.no_truncation()
    tok.no_padding()
    return lambda docs: [tok.encode(d, add_special_tokens=False).ids for d in docs]


def load_tiktoken(directory):
    import json
    import tiktoken
    with open(directory + "/tokenizer.json", encoding="utf-8") as f:
        spec = json.load(f)
    keep = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table = {chr(b): b for b in keep}
    table.update({chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in keep)})
    ranks = {bytes(table[c] for c in t): i for t, i in spec["model"]["vocab"].items()}
    pattern = [p["pattern"]["Regex"] for p in spec["pre_tokenizer"]["pretokenizers"] if p["type"] == "Split"][0]
    enc = tiktoken.Encoding("local", pat_str=pattern, mergeable_ranks=ranks,
                            special_tokens={t["content"]: t["id"] for t in spec["added_tokens"]})
    return lambda docs: [enc.encode_ordinary(d) for d in docs]


def load_gigatoken(directory):
    import gigatoken
    tok = gigatoken.Tokenizer(directory + "/tokenizer.json")
    return tok.encode_batch  # a list of its arrays would take ten times as long as they


def digest(ids):
    import zlib
    from array import array
    crc, n = 0, 0
    for one in ids:
        a = array("I", (int(i) for i in one))
        crc, n = zlib.crc32(a.tobytes(), crc), n + len(a)
    return n, crc


def main():
    peer, directory, rest = sys.argv[1], sys.argv[2], sys.argv[3:]
    start = time.perf_counter()
    encode = {"tokenizers": load_tokenizers, "tiktoken": load_tiktoken, "gigatoken": load_gigatoken}[peer](directory)
    load = time.perf_counter() - start
    if rest[:1] == ["--to"]:
        from array import array
        with open(rest[1], "wb") as f:
            for one in encode(documents(rest[2])):
                array("I", one).tofile(f)
        return
    if not rest:
        print("%.4f" % load)
    for path in rest[:1]:
        docs = documents(path)
        mb = sum(len(d.encode()) for d in docs) / 1e6
        start = time.process_time()
        ids = encode(docs)
        first, best = time.process_time() - start, 1e9
        for _ in range(3):
            start = time.process_time()
            encode(docs)
            best = min(best, time.process_time() - start)
        print("%s\t%.3f\t%.2f\t%.2f\t%d\t%08x" % (os.path.basename(path), load, mb / first, mb / best, *digest(ids)))


main()
