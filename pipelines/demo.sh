#!/usr/bin/env bash
# The walk-through: a model that answers kindly and rudely by turns learns to prefer kind answers, by DPO, by
# ORPO, by SFT, and by ORPO on its weights in 4 bits (QLoRA), with the pipelines of this folder. Needs no network, no GPU, nothing but the tree.
#
#   pipelines/demo.sh [DIRECTORY]      default: demo/ in the tree; `make demo` builds first
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PWD/${SLUICE_BIN:-bin}:$PATH
D=${1:-demo} sample=pipelines/sample
rm -rf "$D"
mkdir -p "$D"

title() { printf '\n\033[1m%s\033[0m\n' "$*" | if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then cat; else sed 's/\x1b\[[01]m//g'; fi; }

title "The data: toy rows and a few hundred of the sample's own ($sample)"
cat $sample/listing.jsonl $sample/prefs.jsonl >"$D/train.jsonl"
head -n 2 "$D/train.jsonl"
echo "… $(wc -l <"$D/train.jsonl") rows to train on, $(wc -l <$sample/heldout.jsonl) held out"

title "The first row in the model's chat template: prompt, then the chosen answer"
head -n 1 "$D/train.jsonl" | tmpl -q -m $sample/model --as-messages | mpcat | jq -r '.prompt + .chosen'

# The model is small and the rows are few: a higher learning rate than the defaults of the pipelines.
export MODEL=$sample/model DATA=$D/train.jsonl TMPL_FLAGS="--as-messages -q"
export TOK_FLAGS=-q REFSCORE_FLAGS=-q MERGE_FLAGS=-q
export MAX_LENGTH=256 MAX_PROMPT_LENGTH=128 LEARNING_RATE=${LEARNING_RATE:-4e-4} EPOCHS=2
export TRAIN_FLAGS="-q ${TRAIN_FLAGS:-}"
for p in dpo orpo sft qlora; do
	title "pipelines/$p.sh"
	start=$(date +%s%N)
	OUT=$D/$p pipelines/$p.sh
	echo "$(mpcat "$D/$p/train.mp" | jq -r 'select(.step) | .step' | tail -n 1) steps in $((($(date +%s%N) - start) / 1000000)) ms," \
		"merged model in $D/$p/merged"
done

title "A sweep by make (pipelines/dpo.mk): two betas, one reference"
make --no-print-directory -s -f pipelines/dpo.mk OUT="$D/sweep" BETAS='0.05 0.5' RATES=4e-4 \
	HELDOUT=$sample/heldout.jsonl TRAIN_FLAGS="--num-train-epochs 1 $TRAIN_FLAGS" table

title "Preference accuracy on held-out prompts: % of rows whose kind answer is the likelier one"
accuracy() { pipelines/accuracy.sh "$1" $sample/heldout.jsonl --as-messages -q; }
before=$(accuracy $sample/model)
printf '%-6s %8s %8s\n' "" before after
for p in dpo orpo sft; do
	printf '%-6s %8.1f %8.1f\n' ${p^^} "$before" "$(accuracy "$D/$p/merged")"
done
printf '%-6s %8.1f %8.1f   ORPO on the weights in 4 bits\n' QLORA "$(accuracy "$D/qlora/nf4")" "$(accuracy "$D/qlora/merged")"

title "Answers to held-out prompts, two samples each"
sed -n '1p;12p;23p;34p;49p' $sample/heldout.jsonl | jq -c '{prompt}' >"$D/questions.jsonl"
for m in $sample/model "$D/dpo/merged"; do
	echo "$m:"
	tmpl -q -m "$m" --as-messages "$D/questions.jsonl" | gen -q -m "$m" --temperature 0.8 --num-return-sequences 2 --seed 7 |
		jq -r '"  " + (.prompt | capture("user\n(?<q>.*)<.im_end.>\n").q) + "  →  " + .completion'
done

title "Learning curves"
for p in dpo orpo sft qlora; do
	mpcat "$D/$p/train.mp" | jq -r 'select(.step) | [.step, .loss, .["rewards/accuracies"], .["rewards/margins"]] | @tsv' >"$D/$p.tsv"
done
gnuplot -e "dir = '$D'; text = 1" pipelines/plot.gp
gnuplot -e "dir = '$D'; text = 0" pipelines/plot.gp
echo "The picture is $D/learning-curves.png"
