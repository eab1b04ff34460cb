#include "kernels/dtype.h"

#include <string.h>

const struct dtype_info dtype_info[DT_COUNT] = {
	[DT_F64] = {"F64", "float64", 64, 1},
	[DT_F32] = {"F32", "float32", 32, 1},
	[DT_F16] = {"F16", "float16", 16, 1},
	[DT_BF16] = {"BF16", "bfloat16", 16, 1},
	[DT_I64] = {"I64", "int64", 64, 0},
	[DT_I32] = {"I32", "int32", 32, 0},
	[DT_I16] = {"I16", "int16", 16, 0},
	[DT_I8] = {"I8", "int8", 8, 0},
	[DT_U8] = {"U8", "uint8", 8, 0},
	[DT_BOOL] = {"BOOL", "bool", 8, 0},
	[DT_NF4] = {NULL, NULL, 4, 0},
	[DT_FP4] = {NULL, NULL, 4, 0},
	[DT_INT8] = {NULL, NULL, 8, 0},
};

size_t dtype_bytes(enum dtype t, size_t n)
{
	unsigned bits = dtype_info[t].bits;
	return bits >= 8 ? n * (bits / 8) : n / 2 + n % 2;
}

int dtype_by_st_name(const char *name)
{
	for (int t = 0; t < DT_COUNT; t++)
		if (dtype_info[t].st_name && strcmp(name, dtype_info[t].st_name) == 0)
			return t;
	return -1;
}

int dtype_by_torch_name(const char *name)
{
	if (strncmp(name, "torch.", 6) == 0)
		name += 6;
	for (int t = 0; t < DT_COUNT; t++)
		if (dtype_info[t].torch_name && strcmp(name, dtype_info[t].torch_name) == 0)
			return t;
	return -1;
}

static float bits_f32(uint32_t u)
{
	float f;
	memcpy(&f, &u, sizeof f);
	return f;
}

static uint32_t f32_bits(float f)
{
	uint32_t u;
	memcpy(&u, &f, sizeof u);
	return u;
}

static float f16_to_f32(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000) << 16, exp = h >> 10 & 31, man = h & 1023;
	if (exp == 31)
		return bits_f32(sign | 0x7f800000 | man << 13);
	if (exp)
		return bits_f32(sign | (exp + 112) << 23 | man << 13);
	float f = (float)man * 0x1p-24f; /* subnormal: exact */
	return sign ? -f : f;
}

static uint16_t f16_from_f32(float f)
{
	uint32_t u = f32_bits(f), a = u & 0x7fffffff;
	uint16_t sign = (uint16_t)(u >> 16 & 0x8000);
	if (a > 0x7f800000)
		return (uint16_t)(sign | 0x7e00 | (a >> 13 & 0x3ff));
	if (a >= 0x477ff000) /* 65520: what rounds to 65536 */
		return sign | 0x7c00;
	if (a >= 0x38800000) /* 2^-14: normal */
		return (uint16_t)(sign + ((a - 0x38000000 + 0xfff + (a >> 13 & 1)) >> 13));
	/* Adding 0.5 lets the addition round the subnormal's last bit, 2^-24. */
	return (uint16_t)(sign + (f32_bits(bits_f32(a) + 0.5f) - f32_bits(0.5f)));
}

static uint16_t bf16_from_f32(float f)
{
	uint32_t u = f32_bits(f);
	if ((u & 0x7fffffff) > 0x7f800000)
		return (uint16_t)(u >> 16 | 0x40);
	return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

void dtype_to_f32(enum dtype t, const void *src, float *dst, size_t n)
{
	const unsigned char *s = src;
	uint16_t h;
	double d;
	switch (t) {
	case DT_F32:
		memcpy(dst, src, n * sizeof *dst);
		break;
	case DT_BF16:
		for (size_t i = 0; i < n; i++) {
			memcpy(&h, s + i * 2, 2);
			dst[i] = bits_f32((uint32_t)h << 16);
		}
		break;
	case DT_F16:
		for (size_t i = 0; i < n; i++) {
			memcpy(&h, s + i * 2, 2);
			dst[i] = f16_to_f32(h);
		}
		break;
	case DT_F64:
		for (size_t i = 0; i < n; i++) {
			memcpy(&d, s + i * 8, 8);
			dst[i] = (float)d;
		}
		break;
	default:
		break;
	}
}

void dtype_from_f32(enum dtype t, const float *src, void *dst, size_t n)
{
	unsigned char *p = dst;
	uint16_t h;
	double d;
	switch (t) {
	case DT_F32:
		memcpy(dst, src, n * sizeof *src);
		break;
	case DT_BF16:
		for (size_t i = 0; i < n; i++) {
			h = bf16_from_f32(src[i]);
			memcpy(p + i * 2, &h, 2);
		}
		break;
	case DT_F16:
		for (size_t i = 0; i < n; i++) {
			h = f16_from_f32(src[i]);
			memcpy(p + i * 2, &h, 2);
		}
		break;
	case DT_F64:
		for (size_t i = 0; i < n; i++) {
			d = (double)src[i];
			memcpy(p + i * 8, &d, 8);
		}
		break;
	default:
		break;
	}
}
