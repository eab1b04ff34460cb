"""Learning-rate schedules of transformers and shuffled orders of accelerate, as the tables that
tests/unit/test_train_schedule.c reads. Usage: train_tables.py OUT_DIR"""
import json
import os
import sys

import torch
from accelerate.data_loader import SeedableRandomSampler
from transformers import get_scheduler

out = sys.argv[1]
cases = [(name, kw) for name, kw in [
    ("linear", {}), ("cosine", {}), ("cosine", {"num_cycles": 1.5}), ("cosine_with_restarts", {}),
    ("cosine_with_restarts", {"num_cycles": 3}), ("cosine_with_min_lr", {"min_lr": 1e-4}),
    ("polynomial", {}), ("polynomial", {"lr_end": 1e-5, "power": 2}), ("constant", {}),
    ("constant_with_warmup", {}), ("inverse_sqrt", {}), ("inverse_sqrt", {"timescale": 7})]]
with open(os.path.join(out, "schedules.tsv"), "w") as f:
    for name, kw in cases:
        for warmup, total in ((0, 20), (5, 20), (1, 1), (3, 2)):
            if name == "polynomial" and total <= warmup:
                continue  # divides by zero there
            p = torch.nn.Parameter(torch.zeros(1))
            opt = torch.optim.SGD([p], lr=1e-3)
            s = get_scheduler(name, opt, num_warmup_steps=warmup, num_training_steps=total,
                              scheduler_specific_kwargs=dict(kw))
            for k in range(total + 2):
                print(name, warmup, total, k, repr(opt.param_groups[0]["lr"]), json.dumps(kw), sep="\t", file=f)
                opt.step()
                s.step()
with open(os.path.join(out, "orders.tsv"), "w") as f:
    for n, seed in ((1, 42), (2, 42), (10, 42), (97, 1), (1000, 2**33 + 5)):
        sampler = SeedableRandomSampler(range(n), data_seed=seed)
        for epoch in range(3):
            sampler.set_epoch(epoch)
            order = list(sampler)
            print(n, seed, epoch, *(order if n <= 10 else order[:8] + order[-8:]), sep="\t", file=f)
