#!/usr/bin/env bash
# train-step: every kind of adapter trains to the same bytes however the work is cut and wherever it was stopped; refscore
# and gen run what it wrote.
. "$(dirname "$0")/../lib.sh"
G=$R/tests/golden/train
same() { cmp -s "$1" "$2"; ok $? "$3"; }
step() { # MODEL OPTION…: a run of 12 steps
	train-step -q -m "$R/tests/golden/$1" --kernels plain --loss dpo --batch-size 4 --max-steps 12 --learning-rate 1e-2 \
		--weight-decay 0.1 "${@:2}" "$rows"
}
rows=$T/rows.jsonl
perl -pe 's/\d+/$& % 40/ge' "$G/dpo/rows.jsonl" >"$rows" # the smaller models' vocabulary

kind() { # CLAIM MODEL TENSORS OPTION…
	local claim=$1 model=$2 names=$3
	shift 3
	step "$model" -j 1 "$@" -o "$T/one" --force >"$T/one.mp"; is $? 0 "$claim: trains"
	is "$(mpcat "$T/one.mp" | grep '"tensor"' | grep -cE "$names")" "$tensors" "$claim: its tensors are there"
	step "$model" -j 2 --micro-batch 1 "$@" >"$T/two.mp"
	same "$T/one.mp" "$T/two.mp" "$claim: the same bytes in micro-batches and two threads"
	! cmp -s <(mpcat --head 1 "$T/one.mp") <(step "$model" -j 1 "$@" --seed 9 | mpcat --head 1); ok $? "$claim: another seed, another run"
	# A run that stopped after its checkpoint of step 5.
	step "$model" -j 1 "$@" -o "$T/cut" --force --save-steps 5 >/dev/null
	rm -r "$T"/cut/checkpoint-1* "$T"/cut/adapter_*
	step "$model" -j 1 "$@" -o "$T/cut" --save-steps 5 --resume >"$T/cut.mp"
	same "$T/one.mp" "$T/cut.mp" "$claim: the same after going on"
	same "$T/one/adapter_model.safetensors" "$T/cut/adapter_model.safetensors" "$claim: and the same adapter"
	# The reference of a further run is what refscore says of it.
	refscore -q -m "$R/tests/golden/$model" --kernels plain --adapter "$T/one" "$rows" >"$T/ref.mp"
	step "$model" --adapter "$T/one" -o "$T/on" --force >/dev/null
	rows=$T/ref.mp step "$model" --adapter "$T/one" -o "$T/cached" --force >/dev/null
	same "$T/on/adapter_model.safetensors" "$T/cached/adapter_model.safetensors" "$claim: refscore --adapter has its log-probs"
	same "$T/on/adapter_config.json" "$T/one/adapter_config.json" "$claim: its config is kept"
	# refscore without it is the reference of the run that made it.
	refscore -q -m "$R/tests/golden/$model" --kernels plain "$rows" >"$T/ref.mp"
	rows=$T/ref.mp step "$model" "$@" -o "$T/cached" --force >/dev/null
	same "$T/one/adapter_model.safetensors" "$T/cached/adapter_model.safetensors" "$claim: the bare base is its reference"
}
tensors=45 kind "DoRA with dropout" train/model . --use-dora --lora-dropout 0.2 \
	--lora-target-modules q_proj,k_proj,v_proj,o_proj,gate_proj,up_proj,down_proj,lm_head
tensors=6 kind "DoRA's magnitudes" train/model lora_magnitude_vector --use-dora --use-rslora --lora-target-modules q_proj,o_proj,down_proj
tensors=14 kind "biases" model/linear 'bias"' --bias all --lora-target-modules q_proj --lora-dropout 0.1
tensors=4 kind "biases of B and of adapted modules" model/qwen2 'q_proj.*bias"' --bias lora_only --lora-bias --lora-target-modules q_proj,o_proj
tensors=7 kind "modules trained whole" train/model 'norm.weight|lm_head|embed_tokens' --lora-target-modules v_proj --modules-to-save norm,lm_head,embed_tokens
tensors=1 kind "a tied embedding, a copy of which trains" model/llama embed_tokens.weight --lora-target-modules v_proj --modules-to-save embed_tokens
tensors=2 kind "a tied embedding, which trains, under both names" model/llama '(embed_tokens|lm_head).weight' --lora-target-modules v_proj --modules-to-save lm_head --ensure-weight-tying
tensors=4 kind "LoRA on embedding and head" model/llama 'embed_tokens|lm_head' --lora-target-modules v_proj,embed_tokens,lm_head --init-lora-weights false
tensors=6 kind "DoRA on embedding and head" train/model 'embed_tokens|lora_magnitude_vector' --use-dora --lora-dropout 0.1 --lora-target-modules v_proj,embed_tokens,lm_head \
	--init-lora-weights gaussian
tensors=4 kind "one layer, another rank" model/mistral 'layers.1.*_proj.lora_[AB]' --lora-target-modules all-linear --exclude-modules '.*(mlp.*|[ko]_proj)' \
	--layers-to-transform 1 --rank-pattern '{"v_proj": 3}' --init-lora-weights gaussian

# What the peer warns of is said.
err=$(train-step -m "$R/tests/golden/model/llama" --loss sft --max-steps 1 --lora-target-modules lm_head "$rows" 2>&1 >/dev/null)
like "$err" "one tensor in the model and two with this adapter" "an adapter that unties embedding and head says so"
done_testing
