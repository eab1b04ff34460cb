#!/usr/bin/env python3
"""tests/golden/tmpl/shapes.tsv: what TRL makes of datasets of every shape, as digests.

usage: shapes.py DATA_DIR > shapes.tsv

Each dataset (below DATA_DIR/datasets) is brought into TRL's own shape by a line of Python that says what its columns
mean, then goes through TRL's maybe_extract_prompt and maybe_apply_chat_template. A line: dataset, template (below
DATA_DIR/templates), options of tmpl, number of records, SHA-256 over a JSON line a record:
[prompt, chosen, rejected, completion, text, label]. BOS is <s>, EOS </s>.
"""
import gzip
import hashlib
import json
import re
import sys

import pyarrow.parquet as pq
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast
from trl.data_utils import maybe_apply_chat_template, maybe_extract_prompt

TEMPLATES = ["llama.cpp/meta-llama-Llama-3.2-3B-Instruct.jinja", "llama.cpp/Qwen-Qwen2.5-7B-Instruct.jinja"]
ROLES = {"human": "user", "gpt": "assistant"}


def rows(path):
    if path.endswith(".parquet"):
        return pq.read_table(path).to_pylist()
    text = (gzip.open if path.endswith(".gz") else open)(path, "rt", encoding="utf-8").read()
    return json.loads(text) if text.startswith("[") else [json.loads(line) for line in text.splitlines()]


def user(text):
    return {"role": "user", "content": text}


def bot(text):
    return {"role": "assistant", "content": text}


def sharegpt(m):
    return {"role": ROLES.get(m["from"], m["from"]), "content": m["value"]}


def version1(m):
    return {"role": m["role"], "content": "".join(p["value"] for p in m["content"])}


def transcript(text):
    parts = re.split(r"\n\n(Human|Assistant): ?", text)[1:]
    return [(user if who == "Human" else bot)(words) for who, words in zip(parts[::2], parts[1::2])]


def alpaca(r):
    return {"prompt": [user("\n".join(x for x in (r["instruction"], r["input"]) if x))], "completion": [bot(r["output"])]}


def ranked(r):
    best = sorted(r["completions"], key=lambda c: -c["overall_score"])
    return {"prompt": [user(r["instruction"])], "chosen": [bot(best[0]["response"])], "rejected": [bot(best[-1]["response"])]}


def all_pairs(r):
    best = sorted(r["completions"], key=lambda c: -c["overall_score"])
    return [{"prompt": [user(r["instruction"])], "chosen": [bot(a["response"])], "rejected": [bot(b["response"])]}
            for i, a in enumerate(best) for b in best[i + 1:] if a["overall_score"] > b["overall_score"]]


def pair(r):
    return {"chosen": r["chosen"], "rejected": r["rejected"]}


def strings(r):
    return {"prompt": [user(r["prompt"])], "chosen": [bot(r["chosen"])], "rejected": [bot(r["rejected"])]}


def unpaired(r):
    return [{"prompt": [user(r["prompt"])], "completion": [bot(r[k])], "label": k == "chosen"} for k in ("chosen", "rejected")]


CASES = [
    ("fastchat_dummy_conversation.json", "", lambda r: {"messages": [sharegpt(m) for m in r["conversations"]]}),
    ("llamafactory_alpaca_en_demo.json", "", alpaca),
    ("llamafactory_dpo_en_demo.json", "", lambda r: {
        "prompt": [sharegpt(m) for m in r["conversations"]], "chosen": [sharegpt(r["chosen"])], "rejected": [sharegpt(r["rejected"])]}),
    ("llamafactory_kto_en_demo.json", "", lambda r: {
        "prompt": r["messages"][:-1], "completion": r["messages"][-1:], "label": r["label"]}),
    ("llamafactory_v1_dpo_demo.jsonl", "", lambda r: {
        "chosen": [version1(m) for m in r["chosen_messages"]], "rejected": [version1(m) for m in r["rejected_messages"]]}),
    ("llamafactory_v1_sft_demo.jsonl", "", lambda r: {"messages": [version1(m) for m in r["messages"]]}),
    ("mt_bench_question.jsonl", "", lambda r: {"prompt": [user(r["turns"][0])]}),
    ("ultrafeedback_train_clean.jsonl", "--as-messages", strings),
    ("ultrafeedback_train_clean.jsonl", "--as-messages --type unpaired", unpaired),
    ("ultrafeedback_train_clean.jsonl", "", lambda r: {k: r[k] for k in ("prompt", "chosen", "rejected")}),
    ("ultrafeedback_train_clean.jsonl", "--as-messages --type prompt", lambda r: {"prompt": [user(r["prompt"])]}),
    ("shapes/alpaca.jsonl", "", alpaca),
    ("shapes/hh_rlhf.jsonl.gz", "", lambda r: {k: transcript(r[k]) for k in ("chosen", "rejected")}),
    ("shapes/implicit_prompt.jsonl", "", pair),
    ("shapes/implicit_prompt.jsonl", "--type messages", lambda r: {"messages": r["chosen"]}),
    ("shapes/ranked.jsonl", "", ranked),
    ("shapes/ranked.jsonl", "--pairs all", all_pairs),
    ("shapes/sharegpt_dpo.jsonl", "", lambda r: {
        "prompt": [sharegpt(m) for m in r["conversations"]], "chosen": [sharegpt(r["chosen"])], "rejected": [sharegpt(r["rejected"])]}),
    ("shapes/unpaired.jsonl", "", lambda r: r),
    ("shapes/orpo_dpo_mix.parquet", "", pair),
    ("shapes/ultrafeedback_binarized.parquet", "", pair),
    ("ms_marco_v2.1_validation_10.parquet", "", lambda r: {"prompt": [user(r["query"])]}),
]


def main():
    data = sys.argv[1]
    for name in TEMPLATES:
        with open(f"{data}/templates/{name}", encoding="utf-8", newline="") as f:
            tok = PreTrainedTokenizerFast(tokenizer_object=Tokenizer(models.BPE()), chat_template=f.read(), bos_token="<s>", eos_token="</s>")
        for dataset, options, shape in CASES:
            digest, n = hashlib.sha256(), 0
            for row in rows(f"{data}/datasets/{dataset}"):
                made = shape(row)
                for r in made if isinstance(made, list) else [made]:
                    out = maybe_apply_chat_template(maybe_extract_prompt(r), tok, date_string="24 Nov 2026")
                    line = [out.get(k) for k in ("prompt", "chosen", "rejected", "completion", "text", "label")]
                    text = json.dumps(line, ensure_ascii=False, separators=(",", ":")).replace("\x7f", "\\u007f")
                    digest.update(text.encode() + b"\n")
                    n += 1
            print(dataset, name, options or "-", n, digest.hexdigest(), sep="\t")


if __name__ == "__main__":
    main()
