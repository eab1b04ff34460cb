#!/usr/bin/env python3
"""How far transformers in bf16 is from float64 on the models of tests/golden/model: the greatest difference of a logit,
over the largest logit, as {family: {"base": …, "adapter": …}}.

usage: bf16.py GOLDEN_DIR      (tests/golden/model; writes bf16.json there)
"""
import json
import sys

import torch
import transformers as tf
from peft import PeftModel
from safetensors.torch import load_file


def off(model, answers, prefix):
    worst = 0.0
    for i in range(2):
        want = answers[f"{prefix}logits.{i}"].double()
        with torch.no_grad():
            got = model(input_ids=answers[f"ids.{i}"][None].long(), use_cache=False).logits[0].double()
        worst = max(worst, ((got - want).abs().max() / want.abs().max()).item())
    return worst


out = {}
for family in ("llama", "llama3", "linear", "mistral", "qwen2"):
    path = f"{sys.argv[1]}/{family}"
    answers = load_file(f"{path}/answers.safetensors")
    model = tf.AutoModelForCausalLM.from_pretrained(path, dtype=torch.bfloat16, attn_implementation="eager")
    base = off(model, answers, "")
    out[family] = {"base": base, "adapter": off(PeftModel.from_pretrained(model, f"{path}/adapter"), answers, "adapter.")}
with open(f"{sys.argv[1]}/bf16.json", "w") as f:
    json.dump(out, f, indent=1)
    f.write("\n")
