#!/usr/bin/env python3
"""Small random models of each family, and what transformers and PEFT compute with them, in float64.

usage: model.py OUTPUT_DIR      (tests/golden/model)

For each family a model directory, an adapter directory in it, and answers.safetensors:
  ids.I [T] i32                     token ids
  logits.I, adapter.logits.I [T, V] f32
  grad.NAME, adapter.grad.NAME f32  gradients of sum over all next-token log-probs l of (0.3 + sin(1.7 l)) logp_l
"""
import json
import math
import os
import sys

import torch
import transformers as tf
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file

SHAPE = dict(vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, head_dim=6, max_position_embeddings=64, bos_token_id=1, eos_token_id=2)


def rope(theta, **kw):
    return {"rope_parameters": {"rope_type": "default", "rope_theta": theta, **kw}}


FAMILIES = {
    "llama": dict(config=tf.LlamaConfig(**SHAPE, tie_word_embeddings=True, rms_norm_eps=1e-5, **rope(100.0))),
    "llama3": dict(shards=2, config=tf.LlamaConfig(
        **SHAPE, tie_word_embeddings=False, rms_norm_eps=1e-5,
        **rope(500.0, rope_type="llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
               original_max_position_embeddings=16))),
    "linear": dict(old=True, config=tf.LlamaConfig(
        **SHAPE, tie_word_embeddings=False, attention_bias=True, mlp_bias=True,
        **rope(50.0, rope_type="linear", factor=4.0))),
    "mistral": dict(dtype=torch.float16, config=tf.MistralConfig(
        **SHAPE, tie_word_embeddings=False, sliding_window=None, **rope(1000.0))),
    "qwen2": dict(old=True, dtype=torch.bfloat16, config=tf.Qwen2Config(
        **{k: v for k, v in SHAPE.items() if k != "head_dim"}, tie_word_embeddings=True, use_sliding_window=False,
        **rope(10000.0))),
}


def randomise(model, g):
    for name, p in model.named_parameters():
        x = torch.randn(p.shape, generator=g)
        p.data.copy_(x * 1.5 / p.shape[1] ** 0.5 if p.dim() == 2 else 1 + 0.2 * x if "norm" in name else 0.3 * x)


def shard(path, n):
    tensors = load_file(f"{path}/model.safetensors")
    names = sorted(tensors)
    where = {}
    for i in range(n):
        file = f"model-{i + 1:05d}-of-{n:05d}.safetensors"
        part = {k: tensors[k] for k in names[i::n]}
        save_file(part, f"{path}/{file}", metadata={"format": "pt"})
        where |= {k: file for k in part}
    with open(f"{path}/model.safetensors.index.json", "w") as f:
        json.dump({"metadata": {"total_size": sum(t.nbytes for t in tensors.values())}, "weight_map": where}, f)
    os.remove(f"{path}/model.safetensors")


def old_config(path):
    """config.json as transformers 4 wrote it."""
    with open(path) as f:
        c = json.load(f)
    c["torch_dtype"] = c.pop("dtype")
    r = c.pop("rope_parameters")
    c["rope_theta"] = r.pop("rope_theta")
    kind = r.pop("rope_type")
    c["rope_scaling"] = None if kind == "default" else {"type": kind, **r}
    with open(path, "w") as f:
        json.dump(c, f, indent=2)


def answers(model, ids, prefix, out):
    label = 0
    total = 0
    for i, x in enumerate(ids):
        logits = model(input_ids=x[None], use_cache=False).logits[0]
        logp = logits.log_softmax(-1)[:-1].gather(1, x[1:, None])[:, 0]
        coef = torch.tensor([0.3 + math.sin(1.7 * (label + j)) for j in range(len(logp))], dtype=torch.float64)
        total = total + (coef * logp).sum()
        label += len(logp)
        out[f"{prefix}logits.{i}"] = logits.detach().float()
    total.backward()
    for name, p in model.named_parameters():
        if p.grad is not None:
            out[f"{prefix}grad.{name.replace('.default', '')}"] = p.grad.float()


def main():
    for seed, (name, what) in enumerate(FAMILIES.items()):
        path = f"{sys.argv[1]}/{name}"
        g = torch.Generator().manual_seed(seed)
        c = what["config"]
        model = tf.AutoModelForCausalLM.from_config(c, dtype=what.get("dtype", torch.float32), attn_implementation="eager")
        randomise(model, g)
        model.save_pretrained(path)
        if what.get("old"):
            old_config(f"{path}/config.json")
        if what.get("shards"):
            shard(path, what["shards"])

        def load():
            return tf.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float64, attn_implementation="eager")

        ids = [torch.randint(0, c.vocab_size, (n,), generator=g) for n in (14, 9)]
        out = {f"ids.{i}": x.int() for i, x in enumerate(ids)}
        answers(load(), ids, "", out)
        targets = "all-linear" if seed % 2 == 0 else ["q_proj", "v_proj", "down_proj"]
        lora = get_peft_model(load(), LoraConfig(r=2, lora_alpha=5, target_modules=targets, use_rslora=seed == 2,
                                                 task_type="CAUSAL_LM"), autocast_adapter_dtype=False)
        for n, p in lora.named_parameters():
            if "lora_" in n:
                p.data = (0.4 * torch.randn(p.shape, generator=g)).float()
        lora.save_pretrained(f"{path}/adapter")
        os.remove(f"{path}/adapter/README.md")
        answers(PeftModel.from_pretrained(load(), f"{path}/adapter", is_trainable=True,
                                          autocast_adapter_dtype=False).double(), ids, "adapter.", out)
        save_file({k: v.contiguous() for k, v in out.items()}, f"{path}/answers.safetensors")
        for root, _, files in os.walk(path):
            for f in files:
                os.chmod(os.path.join(root, f), 0o644)


if __name__ == "__main__":
    main()
