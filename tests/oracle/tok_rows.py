#!/usr/bin/env python3
"""tests/golden/tok/rows.tsv: the ids that TRL's DPOTrainer makes of preference rows, as digests.

usage: tok_rows.py DATA_DIR > rows.tsv

Datasets and what their columns mean are shapes.py's. Each goes through the trainer's own preparation (prompt, EOS, ids,
boundary) with transformers' tokenizer for each directory below DATA_DIR/tokenizers. A line: dataset, tokenizer, options of
tmpl, number of rows, SHA-256 over a JSON line a row: [prompt_ids, chosen_ids, rejected_ids]. Rows with an empty string
for an answer are left out: TRL trains on their EOS, tok refuses them.
"""
import hashlib
import json
import sys
from types import SimpleNamespace

import datasets
from accelerate import PartialState
from transformers import AutoTokenizer
from trl import DPOTrainer

import shapes

TOKENIZERS = ["llama-3.2", "qwen2.5", "phi-3-mini", "tinyllama"]
PLAIN = ["gpt2-hf", "smollm2"]  # they have no chat template: rows of strings only


def prepare(rows, tok):
    args = SimpleNamespace(dataset_num_proc=None, max_length=None, truncation_mode="keep_start")
    data = datasets.Dataset.from_list(rows)
    return DPOTrainer._prepare_dataset(SimpleNamespace(_tokenizer=tok), data, tok, args, "train")


def main():
    data = sys.argv[1]
    PartialState()
    datasets.disable_progress_bars()
    for name in TOKENIZERS + PLAIN:
        tok = AutoTokenizer.from_pretrained(f"{data}/tokenizers/{name}")
        for dataset, options, shape in shapes.CASES:
            rows = []
            for row in shapes.rows(f"{data}/datasets/{dataset}"):
                made = shape(row)
                rows += made if isinstance(made, list) else [made]
            strings = isinstance(rows[0].get("chosen"), str)
            if "chosen" not in rows[0] or (name in PLAIN and not strings):
                continue
            rows = [r for r in rows if r["chosen"] and r["rejected"]]
            rows = [{k: r[k] for k in ("prompt", "chosen", "rejected") if k in r} for r in rows]
            if not strings:
                kwargs = {"date_string": "24 Nov 2026"}
                rows = [r | {"chat_template_kwargs": kwargs} for r in rows]
            try:
                out = prepare(rows, tok)
            except Exception as e:
                print(dataset, name, options, type(e).__name__, e, file=sys.stderr)
                continue
            digest = hashlib.sha256()
            for r in out:
                line = [r["prompt_ids"], r["chosen_ids"], r["rejected_ids"]]
                digest.update(json.dumps(line, separators=(",", ":")).encode() + b"\n")
            print(dataset, name, options or "-", len(out), digest.hexdigest(), sep="\t", flush=True)


if __name__ == "__main__":
    main()
