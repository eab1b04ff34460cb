#!/usr/bin/env python3
"""tests/golden/tok/{rows,classic,classic_cut}.tsv: the ids that TRL's DPOTrainer makes of preference rows, as digests.

usage: tok_rows.py DATA_DIR > rows.tsv
       tok_rows.py DATA_DIR TRL_DIR > classic.tsv (TRL_DIR: an unpacked wheel of TRL 0.28, which need not be installed)
       tok_rows.py DATA_DIR TRL_DIR 128 64 | grep tinyllama > classic_cut.tsv (limits of prompts and completions)

Datasets and what their columns mean are shapes.py's. Each goes through the trainer's own preparation (prompt, EOS, ids,
boundary) with transformers' tokenizer for each directory below DATA_DIR/tokenizers. A line: dataset, tokenizer, options of
tmpl, number of rows, SHA-256 over a JSON line a row: [prompt_ids, chosen_ids, rejected_ids]. Rows with an empty string
for an answer are left out: TRL trains on their EOS, tok refuses them.
"""
import ast
import hashlib
import importlib.util
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


def modern(rows, tok):
    args = SimpleNamespace(dataset_num_proc=None, max_length=None, truncation_mode="keep_start")
    data = datasets.Dataset.from_list(rows)
    out = DPOTrainer._prepare_dataset(SimpleNamespace(_tokenizer=tok), data, tok, args, "train")
    return [[r["prompt_ids"], r["chosen_ids"], r["rejected_ids"]] for r in out]


def classic(trl, *limits):
    """TRL's own functions, out of its files: tokenize_row of the trainer, and what it does to rows before."""
    spec = importlib.util.spec_from_file_location("classic_data_utils", f"{trl}/trl/data_utils.py")
    utils = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(utils)
    with open(f"{trl}/trl/trainer/dpo_trainer.py", encoding="utf-8") as f:
        tree = ast.parse(f.read())
    function = next(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == "tokenize_row")
    function.decorator_list = []
    names = {"PreTrainedTokenizerBase": object}
    exec(compile(ast.Module([function], []), trl, "exec"), names)

    def prepare(rows, tok):
        rows = [utils.maybe_extract_prompt(r) for r in rows]
        chat = utils.is_conversational(rows[0])
        rows = [utils.maybe_apply_chat_template(r, tok) for r in rows]
        out = [names["tokenize_row"](r, tok, *limits, add_special_tokens=False, is_chat=chat) for r in rows]
        return [[r["prompt_input_ids"], r["chosen_input_ids"], r["rejected_input_ids"]] for r in out]

    return prepare


def main():
    data = sys.argv[1]
    prepare = classic(sys.argv[2], *map(int, sys.argv[3:])) if len(sys.argv) > 2 else modern
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
            for line in out:
                digest.update(json.dumps(line, separators=(",", ":")).encode() + b"\n")
            print(dataset, name, options or "-", len(out), digest.hexdigest(), sep="\t", flush=True)


if __name__ == "__main__":
    main()
