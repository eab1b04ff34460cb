#!/usr/bin/env python3
"""Random templates and what Jinja2 (as transformers sets it up) makes of them, one JSON object a line:
{"t": template, "v": variables, "want": text} or {"t", "v", "refused": error}.

usage: jinja_fuzz.py SEED COUNT [any|layout|scopes] > cases.jsonl
(any: everything; layout: wordwrap, urlize, striptags, pprint; scopes: who sees which assignment)
"""
import json
import random
import re
import resource
import signal
import sys
import warnings

warnings.filterwarnings("ignore")

STRINGS = ["", "a", "Hello World", "  pad \n", "x,y,,z", "Grüße", "日本語 text", "a-b_c (d)", "123", "-4.5", "1e3", "ÀÉ", "ǆ", "ß",
           "tab\there", "line\nbreak\r\nand\n", "<b>&\"'</b>", "🙂 ok", "None", "true", "İi", "{{x}}", "%s %d", "a\\b", "0x1f", " 7 ", "ﬁn"]
INTS = [0, 1, -1, 2, 3, 7, 10, -5, 255, 1000000]
FLOATS = [0.0, 1.0, -2.5, 0.1, 1e-5, 1e16, 1e300, 3.14159, -0.0, 2.675, 1.5]
VARS = {
    "s": lambda r: r.choice(STRINGS), "t": lambda r: r.choice(STRINGS), "n": lambda r: r.choice(INTS), "k": lambda r: r.choice(INTS),
    "f": lambda r: r.choice(FLOATS), "b": lambda r: r.choice([True, False]), "none_": lambda r: None,
    "l": lambda r: [r.choice(INTS) for _ in range(r.randint(0, 5))],
    "sl": lambda r: [r.choice(STRINGS) for _ in range(r.randint(0, 4))],
    "ml": lambda r: [value(r, 1) for _ in range(r.randint(0, 4))],
    "d": lambda r: {r.choice(["a", "b", "c", "key", "Z"]): value(r, 1) for _ in range(r.randint(0, 4))},
    "dl": lambda r: [{"a": r.choice(INTS), "b": r.choice(STRINGS), "g": r.choice(["x", "y", "X"])} for _ in range(r.randint(0, 4))],
}


def value(r, depth):
    k = r.random()
    if depth > 2 or k < 0.3:
        return r.choice(STRINGS)
    if k < 0.5:
        return r.choice(INTS)
    if k < 0.6:
        return r.choice(FLOATS)
    if k < 0.7:
        return r.choice([True, False, None])
    if k < 0.85:
        return [value(r, depth + 1) for _ in range(r.randint(0, 3))]
    return {r.choice(["a", "b", "c"]): value(r, depth + 1) for _ in range(r.randint(0, 3))}


def literal(r):
    k = r.random()
    if k < 0.4:
        return json.dumps(r.choice(STRINGS), ensure_ascii=False) if r.random() < 0.5 else repr(r.choice(STRINGS))
    if k < 0.7:
        return str(r.choice(INTS))
    if k < 0.8:
        return repr(r.choice(FLOATS))
    if k < 0.9:
        return r.choice(["true", "false", "none", "True", "None"])
    return r.choice(["[1, 2, 3]", "['a', 'b']", "(1, 'x')", "{'a': 1, 'b': [2]}", "[]", "{}", "()"])


FILTERS = ["upper", "lower", "title", "capitalize", "trim", "length", "first", "last", "list", "join", "join(', ')", "join('-', attribute='a')",
           "reverse", "reverse|list", "sort", "sort(reverse=true)", "sort(attribute='a')", "sort(case_sensitive=true)", "unique|list", "int", "int(5)",
           "int(0, 16)", "float", "float(1.5)", "abs", "round", "round(1)", "round(2, 'floor')", "round(0, 'ceil')", "string", "tojson",
           "tojson(indent=2)", "tojson(ensure_ascii=true)", "tojson(sort_keys=true)", "tojson(separators=(',', ':'))", "default('dd')",
           "default('dd', true)", "d(3)", "replace('a', 'bb')", "replace('l', '', 1)", "replace('', '-')", "indent", "indent(2, true)",
           "indent(width='> ', blank=true)", "truncate(5)", "truncate(5, true)", "truncate(4, false, '…', 0)", "wordcount", "center(12)",
           "batch(2)|list", "batch(2, '-')|list", "slice(2)|list", "slice(3, 'f')|list", "map('upper')|list", "map('int')|list",
           "map(attribute='a')|list", "map(attribute='zz', default=9)|list", "map('default', 'q')|join('/')", "select|list", "select('odd')|list",
           "select('string')|list", "reject('none')|list", "reject('in', [1, 2])|list", "selectattr('a')|list", "selectattr('a', 'gt', 1)|list",
           "rejectattr('b', 'equalto', 'a')|list", "selectattr('g', '==', 'x')|map(attribute='b')|list", "sum", "sum(attribute='a')", "sum(start=10)",
           "max", "min", "max(attribute='a')", "min(case_sensitive=true)", "dictsort", "dictsort(by='value')", "dictsort(reverse=true)",
           "items|list", "groupby('g')|list", "groupby('a')|map('first')|list", "escape", "e", "forceescape", "safe", "urlencode", "xmlattr",
           "filesizeformat", "filesizeformat(true)", "format(1, 2)", "format(a=1)", "attr('upper')", "count", "nosuchfilter"]
TESTS = ["defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "true", "false", "mapping", "sequence", "iterable",
         "callable", "odd", "even", "lower", "upper", "divisibleby(3)", "divisibleby 2", "sameas(none)", "in [1, 'a']", "eq 1", "equalto('a')",
         "ne 2", "lt 3", "gt(2)", "ge 1", "le 7", "filter", "test", "escaped", "nosuchtest"]
METHODS = ["upper()", "lower()", "title()", "capitalize()", "swapcase()", "casefold()", "strip()", "lstrip()", "rstrip('\\n ')", "strip('ab')",
           "split()", "split(',')", "split(' ', 1)", "rsplit(',', 1)", "splitlines()", "splitlines(true)", "partition('-')", "rpartition(',')",
           "startswith('a')", "endswith(('z', 'd'))", "find('l')", "rfind('l')", "index('a')", "count('l')", "replace('a', 'x')",
           "replace('a', 'x', 1)", "join(['p', 'q'])", "join(sl)", "isdigit()", "isalpha()", "isalnum()", "isupper()", "islower()", "isspace()",
           "isnumeric()", "isdecimal()", "istitle()", "zfill(6)", "ljust(8)", "rjust(8, '*')", "center(9)", "expandtabs(4)", "removeprefix('a')",
           "removesuffix('z')", "format(1, a=2)", "items()|list", "keys()|list", "values()|list", "get('a')", "get('zz', 4)", "copy()",
           "append(1)", "pop()", "update({})", "index(1)", "count(1)", "bit_length()", "is_integer()", "nosuch()", "__class__", "_x", "upper"]
FORMATS = ["'%s|%5d|%-4s|' % (s, n, t)", "'%05.2f' % f", "'%x %o %%' % (n, k)", "'{} {:>6} {!r}'.format(s, n, t)", "'{0:.3f} {0:e}'.format(f)",
           "'{a}-{b:04d}'.format(a=s, b=n)", "'%r' % (sl,)", "'%c%c' % (65, 'b')", "'{:,}'.format(n)", "'%(a)s' % d"]


def expr(r, depth=0):
    k = r.random()
    if depth > 3 or k < 0.25:
        return r.choice(list(VARS)) if r.random() < 0.8 else r.choice(["missing", "missing.x", "d.a", "d['b']", "d.zz", "l[0]", "l[-1]", "s[0]", "dl[0].b", "l[99]"])
    if k < 0.35:
        return literal(r)
    if k < 0.6:
        return f"{atom(r, depth)}|{r.choice(FILTERS)}"
    if k < 0.7:
        return f"{atom(r, depth)}.{r.choice(METHODS)}"
    if k < 0.78:
        return f"{atom(r, depth)} {r.choice(['+', '-', '*', '/', '//', '%', '~', '==', '!=', '<', '<=', '>', 'in', 'not in', 'and', 'or'])} {atom(r, depth)}"
    if k < 0.79:
        return f"({r.choice(['n', 'k', 'f', '2', '-3'])} % 7) ** {r.choice(['2', '3', '0', '-1', '0.5', '(k % 5)'])}"
    if k < 0.84:
        return f"{atom(r, depth)} is {r.choice(['', 'not '])}{r.choice(TESTS)}"
    if k < 0.89:
        a, b, c = (r.choice(["", str(r.randint(-4, 6))]) for _ in range(3))
        return f"{r.choice(['s', 't', 'l', 'sl', 'ml'])}[{a}:{b}{':' + c if c != '0' and r.random() < 0.5 else ''}]"
    if k < 0.93:
        return f"{atom(r, depth)} if {atom(r, depth)}{' else ' + atom(r, depth) if r.random() < 0.7 else ''}"
    if k < 0.96:
        return r.choice(["not ", "-", "+"]) + atom(r, depth)
    if k < 0.98:
        return r.choice(FORMATS)
    return f"{atom(r, depth)} {r.choice(['<', '<='])} {atom(r, depth)} {r.choice(['<', '!=', 'in'])} {atom(r, depth)}"


def atom(r, depth):
    e = expr(r, depth + 1)
    return e if re.fullmatch(r"\w+|\"[^\"\\]*\"", e) else f"({e})"


def block(r, depth=0):
    k, lb, rb = r.random(), r.choice(["{%", "{%-", "{% ", "{%+"]), r.choice(["%}", "-%}", " %}", "+%}"])

    def body():
        return template(r, depth + 1)
    if k < 0.25:
        return f"{lb} if {expr(r, 1)} {rb}{body()}{{% elif {expr(r, 2)} %}}{body()}{{%- else -%}}{body()}{lb} endif {rb}"
    if k < 0.5:
        loop = r.choice(["{{ loop.index }}", "{{ loop.first }}{{ loop.last }}", "{{ loop.cycle('a', 'b') }}", "{{ loop.previtem }}", "{{ loop.nextitem|default('-') }}",
                         "{{ loop.revindex0 }}/{{ loop.length }}", "{{ loop.changed(x) }}", "{% if loop.index > 2 %}{% break %}{% endif %}", "{% continue %}", ""])
        cond = f" if {expr(r, 2)}" if r.random() < 0.3 else ""
        return f"{lb} for x in {r.choice(['l', 'sl', 'ml', 'dl', 'd', 's', expr(r, 2), 'range(n % 5)'])}{cond} {rb}{{{{ x }}}}{loop}{body()}{r.choice(['', '{% else %}none'])}{lb} endfor {rb}"
    if k < 0.55:
        return f"{{% for a, b in d.items() %}}{{{{ a }}}}={{{{ b }}}};{body()}{{% endfor %}}"
    if k < 0.65:
        return f"{lb} set {r.choice(['s', 'v', 'n'])} = {expr(r, 1)} {rb}{{{{ v }}}}"
    if k < 0.7:
        return f"{lb} set v {rb}{body()}{lb} endset {rb}[{{{{ v }}}}]"
    if k < 0.75:
        return f"{{% set ns = namespace(c=0, d={literal(r)}) %}}{{% for x in l %}}{{% set ns.c = ns.c + x %}}{{% endfor %}}{{{{ ns.c }}}}{{{{ ns.d }}}}"
    if k < 0.82:
        return f"{{% macro m(p, q='w') %}}<{{{{ p }}}}{{{{ q }}}}{{{{ varargs }}}}>{body()}{{% endmacro %}}{{{{ m({expr(r, 2)}) }}}}{{{{ m(1, q={expr(r, 2)}) }}}}"
    if k < 0.86:
        return f"{{% macro c(p) %}}({{{{ caller(p) }}}}){{% endmacro %}}{{% call(z) c(3) %}}{{{{ z }}}}{body()}{{% endcall %}}"
    if k < 0.9:
        return f"{{% filter {r.choice(['upper', 'trim', 'replace(1, 2)', 'title', 'indent(2)'])} %}}{body()}{{% endfilter %}}"
    if k < 0.93:
        return f"{{% with v = {expr(r, 1)} %}}{{{{ v }}}}{body()}{{% endwith %}}"
    if k < 0.95:
        return "{% raw %}{{ s }}{% endraw %}" + r.choice(["", "\n"])
    if k < 0.98:
        return f"{{% generation %}}{body()}{{% endgeneration %}}"
    return "{% for x in dl recursive %}{{ x.a if x is mapping else x }}{{ loop(l) if loop.depth0 < 1 }}{% endfor %}"


def template(r, depth=0):
    out = []
    for _ in range(r.randint(1, 3 if depth else 4)):
        k = r.random()
        if k < 0.25:
            out.append(r.choice(["text", " ", "\n", "  \n  ", "é", "a\n", "\n\n", "{# c #}", "{#- c -#}", "<|x|>"]))
        elif k < 0.75 or depth > 2:
            lb, rb = r.choice([("{{", "}}"), ("{{-", "-}}"), ("{{ ", " }}"), ("{{", "-}}")])
            out.append(f"{lb} {expr(r)} {rb}")
        else:
            out.append(block(r, depth))
    return "".join(out)


WORDS = ["alpha", "be-ta", "foo--bar", "x", "supercalifragilistic", "a-b-c-d", "http://a.com", "--opt", "e.g.", "(see", "that)",
         "www.example.org/x?y=z.", "mail@host.net", "<b>", "naïve", "日本語", "well-known", "mailto:a@b.co", "https://x.io:80/p(q)", "google.com",
         "ftp://h.x/y", "\n", "\t", "  ", "[::1]", "http://[1:2:3]", "http://1.2.3.4/", "AT", "&", "it's", "-", "a_b", "(http://z.net)",
         "<https://q.org>.", "x@y", "@a@b.c"]
LAYOUTS = [f"wordwrap({n})" for n in (1, 3, 5, 8, 12, 20, 79)] + [
    "wordwrap(9, false)", "wordwrap(10, true, '|')", "wordwrap(11, break_on_hyphens=false)", "wordwrap(4, false, '~', false)", "striptags",
    "urlize", "urlize(12)", "urlize(8, true)", "urlize(target='_blank')", "urlize(rel='b a')", "urlize(extra_schemes=['ftp://'])", "pprint"]


def words(r):
    return "".join(r.choice(WORDS) + r.choice([" ", " ", " ", "", "\n"]) for _ in range(r.randint(0, 20)))


def deep(r, depth=0):
    k = r.random()
    if depth > 3 or k < 0.3:
        return words(r) if r.random() < 0.6 else r.choice(["a", "bb"])
    if k < 0.4:
        return r.choice([1, 2.5, None, True, -7])
    if k < 0.7:
        return [deep(r, depth + 1) for _ in range(r.randint(0, 5))]
    return {r.choice("abcdefgh") * r.randint(1, 9): deep(r, depth + 1) for _ in range(r.randint(0, 5))}


def layout_case(r):
    f = r.choice(LAYOUTS)
    if f == "pprint" or r.random() < 0.3:
        return "{{ s|pprint }}", {"s": deep(r)}
    return "{{ s|%s }}" % f, {"s": words(r)}


def scope(r, depth, blocks):
    out = []
    for _ in range(r.randint(1, 4)):
        n, k = r.choice("abcx"), r.random()
        inner = scope(r, depth + 1, blocks) if depth < 4 else "{{ a }}"
        if k < 0.3:
            out.append("{{ %s }}," % r.choice(["a", "b", "c", "x", "loop.index", "ns.v", "z"]))
        elif k < 0.45:
            out.append("{%% set %s = %s %%}" % (n, r.choice(["1", "2", "a", "b", "x", "c ~ 'q'", "[a]"])))
        elif k < 0.5:
            out.append("{% set ns.v = " + r.choice("abcx") + " %}")
        elif k < 0.6:
            out.append("{%% if %s %%}%s{%% else %%}%s{%% endif %%}" % (r.choice(["a", "b is defined", "x == 1", "loop is defined"]), inner, r.choice(["", "{% set " + n + " = 5 %}"])))
        elif k < 0.72:
            out.append("{%% for %s in %s%s %%}%s%s{%% endfor %%}" % (n, r.choice(["[1, 2]", "'pq'", "[a, b]", "[]"]), r.choice(["", "", " if " + r.choice(["a", "x", n]) ]), inner, r.choice(["", "{% else %}" + "{{ a }}"])))
        elif k < 0.8:
            p = r.choice(["", "a", "x=b", "b, c='d'"])
            out.append("{%% macro m(%s) %%}%s%s{%% endmacro %%}{{ m(%s) }}" % (p, inner, r.choice(["", "{{ caller is defined }}", "{{ kwargs }}{{ varargs }}"]), r.choice(["", "7", "c=8", "1, 2"])))
        elif k < 0.84:
            out.append("{%% set %s %%}%s{%% endset %%}" % (n, inner))
        elif k < 0.88:
            out.append("{%% with %s = %s %%}%s{%% endwith %%}" % (n, r.choice(["a", "b", "3"]), inner))
        elif k < 0.91:
            out.append("{%% filter upper %%}%s{%% endfilter %%}" % inner)
        elif k < 0.94:
            out.append("{%% macro w() %%}{{ a }}{{ caller(4) }}{%% endmacro %%}{%% call(%s) w() %%}%s{%% endcall %%}" % (r.choice("abx"), inner))
        elif k < 0.97:
            blocks.append(1)
            out.append("{%% block b%d%s %%}%s{%% endblock %%}" % (len(blocks), r.choice(["", " scoped"]), inner))
        else:
            out.append("{% generation %}" + inner + "{% endgeneration %}")
    return "".join(out)


def scope_case(r):
    v = {n: r.choice([0, 9, "v" + n]) for n in "abcx" if r.random() < 0.6}
    return "{% set ns = namespace(v='n') %}" + scope(r, 0, []), v


def any_case(r):
    return template(r), {k: make(r) for k, make in VARS.items()}


CASES = {"any": any_case, "layout": layout_case, "scopes": scope_case}


class TooLong(BaseException):
    pass


def too_long(*_):
    raise TooLong


def main():
    from transformers.utils import chat_template_utils as ctu
    resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
    signal.signal(signal.SIGALRM, too_long)
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    make_case = CASES[sys.argv[3] if len(sys.argv) > 3 else "any"]
    r = random.Random(seed)
    done = 0
    while done < count:
        t, v = make_case(r)
        case = {"t": t, "v": v}
        signal.setitimer(signal.ITIMER_REAL, 1)
        try:
            want = ctu._compile_jinja_template(t).render(**v)
            # addresses, and what depends on them, cannot be compared
            if re.search("(?i) at 0x|<generator|<bound method", want) or len(want) > 3000:
                continue
            case["want"] = want
        except TooLong:
            continue
        except Exception as e:
            case["refused"] = f"{type(e).__name__}: {e}"[:100]
        signal.setitimer(signal.ITIMER_REAL, 0)
        done += 1
        try:
            print(json.dumps(case, ensure_ascii=False))
        except UnicodeEncodeError:
            done -= 1


main()
