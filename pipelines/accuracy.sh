#!/usr/bin/env bash
# Preference accuracy: the share of rows whose chosen answer the model finds likelier than the rejected one.
#
#   pipelines/accuracy.sh MODEL ROWS [TMPL-FLAG…]
set -euo pipefail
model=$1 rows=$2
shift 2
tmpl -m "$model" "$@" "$rows" | tok -q -m "$model" | refscore -q -m "$model" --prefix policy | mpcat |
	jq -s 'map(.policy_chosen_logps > .policy_rejected_logps) | 100 * (map(select(.)) | length) / length'
