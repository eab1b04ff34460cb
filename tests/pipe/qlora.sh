#!/usr/bin/env bash
# pipelines/qlora.sh with the settings of the usual recipe, its defaults: what it makes says so, and is made once.
. "$(dirname "$0")/../lib.sh"
head -n 24 "$R/pipelines/sample/prefs.jsonl" >"$T/prefs.jsonl"
recipe() { # VARIABLE=VALUE…
	env MODEL="$SAMPLE" DATA="$T/prefs.jsonl" TMPL_FLAGS=--as-messages "$@" "$R/pipelines/qlora.sh"
}
status 0 "the recipe runs" recipe OUT="$T/orpo"
have=$(jq -c .quantization_config "$T/orpo/nf4/config.json")
is "$(jq -c '[.bnb_4bit_quant_type, .bnb_4bit_use_double_quant, .bnb_4bit_compute_dtype]' <<<"$have")" '["nf4",true,"bfloat16"]' \
	"the base is in double NF4, to be computed in bf16"
is "$(jq -c '[.r, .lora_alpha, .lora_dropout, (.target_modules | length)]' "$T/orpo/adapter/adapter_config.json")" '[16,32,0.05,7]' \
	"the adapter has rank 16, alpha 32, dropout 0.05, on seven projections"
is "$(mpcat "$T/orpo/train.mp" | grep -c '"tensor":')" 56 "seven of them in each of four layers"
history=$(mpcat --header "$T/orpo/train.mp" | jq -r '.history[].options')
for option in loss=orpo beta=0.1 learning-rate=8e-06 optim=paged_adamw_8bit num-train-epochs=1 max-length=1024 max-prompt-length=512; do
	value=$(grep -oE "(^| )${option%=*}=[^ ]*" <<<"$history" | head -1)
	is "$(awk -v a="${value#*=}" -v b="${option#*=}" 'BEGIN { print a == b || a + 0 != 0 && a + 0 == b + 0 }')" 1 "the run had $option"
done
is "$(jq -c '[.quantization_config, (.dtype // .torch_dtype)]' "$T/orpo/merged/config.json")" '[null,"bfloat16"]' "the merged model is in bf16"

before=$(stat -c %Y.%i "$T/orpo/nf4/model.safetensors")
status 0 "again" recipe OUT="$T/orpo" LOSS=dpo
is "$(stat -c %Y.%i "$T/orpo/nf4/model.safetensors")" "$before" "another loss takes the base that is there"
like "$(mpcat --header "$T/orpo/train.mp")" 'loss=dpo' "and is trained with"
status 0 "other flags" recipe OUT="$T/orpo" LOSS=sft QUANT_FLAGS="-t fp4"
is "$(jq -r .quantization_config.bnb_4bit_quant_type "$T/orpo/nf4/config.json")" fp4 "make another base"
status 2 "a model that is not given is asked for" env -u MODEL DATA=x "$R/pipelines/qlora.sh"
done_testing
