/* Numbers from text and rounding, as Python does both. */
#include "tools/tmpl/jinja_int.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 500 }; /* digits worth looking at */

/* Strips white space and the underscores that stand between digits; NULL when no number can be there. */
static char *clean(struct jv s, char buf[NUMBER_MAX + 1])
{
	s = jx_strip(s, NULL, 1, 1);
	if (!s.len || s.len > NUMBER_MAX)
		return NULL;
	size_t n = 0;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.u.s[i];
		if (c == 0)
			return NULL;
		if (c != '_') {
			buf[n++] = c;
			continue;
		}
		char before = i ? s.u.s[i - 1] : 0, after = i + 1 < s.len ? s.u.s[i + 1] : 0;
		int ok = ((before >= '0' && before <= '9') ||
				 ((before | 32) >= 'a' && (before | 32) <= 'z')) &&
			 ((after >= '0' && after <= '9') ||
				 ((after | 32) >= 'a' && (after | 32) <= 'f'));
		if (!ok)
			return NULL;
	}
	buf[n] = 0;
	return buf;
}

int jx_parse_int(struct jv s, int base, int64_t *out)
{
	char buf[NUMBER_MAX + 1], *p = clean(s, buf);
	if (!p || (base != 0 && (base < 2 || base > 36)))
		return -1;
	int neg = *p == '-';
	if (*p == '-' || *p == '+')
		p++;
	if (p[0] == '0' && p[1]) {
		char k = (char)(p[1] | 32);
		int b = k == 'x' ? 16 : k == 'o' ? 8 : k == 'b' ? 2 : 0;
		if (b && (base == 0 || base == b) && p[2]) {
			base = b;
			p += 2;
		} else if (base == 0) {
			for (const char *z = p; *z; z++)
				if (*z != '0')
					return -1; /* "012" */
		}
	}
	if (base == 0)
		base = 10;
	int64_t v = 0;
	int big = 0;
	if (!*p)
		return -1;
	for (; *p; p++) {
		int d = *p >= '0' && *p <= '9'		       ? *p - '0'
			: (*p | 32) >= 'a' && (*p | 32) <= 'z' ? (*p | 32) - 'a' + 10
							       : 99;
		if (d >= base)
			return -1;
		big |= __builtin_mul_overflow(v, (int64_t)base, &v) ||
		       __builtin_sub_overflow(v, (int64_t)d, &v);
	}
	if (big || (!neg && v == INT64_MIN))
		return -2;
	*out = neg ? v : -v;
	return 0;
}

int jx_parse_float(struct jv s, double *out)
{
	char buf[NUMBER_MAX + 1], *p = clean(s, buf), *end;
	if (!p)
		return -1;
	const char *q = *p == '-' || *p == '+' ? p + 1 : p;
	if (strcasecmp(q, "inf") == 0 || strcasecmp(q, "infinity") == 0 ||
		strcasecmp(q, "nan") == 0) {
		double v = (*q | 32) == 'i' ? INFINITY : NAN;
		*out = *p == '-' ? -v : v;
		return 0;
	}
	if (strspn(q, "0123456789.eE+-") != strlen(q))
		return -1; /* strtod's hexadecimal floats */
	*out = strtod(p, &end);
	return end == p || *end ? -1 : 0;
}

static struct jv round_int(struct jinja_run *r, int64_t v, int64_t digits)
{
	if (digits >= 0)
		return jv_int(v);
	if (digits < -18)
		return jv_int(0);
	int64_t p = 1;
	for (int64_t i = digits; i < 0; i++)
		p *= 10;
	int64_t q = v / p, m = v % p, half = (m < 0 ? -m : m);
	if (half > p - half || (half == p - half && q % 2))
		q += v < 0 ? -1 : 1;
	if (__builtin_mul_overflow(q, p, &v))
		jx_fail(r, "an integer beyond 64 bits");
	return jv_int(v);
}

/* round(v, digits): halves go to the even neighbour of the exact decimal value. */
struct jv jx_round(struct jinja_run *r, struct jv v, int64_t digits)
{
	char buf[NUMBER_MAX + 100];
	if (v.type != JV_FLOAT)
		return round_int(r, v.u.i, digits);
	double f = v.u.f;
	if (!isfinite(f) || digits > 323)
		return v;
	if (digits >= 0) {
		snprintf(buf, sizeof buf, "%.*f", (int)digits, f);
		return jv_float(strtod(buf, NULL));
	}
	if (digits < -308)
		return jv_float(copysign(0, f));
	/* All the digits before the point, then the half rule on text. */
	int n = snprintf(buf, sizeof buf, "%.0f", trunc(fabs(f)));
	int keep = n + (int)digits;
	int rest = fabs(f) != trunc(fabs(f));
	if (keep < 0)
		return jv_float(copysign(0, f));
	int up = buf[keep] > '5';
	if (buf[keep] == '5') {
		for (int i = keep + 1; i < n; i++)
			rest |= buf[i] != '0';
		up = rest || (keep > 0 && (buf[keep - 1] - '0') % 2);
	}
	memset(buf + keep, '0', (size_t)(n - keep));
	double base = keep ? strtod(buf, NULL) : 0;
	if (up) {
		char step[NUMBER_MAX];
		snprintf(step, sizeof step, "1e%d", n - keep);
		/* the sum may need rounding of its own only beyond 2^53, where Python's does too */
		base += strtod(step, NULL);
	}
	return jv_float(copysign(base, f));
}
