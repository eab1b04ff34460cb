#!/usr/bin/env python3
"""PEFT's merges of the adapters in tests/golden/model, and of two more that are made here.

usage: merge.py tests/golden/model OUTPUT_DIR      (tests/golden/merge)

  FAMILY.safetensors      merge_and_unload in the base's own type
  llama3-bf16.safetensors the same, then .to(bfloat16)
  patterns/               an adapter for llama3 with rank and alpha patterns, rsLoRA and a regular expression
  patterns.safetensors    its merge
  head/                   an adapter for the tied llama that targets lm_head
  head.safetensors        the model untied: PEFT would change the embedding too, so this is its formula, by hand
  adapter_config.json     what LoraConfig writes for r 4, alpha 8.5, dropout 0.05, rsLoRA, q_proj
"""
import os
import sys

import torch
import transformers as tf
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

MODELS, OUT = sys.argv[1], sys.argv[2]
FAMILIES = ("llama", "llama3", "linear", "mistral", "qwen2")


def load(family):
    return tf.AutoModelForCausalLM.from_pretrained(f"{MODELS}/{family}", dtype="auto")


def merged(family, adapter):
    return PeftModel.from_pretrained(load(family), adapter).merge_and_unload()


def weights(model):
    """The tensors that save_pretrained writes: a tied head is not one of them."""
    out = {k: v.clone().contiguous() for k, v in model.state_dict().items()}
    if model.config.tie_word_embeddings:
        out.pop("lm_head.weight", None)
    return out


def save(tensors, name):
    path = f"{OUT}/{name}.safetensors"
    save_file(tensors, path, metadata={"format": "pt"})
    os.chmod(path, 0o644)


def make_adapter(family, name, seed, **config):
    g = torch.Generator().manual_seed(seed)
    lora = get_peft_model(load(family), LoraConfig(task_type="CAUSAL_LM", **config))
    for n, p in lora.named_parameters():
        if "lora_" in n:
            p.data = 0.3 * torch.randn(p.shape, generator=g)
    lora.save_pretrained(f"{OUT}/{name}")
    os.remove(f"{OUT}/{name}/README.md")
    os.chmod(f"{OUT}/{name}/adapter_model.safetensors", 0o644)


def main():
    os.makedirs(OUT, exist_ok=True)
    for family in FAMILIES:
        save(weights(merged(family, f"{MODELS}/{family}/adapter")), family)
    save(weights(merged("llama3", f"{MODELS}/llama3/adapter").to(torch.bfloat16)), "llama3-bf16")

    make_adapter("llama3", "patterns", 1, r=3, lora_alpha=5, use_rslora=True,
                 target_modules=r"model\.layers\.\d\.(self_attn\.(q|o)_proj|mlp\.down_proj)",
                 rank_pattern={"q_proj": 1, r"layers\.1\.mlp\.down_proj": 6}, alpha_pattern={"o_proj": 11, r".*1\.mlp.*": 2})
    save(weights(merged("llama3", f"{OUT}/patterns")), "patterns")

    make_adapter("llama", "head", 2, r=4, lora_alpha=6, target_modules=["lm_head", "k_proj"])
    w, a = weights(load("llama")), load_file(f"{OUT}/head/adapter_model.safetensors")
    w["lm_head.weight"] = w["model.embed_tokens.weight"].clone()
    for name, lora_a in a.items():
        if name.endswith(".lora_A.weight"):
            module = name.removeprefix("base_model.model.").removesuffix(".lora_A.weight")
            w[f"{module}.weight"] += (a[name.replace("lora_A", "lora_B")] @ lora_a) * (6 / 4)
    save(w, "head")

    LoraConfig(task_type="CAUSAL_LM", r=4, lora_alpha=8.5, lora_dropout=0.05, use_rslora=True, target_modules=["q_proj"],
               base_model_name_or_path="a/b", inference_mode=True).save_pretrained(OUT)


if __name__ == "__main__":
    main()
