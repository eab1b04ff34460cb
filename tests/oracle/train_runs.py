"""Short runs of TRL's SFT, DPO and ORPO as tests/unit/test_train_peers.c repeats them: initial adapters, rows as token
ids, TRL's log, gradients of the first step, final adapters; of dpo, orpo and sft also TRL's log in bf16. The model is tiny
and random; the bases of the qlora-… runs are tests/golden/quant/base as bitsandbytes quantises it, NF4 and double, from f32
(what `quant -t nf4 --double-quant --codes table --dtype float32` makes), computed in f32, but qlora-bf16, which repeats
qlora-dpo, in bf16. Runs of other adapters than plain LoRA begin with one that PEFT made. Usage: train_runs.py TRAIN_PY
QUANT_BASE MODELS OUT_DIR [RUN…], TRAIN_PY being the script that runs TRL and records batches.jsonl, log.jsonl,
grads.safetensors, init/ and final/, MODELS tests/golden/model."""
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import (AutoModelForCausalLM, BitsAndBytesConfig, LlamaConfig, LlamaForCausalLM,
                          PreTrainedTokenizerFast)

train_py, quant_base, nano, out = sys.argv[1:5]
common = ["--batch", "4", "--epochs", "2", "--shuffle", "--lr", "1e-2", "--seed", "7"]
small = ["--lora-r", "4", "--lora-alpha", "8"]
qlora = ["--f32-adapter", "--beta", "0.1"]
# Large enough for states in 8 bits: 4096 elements in each matrix.
large = ["--lora-r", "64", "--lora-alpha", "32", "--target-modules", "q_proj"]
runs = {  # name: loss, model, initial adapter, settings, and PEFT's config where PEFT makes that adapter
    "dpo": ("dpo", "model", "init", small + ["--beta", "0.3", "--warmup", "3", "--schedule", "cosine"]),
    "orpo": ("orpo", "model", "init", small + ["--beta", "0.2", "--weight-decay", "0.1"]),
    "sft": ("sft", "model", "init", small + ["--max-grad-norm", "0.5", "--schedule", "constant_with_warmup", "--warmup",
                                             "0.2"]),
    "qlora-dpo": ("dpo", "nf4", "qlora-dpo/init", qlora + ["--lora-r", "2", "--lora-alpha", "4"]),
    "qlora-orpo": ("orpo", "nf4", "qlora-orpo/init", qlora + ["--lora-r", "2", "--lora-alpha", "4"]),
    "qlora-bf16": ("dpo", "nf4-bf16", "qlora-dpo/init", qlora + ["--lora-r", "2", "--lora-alpha", "4", "--bf16"]),
    "qlora-8bit": ("orpo", "nf4", "qlora-8bit/init", qlora + large + ["--lr", "1e-3", "--optim", "paged_adamw_8bit"]),
    "dora": ("dpo", "model", "dora/init", ["--beta", "0.3", "--weight-decay", "0.1"],
             dict(use_dora=True, use_rslora=True, target_modules="all-linear")),
    "dora-nf4": ("orpo", "nf4", "dora-nf4/init", ["--f32-adapter", "--beta", "0.1"],
                 dict(use_dora=True, target_modules=["q_proj", "o_proj", "up_proj", "down_proj"])),
    "save": ("orpo", "model", "save/init", ["--beta", "0.2", "--weight-decay", "0.1"],
             dict(target_modules=["q_proj", "v_proj"], modules_to_save=["embed_tokens", "lm_head", "norm"])),
    "bias": ("sft", "linear", "bias/init", ["--weight-decay", "0.1"],
             dict(target_modules=["k_proj", "down_proj"], bias="all", lora_bias=True)),
}
chosen = sys.argv[5:] or list(runs)


def make_tokenizer(path, vocabulary):
    words = ["w%d" % i for i in range(vocabulary - 3)]
    vocab = {w: i for i, w in enumerate(["<unk>", "<s>", "</s>"] + words)}
    t = Tokenizer(models.WordLevel(vocab, unk_token="<unk>"))
    t.pre_tokenizer = pre_tokenizers.Whitespace()
    t.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    PreTrainedTokenizerFast(tokenizer_object=t, unk_token="<unk>", bos_token="<s>", eos_token="</s>").save_pretrained(path)
    return words


def make_nf4(path, compute):
    config = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
                                bnb_4bit_compute_dtype=compute)
    torch.set_num_threads(1)  # offsets are means, and their last bit depends on it
    AutoModelForCausalLM.from_pretrained(quant_base, quantization_config=config, dtype=torch.float32,
                                         device_map={"": "cpu"}).save_pretrained(path)
    return make_tokenizer(path, 40)


def make_linear(path):
    """A model with biases."""
    words = make_tokenizer(path, 40)
    for file in ("config.json", "model.safetensors"):
        shutil.copyfile(os.path.join(nano, "linear", file), os.path.join(path, file))
    return words


def make_adapter(base, options, path):
    """With values that make every gradient one."""
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32),
                           LoraConfig(r=2, lora_alpha=4, task_type="CAUSAL_LM", **options))
    g = torch.Generator().manual_seed(9)
    for name, p in model.named_parameters():
        if p.requires_grad and "lora_A" not in name:
            p.data.add_(0.1 * torch.randn(p.shape, generator=g))
    model.peft_config["default"].base_model_name_or_path = "base"
    model.save_pretrained(path)


def make_model(path):
    words = make_tokenizer(path, 64)
    torch.manual_seed(3)
    model = LlamaForCausalLM(LlamaConfig(
        vocab_size=64, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=128, bos_token_id=1, eos_token_id=2, initializer_range=0.2))
    model.save_pretrained(path)
    return words


def make_rows(loss, words, path):
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


def train(loss, base, data, run, settings):
    subprocess.run([sys.executable, train_py, "--loss", loss, "-m", os.path.join(work, base), "--data", data, "-o", run] +
                   common + settings, check=True)


work = tempfile.mkdtemp()
model = os.path.join(work, "model")
words = {"model": make_model(model), "linear": make_linear(os.path.join(work, "linear")),
         "nf4": make_nf4(os.path.join(work, "nf4"), torch.float32),
         "nf4-bf16": make_nf4(os.path.join(work, "nf4-bf16"), torch.bfloat16)}
for name in ("config.json", "model.safetensors"):
    os.makedirs(os.path.join(out, "model"), exist_ok=True)
    shutil.copyfile(os.path.join(model, name), os.path.join(out, "model", name))
inits = set()
for name in chosen:
    loss, base, init, settings, *peft = runs[name]
    data, run, to = os.path.join(work, name + ".jsonl"), os.path.join(work, "run-" + name), os.path.join(out, name)
    make_rows(loss, words[base], data)
    if peft:
        make_adapter(os.path.join(work, base), peft[0], os.path.join(work, "adapter-" + name))
        settings = settings + ["--adapter", os.path.join(work, "adapter-" + name)]
    else:
        settings = settings + ["--random-b"]
    train(loss, base, data, run, settings)
    os.makedirs(to, exist_ok=True)
    if name == loss:
        train(loss, base, data, run + "-bf16", settings + ["--bf16"])
        shutil.copyfile(os.path.join(run + "-bf16", "log.jsonl"), os.path.join(to, "log-bf16.jsonl"))
    shutil.copyfile(os.path.join(run, "log.jsonl"), os.path.join(to, "log.jsonl"))
    if base == "nf4-bf16":  # the rest is that of the run in f32
        continue
    shutil.copyfile(os.path.join(run, "final", "adapter_model.safetensors"), os.path.join(to, "final.safetensors"))
    rows = {}
    for line in open(os.path.join(run, "batches.jsonl")):
        for row in json.loads(line)["rows"]:
            rows[row["row"]] = tokens(row)
    with open(os.path.join(to, "rows.jsonl"), "w") as f:
        for i in sorted(rows):
            print(json.dumps(rows[i]), file=f)
    grads = load_file(os.path.join(run, "grads.safetensors"))
    save_file({k.replace(".modules_to_save", ""): v for k, v in grads.items()}, os.path.join(to, "grads.safetensors"))
    init = os.path.join(out, init)
    if init not in inits:
        inits.add(init)
        os.makedirs(init, exist_ok=True)
        for file in ("adapter_config.json", "adapter_model.safetensors"):
            shutil.copyfile(os.path.join(run, "init", file), os.path.join(init, file))
    else:
        with open(os.path.join(init, "adapter_model.safetensors"), "rb") as a, \
                open(os.path.join(run, "init", "adapter_model.safetensors"), "rb") as b:
            assert a.read() == b.read(), "one initial adapter for these runs"
shutil.rmtree(work)
