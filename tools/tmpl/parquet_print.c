#include "tools/tmpl/parquet_print.h"

#include "common/json.h"
#include "common/utf8.h"

#include <math.h>
#include <string.h>

/* ---- truth values and numbers ---- */

static int print_null(
	struct str *out, const struct pq_element *el, const struct pq_value *v, struct err *e)
{
	(void)el, (void)v, (void)e;
	str_add(out, "null", 4);
	return 0;
}

static int print_bool(
	struct str *out, const struct pq_element *el, const struct pq_value *v, struct err *e)
{
	(void)el, (void)e;
	str_adds(out, *v->p ? "true" : "false");
	return 0;
}

/* Sign-extended. */
static int64_t load_int(const struct pq_value *v)
{
	return v->n == 4 ? (int32_t)pq_load32(v->p) : (int64_t)pq_load64(v->p);
}

static void print_digits(struct str *out, int negative, uint64_t n)
{
	static const char pairs[] =
		"00010203040506070809101112131415161718192021222324252627282930313233343536373839"
		"40414243444546474849505152535455565758596061626364656667686970717273747576777879"
		"8081828384858687888990919293949596979899";
	char text[24], *p = text + sizeof text;
	for (; n >= 100; n /= 100) {
		p -= 2;
		memcpy(p, pairs + 2 * (n % 100), 2);
	}
	*--p = pairs[2 * n + 1];
	if (n >= 10)
		*--p = pairs[2 * n];
	if (negative)
		*--p = '-';
	str_add(out, p, (size_t)(text + sizeof text - p));
}

static int print_int(
	struct str *out, const struct pq_element *el, const struct pq_value *v, struct err *e)
{
	(void)el, (void)e;
	int64_t n = load_int(v);
	print_digits(out, n < 0, n < 0 ? -(uint64_t)n : (uint64_t)n);
	return 0;
}

static int print_unsigned(
	struct str *out, const struct pq_element *el, const struct pq_value *v, struct err *e)
{
	(void)el, (void)e;
	print_digits(out, 0, v->n == 4 ? pq_load32(v->p) : pq_load64(v->p));
	return 0;
}

/* JSON has no NaN and no infinity: null. */
static int print_number(struct str *out, double d)
{
	char text[40];
	if (isfinite(d))
		str_add(out, text, json_repr_double(d, text));
	else
		str_add(out, "null", 4);
	return 0;
}

static int print_real(
	struct str *out, const struct pq_element *el, const struct pq_value *v, struct err *e)
{
	(void)e;
	uint32_t low = pq_load32(v->p);
	if (el->type == PQ_FLOAT) {
		float f;
		memcpy(&f, &low, sizeof f);
		return print_number(out, f);
	}
	uint64_t bits = pq_load64(v->p);
	double d;
	memcpy(&d, &bits, sizeof d);
	return print_number(out, d);
}

static int print_half(
	struct str *out, const struct pq_element *el, const struct pq_value *v, struct err *e)
{
	(void)el, (void)e;
	unsigned bits = v->p[0] | (unsigned)v->p[1] << 8, exponent = bits >> 10 & 31;
	double d = exponent == 31 ? (bits & 1023 ? NAN : INFINITY)
		   : exponent	  ? ldexp(1024 + (bits & 1023), (int)exponent - 25)
				  : ldexp(bits & 1023, -24);
	return print_number(out, bits >> 15 ? -d : d);
}

/* ---- decimals: a whole number and how many of its digits are behind the point ---- */

enum { DECIMAL_BYTES = 64, DECIMAL_DIGITS = 160, SCALE_MAX = 155 };

/* The digits of the absolute value; how many. big-endian, in two's complement. */
static size_t decimal_digits(const uint8_t *p, size_t n, char digits[DECIMAL_DIGITS], int *negative)
{
	uint8_t rest[DECIMAL_BYTES];
	size_t from = 0, count = 0;
	*negative = n && p[0] & 0x80;
	unsigned carry = *negative != 0;
	for (size_t i = n; i--;) {
		carry += *negative ? p[i] ^ 0xffu : p[i];
		rest[i] = (uint8_t)carry;
		carry >>= 8;
	}
	while (from < n) {
		unsigned digit = 0;
		for (size_t i = from; i < n; i++) {
			digit = digit << 8 | rest[i];
			rest[i] = (uint8_t)(digit / 10);
			digit %= 10;
		}
		digits[count++] = (char)('0' + digit);
		while (from < n && !rest[from])
			from++;
	}
	if (!count)
		digits[count++] = '0';
	for (size_t i = 0; i < count / 2; i++) {
		char c = digits[i];
		digits[i] = digits[count - 1 - i];
		digits[count - 1 - i] = c;
	}
	return count;
}

/* str() of Python's Decimal: an exponent where there would be six zeros behind the point. */
static void print_scaled(struct str *out, int negative, const char *digits, int n, int scale)
{
	int left = n - scale, point = left > -6 ? left : 1;
	str_adds(out, negative ? "\"-" : "\"");
	if (point <= 0)
		str_add(out, "0.00000", (size_t)(2 - point));
	for (int i = 0; i < n; i++) {
		if (i && i == point)
			str_addc(out, '.');
		str_addc(out, digits[i]);
	}
	if (left != point)
		str_addf(out, "E%+d", left - point);
	str_addc(out, '"');
}

static int print_decimal(
	struct str *out, const struct pq_element *el, const struct pq_value *v, struct err *e)
{
	char digits[DECIMAL_DIGITS];
	uint8_t turned[8];
	const uint8_t *p = v->p;
	size_t n = v->n;
	int negative;
	while (n > 1 && n > DECIMAL_BYTES && (*p == 0 || *p == 0xff) &&
		(*p & 0x80) == (p[1] & 0x80)) {
		p++; /* a sign that is longer than it has to be */
		n--;
	}
	if (n > DECIMAL_BYTES)
		return err_data(e, "a decimal of more than %d bytes", DECIMAL_BYTES);
	if (el->type == PQ_INT32 || el->type == PQ_INT64) {
		for (size_t i = 0; i < n; i++)
			turned[i] = p[n - 1 - i];
		p = turned;
	}
	n = decimal_digits(p, n, digits, &negative);
	print_scaled(out, negative, digits, (int)n, (int)el->scale);
	return 0;
}

/* ---- dates and times ---- */

enum { DAY = 86400, DAYS_TO_1 = -719162, DAYS_TO_10000 = 2932897 }; /* from 1970-01-01 */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

static int64_t floor_mod(int64_t a, int64_t b)
{
	return a % b < 0 ? a % b + b : a % b;
}

/* Of the Gregorian calendar, also before it was made. Years of 365.2425 days that begin in March. */
static int add_date(struct str *out, int64_t days, struct err *e)
{
	if (days < DAYS_TO_1 || days >= DAYS_TO_10000)
		return err_data(e, "a date outside of the years 1 to 9999");
	unsigned day = (unsigned)(days + 719468), era = day / 146097, in_era = day % 146097;
	unsigned year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	unsigned in_year = in_era - (365 * year + year / 4 - year / 100);
	unsigned month = (5 * in_year + 2) / 153;
	str_addf(out, "%04u-%02u-%02u", year + era * 400 + (month >= 10),
		month < 10 ? month + 3 : month - 9, in_year - (153 * month + 2) / 5 + 1);
	return 0;
}

/* A fraction of six digits, of nine where six do not do, of none where it is zero. */
static void add_time(struct str *out, int64_t seconds, int64_t nanos)
{
	unsigned s = (unsigned)seconds, n = (unsigned)nanos;
	str_addf(out, "%02u:%02u:%02u", s / 3600, s / 60 % 60, s % 60);
	if (n % 1000)
		str_addf(out, ".%09u", n);
	else if (n)
		str_addf(out, ".%06u", n / 1000);
}

static int print_date(
	struct str *out, const struct pq_element *el, const struct pq_value *v, struct err *e)
{
	(void)el;
	size_t before = out->len;
	str_addc(out, '"');
	if (add_date(out, load_int(v), e) < 0) {
		str_cut(out, before);
		return -1;
	}
	str_addc(out, '"');
	return 0;
}

/* Python's time has no nanoseconds: they are cut. */
static int print_time(
	struct str *out, const struct pq_element *el, const struct pq_value *v, struct err *e)
{
	int64_t n = load_int(v), nanos = 1000000000 / el->ticks;
	if (n < 0 || n / el->ticks >= DAY)
		return err_data(e, "a time outside of a day");
	str_addc(out, '"');
	add_time(out, n / el->ticks, n % el->ticks * nanos / 1000 * 1000);
	str_addc(out, '"');
	return 0;
}

static int print_moment(
	struct str *out, int64_t days, int64_t seconds, int64_t nanos, int is_utc, struct err *e)
{
	size_t before = out->len;
	str_addc(out, '"');
	if (add_date(out, days, e) < 0) {
		str_cut(out, before);
		return -1;
	}
	str_addc(out, ' ');
	add_time(out, seconds, nanos);
	str_adds(out, is_utc ? "+00:00\"" : "\"");
	return 0;
}

static int print_timestamp(
	struct str *out, const struct pq_element *el, const struct pq_value *v, struct err *e)
{
	int64_t n = load_int(v), seconds = floor_div(n, el->ticks);
	return print_moment(out, floor_div(seconds, DAY), floor_mod(seconds, DAY),
		floor_mod(n, el->ticks) * (1000000000 / el->ticks), el->is_utc, e);
}

/* INT96: nanoseconds of the day, and the day by Julian count. */
static int print_old_timestamp(
	struct str *out, const struct pq_element *el, const struct pq_value *v, struct err *e)
{
	(void)el;
	enum { JULIAN_1970 = 2440588 };
	int64_t nanos = (int64_t)pq_load64(v->p), seconds = floor_div(nanos, 1000000000);
	int64_t days = (int64_t)pq_load32(v->p + 8) - JULIAN_1970 + floor_div(seconds, DAY);
	return print_moment(out, days, floor_mod(seconds, DAY), floor_mod(nanos, 1000000000), 0, e);
}

/* ---- text ---- */

static int print_text(
	struct str *out, const struct pq_element *el, const struct pq_value *v, struct err *e)
{
	(void)el;
	const char *s = (const char *)v->p;
	if (!utf8_valid(s, v->n))
		return err_data(e, "a value is not UTF-8 text");
	json_write_string(out, s, v->n);
	return 0;
}

static int print_uuid(
	struct str *out, const struct pq_element *el, const struct pq_value *v, struct err *e)
{
	(void)el, (void)e;
	str_addc(out, '"');
	for (size_t i = 0; i < v->n; i++)
		str_addf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", v->p[i]);
	str_addc(out, '"');
	return 0;
}

/* ---- the table ---- */

#define T(type) (1u << (type))
enum {
	INTS = T(PQ_INT32) | T(PQ_INT64),
	BYTES = T(PQ_BYTE_ARRAY) | T(PQ_FIXED),
	ANY = T(PQ_GROUP) - 1,
};

/* The first row that a column's type and meaning are in. */
static const struct printer {
	enum pq_meaning meaning;
	unsigned types;
	size_t width; /* of PQ_FIXED; 0: any */
	pq_print *print;
} printers[] = {
	{PQ_NULL, ANY, 0, print_null},
	{PQ_AS_IT_IS, T(PQ_BOOLEAN), 0, print_bool},
	{PQ_AS_IT_IS, INTS, 0, print_int},
	{PQ_INTEGER, INTS, 0, print_int},
	{PQ_AS_IT_IS, T(PQ_INT96), 0, print_old_timestamp},
	{PQ_AS_IT_IS, T(PQ_FLOAT) | T(PQ_DOUBLE), 0, print_real},
	{PQ_AS_IT_IS, BYTES, 0, print_text},
	{PQ_TEXT, BYTES, 0, print_text},
	{PQ_DECIMAL, INTS | BYTES, 0, print_decimal},
	{PQ_DATE, T(PQ_INT32), 0, print_date},
	{PQ_TIME, INTS, 0, print_time},
	{PQ_TIMESTAMP, T(PQ_INT64), 0, print_timestamp},
	{PQ_UUID, T(PQ_FIXED), 16, print_uuid},
	{PQ_FLOAT16, T(PQ_FIXED), 2, print_half},
};

pq_print *pq_printer(const struct pq_element *el, struct err *e)
{
	int timed = el->meaning == PQ_TIME || el->meaning == PQ_TIMESTAMP;
	const char *bad = NULL;
	if (el->meaning == PQ_INTERVAL)
		bad = "intervals are not read";
	else if (timed && !el->ticks)
		bad = "a unit of time that is not known";
	else if (el->meaning == PQ_DECIMAL && (el->scale < 0 || el->scale > SCALE_MAX))
		bad = "a decimal's scale that is not read";
	for (size_t i = 0; !bad && i < sizeof printers / sizeof *printers; i++) {
		const struct printer *p = &printers[i];
		if (p->meaning == el->meaning && p->types >> el->type & 1 &&
			(!p->width || p->width == el->width))
			return p->print == print_int && el->is_unsigned ? print_unsigned : p->print;
	}
	err_data(e, "%s", bad ? bad : "a type that its values cannot have");
	return NULL;
}
