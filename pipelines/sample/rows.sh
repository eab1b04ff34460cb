#!/usr/bin/env bash
# The sample's rows and its tokenizer, into a directory: prefs.jsonl, heldout.jsonl, pretrain.jsonl, tokenizer.json.
set -euo pipefail
to=$1
here=$(cd "$(dirname "$0")" && pwd)
"$here/world.pl" prefs 400 1 >"$to/prefs.jsonl"
"$here/world.pl" heldout 100 2 >"$to/heldout.jsonl"
"$here/world.pl" pretrain 40000 3 >"$to/pretrain.jsonl"
jq -r '.messages[] | .role, .content' "$to/pretrain.jsonl" |
	"$here/bpe.pl" 768 '<s>' '</s>' '<|im_start|>' '<|im_end|>' >"$to/tokenizer.json"
