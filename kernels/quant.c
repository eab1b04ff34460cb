#include "kernels/quant.h"

#include "kernels/quant_int.h"

/* ---- codebooks ------------------------------------------------------------------------------- */

/* Quantiles of the normal distribution (QLoRA, arXiv 2305.14314), as bitsandbytes writes them down. */
static const float nf4[16] = {-1.0f, -0.6961928009986877f, -0.5250730514526367f,
	-0.39491748809814453f, -0.28444138169288635f, -0.18477343022823334f, -0.09105003625154495f,
	0.0f, 0.07958029955625534f, 0.16093020141124725f, 0.24611230194568634f,
	0.33791524171829224f, 0.44070982933044434f, 0.5626170039176941f, 0.7229568362236023f, 1.0f};

/* Sign, two bits of exponent, one of mantissa: twelfths. */
static const float fp4[16] = {0, 0.0625f / 12, 8.0f / 12, 1, 4.0f / 12, 6.0f / 12, 2.0f / 12,
	3.0f / 12, 0, -0.0625f / 12, -8.0f / 12, -1, -4.0f / 12, -6.0f / 12, -2.0f / 12,
	-3.0f / 12};

/* The codes by their value. Of FP4's two zeros the first is where 0 falls, the second what is just
 * above it (torch's argsort as bitsandbytes calls it). */
static const uint8_t fp4_order[16] = {11, 10, 13, 12, 15, 14, 9, 0, 8, 1, 6, 7, 4, 5, 2, 3};

const float *quant4_map(enum dtype q)
{
	return q == DT_NF4 ? nf4 : fp4;
}

/* torch.linspace(0.1, 1, n + 1)[i]: from the nearer end, one rounding. */
static float boundary(size_t i, size_t n)
{
	float step = (1.0f - 0.1f) / (float)n;
	return i < (n + 1) / 2 ? fmaf(step, (float)i, 0.1f) : fmaf(-step, (float)(n - i), 1);
}

void quant8_map(int is_signed, float map[256])
{
	static const double power[7] = {1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1};
	/* Upwards from 0 there are 1, 2, 4 … values of each power of ten (unsigned: twice as many),
	 * and 1; downwards the same, without -1. */
	float *up = map + (is_signed ? 127 : 0);
	*up++ = 0;
	for (int i = 0; i < 7; i++) {
		size_t n = (size_t)1 << (is_signed ? i : i + 1);
		for (size_t j = 0; j < n; j++) {
			float mean = (boundary(j, n) + boundary(j + 1, n)) / 2;
			*up++ = (float)power[i] * mean;
		}
	}
	*up = 1;
	for (int i = 0; is_signed && i < 127; i++)
		map[i] = -map[254 - i];
}

/* ---- the loops of this CPU ------------------------------------------------------------------- */

static void load_plain(enum dtype t, const void *src, float *x, size_t n, float *absmax)
{
	quant_load_body(t, src, x, n, absmax);
}

static void bins_plain(
	const float bounds[15], const float *x, size_t n, float factor, int divide, uint8_t *codes)
{
	quant_bins_body(bounds, x, n, factor, divide, codes);
}

static void pack_plain(const uint8_t *codes, size_t bytes, uint8_t *packed)
{
	quant_pack_body(codes, bytes, packed);
}

static void scaled_plain(const float *x, size_t n, float factor, int8_t *q)
{
	quant_scaled_body(x, n, factor, q);
}

static void values4_plain(
	const float map[16], const uint8_t *packed, size_t from, size_t n, float absmax, float *dst)
{
	quant_values4_body(map, packed, from, n, absmax, dst);
}

static void values8_plain(const int8_t *q, size_t n, float scb, float *dst)
{
	quant_values8_body(q, n, scb, dst);
}

static void round_plain(enum dtype t, float *x, size_t n)
{
	quant_round_body(t, x, n);
}

const struct quant_ops quant_ops_plain = {load_plain, bins_plain, pack_plain, scaled_plain,
	values4_plain, values8_plain, round_plain};

static const struct quant_ops *ops(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
		return &quant_ops_avx512;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
		__builtin_cpu_supports("f16c"))
		return &quant_ops_avx2;
#endif
	return &quant_ops_plain;
}

/* ---- 4 bits ---------------------------------------------------------------------------------- */

/* torch clamps to 1e-38, which no f32 is exactly. */
static const float tiniest = 1e-38f;

static const uint8_t *src_at(enum dtype t, const void *src, size_t i)
{
	return (const uint8_t *)src + dtype_bytes(t, i);
}

int quant4_absmax(enum dtype t, const void *src, size_t n, size_t blocksize, float *absmax)
{
	const struct quant_ops *o = ops();
	float x[QUANT_BLOCK_MAX];
	for (size_t i = 0; i < n; i += blocksize, absmax++) {
		size_t len = n - i < blocksize ? n - i : blocksize;
		o->load(t, src_at(t, src, i), x, len, absmax);
		if (!isfinite(*absmax))
			return -1;
		if (len < blocksize)
			*absmax = fmaxf(*absmax, tiniest);
	}
	return 0;
}

/* Half-way between the codes' values, in the order of values; and, for FP4, what turns two places in
 * that order into a byte of codes. */
struct codes4 {
	float bounds[15];
	uint8_t byte[256];
};

static void codes4_init(struct codes4 *c, enum dtype q)
{
	const float *map = quant4_map(q);
	for (int i = 0; i < 16; i++)
		for (int j = 0; j < 16; j++)
			c->byte[i << 4 | j] = (uint8_t)(fp4_order[i] << 4 | fp4_order[j]);
	for (int i = 0; i < 15; i++)
		c->bounds[i] = q == DT_NF4 ? (map[i] + map[i + 1]) / 2
					   : (map[fp4_order[i]] + map[fp4_order[i + 1]]) / 2;
}

int quant4_encode(enum dtype q, enum dtype t, const void *src, size_t n, size_t blocksize,
	uint8_t *packed, float *absmax)
{
	const struct quant_ops *o = ops();
	struct codes4 c;
	float x[QUANT_BLOCK_MAX + 1];
	uint8_t codes[QUANT_BLOCK_MAX + 1];
	codes4_init(&c, q);
	for (size_t i = 0; i < n; i += blocksize, absmax++) {
		size_t len = n - i < blocksize ? n - i : blocksize, bytes = (len + 1) / 2;
		o->load(t, src_at(t, src, i), x, len, absmax);
		if (!isfinite(*absmax))
			return -1;
		float least = fmaxf(*absmax, tiniest);
		int last = len < blocksize;
		if (last)
			*absmax = least;
		x[len] = 0;
		o->bins(c.bounds, x, 2 * bytes, last ? least : 1 / least, last, codes);
		o->pack(codes, bytes, packed);
		for (size_t k = 0; q == DT_FP4 && k < bytes; k++)
			packed[k] = c.byte[packed[k]];
		packed += bytes;
	}
	return 0;
}

/* ---- 8 bits through a map -------------------------------------------------------------------- */

/* How many of 255 rising bounds x is above; without branches, which data of this kind defeats. */
static size_t rank_of(const float bounds[255], float x)
{
	size_t n = 0;
	for (size_t step = 128; step; step /= 2)
		n += step * (x > bounds[n + step - 1]);
	return n;
}

static uint8_t code_exact(const float bounds[255], float v)
{
	size_t i = rank_of(bounds, v);
	return (uint8_t)(i + (i % 2 && i < 255 && v == bounds[i]));
}

/* Of all x that fall on one place of the table. */
static uint8_t code_at(const float bounds[255], int place)
{
	return (uint8_t)rank_of(bounds, -1.0f + (float)place * (2.0f / (QUANT8_PLACES - 1)));
}

static void bounds8(const float map[256], float bounds[255])
{
	for (int i = 0; i < 255; i++)
		bounds[i] = (map[i] + map[i + 1]) * 0.5f;
}

void quant8_init(struct quant8 *q, int is_signed)
{
	float bounds[255];
	quant8_map(is_signed, q->map);
	bounds8(q->map, bounds);
	for (int i = 0; i < QUANT8_PLACES; i++)
		q->code[i] = code_at(bounds, i);
}

void quant8_encode(enum quant8_rule rule, const float map[256], const float *x, size_t n,
	size_t blocksize, uint8_t *codes, float *absmax)
{
	float bounds[255];
	bounds8(map, bounds);
	for (size_t i = 0; i < n; i += blocksize, absmax++) {
		size_t len = n - i < blocksize ? n - i : blocksize;
		*absmax = 0;
		for (size_t k = i; k < i + len; k++)
			*absmax = fmaxf(*absmax, fabsf(x[k]));
		float inverse = 1 / *absmax;
		for (size_t k = i; k < i + len; k++) {
			float v = x[k] * inverse;
			if (isnan(v)) /* 0 times infinity */
				codes[k] = 0;
			else
				codes[k] = rule == QUANT8_EXACT ? code_exact(bounds, v)
								: code_at(bounds, quant8_place(v));
		}
	}
}

/* ---- torch's sum ----------------------------------------------------------------------------- */

/* Eight lanes (less than eight numbers: one), four chains, and levels that take over the one below
 * every 2^power steps (aten/src/ATen/native/cpu/SumKernel.cpp). */
enum { LANES = 8, CHAINS = 4, LEVELS = 4 };

static int level_power(size_t steps)
{
	int log = 0;
	while (((size_t)1 << log) < steps)
		log++;
	return log / LEVELS > 4 ? log / LEVELS : 4;
}

static void add_to(float *sum, const float *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum[i] += x[i];
}

/* Steps of `width` numbers each, into sum[0]. */
static void cascade(const float *x, size_t steps, size_t width, float sum[LEVELS][LANES * CHAINS])
{
	int power = level_power(steps);
	size_t step = (size_t)1 << power, i = 0;
	while (i + step <= steps) {
		for (size_t j = 0; j < step; j++, i++)
			add_to(sum[0], x + i * width, width);
		for (int level = 1; level < LEVELS; level++) {
			add_to(sum[level], sum[level - 1], width);
			memset(sum[level - 1], 0, sizeof sum[0]);
			if (i & (step - 1) << (level * power))
				break;
		}
	}
	for (; i < steps; i++)
		add_to(sum[0], x + i * width, width);
	for (int level = 1; level < LEVELS; level++)
		add_to(sum[0], sum[level], width);
}

float quant_mean(const float *x, size_t n)
{
	float sum[LEVELS][LANES * CHAINS] = {0}, total = 0;
	size_t lanes = n < LANES ? 1 : LANES, width = lanes * CHAINS, i = n / width * width;
	cascade(x, n / width, width, sum);
	for (; i + lanes <= n; i += lanes)
		add_to(sum[0], x + i, lanes);
	for (int chain = 1; chain < CHAINS; chain++)
		add_to(sum[0], sum[0] + (size_t)chain * lanes, lanes);
	for (; i < n; i++)
		total += x[i];
	for (size_t lane = 0; lane < lanes; lane++)
		total += sum[0][lane];
	return total / (float)n;
}

/* ---- int8 ------------------------------------------------------------------------------------ */

int quant_int8_encode(
	enum dtype t, const void *src, size_t rows, size_t cols, int8_t *q, float *scb)
{
	enum { PIECE = QUANT_BLOCK_MAX };
	const struct quant_ops *o = ops();
	float x[PIECE], most;
	for (size_t row = 0; row < rows; row++, q += cols) {
		const uint8_t *from = src_at(t, src, row * cols);
		scb[row] = 0;
		for (int writing = 0; writing < 2; writing++) {
			for (size_t i = 0; i < cols; i += PIECE) {
				size_t n = cols - i < PIECE ? cols - i : PIECE;
				o->load(t, src_at(t, from, i), x, n, &most);
				o->round(DT_F16, x, n);
				float as_f16 = most;
				o->round(DT_F16, &as_f16, 1);
				if (!isfinite(as_f16))
					return -1;
				scb[row] = fmaxf(scb[row], as_f16);
				if (writing && scb[row] > 0)
					o->scaled(x, n, 1 / scb[row] * 127, q + i);
				else
					memset(q + i, 0, n);
			}
		}
	}
	return 0;
}

/* ---- back to values -------------------------------------------------------------------------- */

static float f32_at(const void *p, size_t i)
{
	float f;
	memcpy(&f, (const char *)p + i * sizeof f, sizeof f);
	return f;
}

static float block_absmax(const struct kweight_desc *d, size_t block)
{
	if (!d->absmax_q)
		return f32_at(d->absmax, block);
	float nested = f32_at(d->nested_absmax, block / d->nested_blocksize);
	return d->nested_map[d->absmax_q[block]] * nested + d->nested_offset;
}

static void decode4(const struct kweight_desc *d, size_t from, size_t n, float *dst)
{
	const struct quant_ops *o = ops();
	const float *map = quant4_map(d->dtype);
	for (size_t len, left = n, at = from; left; left -= len, at += len) {
		size_t block = at / d->blocksize, room = d->blocksize - at % d->blocksize;
		len = left < room ? left : room;
		o->values4(map, d->data, at, len, block_absmax(d, block), dst + (at - from));
	}
	o->round(d->values, dst, n);
}

static void decode_int8(const struct kweight_desc *d, size_t from, size_t n, float *dst)
{
	const struct quant_ops *o = ops();
	const int8_t *q = d->data;
	for (size_t len; n; n -= len, from += len, dst += len) {
		size_t room = d->k - from % d->k;
		len = n < room ? n : room;
		o->values8(q + from, len, f32_at(d->scb, from / d->k), dst);
	}
}

void quant_decode(const struct kweight_desc *d, size_t from, size_t n, float *dst)
{
	if (d->dtype == DT_INT8)
		decode_int8(d, from, n, dst);
	else
		decode4(d, from, n, dst);
}
