#!/usr/bin/env python3
"""What bitsandbytes and transformers make of weights, on the CPU.

usage: quant.py tests/golden/model OUTPUT_DIR      (tests/golden/quant)

  blocks.safetensors   raw vectors through the quantisers, named CASE/DTYPE/…:
                       input; nf4.B | fp4.B /packed /absmax /dequant (dequant by the formula: the CPU kernel of 0.50.2
                       is wrong for rows that B does not divide); nf4.64.dq | fp4.64.dq /absmax8 /nested_absmax /offset
                       /dequant; u8 | s8 /codes /absmax (the CPU library's) /exact (a search on the maps' midpoints);
                       int8 /q /scb /dequant; and the code books
  skips.tsv            pattern, module, whether transformers converts it
  base/                a model whose rows the CPU kernel dequantises rightly, and an adapter
  digests.tsv          base, quant's options, sha256 of transformers' model.safetensors and config.json
  answers.TYPE.safetensors  logits of base/ quantised, without and with the adapter, and the adapter's gradients (as
                       model.py's), f32; int8 in float64 from dequantised weights, and its own forward, which quantises
                       activations, by threshold
"""
import hashlib
import os
import sys
import tempfile

os.environ["TORCHDYNAMO_DISABLE"] = "1"
import bitsandbytes as bnb
import bitsandbytes.functional as F
import torch
import transformers as tf
from model import answers, randomise, rope
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers.quantizers.quantizers_utils import should_convert_module

MODELS, OUT = sys.argv[1], sys.argv[2]
HALVES = "normal zero_blocks zeros_partial denormal huge_f16 wide size3 size65 size257 outliers".split()
torch.set_num_threads(1)  # offsets are means, and their last bit depends on it for large weights


def cases():
    g = torch.Generator().manual_seed(0)
    n = lambda *s: torch.randn(*s, generator=g)
    u = lambda *s: torch.rand(*s, generator=g)
    yield "normal", n(8, 40) * 0.05
    yield "rows_cross_blocks", n(7, 40)
    yield "zeros", torch.zeros(2, 64)
    some = n(4, 64)
    some[1], some[2] = 0, -0.0
    yield "zero_blocks", some
    yield "zeros_partial", torch.zeros(65)
    yield "one_value", torch.full((1, 64), -0.37)
    yield "denormal", n(1, 128) * 1e-41
    yield "tiny", n(1, 128) * 1e-30
    yield "huge", n(1, 128) * 1e30
    yield "huge_f16", n(1, 128).clamp(-3, 3) * 2e4
    yield "wide", n(2, 128) * torch.exp(12 * n(2, 128))
    yield "long", n(16500) * 0.02  # more than one group of 256 statistics
    for size in (1, 2, 3, 31, 63, 65, 127, 257):
        yield f"size{size}", n(size)
    for kind in ("nf4", "fp4"):  # values exactly on and one ulp beside the thresholds, block maximum 1
        code = F.get_4bit_type(kind, device="cpu").sort().values
        mid = (code[1:] + code[:-1]) / 2
        edge = torch.cat([mid, torch.nextafter(mid, torch.tensor(2.0)), torch.nextafter(mid, torch.tensor(-2.0))])
        v = torch.zeros(64)
        v[: edge.numel()] = edge
        v[63] = 1.0
        yield f"ties_{kind}", v
    for signed in (True, False):
        code = F.create_dynamic_map(signed)
        mid = (code[1:] + code[:-1]) / 2
        yield f"ties_{'s8' if signed else 'u8'}", torch.cat([mid, torch.ones(1), code])
    yield "outliers", torch.where(u(8, 32) < 0.05, n(8, 32) * 50, n(8, 32) * 0.02)


def values(packed, s):
    absmax = F.dequantize_blockwise(s.absmax, s.state2) + s.offset if s.nested else s.absmax
    p, n = packed.view(torch.uint8).flatten(), s.shape.numel()
    codes = torch.stack([p >> 4, p & 15], 1).flatten()[:n].long()
    return (s.code[codes] * absmax.repeat_interleave(s.blocksize)[:n]).to(s.dtype).reshape(s.shape)


def blocks():
    maps = {"s8": F.create_dynamic_map(True), "u8": F.create_dynamic_map(False)}
    out = {"map_signed": maps["s8"], "map_unsigned": maps["u8"],
           "quant_map_nf4": F.get_4bit_type("nf4", device="cpu"), "quant_map_fp4": F.get_4bit_type("fp4", device="cpu")}
    for name, x32 in cases():
        for dname, dtype in (("f32", torch.float32), ("bf16", torch.bfloat16), ("f16", torch.float16)):
            x = x32.to(dtype)
            if not x.isfinite().all() or (dname != "f32" and name not in HALVES):
                continue
            at = f"{name}/{dname}/"
            out[at + "input"] = x
            for kind in ("nf4", "fp4"):
                for block in (64,) if name == "long" else (32, 64, 4096):
                    q, s = F.quantize_4bit(x, blocksize=block, quant_type=kind)
                    out |= {f"{at}{kind}.{block}/packed": q, f"{at}{kind}.{block}/absmax": s.absmax,
                            f"{at}{kind}.{block}/dequant": values(q, s)}
                q, s = F.quantize_4bit(x, blocksize=64, quant_type=kind, compress_statistics=True)
                k = f"{at}{kind}.64.dq/"
                out |= {k + "absmax8": s.absmax, k + "nested_absmax": s.state2.absmax, k + "offset": s.offset.reshape(1),
                        k + "dequant": values(q, s)}
            for kind, code in maps.items() if name != "long" else ():
                v = x.abs() if kind == "u8" else x
                q, s = F.quantize_blockwise(v, code=code, blocksize=256)
                absmax = s.absmax.repeat_interleave(256)[: v.numel()]
                scaled = (v.float().flatten() * (1 / absmax.clamp(min=1e-38))).clamp(-1, 1)
                exact = torch.bucketize(scaled, (code[1:] + code[:-1]) / 2).to(torch.uint8)
                k = f"{at}{kind}/"
                out |= {k + "codes": q.flatten(), k + "absmax": s.absmax, k + "exact": exact}
            if x.dim() == 2 and (h := x.half()).isfinite().all():
                q, scb, _ = F.int8_vectorwise_quant(h)
                out |= {at + "int8/q": q, at + "int8/scb": scb, at + "int8/dequant": F.int8_vectorwise_dequant(q, scb)}
    save_file({k: v.clone().contiguous() for k, v in out.items()}, f"{OUT}/blocks.safetensors")


def skips():
    names = ["lm_head", "model.layers.1.mlp.gate_proj", "model.layers.11.mlp.gate_proj", "model.layers.1.self_attn.q_proj",
             "model.layers.10.self_attn.q_proj", "model.layers.0.mlp.down_proj"]
    patterns = ["lm_head", "model.layers.1", "model.layers.1.", "model.layers.1[01]", "q_proj", "mlp.gate", "mlp.gate_proj",
                ".*down_proj", "model.layers.*.self_attn", "proj", "layers.1", "model|lm_head", "model.layers.(0|1).mlp"]
    with open(f"{OUT}/skips.tsv", "w") as f:
        for p in patterns:
            for n in names:
                print(p, n, int(should_convert_module(n, [p])), sep="\t", file=f)


def config(kind, dq=False, storage=None, skip=None):
    if kind == "int8":
        return tf.BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=skip)
    return tf.BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type=kind, bnb_4bit_use_double_quant=dq,
                                 bnb_4bit_compute_dtype=torch.bfloat16, bnb_4bit_quant_storage=storage,
                                 llm_int8_skip_modules=skip)


def quantised(base, path, cfg, blocksize=64, dtype="auto"):
    make = bnb.nn.Params4bit.__new__

    def sized(cls, *a, **kw):
        return make(cls, *a, **kw | {"blocksize": blocksize})
    bnb.nn.Params4bit.__new__ = sized
    try:
        model = tf.AutoModelForCausalLM.from_pretrained(base, quantization_config=cfg, dtype=dtype, device_map={"": "cpu"})
    finally:
        bnb.nn.Params4bit.__new__ = make
    model.save_pretrained(path)


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def digests():
    rows = []
    runs = [("-t nf4", config("nf4"), {}), ("-t fp4", config("fp4"), {}), ("-t int8", config("int8"), {}),
            ("-t nf4 --double-quant --codes table", config("nf4", True), {}),
            ("-t fp4 --double-quant --codes table", config("fp4", True), {})]
    runs += [(f"-t nf4 --blocksize {b} --double-quant --codes table", config("nf4", True), {"blocksize": b})
             for b in (32, 128, 4096)]
    extra = [("-t nf4 --quant-storage bfloat16", config("nf4", storage="bfloat16"), {}),
             ("-t nf4 --dtype float32", config("nf4"), {"dtype": torch.float32}),
             ("-t int8 --dtype float16", config("int8"), {"dtype": torch.float16}),
             ("-t nf4 --skip-modules model.layers.1,o_proj,lm_head", config("nf4", skip=["model.layers.1", "o_proj", "lm_head"]),
              {}),
             ("-t fp4 --skip-modules q_proj", config("fp4", skip=["q_proj"]), {})]
    for base in ("quant/base", "model/llama", "model/linear", "model/mistral", "model/qwen2"):
        source = f"{OUT}/base" if base == "quant/base" else f"{MODELS}/{base[6:]}"
        for options, cfg, kw in runs + (extra if base == "quant/base" else []):
            with tempfile.TemporaryDirectory() as d:
                quantised(source, d, cfg, **kw)
                # transformers writes the configurations of version 4 anew, and knows no model without a dtype
                same = base in ("quant/base", "model/llama", "model/mistral")
                rows.append((base, options, digest(f"{d}/model.safetensors"), digest(f"{d}/config.json") if same else "-"))
    with open(f"{OUT}/digests.tsv", "w") as f:
        for r in rows:
            print(*r, sep="\t", file=f)


def base():
    g = torch.Generator().manual_seed(7)
    c = tf.LlamaConfig(vocab_size=40, hidden_size=64, intermediate_size=128, num_hidden_layers=2, num_attention_heads=4,
                       num_key_value_heads=2, head_dim=16, max_position_embeddings=64, bos_token_id=1, eos_token_id=2,
                       tie_word_embeddings=False, rms_norm_eps=1e-5, **rope(100.0))
    model = tf.AutoModelForCausalLM.from_config(c, dtype=torch.bfloat16)
    randomise(model, g)
    model.save_pretrained(f"{OUT}/base")
    lora = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", task_type="CAUSAL_LM"))
    for n, p in lora.named_parameters():
        if "lora_" in n:
            p.data = (0.1 * torch.randn(p.shape, generator=g)).float()
    lora.save_pretrained(f"{OUT}/base/adapter")
    os.remove(f"{OUT}/base/adapter/README.md")
    return [torch.randint(0, c.vocab_size, (n,), generator=g) for n in (14, 9)]


def load(path, kind):
    """The quantised model as a float32 or, for int8, float64 one that computes with its values."""
    model = tf.AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32, attn_implementation="eager")
    if kind != "int8":
        for p in model.parameters():  # the loader keeps what is not quantised in the checkpoint's type
            if p.dtype == torch.bfloat16:
                p.data = p.data.float()
        for m in model.modules():
            if isinstance(m, bnb.nn.Linear4bit):
                m.support_avx512bf16_for_cpu = False
                m.compute_dtype, m.compute_type_is_set = torch.float32, True
        return model
    plain = tf.AutoModelForCausalLM.from_pretrained(f"{OUT}/base", dtype=torch.float64, attn_implementation="eager")
    for name, m in model.named_modules():
        if isinstance(m, bnb.nn.Linear8bitLt):
            v = F.int8_vectorwise_dequant(m.weight.data, m.weight.SCB)
            plain.get_submodule(name).weight.data.copy_(v.double())
    return plain


def all_answers(ids):
    for name, cfg, kind in (("nf4", config("nf4", True), "nf4"), ("fp4", config("fp4"), "fp4"), ("int8", config("int8"), "int8")):
        with tempfile.TemporaryDirectory() as d:
            quantised(f"{OUT}/base", d, cfg, dtype=torch.float32 if name == "nf4" else "auto")
            out = {f"ids.{i}": x.int() for i, x in enumerate(ids)}
            for p in (m := load(d, kind)).parameters():
                p.requires_grad_(p.is_floating_point())
            answers(m, ids, "", out)
            out = {k: v for k, v in out.items() if not k.startswith("grad.")}
            m = PeftModel.from_pretrained(load(d, kind), f"{OUT}/base/adapter", is_trainable=True,
                                          autocast_adapter_dtype=False)
            for n, p in m.named_parameters():
                if "lora_" in n:
                    p.data = p.data.to(torch.float64 if kind == "int8" else torch.float32)
            m.eval()
            answers(m, ids, "adapter.", out)
            if kind == "int8":
                int8_answers(ids, out)
        save_file({k: v.contiguous() for k, v in out.items()}, f"{OUT}/answers.{name}.safetensors")


def int8_answers(ids, out):
    """Logits of the int8 model as it is evaluated, activations quantised but for columns with a value of the threshold or
    more, at the end of each beginning of a sequence; and how far the same model is from itself with another attention."""
    for threshold in (6.0, 1.5):
        cfg = tf.BitsAndBytesConfig(load_in_8bit=True, llm_int8_threshold=threshold)
        runs = []
        for attention in ("eager", "sdpa"):
            m = tf.AutoModelForCausalLM.from_pretrained(f"{OUT}/base", quantization_config=cfg, dtype=torch.float32,
                                                        device_map={"": "cpu"}, attn_implementation=attention).eval()
            for p in m.parameters():
                if p.dtype == torch.bfloat16:
                    p.data = p.data.float()
            seen = []
            for x in m.modules():
                if isinstance(x, bnb.nn.Linear8bitLt):
                    x.register_forward_hook(lambda mod, i, o: seen.append(int((i[0].abs() >= threshold).any(1).sum())))
            with torch.no_grad():
                runs.append([torch.stack([m(input_ids=x[None, :n + 1], use_cache=False).logits[0, -1] for n in range(len(x))])
                             for x in ids])
        for i, logits in enumerate(runs[0]):
            out[f"int8.{threshold}.logits.{i}"] = logits
        off = max(float((a - b).abs().max() / a.abs().max()) for a, b in zip(*runs))
        print(f"int8, threshold {threshold}: {sum(seen)} outlier columns in {len(seen)} products; eager and sdpa differ by {off:.2g}")


def main():
    os.makedirs(OUT, exist_ok=True)
    blocks()
    skips()
    ids = base()
    digests()
    all_answers(ids)
    for root, _, files in os.walk(OUT):
        for f in files:
            os.chmod(os.path.join(root, f), 0o644)


if __name__ == "__main__":
    main()
