"""Makes tools/tmpl/jinja_casing.h: the characters whose upper or title case is several characters
(what utf8proc leaves out), as Python has them."""
import sys

print("/* Made by tests/oracle/casing.py from CPython %d.%d's str.upper and str.title: characters that become several. */"
      % sys.version_info[:2])
print("#include <stdint.h>\n")
print("static const struct casing {")
print("\tuint32_t c, upper[3], title[3];")
print("} casings[] = {")
for c in range(0x110000):
    if 0xd800 <= c < 0xe000:
        continue
    up, ti = chr(c).upper(), chr(c).title()
    if len(up) > 1 or len(ti) > 1:
        row = [", ".join("0x%x" % ord(x) for x in s) for s in (up, ti)]
        print("\t{0x%x, {%s}, {%s}}," % (c, row[0], row[1]))
print("};")
