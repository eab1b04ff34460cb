#!/usr/bin/env python3
"""What transformers' logits processors leave of a distribution, in generate()'s order.

usage: sample.py > tests/golden/gen/sample.json
"""
import json

import torch
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

SETTINGS = [
    dict(temperature=1.0, top_k=0, top_p=1.0),
    dict(temperature=0.7, top_k=0, top_p=1.0),
    dict(temperature=1.3, top_k=5, top_p=1.0),
    dict(temperature=0.9, top_k=0, top_p=0.8),
    dict(temperature=0.9, top_k=0, top_p=0.05),
    dict(temperature=1.5, top_k=7, top_p=0.6),
    dict(temperature=1.0, top_k=0, top_p=1.0, min_p=0.2),
    dict(temperature=0.8, top_k=9, top_p=0.9, min_p=0.1, repetition_penalty=1.3),
    dict(temperature=1.0, top_k=0, top_p=1.0, repetition_penalty=0.8),
    dict(temperature=1.0, top_k=1, top_p=1.0),
]


def main():
    V = 17
    model = LlamaForCausalLM(LlamaConfig(vocab_size=V, hidden_size=8, intermediate_size=8, num_hidden_layers=1,
                                         num_attention_heads=1, bos_token_id=None, eos_token_id=None))
    g = torch.Generator().manual_seed(0)
    out = []
    for setting in SETTINGS:
        logits = 2.5 * torch.randn(1, V, generator=g).double().float()
        ids = torch.randint(0, V, (1, 6), generator=g)
        c = GenerationConfig(do_sample=True, **setting)
        processors = model._get_logits_processor(c, input_ids_seq_length=6, device="cpu")
        p = processors(ids, logits.double()).softmax(-1)[0]
        out.append({**setting, "logits": logits[0].tolist(), "ids": ids[0].tolist(), "p": p.tolist()})
    print(json.dumps(out))


if __name__ == "__main__":
    main()
