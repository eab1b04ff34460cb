#!/usr/bin/env python3
"""Adapters of every kind that PEFT's LoraConfig makes, on the models of model.py, and what PEFT computes, in float64.

usage: adapters.py MODELS OUTPUT_DIR [CASE…]      (tests/golden/model tests/golden/adapters)

For each case a PEFT directory, and in it answers.safetensors as model.py has it, and config.json's "base". A dropout's
mask is sluice's (kernels/philox.h) with seed 11 and step 2.
"""
import json
import os
import sys

import numpy as np
import torch
import transformers as tf
from model import answers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file

ALL = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
CASES = {
    "dora": ("llama", dict(use_dora=True, target_modules=ALL, rank_pattern={"q_proj": 3}, alpha_pattern={"mlp.up_proj": 1})),
    "dora-head": ("llama3", dict(use_dora=True, use_rslora=True, target_modules=["q_proj", "down_proj", "lm_head"])),
    "dora-tied-head": ("llama", dict(use_dora=True, target_modules=["o_proj", "lm_head"])),
    "dora-bias": ("linear", dict(use_dora=True, bias="all", target_modules=["q_proj", "o_proj", "down_proj"])),
    "dora-dropout": ("linear", dict(use_dora=True, lora_dropout=0.3, bias="lora_only", target_modules=ALL + ["lm_head"])),
    "bias-all": ("linear", dict(bias="all", target_modules=["q_proj", "down_proj"])),
    "bias-lora": ("qwen2", dict(bias="lora_only", target_modules=["k_proj", "up_proj"])),
    "lora-bias": ("qwen2", dict(lora_bias=True, target_modules=["q_proj", "o_proj", "lm_head"])),
    "lora-bias-all": ("linear", dict(lora_bias=True, bias="all", target_modules=["q_proj", "gate_proj"])),
    "save": ("llama3", dict(target_modules=["q_proj"], modules_to_save=["norm", "lm_head", "embed_tokens"])),
    "save-mlp": ("linear", dict(target_modules=["v_proj"], modules_to_save=["layers.1.mlp"])),
    "save-tied-embed": ("llama", dict(target_modules=["q_proj"], modules_to_save=["embed_tokens"])),
    "save-tied-head": ("llama", dict(target_modules=["q_proj"], modules_to_save=["lm_head"])),
    "save-tied-both": ("llama", dict(target_modules=["q_proj"], modules_to_save=["lm_head", "embed_tokens"])),
    "save-tied-one": ("llama", dict(target_modules=["q_proj"], modules_to_save=["lm_head"], ensure_weight_tying=True)),
    "embed": ("llama3", dict(target_modules=["v_proj", "embed_tokens", "lm_head"])),
    "embed-tied": ("qwen2", dict(use_rslora=True, target_modules=["embed_tokens", "down_proj"])),
    "less": ("mistral", dict(target_modules=ALL, exclude_modules=["k_proj", "1.mlp.up_proj"], layers_to_transform=[1],
                             layers_pattern="layers", init_lora_weights="gaussian")),
    "regex": ("llama", dict(target_modules=r".*\.[01]\.(self_attn\.[qv]|mlp\.down)_proj", init_lora_weights=False)),
    "dora-embed": ("llama3", dict(use_dora=True, target_modules=["embed_tokens", "v_proj"])),
    "dora-embed-tied": ("qwen2", dict(use_dora=True, lora_dropout=0.2, target_modules=["embed_tokens", "up_proj"])),
}


def mix(x):
    x = (x + 0x9E3779B97F4A7C15) % 2**64
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    x = (x ^ x >> 27) * 0x94D049BB133111EB % 2**64
    return x ^ x >> 31


def philox(ctr, key):
    c, k = list(ctr), [key % 2**32, key >> 32]
    for _ in range(10):
        a, b = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(b >> 32) ^ c[1] ^ k[0], b % 2**32, (a >> 32) ^ c[3] ^ k[1], a % 2**32]
        k = [(k[0] + 0x9E3779B9) % 2**32, (k[1] + 0xBB67AE85) % 2**32]
    return c


class Mask(torch.nn.Module):
    """Dropout as sluice draws it; record: the number of the sequence."""
    record = 0

    def __init__(self, p, module):
        super().__init__()
        self.p, self.module = float(np.float32(p)), module

    def forward(self, x):
        if not self.training:
            return x
        key = mix(11 ^ mix(2))
        below = int(self.p * 2**32)
        mask = torch.zeros(x.shape[1:], dtype=x.dtype)
        for t in range(x.shape[1]):
            for k in range(x.shape[2]):
                word = philox((k // 4, t, Mask.record, self.module), key)[k % 4]
                mask[t, k] = 0 if word < below else float(np.float32(1) / (np.float32(1) - np.float32(self.p)))
        return x * mask


def put_masks(model, p):
    layers = model.config.num_hidden_layers
    for name, m in model.named_modules():
        if "default" not in getattr(m, "lora_dropout", {}) or name.endswith("embed_tokens"):
            continue
        parts = name.split(".")
        head = parts[-1] == "lm_head"
        m.lora_dropout["default"] = Mask(p, 7 * layers if head else 7 * int(parts[4]) + ALL.index(parts[-1]))


def numbered(model):
    """model.py calls the model once a sequence: counts them for Mask."""
    calls = iter(range(100))

    def call(**kw):
        Mask.record = next(calls)
        return model(**kw)

    call.named_parameters = model.named_parameters
    return call


def file_name(name):
    """PEFT's name in a file, of a parameter of the model."""
    name = name.replace(".modules_to_save", "")
    return name[:-7] if name.endswith("lora_magnitude_vector.weight") else name


def main():
    models, out_dir, *chosen = sys.argv[1:]
    for seed, (case, (family, options)) in enumerate(CASES.items()):
        if chosen and case not in chosen:
            continue
        g = torch.Generator().manual_seed(100 + seed)
        path = f"{out_dir}/{case}"

        def load():
            return tf.AutoModelForCausalLM.from_pretrained(f"{models}/{family}", dtype=torch.float64,
                                                           attn_implementation="eager")

        lora = get_peft_model(load(), LoraConfig(r=2, lora_alpha=5, task_type="CAUSAL_LM", **options),
                              autocast_adapter_dtype=False)
        lora.peft_config["default"].base_model_name_or_path = family
        for n, p in lora.named_parameters():
            if p.requires_grad:
                x = torch.randn(p.shape, generator=g, dtype=torch.float64)
                new = p.data * (1 + 0.2 * x) if "magnitude" in n else p.data + 0.3 * x if "lora_" not in n else 0.4 * x
                p.data.copy_(new.float().double())
        lora.save_pretrained(path)
        os.remove(f"{path}/README.md")
        model = PeftModel.from_pretrained(load(), path, is_trainable=True, autocast_adapter_dtype=False).double()
        ids = [torch.randint(0, model.config.vocab_size, (n,), generator=g) for n in (14, 9)]
        out = {f"ids.{i}": x.int() for i, x in enumerate(ids)}
        model.eval()
        with torch.no_grad():
            for i, x in enumerate(ids):
                out[f"logits.{i}"] = model(input_ids=x[None], use_cache=False).logits[0].float()
                again = lora.eval()(input_ids=x[None], use_cache=False).logits[0]
                if not torch.allclose(again.float(), out[f"logits.{i}"], atol=1e-5):
                    print(f"{case}: the saved adapter is not the one that was made")
        if options.get("lora_dropout"):
            put_masks(model, options["lora_dropout"])
        trained = {}
        model.train()
        answers(numbered(model), ids, "train.", trained)
        for name, t in trained.items():
            out[file_name(name) if "grad" in name else name] = t
        save_file({k: v.contiguous() for k, v in out.items()}, f"{path}/answers.safetensors")
        with open(f"{path}/adapter_config.json") as f:
            text = f.read()
        assert json.loads(text)["base_model_name_or_path"] == family
        for root, _, files in os.walk(path):
            for f in files:
                os.chmod(os.path.join(root, f), 0o644)


if __name__ == "__main__":
    main()
