#!/usr/bin/env python3
"""tests/golden/tmpl: conversations, and digests of what transformers renders from them.

usage: tmpl.py conversations > conversations.jsonl
       tmpl.py digests TEMPLATE_DIR conversations.jsonl > digests.tsv

A line of digests.tsv: template (path below TEMPLATE_DIR), then for each conversation two fields, without and with
the generation prompt: 10 hex digits of XXH3-64 of the text, or - where transformers refuses. Where the template has
{% generation %}, the spans in bytes (" from:to" each) are hashed behind the text rendered without the prompt. BOS is <s>, EOS </s>,
and it is always noon of 24 November 2026.
"""
import datetime
import json
import os
import sys

USER, BOT = "user", "assistant"


def m(role, content, **more):
    return {"role": role, "content": content, **more}


WEATHER = {"type": "function", "function": {
    "name": "weather", "description": "Current weather of a place.",
    "parameters": {"type": "object", "properties": {
        "place": {"type": "string", "description": "Town & country"},
        "unit": {"type": "string", "enum": ["C", "F"]}}, "required": ["place"]}}}
CALL = {"type": "function", "id": "call12345", "function": {"name": "weather", "arguments": {"place": "Köln", "unit": "C"}}}


def conversations():
    plain = [
        [m(USER, "Hello")],
        [m(USER, "Hello"), m(BOT, "Hi there.")],
        [m(USER, "Hello"), m(BOT, "Hi."), m(USER, "How are you?")],
        [m(USER, "Hello"), m(BOT, "Hi."), m(USER, "How are you?"), m(BOT, "Well, thanks!")],
        [m("system", "Be brief."), m(USER, "Hello")],
        [m("system", "Be brief."), m(USER, "Hello"), m(BOT, "Hi.")],
        [m("system", "Be brief."), m(USER, "a"), m(BOT, "b"), m(USER, "c"), m(BOT, "d"), m(USER, "e"), m(BOT, "f")],
        [m("system", ""), m(USER, "Hello"), m(BOT, "Hi.")],
        [m(USER, ""), m(BOT, "")],
        [m(USER, "trailing blanks  "), m(BOT, "  both sides \n")],
        [m(USER, "\n\nleading lines"), m(BOT, "\ttab and line\n\n")],
        [m(USER, "Grüße, 世界! 🙂🏽 e\u0301 \u00a0nbsp"), m(BOT, "Привет — здравствуйте… עברית ไทย")],
        [m(USER, "quotes \" ' ` and \\ back\\nslash"), m(BOT, "{{ braces }} {% if %} {# no #}")],
        [m(USER, "<b>& entities &amp;</b>"), m(BOT, "</s><s>[INST] <|im_end|>")],
        [m(USER, "line one\nline two\r\nline three"), m(BOT, "1. one\n2. two\n")],
        [m(USER, "x" * 500), m(BOT, "y " * 200)],
        [m(BOT, "I speak first."), m(USER, "So you do.")],
        [m(USER, "one"), m(USER, "two"), m(BOT, "three")],
        [m(USER, "one"), m(BOT, "two"), m(BOT, "three")],
        [m(USER, "q"), m("system", "late"), m(BOT, "a")],
        [m("system", "only a system message")],
        [m(USER, "q"), m("narrator", "an unknown role"), m(BOT, "a")],
        [m("developer", "Follow the rules."), m(USER, "q"), m(BOT, "a")],
        [m(USER, "0"), m(BOT, "None")],
        [m(USER, "\u200b\ufeff zero width"), m(BOT, "\u2028 separators \u2029")],
        [m(USER, "q"), m(BOT, "<think>\nlet me see\n</think>\n\nThe answer.")],
        [m(USER, "q"), m(BOT, "<think>a</think>b"), m(USER, "r"), m(BOT, "<think>c</think>d")],
        [m(USER, "q"), m(BOT, "a", reasoning_content="because")],
        [m(USER, "q"), m(BOT, "a", thinking="first thought"), m(USER, "r"), m(BOT, "b", reasoning="second")],
        [m(USER, "q", name="Ann"), m(BOT, "a", name="Bot")],
        [m(USER, "q"), m(BOT, None), m(USER, "r"), m(BOT, "b")],
        [m(USER, [{"type": "text", "text": "content "}, {"type": "text", "text": "parts"}]), m(BOT, "a")],
        [m(USER, [{"type": "text", "text": "one part"}]), m(BOT, [{"type": "text", "text": "answer part"}])],
        [m(USER, [{"type": "image"}, {"type": "text", "text": "What is this?"}]), m(BOT, "A cat.")],
        [m("system", [{"type": "text", "text": "Be brief."}]), m(USER, "q"), m(BOT, "a")],
        [m(USER, 7), m(BOT, 1.5)],
        [m(USER, "a" ), m(BOT, "b", tool_calls=[])],
        [m(USER, "end of text <|endoftext|> <|eot_id|>"), m(BOT, "<end_of_turn>")],
        [m(USER, "é" * 3 + "\x00" if False else "control \x01 \x1b[0m"), m(BOT, "ok")],
        [m(USER, "I"), m(BOT, "II"), m(USER, "III"), m(BOT, "IV"), m(USER, "V"), m(BOT, "VI"), m(USER, "VII")],
    ]
    rows = [{"messages": c} for c in plain]
    ask = [m(USER, "Weather in Köln?")]
    called = ask + [m(BOT, "", tool_calls=[CALL])]
    answered = called + [m("tool", '{"t": 21.5}', name="weather", tool_call_id="call12345")]
    done = answered + [m(BOT, "It is 21.5 degrees.")]
    for c in (ask, called, answered, done, done + [m(USER, "Thanks")], [m("system", "S")] + done):
        rows.append({"messages": c, "tools": [WEATHER]})
    text_call = dict(CALL, function={"name": "weather", "arguments": '{"place": "Köln"}'})
    two = ask + [m(BOT, None, tool_calls=[CALL, dict(CALL, id="call67890")]),
                 m("tool", "21", tool_call_id="call12345"), m("tool", "22", tool_call_id="call67890")]
    rows += [
        {"messages": ask + [m(BOT, None, tool_calls=[text_call])], "tools": [WEATHER]},
        {"messages": two, "tools": [WEATHER, WEATHER]},
        {"messages": two + [m(BOT, "Warm.", reasoning_content="hm")], "tools": [WEATHER]},
        {"messages": done},
        {"messages": ask, "tools": []},
        {"messages": ask, "tools": [WEATHER["function"]]},
        {"messages": ask, "chat_template_kwargs": {"enable_thinking": False}},
        {"messages": ask, "chat_template_kwargs": {"enable_thinking": True, "thinking": True}},
        {"messages": plain[3], "chat_template_kwargs": {"date_string": "1 Jan 2025", "reasoning_effort": "high"}},
        {"messages": plain[5], "chat_template_kwargs": {"bos_token": "<BOS>", "custom": [1, 2.5, None, True, {"a": "b"}]}},
        {"messages": ask, "documents": None, "chat_template_kwargs": {"tools_in_user_message": False}, "tools": [WEATHER]},
        {"messages": [m("user", "x"), m("assistant", "y"), m("tool", "orphan")]},
        {"messages": [m("ipython", "out"), m(USER, "q")]},
        {"messages": [m(USER, ["bare", "strings"]), m(BOT, "a")]},
        {"messages": [m(USER, {"text": "a map"}), m(BOT, "a")]},
        {"messages": [{"role": "user"}, {"role": "assistant"}]},
        {"messages": [m(USER, True), m(BOT, [])]},
    ]
    return rows


def digests(folder, path):
    os.environ["HF_HUB_OFFLINE"] = "1"
    import re
    import xxhash
    from transformers.utils import chat_template_utils as ctu
    noon = datetime.datetime(2026, 11, 24, 12)
    ctu.datetime = type("Fixed", (), {"now": staticmethod(lambda: noon)})
    rows = [json.loads(line) for line in open(path, encoding="utf-8")]
    names = sorted(os.path.relpath(os.path.join(d, f), folder) for d, _, fs in os.walk(folder) for f in fs if f.endswith(".jinja"))
    for name in names:
        with open(os.path.join(folder, name), encoding="utf-8", newline="") as f:
            template = f.read()
        out = [name]
        for row in rows:
            for prompt in (False, True):
                try:
                    messages = [{k: v for k, v in x.items() if v is not None} for x in row["messages"]]
                    marks = not prompt and re.search(r"\{%-?\s*generation\s*-?%\}", template) is not None
                    texts, spans = ctu.render_jinja_template(
                        conversations=[messages], tools=row.get("tools") or None, documents=None, chat_template=template,
                        add_generation_prompt=prompt, return_assistant_tokens_mask=marks,
                        **{"bos_token": "<s>", "eos_token": "</s>", **row.get("chat_template_kwargs", {})})
                    text = texts[0]
                    for a, b in spans[0] if marks else ():
                        text += " %d:%d" % (len(texts[0][:a].encode("utf-8")), len(texts[0][:b].encode("utf-8")))
                    out.append(xxhash.xxh3_64_hexdigest(text.encode("utf-8"))[:10])
                except Exception as e:
                    out.append("-")
                    if os.environ.get("WHY"):
                        print(name, row, type(e), e, file=sys.stderr)
        print("\t".join(out))


if __name__ == "__main__":
    if sys.argv[1] == "conversations":
        for r in conversations():
            print(json.dumps(r, ensure_ascii=False))
    else:
        digests(sys.argv[2], sys.argv[3])
