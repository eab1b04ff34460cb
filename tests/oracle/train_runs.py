"""Short runs of TRL's SFT, DPO and ORPO on a tiny random model, as tests/unit/test_train_peers.c and
tests/cli/train-step-peers.sh repeat them: the model, the initial adapter, rows as token ids, TRL's log, gradients of
the first step, final adapter. Usage: train_runs.py TRAIN_PY OUT_DIR, TRAIN_PY being the script that runs TRL and
records batches.jsonl, log.jsonl, grads.safetensors, init/ and final/."""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

train_py, out = sys.argv[1:]
words = ["w%d" % i for i in range(61)]
common = ["--batch", "4", "--epochs", "2", "--shuffle", "--lr", "1e-2", "--lora-r", "4", "--lora-alpha", "8",
          "--random-b", "--seed", "7"]
runs = {
    "dpo": ["--beta", "0.3", "--warmup", "3", "--schedule", "cosine"],
    "orpo": ["--beta", "0.2", "--weight-decay", "0.1"],
    "sft": ["--max-grad-norm", "0.5", "--schedule", "constant_with_warmup", "--warmup", "0.2"],
}


def make_model(path):
    vocab = {w: i for i, w in enumerate(["<unk>", "<s>", "</s>"] + words)}
    t = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    t.pre_tokenizer = pre_tokenizers.Whitespace()
    t.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    PreTrainedTokenizerFast(tokenizer_object=t, unk_token="<unk>", bos_token="<s>", eos_token="</s>").save_pretrained(path)
    torch.manual_seed(3)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=128, bos_token_id=1, eos_token_id=2, initializer_range=0.2))
    model.save_pretrained(path)


def make_rows(loss, path):
    r = random.Random(5)
    text = lambda low, high: " ".join(r.choice(words) for _ in range(r.randrange(low, high)))
    with open(path, "w") as f:
        shared = text(3, 9)
        for i in range(38):  # the last step of an epoch is short
            prompt = shared if i % 5 == 0 else text(3, 9)
            row = {"prompt": prompt, "completion": " " + text(2, 12)} if loss == "sft" else \
                {"prompt": prompt, "chosen": " " + text(2, 12), "rejected": " " + text(2, 12)}
            print(json.dumps(row), file=f)


def tokens(row):
    """A row of batches.jsonl as train-step reads it."""
    if "text" in row:
        return {"input_ids": row["text"]["ids"], "completion_mask": row["text"]["mask"]}
    n = min(row[s]["mask"].index(1) for s in ("chosen", "rejected"))
    assert row["chosen"]["ids"][:n] == row["rejected"]["ids"][:n]
    return {"prompt_ids": row["chosen"]["ids"][:n], "chosen_ids": row["chosen"]["ids"][n:],
            "rejected_ids": row["rejected"]["ids"][n:]}


work = tempfile.mkdtemp()
model = os.path.join(work, "model")
make_model(model)
for name in ("config.json", "model.safetensors"):
    os.makedirs(os.path.join(out, "model"), exist_ok=True)
    shutil.copyfile(os.path.join(model, name), os.path.join(out, "model", name))
for loss, settings in runs.items():
    data, run, to = os.path.join(work, loss + ".jsonl"), os.path.join(work, loss), os.path.join(out, loss)
    make_rows(loss, data)
    subprocess.run([sys.executable, train_py, "--loss", loss, "-m", model, "--data", data, "-o", run] + common + settings,
                   check=True)
    os.makedirs(to, exist_ok=True)
    rows = {}
    for line in open(os.path.join(run, "batches.jsonl")):
        for row in json.loads(line)["rows"]:
            rows[row["row"]] = tokens(row)
    with open(os.path.join(to, "rows.jsonl"), "w") as f:
        for i in sorted(rows):
            print(json.dumps(rows[i]), file=f)
    shutil.copyfile(os.path.join(run, "log.jsonl"), os.path.join(to, "log.jsonl"))
    shutil.copyfile(os.path.join(run, "grads.safetensors"), os.path.join(to, "grads.safetensors"))
    shutil.copyfile(os.path.join(run, "final", "adapter_model.safetensors"), os.path.join(to, "final.safetensors"))
    init = os.path.join(out, "init")
    if loss == "dpo":
        shutil.rmtree(init, ignore_errors=True)
        os.makedirs(init)
        for name in ("adapter_config.json", "adapter_model.safetensors"):
            shutil.copyfile(os.path.join(run, "init", name), os.path.join(init, name))
    else:
        with open(os.path.join(init, "adapter_model.safetensors"), "rb") as a, \
                open(os.path.join(run, "init", "adapter_model.safetensors"), "rb") as b:
            assert a.read() == b.read(), "one initial adapter for all runs"
shutil.rmtree(work)
