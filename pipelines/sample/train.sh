#!/usr/bin/env bash
# Makes the sample again, all of it: the rows, the tokenizer, and the model from random weights (`make sample`).
# What it makes is committed, so that nobody has to wait for it; the same machine makes the same bytes.
set -euo pipefail
cd "$(dirname "$0")"
PATH=$(cd ../.. && pwd)/${SLUICE_BIN:-bin}:$PATH
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT

./world.pl prefs 400 1 >prefs.jsonl
./world.pl heldout 100 2 >heldout.jsonl
./world.pl pretrain 40000 3 >"$T/pretrain.jsonl"
jq -r '.messages[] | .role, .content' "$T/pretrain.jsonl" |
	./bpe.pl 704 '<s>' '</s>' '<|im_start|>' '<|im_end|>' >model/tokenizer.json

rm -f model/model.safetensors # config.json without weights: --seed makes them
tmpl -m model "$T/pretrain.jsonl" | tok -m model | train-step -m model --full --loss sft --seed 1 --num-train-epochs 1 \
	--batch-size 16 --learning-rate 2e-3 --lr-scheduler-type cosine --warmup-steps 40 --adam-beta2 0.95 \
	--logging-steps 100 -o "$T/trained" | mpcat | jq -r '"step \(.step)  loss \(.loss)"'
cp "$T/trained/model.safetensors" model/
