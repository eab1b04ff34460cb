#!/usr/bin/env python3
"""Rotary frequencies of real configurations as transformers computes them, f32 bits as integers.

usage: rope.py > tests/golden/model/rope.json
"""
import json

import torch
from transformers import LlamaConfig
from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

LLAMA3 = dict(rope_type="llama3", factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0,
              original_max_position_embeddings=8192)
CASES = [
    dict(head_dim=64, rope_parameters={"rope_type": "default", "rope_theta": 10000.0}),
    dict(head_dim=128, rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}),
    dict(head_dim=64, rope_parameters={"rope_theta": 100000.0, "rope_type": "default"}),
    dict(head_dim=64, rope_parameters={"rope_theta": 500000.0, **LLAMA3}),
    dict(head_dim=128, rope_parameters={"rope_theta": 500000.0, **{**LLAMA3, "factor": 8.0}}),
    dict(head_dim=48, rope_parameters={"rope_theta": 10000.0, "rope_type": "linear", "factor": 4.0}),
]


def main():
    out = []
    for case in CASES:
        c = LlamaConfig(hidden_size=4 * case["head_dim"], num_attention_heads=4, **case)
        kind = case["rope_parameters"]["rope_type"]
        init = (LlamaRotaryEmbedding.compute_default_rope_parameters if kind == "default" else
                ROPE_INIT_FUNCTIONS[kind])
        freq, scale = init(c)
        out.append({"config": case, "inv_freq_bits": freq.float().view(torch.int32).tolist(), "scale": scale})
    print(json.dumps(out))


if __name__ == "__main__":
    main()
