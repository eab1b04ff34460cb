#!/usr/bin/env bash
. "$(dirname "$0")/../lib.sh"
cd "$T" || exit 1
M=$R/pipelines/sample/model

rows() { tmpl -q "$@" | mpcat | jq -c 'del(._source)'; }

# ---- shapes ----
printf '%s\n' '{"prompt":"hello","chosen":"hi","rejected":"go away","id":7}' >strings.jsonl
is "$(rows strings.jsonl)" '{"prompt":"hello","chosen":"hi","rejected":"go away","id":7}' \
	'plain strings stay as they are, other columns pass'
tmpl strings.jsonl 2>err | mpcat -c >/dev/null
like "$(cat err)" '1 of 1 rows are plain strings.*--as-messages' 'a note says so, with the way out'
W='{"prompt":"<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n","chosen":"hi<|im_end|>\n","rejected":"go away<|im_end|>\n","_templated":true,"id":7}'
is "$(rows --chat-template chatml --as-messages strings.jsonl)" "$W" '--as-messages makes user and assistant messages'
echo '{"prompt":[{"role":"user","content":"hello"}],"chosen":[{"role":"assistant","content":"hi"}],"rejected":[{"role":"assistant","content":"go away"}],"id":7}' >explicit.jsonl
is "$(rows --chat-template chatml explicit.jsonl)" "$W" 'message lists with a prompt of their own'
echo '{"chosen":[{"role":"user","content":"hello"},{"role":"assistant","content":"hi"}],"rejected":[{"role":"user","content":"hello"},{"role":"assistant","content":"go away"}],"id":7}' >implicit.jsonl
is "$(rows --chat-template chatml implicit.jsonl)" "$W" 'message lists that both begin with the prompt'
jq -c '.prompt = "hello" | .messages = .chosen' implicit.jsonl >repeated.jsonl
is "$(rows --chat-template chatml repeated.jsonl | jq -c 'del(.messages)')" "$W" \
	'a string prompt that the lists repeat (UltraFeedback binarized)'
is "$(rows --chat-template chatml repeated.jsonl | jq -c .messages[1].content)" '"hi"' 'a column the shape does not use passes'
echo '{"prompt":"hello","chosen":[{"role":"assistant","content":"hi"}],"rejected":[{"role":"assistant","content":"go away"}],"id":7}' >mixed.jsonl
is "$(rows --chat-template chatml mixed.jsonl)" "$W" 'a string prompt beside message lists'
echo '{"chosen":"The sky is blue","rejected":"The sky is green"}' >s.jsonl
is "$(rows s.jsonl)" '{"prompt":"The sky is","chosen":" blue","rejected":" green"}' 'strings that both begin with the prompt: the blank belongs to the answers'
echo '{"chosen":"xä","rejected":"xö"}' >s.jsonl
is "$(rows s.jsonl)" '{"prompt":"x","chosen":"ä","rejected":"ö"}' 'a shared first byte of two characters is not shared text'
echo '{"chosen":"a ","rejected":"b"}' >s.jsonl
is "$(rows s.jsonl)" '{"prompt":"","chosen":"a ","rejected":"b"}' 'nothing shared: an empty prompt'
echo '{"prompt":"q","completion":"a","label":false}' >s.jsonl
is "$(rows s.jsonl)" '{"prompt":"q","completion":"a","label":false}' 'prompt and completion with a label'
echo '{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"},{"role":"user","content":"r"},{"role":"assistant","content":"b"}]}' >chat.jsonl
is "$(rows --chat-template chatml chat.jsonl | jq -c '. as $r | [.spans[] | $r.text[.[0]:.[1]]]')" '["a<|im_end|>","b<|im_end|>"]' \
	'spans from {% generation %}'
is "$(rows -m "$M" chat.jsonl | jq -c '. as $r | [.spans[] | $r.text[.[0]:.[1]]]')" '["a<|im_end|>\n","b<|im_end|>\n"]' \
	'spans from proved prefixes where the template marks nothing'
echo '{"prompt":[{"role":"user","content":"q"}]}' >p.jsonl
is "$(rows --chat-template chatml p.jsonl)" '{"prompt":"<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n","_templated":true}' 'a prompt alone gets the generation prompt'
echo '{"text":"just words"}' >s.jsonl
is "$(rows s.jsonl)" '{"text":"just words"}' 'text passes'
echo '{"question":"q","yes":"a","no":"b"}' >s.jsonl
is "$(rows --map prompt=question --map chosen=yes --map rejected=no s.jsonl)" '{"prompt":"q","chosen":"a","rejected":"b"}' '--map reads columns of other names'
cat strings.jsonl chat.jsonl >two.jsonl
is "$(rows --chat-template chatml two.jsonl | jq -c 'keys_unsorted[0]')" $'"prompt"\n"text"' 'rows are read one by one'
jq -c '.prompt = "p"' chat.jsonl >both.jsonl
is "$(rows --chat-template chatml --type prompt both.jsonl | jq -c 'keys_unsorted')" '["prompt","messages"]' '--type is obeyed'

# ---- forms by other names ----
cat >say.jinja <<'J'
{% for m in messages %}<{{ m.role }}>{{ m.content }}{% if m.tool_calls %}{{ m.tool_calls|tojson }}{% endif %}{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}
J
form() { # ROW WANT CLAIM [OPTION…]: fields without _templated, through say.jinja
	local row=$1 want=$2 claim=$3; shift 3
	echo "$row" >form.jsonl
	is "$(rows --chat-template say.jinja "$@" form.jsonl | jq -c 'del(._templated)')" "$want" "$claim"
}
P='{"prompt":"<user>q<assistant>","chosen":"a","rejected":"b"}'
form '{"conversations":[{"from":"human","value":"q"}],"chosen":{"from":"gpt","value":"a"},"rejected":{"from":"gpt","value":"b"}}' "$P" 'ShareGPT: a conversation and the two messages that could follow'
form '{"messages":[{"role":"user","content":"q"}],"chosen":{"role":"assistant","content":"a"},"rejected":{"role":"assistant","content":"b"}}' "$P" 'message objects as answers'
form '{"conversations":[{"from":"human","value":"q"}],"chosen":"a","rejected":"b"}' "$P" 'a conversation and two strings'
form '{"question":"q","chosen":"a","rejected":"b","system":"s"}' "${P/<user>/<system>s<user>}" 'a question, its answers and a system message'
form '{"instruction":"q","input":"","chosen_response":"a","rejected_response":"b"}' "$P" 'chosen_response and rejected_response'
form '{"question":"q","response_j":"a","response_k":"b"}' "$P" 'response_j and response_k'
form '{"prompt":"q","response_0":"b","response_1":"a","better_response_id":1}' "$P" 'which response is better stands beside them' --as-messages
form '{"history":"q","human_ref_A":"b","human_ref_B":"a","labels":0}' "$P" 'comments and the label that prefers one'
form '{"chosen_messages":[{"role":"user","content":[{"type":"text","value":"q"}]},{"role":"assistant","content":[{"type":"text","value":"a"}]}],"rejected_messages":[{"role":"user","content":[{"type":"text","value":"q"}]},{"role":"assistant","content":[{"type":"text","value":"b"}]}]}' "$P" 'contents in parts of type and value'
form '{"chosen":"\n\nHuman: q\n\nAssistant: a","rejected":"\n\nHuman: q\n\nAssistant: b"}' "$P" 'transcripts are messages where there is a template'
form '{"chosen":"\n\nHuman: q\n\nAssistant: x\n\nHuman: r\n\nAssistant: a","rejected":"\n\nHuman: q\n\nAssistant: y"}' \
	'{"prompt":"<user>q<assistant>","chosen":"x<user>r<assistant>a","rejected":"y"}' 'transcripts that part at an earlier answer'
form '{"prompt":"\n\nHuman: q\n\nAssistant:","chosen":" a","rejected":" b"}' "$P" 'a transcript as prompt'
echo '{"chosen":"\n\nHuman: q\n\nAssistant: a","rejected":"\n\nHuman: q\n\nAssistant: b"}' >form.jsonl
is "$(rows form.jsonl)" '{"prompt":"\n\nHuman: q\n\nAssistant:","chosen":" a","rejected":" b"}' 'and stay transcripts where there is none'
K='{"instruction":"q","completions":[{"response":"b","overall_score":1},{"response":"m","overall_score":2},{"response":"a","overall_score":3.5}]}'
form "$K" "$P" 'a ranked list gives its best and its worst answer'
form "$K" "$(printf '%s\n' "${P/rejected\":\"b/rejected\":\"m}" "$P" "${P/chosen\":\"a/chosen\":\"m}")" '--pairs all gives every pair' --pairs all
form '{"prompt":"q","responses":["b","a"],"ranks":[2,1]}' "$P" 'ranks: the lower the better' --as-messages
form "$K" "$(printf '{"prompt":"<user>q<assistant>","completion":"%s","label":%s}\n' a true b false)" '--type unpaired makes two rows of a pair' --type unpaired
form '{"prompt":"q","completion":"a","label":1}' '{"prompt":"q","completion":"a","label":true}' 'labels may be 1 and 0'
form '{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"label":false}' '{"prompt":"<user>q<assistant>","completion":"a","label":false}' 'a conversation with a label'
form '{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}' '{"prompt":"<user>q<assistant>","completion":"a"}' 'a conversation as prompt and completion' --type prompt-completion
form '{"prompt":"q","chosen":"a","rejected":"b","id":1}' '{"prompt":"<user>q<assistant>","id":1}' 'the prompt of a pair' --type prompt --as-messages
form '{"instruction":"q","input":"i","output":"a","history":[["x","y"]]}' '{"prompt":"<user>x<assistant>y<user>q\ni<assistant>","completion":"a"}' 'Alpaca, with input and history'
form '{"question":"q","answer":"a"}' '{"prompt":"<user>q<assistant>","completion":"a"}' 'a question and its answer'
form '{"turns":["q","r"],"category":"c"}' '{"prompt":"<user>q<assistant>","category":"c"}' 'the first of several questions'
form '{"conversations":[{"from":"human","value":"q"},{"from":"function_call","value":"{\"name\":\"f\",\"arguments\":{}}"},{"from":"observation","value":"o"},{"from":"gpt","value":"a"}]}' \
	'{"prompt":"<user>q<assistant>[{\"type\": \"function\", \"function\": {\"name\": \"f\", \"arguments\": {}}}]<tool>o<assistant>","completion":"a"}' 'ShareGPT function calls' --type prompt-completion
form '{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","weight":0},{"role":"user","content":"r"},{"role":"assistant","content":"b"}]}' \
	'{"text":"<user>q<assistant>a<user>r<assistant>b","spans":[[37,38]]}' 'a turn of weight 0 has no span'
tmpl --chat-template say.jinja form.jsonl 2>err | mpcat -c >/dev/null
like "$(cat err)" '1 row: messages, a conversation' 'how rows were read is said'
U='{"role":"user","content":"q"}' A='{"role":"assistant","content":"a"}' B='{"role":"assistant","content":"b"}'
form '{"prompt":"q ","chosen":['"$U,$A"'],"rejected":['"$U,$B"']}' "$P" 'a prompt that the lists repeat in other words is theirs'
form '{"prompt":['"$U"'],"chosen":['"$U,$A"'],"rejected":['"$U,$B"']}' "$P" 'a list that both answers repeat'
form '{"messages":['"$U,$A"'],"chosen":'"$A"',"rejected":'"$B"'}' "$P" 'a conversation that ends in the answer'
form '{"system":"s","input":"q","chosen":"a","rejected":"b","rating":[1]}' '{"prompt":"<system>s<user>q<assistant>","chosen":"a","rejected":"b","rating":[1]}' 'input alone is the question'
form '{"system":"s","prompt":"q","chosen":['"$A"'],"rejected":['"$B"']}' "${P/<user>/<system>s<user>}" 'a system message in front of a prompt made a message'
form '{"instruction":"q","input":"","chosen":"a","rejected":"b","history":[["x","y"]]}' "${P/<user>/<user>x<assistant>y<user>}" 'history in front of a pair'
form '{"query":"q","original_question":"o","response":"a"}' '{"prompt":"<user>q<assistant>","completion":"a","original_question":"o"}' 'a query and its response'
form '{"instruction":"i","question":"q","answer":"a"}' '{"prompt":"<user>i<assistant>","completion":"a","question":"q"}' 'the columns of one form, the others pass'
form '{"conversations":[{"from":"human","value":"q","role":null},{"from":"function_call","value":"{\"name\":\"f\",\"arguments\":{}}","tool_calls":null}]}' \
	'{"text":"<user>q<assistant>[{\"type\": \"function\", \"function\": {\"name\": \"f\", \"arguments\": {}}}]","spans":[[18,84]]}' 'keys that are null say nothing'
form '{"prompt":"q","prompt_id":"1","messages":['"$U,$A"']}' '{"text":"<user>q<assistant>a","spans":[[18,19]],"prompt_id":"1"}' 'a prompt beside the conversation repeats it (UltraChat)'
form '{"instruction":"q","input":"","output":"a","text":"q a","__index_level_0__":4}' '{"prompt":"<user>q<assistant>","completion":"a"}' 'text beside an instruction, and the number of a row of pandas'
form '{"question":"q","chosen":"a","rejected":"b"}' '{"prompt":"<user>q<assistant>"}' 'the prompt of a question and its answers' --type prompt
form '{"prompt":"\n\nHuman: q\n\nAssistant:","completion":" a"}' '{"prompt":"<user>q<assistant>","completion":"a"}' 'a transcript and its completion'
echo '{{ "T" if tools is not none and tools is defined }}{{ x }}' >tools.jinja
echo '{"messages":['"$U"'],"tools":"","chat_template_kwargs":"{\"x\":7}"}' >form.jsonl
is "$(rows --chat-template tools.jinja form.jsonl | jq -r .text)" 7 'no tools as an empty string, variables as JSON text'
printf '%s\n' '{"prompt":"q","chosen":"a","rejected":"b"}' '{"prompt":1}' >form.jsonl
tmpl --skip-bad --type unpaired form.jsonl 2>err | mpcat -c >/dev/null
like "$(cat err)" '1 of 1 rows are plain strings' 'rows are counted, not what is made of them, and no bad ones'
for bad in '{"conversations":[{"value":"q"}]}|message 1: has no role' '{"prompt":"q","responses":["a","b"],"scores":[1]}|2 answers.*1 number' \
	'{"prompt":"q","responses":["a","b"],"scores":[1,1]}|no answer is better' '{"chosen":"\n\nHuman: q\n\nAssistant: a\n\nHuman: r","rejected":"\n\nHuman: q\n\nAssistant: b"}|ends with the human' \
	'{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a","loss_weight":0.5}]}|0.5: a turn is trained on or not' \
	'{"messages":['"$U"',{"role":"assistant","content":"a","weight":0}],"label":true}|its weight is 0' '{"messages":['"$U"',{"role":"assistant","content":"a","weight":"0"}]}|.weight. is not a number' \
	'{"prompt":"q","chosen":['"$U,$A"'],"rejected":['"$B"']}|the prompt is not what both' '{"messages":['"$U"'],"tools":5}|.tools. is not a list' '{"question":5}|.question. is not a string' \
	'{"instruction":"q","completions":[]}|not a row that is known' '{"instruction":"q","output":"a","history":[[1,null]]}|turn 1 is not a question' \
	'{"messages":[{"role":"user","content":"q"}],"label":true}|does not end with an answer' '{"messages":[{"role":"user","content":[{"type":"image_url","value":"x"}]}]}|image_url'; do
	echo "${bad%|*}" >form.jsonl
	status 1 "refused: ${bad%|*}" tmpl --chat-template say.jinja form.jsonl -o x.mp
	like "$(cat err)" "form.jsonl:1: .*${bad#*|}" 'with the reason'
done

# ---- boundaries ----
cat >think.jinja <<'J'
{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}{% if add_generation_prompt %}<assistant><think>{% endif %}
J
is "$(rows --chat-template think.jinja explicit.jsonl | jq -c '[.prompt,.chosen]')" '["<user>hello</><assistant>","hi</>"]' \
	'a generation prompt that the finished turn does not have ends where they part'
tmpl --chat-template think.jinja explicit.jsonl 2>err | mpcat -c >/dev/null
like "$(cat err)" '1 of 1 prompts were ended inside the generation prompt' 'and is counted'
cat >last.jinja <<'J'
{% for m in messages %}<{{ m.role }}{{ '*' if loop.last }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<a>{% endif %}
J
status 1 'a template that writes earlier turns differently is refused' tmpl --chat-template last.jinja -o x.mp explicit.jsonl
like "$(cat err)" 'explicit.jsonl:1: .*differently once an answer follows' 'with the reason'
[ ! -e x.mp ]; ok $? 'and no file is left'
is "$(rows --chat-template think.jinja --continue-final-message p.jsonl)" '{"prompt":"<user>q","_templated":true}' '--continue-final-message leaves the message open'

# ---- templates ----
cat >date.jinja <<'J'
{{ strftime_now('%Y-%m-%d') }}{{ bos_token }}{{ x }}{{ tools|length if tools }}{% for m in messages %}{{ m.content }}{% endfor %}
J
is "$(rows -m "$M" --chat-template date.jinja --date 2025-01-31 --chat-template-kwargs '{"x":[1]}' chat.jsonl | jq -c .text)" '"2025-01-31<s>[1]qarb"' \
	'the date, special tokens and further variables reach the template'
is "$(SOURCE_DATE_EPOCH=0 rows -m "$M" --chat-template date.jinja chat.jsonl | jq -c .text)" '"1970-01-01<s>qarb"' 'SOURCE_DATE_EPOCH is the clock'
echo '[{"a":1},{"b":2}]' >tools.json
is "$(rows -m "$M" --chat-template date.jinja --date 2025-01-31 --tools tools.json chat.jsonl | jq -c .text)" '"2025-01-31<s>2qarb"' '--tools'
like "$(tmpl -m "$M" --list-templates)" '^default \(of the model\)$' '--list-templates names the model'\''s'
like "$(tmpl --list-templates)" '^chatml$' 'and the built-in ones'
mkdir several; echo '{"chat_template":[{"name":"default","template":"D"},{"name":"tool_use","template":"T"}]}' >several/tokenizer_config.json
is "$(rows -m several chat.jsonl | jq -c .text)" '"D"' 'the default of several templates'
is "$(rows -m several --tools tools.json chat.jsonl | jq -c .text)" '"T"' 'tool_use where there are tools'
is "$(rows -m several --chat-template tool_use chat.jsonl | jq -c .text)" '"T"' 'a template of the model by name'
mkdir jinja; echo -n 'J{{ messages|length }}' >jinja/chat_template.jinja
is "$(rows -m jinja chat.jsonl | jq -c .text)" '"J4"' 'chat_template.jinja'
tmpl -m "$R/tests/data/tiny-bpe" --chat-template llama3 chat.jsonl 2>err | mpcat -c >/dev/null
like "$(cat err)" "warning: the tokenizer .* does not have as one token .*<\|start_header_id\|>" 'special tokens that the tokenizer lacks are said'

# ---- files ----
jq -s . strings.jsonl explicit.jsonl >array.json
is "$(rows --chat-template chatml array.json | wc -l)" 2 'an array of rows'
gzip -c strings.jsonl >s.gz
is "$(rows s.gz)" "$(rows strings.jsonl)" 'gzipped rows'
is "$(rows strings.jsonl strings.jsonl | wc -l)" 2 'several files'
is "$(tmpl -q array.json --chat-template chatml | mpcat | jq -r ._source | tail -1)" array.json:2 'rows of an array are counted'
for i in 1 2 3 4 5; do jq -c ".id = $i" explicit.jsonl; done >five.jsonl
is "$(rows --chat-template chatml --shard 2/2 five.jsonl | jq -c .id | paste -sd,)" 2,4 '--shard'
cmp <(tmpl -q --chat-template chatml -j 1 five.jsonl) <(tmpl -q --chat-template chatml -j 3 five.jsonl); ok $? 'the same bytes with any number of threads'

# ---- faults ----
status 1 'messages without a template are refused' tmpl chat.jsonl -o x.mp
like "$(cat err)" 'chat.jsonl:1: .*--chat-template' 'naming the way out'
status 2 'an unknown template' tmpl --chat-template nope chat.jsonl -o x.mp
like "$(cat err)" "no chat template 'nope'.*chatml" 'lists what there is'
echo '{"prompt":"a","chosen":"b","rejected":"c","_x":1}' >bad.jsonl
status 1 'a column with a reserved name' tmpl bad.jsonl -o x.mp
like "$(cat err)" "bad.jsonl:1: column '_x'.*rename" 'with the way to rename it'
printf '%s\n' '{"prompt":"a","chosen":"b","rejected":"c"}' '{"prompt":' '{"a":1}' '{"prompt":"a","chosen":"b","rejected":5}' '{"prompt":"d","chosen":"e","rejected":"f"}' >bad.jsonl
is "$(tmpl -q --skip-bad bad.jsonl --rejects bad.mp 2>err | mpcat | jq -r .prompt | paste -sd,)" a,d '--skip-bad goes on'
is "$(mpcat bad.mp | jq -r ._source | paste -sd,)" bad.jsonl:2,bad.jsonl:3,bad.jsonl:4 '--rejects keeps the bad rows'
like "$(mpcat bad.mp | jq -r ._reason | tail -1)" "'rejected' is neither a string nor a list of messages" 'with the reason'
printf '{"prompt":"\xff","chosen":"b","rejected":"c"}\n' >bad.jsonl
status 1 'invalid UTF-8 is refused' tmpl bad.jsonl -o x.mp
like "$(cat err)" '^tmpl: bad.jsonl:1: the row is not valid UTF-8' 'with file and row'
echo '{"prompt":"a","chosen":"b"}' >bad.jsonl
status 1 'a pair without its other half' tmpl bad.jsonl -o x.mp
like "$(cat err)" "no 'rejected' in the row" 'is said to lack it'
endless() { head -c 1000000000 /dev/zero | tr '\0' a; }
(echo -n '{"prompt":"'; endless) | command time -o kb -f %M "$(command -v tmpl)" - 2>err >/dev/null
like "$(cat err)" '^tmpl: -: a line of more than 268435456 bytes' 'a line of a gigabyte is refused'
(echo -n '[{"prompt":"'; endless) | command time -o kb2 -f %M "$(command -v tmpl)" - 2>err >/dev/null
like "$(cat err)" '^tmpl: -: element 1 is longer than 268435456 bytes' 'and such an element of an array'
ok "$(($(tail -qn1 kb kb2 | sort -n | tail -1) > 900000))" 'in memory that does not grow with it'
echo -n '[{"text":"a"},{"text":"b"' >bad.json
status 1 'an array that is cut' tmpl bad.json -o x.mp
printf '{%% for a in range(100000) %%}{%% for b in range(100000) %%}{{ a }}{%% endfor %%}{%% endfor %%}' >endless.jinja
status 1 'an endless template ends with an error' timeout 60 tmpl --chat-template endless.jinja chat.jsonl -o x.mp
echo "{{ 'a' * 10**9 * 10**9 }}" >huge.jinja
status 1 'a template that makes huge text ends with an error' tmpl --chat-template huge.jinja chat.jsonl -o x.mp
echo "{{ raise_exception('no tools here') }}" >raise.jinja
status 1 'raise_exception' tmpl --chat-template raise.jinja chat.jsonl -o x.mp
like "$(cat err)" 'chat.jsonl:1: .*line 1: .*no tools here' 'with its words, template line and row'
echo "{% include 'x' %}" >inc.jinja
status 1 'include is refused' tmpl --chat-template inc.jinja chat.jsonl -o x.mp
tmpl -q strings.jsonl >/dev/full 2>err; is $? 3 'a full disk'
status 2 'an unknown option' tmpl --nope
done_testing
