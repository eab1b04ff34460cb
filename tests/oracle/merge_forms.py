#!/usr/bin/env python3
"""PEFT's merges of every form of adapter, into floats and into bitsandbytes' codes.

usage: merge_forms.py tests/golden OUTPUT_DIR      (tests/golden/merge/forms)

  NAME/        adapters, made here with random numbers
  digests.tsv  base, its type, quant's options ("-": floats), adapter, merge-lora's options, SHA-256 of the model.safetensors
               that merge_and_unload() and save_pretrained() write; of an adapter on one use of a tied embedding,
               where PEFT changes the other use too, that of its formula with both tensors written
"""
import hashlib
import os
import shutil
import sys
import tempfile

import torch
import transformers as tf
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

GOLDEN, OUT = sys.argv[1], sys.argv[2]
QV = ["q_proj", "v_proj", "down_proj"]
FORMS = {
    "dora": dict(use_dora=True, use_rslora=True, target_modules=QV),
    "bias": dict(bias="all", target_modules=QV),
    "bias-lora": dict(bias="lora_only", target_modules=QV),
    "lora-bias": dict(lora_bias=True, target_modules=["q_proj", "v_proj"]),
    "save": dict(modules_to_save=["lm_head", "norm", "embed_tokens"], target_modules=QV),
    "embed": dict(target_modules=["q_proj", "embed_tokens"]),
    "head": dict(target_modules=["q_proj", "lm_head"]),
}
QUANTS = {
    "-t nf4": dict(load_in_4bit=True, bnb_4bit_quant_type="nf4"),
    "-t nf4 --double-quant --codes table": dict(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True),
    "-t nf4 --quant-storage bfloat16": dict(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_quant_storage="bfloat16"),
    "-t fp4": dict(load_in_4bit=True, bnb_4bit_quant_type="fp4"),
    "-t int8": dict(load_in_8bit=True),
}


def load(path, dtype, **kw):
    model = tf.AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, dtype), device_map={"": "cpu"}, **kw)
    for m in model.modules():
        if hasattr(m, "support_avx512bf16_for_cpu"):  # a kernel that repacks weights with absmax in bf16
            m.support_avx512bf16_for_cpu = False
    return model


def make_adapter(base, name, seed, config):
    g = torch.Generator().manual_seed(seed)
    model = get_peft_model(load(base, "float32"), LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=6, **config))
    for n, p in model.named_parameters():
        if not p.requires_grad:
            continue
        noise = 0.1 * torch.randn(p.shape, generator=g)
        p.data = noise if "lora_" in n and "magnitude" not in n else p.data + noise
    model.save_pretrained(f"{OUT}/{name}")
    os.remove(f"{OUT}/{name}/README.md")
    os.chmod(f"{OUT}/{name}/adapter_model.safetensors", 0o644)


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def merged(model, adapter):
    with tempfile.TemporaryDirectory() as d:
        PeftModel.from_pretrained(model, adapter).merge_and_unload().save_pretrained(d, save_original_format=False)
        return digest(f"{d}/model.safetensors")


def untied(base, dtype, adapter):
    """One use of a tied embedding: a LoRA delta as PEFT adds it, of an embedding rounded first."""
    w, a = load(base, dtype).state_dict(), load_file(f"{adapter}/adapter_model.safetensors")
    w = {k: v.clone() for k, v in w.items()}
    w["lm_head.weight"] = w["model.embed_tokens.weight"].clone()
    for name, lora_a in a.items():
        module = name.removeprefix("base_model.model.").rsplit(".lora_", 1)[0]
        if name.endswith(".lora_A.weight"):
            w[f"{module}.weight"] += (a[name.replace("lora_A", "lora_B")] @ lora_a) * (6 / 4)
        elif name.endswith(".lora_embedding_A"):
            delta = (a[name[:-1] + "B"] @ lora_a).T * (6 / 4)
            w[f"{module}.weight"] += delta.to(w[f"{module}.weight"].dtype)
    with tempfile.TemporaryDirectory() as d:
        save_file({k: v.contiguous() for k, v in w.items()}, f"{d}/w", metadata={"format": "pt"})
        return digest(f"{d}/w")


def floats():
    for family in ("linear", "qwen2"):
        base = f"{GOLDEN}/model/{family}"
        for seed, (name, config) in enumerate(FORMS.items()):
            adapter = f"{family}-{name}"
            make_adapter(base, adapter, seed, config)
            for dtype in ("float32", "bfloat16", "float16"):
                tied = load(base, dtype).config.tie_word_embeddings and name in ("embed", "head")
                sha = untied(base, dtype, f"{OUT}/{adapter}") if tied else merged(load(base, dtype), f"{OUT}/{adapter}")
                yield f"model/{family}", dtype, "-", adapter, "-", sha


def codes():
    base = f"{GOLDEN}/quant/base"
    for name, config in ("lora", {}), ("dora", dict(use_dora=True)):
        make_adapter(base, name, 9, dict(target_modules=QV, **config))
    for dtype in ("bfloat16", "float32"):
        for options, config in QUANTS.items():
            with tempfile.TemporaryDirectory() as q:
                load(base, dtype, quantization_config=tf.BitsAndBytesConfig(**config)).save_pretrained(q)
                for name in "lora", "dora":
                    again = "--requantize" + (" --codes table" if "table" in options else "")
                    yield "quant/base", dtype, options, name, again, merged(load(q, dtype), f"{OUT}/{name}")
                    if "int8" not in options:  # where transformers rounds the base first
                        yield "quant/base", dtype, options, name, f"--dtype {dtype}", merged(load(q, dtype).dequantize(), f"{OUT}/{name}")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    rows = ["\t".join(row) for part in (floats, codes) for row in part()]
    with open(f"{OUT}/digests.tsv", "w") as f:
        f.write("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
