"""Six steps of transformers' optimizers (bitsandbytes' on the CPU, torch's, its own Adafactor) on parameters and gradients
that tests/unit/test_train_optim.c makes by the same rule. Usage: optim.py OUT_FILE

The file has OPTIMIZER/PARAMETER: every fifth value after the last step, and for 8-bit states OPTIMIZER/PARAMETER/STEP/STATE."""
import sys

import bitsandbytes as bnb
import numpy as np
import torch
from safetensors.torch import save_file
from transformers.optimization import Adafactor

STEPS = 6
SHAPES = [(300,), (64, 64), (4100,), (10, 7), (33, 130)]  # the first does not decay
LR, DECAY, BETAS, EPS = 1e-2, 0.1, (0.9, 0.999), 1e-8


def mix(x):
    """splitmix64"""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def values(param, step, n):
    """Step 0: the parameter, in [-1, 1). Then gradients: a power of two a block, some zeros, a block of zeros at first."""
    i = np.arange(n, dtype=np.uint64)
    h = mix(i + np.uint64(param << 40 | step << 32))
    x = (h >> np.uint64(40)).astype(np.float64) / 2**23 - 1
    if step:
        x = np.ldexp(x, -(mix(i >> np.uint64(8)) % np.uint64(12)).astype(np.int64))
        x[h % np.uint64(16) == 0] = 0
        if step < 3:
            x[256:512] = 0
    return torch.from_numpy(x.astype(np.float32))


def optimizer(name, groups):
    adam = dict(lr=LR, betas=BETAS, eps=EPS)
    if "adamw" in name:
        return bnb.optim.AdamW(groups, optim_bits=8 if "8bit" in name else 32, **adam)
    if "ademamix" in name:  # one without its schedules, one with them
        rising = dict(t_alpha=4, t_beta3=5) if "8bit" in name else {}
        return bnb.optim.AdEMAMix(groups, lr=LR, betas=BETAS + (0.9999,), eps=EPS, optim_bits=8 if "8bit" in name else 32, **rising)
    if "rmsprop_bnb" in name:
        return bnb.optim.RMSprop(groups, lr=LR, optim_bits=8 if "8bit" in name else 32)
    if "lion" in name:
        return bnb.optim.Lion(groups, lr=LR, betas=BETAS, optim_bits=8 if "8bit" in name else 32)
    if name == "adafactor":
        return Adafactor(groups, lr=LR, scale_parameter=False, relative_step=False)
    return {"rmsprop": torch.optim.RMSprop, "sgd": torch.optim.SGD}[name](groups, lr=LR)


out = {}
for name in ("paged_adamw_32bit adamw_8bit lion_32bit lion_8bit rmsprop sgd adafactor ademamix ademamix_8bit rmsprop_bnb_32bit "
             "rmsprop_bnb_8bit").split():
    params = [torch.nn.Parameter(values(i, 0, int(np.prod(s))).reshape(s)) for i, s in enumerate(SHAPES)]
    opt = optimizer(name, [{"params": params[1:], "weight_decay": DECAY}, {"params": params[:1], "weight_decay": 0.0}])
    for step in range(1, STEPS + 1):
        for i, p in enumerate(params):
            p.grad = values(i, step, p.numel()).reshape(p.shape)
        opt.step()
        for i, p in enumerate(params):
            for key in ("state1", "absmax1", "state2", "absmax2"):
                if "8bit" in name and step in (1, STEPS) and "absmax1" in opt.state[p] and key in opt.state[p]:
                    state = opt.state[p][key]
                    if name == "ademamix_8bit" and key.endswith("1"):  # the fast mean and the slow one
                        out[f"{name}/{i}/{step}/{key}_slow"] = state[1].reshape(-1).clone()
                        state = state[0]
                    out[f"{name}/{i}/{step}/{key}"] = state.reshape(-1).clone()
    out |= {f"{name}/{i}": p.detach().reshape(-1)[::5].clone() for i, p in enumerate(params)}
save_file(out, sys.argv[1])
