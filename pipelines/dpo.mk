# DPO as make targets: one cached reference, a sweep over beta and learning rate that reuses it.
#
#   make -f pipelines/dpo.mk MODEL=Llama-3.2-1B-Instruct DATA=prefs.jsonl OUT=sweep \
#        BETAS='0.1 0.3' RATES='8e-6 2e-5' HELDOUT=heldout.jsonl
#
# A run lies in $(OUT)/beta-B,lr-L/. What is killed goes on from its last checkpoint when make is run again;
# what is finished and whose inputs have not changed is not touched. `make … table` prints the last rewards
# of each run, with its preference accuracy on HELDOUT when that is given.
MODEL       ?= $(error set MODEL to a Hugging Face model directory)
DATA        ?= $(error set DATA to the preference rows)
OUT         ?= sweep
HELDOUT     ?=
BETAS       ?= 0.1 0.3
RATES       ?= 8e-6 2e-5
TMPL_FLAGS  ?=
TOK_FLAGS   ?= --max-length 1024 --max-prompt-length 512
LORA_FLAGS  ?= --lora-r 16 --lora-alpha 32 --lora-target-modules all-linear
REFSCORE_FLAGS ?=
TRAIN_FLAGS ?= --num-train-epochs 1 --batch-size 8
SAVE_STEPS  ?= 50
HERE        := $(dir $(lastword $(MAKEFILE_LIST)))

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all table
RUNS := $(foreach b,$(BETAS),$(foreach r,$(RATES),$(OUT)/beta-$b,lr-$r))
all: $(RUNS:%=%/merged/config.json)

$(OUT)/ref.mp.gz: $(DATA) $(MODEL)/config.json
	@mkdir -p $(@D)
	tmpl -m $(MODEL) $(TMPL_FLAGS) $(DATA) | tok -m $(MODEL) $(TOK_FLAGS) | refscore -m $(MODEL) $(REFSCORE_FLAGS) -z -o $@

# beta and rate are read back from the name of the run's directory.
beta = $(patsubst beta-%,%,$(firstword $(subst $(comma), ,$1)))
rate = $(patsubst lr-%,%,$(lastword $(subst $(comma), ,$1)))
comma := ,
$(OUT)/%/train.mp: $(OUT)/ref.mp.gz
	@mkdir -p $(@D)
	train-step -m $(MODEL) --loss dpo --beta $(call beta,$*) --learning-rate $(call rate,$*) $(LORA_FLAGS) \
		$(TRAIN_FLAGS) --save-steps $(SAVE_STEPS) --resume -o $(@D)/adapter $< >$@
$(OUT)/%/merged/config.json: $(OUT)/%/train.mp
	merge-lora -m $(MODEL) -o $(@D) $<

$(OUT)/%/accuracy: $(OUT)/%/merged/config.json $(HELDOUT)
	$(HERE)accuracy.sh $(OUT)/$*/merged $(HELDOUT) $(TMPL_FLAGS) >$@
table: all $(if $(HELDOUT),$(RUNS:%=%/accuracy))
	@printf '%-20s %12s %12s %s\n' run margins accuracies '$(if $(HELDOUT),held-out %)'
	@for r in $(RUNS); do \
		printf '%-20s %12.4f %12.4f %s\n' $${r##*/} \
			$$(mpcat $$r/train.mp | jq -r 'select(.step) | "\(.["rewards/margins"]) \(.["rewards/accuracies"])"' | tail -n 1) \
			$(if $(HELDOUT),$$(cat $$r/accuracy)); done
