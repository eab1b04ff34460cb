#!/usr/bin/env bash
# Makes the sample again, all of it: rows, tokenizer, and the model from random weights (`make sample`). What it
# makes is committed, so that nobody has to wait for it; the same kind of machine makes the same bytes.
set -euo pipefail
cd "$(dirname "$0")"
PATH=$(cd ../.. && pwd)/${SLUICE_BIN:-bin}:$PATH
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT

./rows.sh "$T"
cp "$T/prefs.jsonl" "$T/heldout.jsonl" .
cp "$T/tokenizer.json" model/

rm -f model/model.safetensors # config.json without weights: --seed makes them
tmpl -m model "$T/pretrain.jsonl" | tok -m model | train-step -m model --full --loss sft --seed 1 --num-train-epochs 1 \
	--batch-size 16 --learning-rate 2e-3 --lr-scheduler-type cosine --warmup-steps 40 --adam-beta2 0.95 \
	--logging-steps 100 -o "$T/trained" | mpcat | jq -r '"step \(.step)  loss \(.loss)"'
cp "$T/trained/model.safetensors" model/
