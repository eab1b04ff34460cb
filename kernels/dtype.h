/*
 * Element types: of tensors as they lie in files and of buffers in memory. One row a type; adding
 * a quantised type is a row here and its pack/unpack in each backend.
 */
#ifndef KERNELS_DTYPE_H
#define KERNELS_DTYPE_H

#include <stddef.h>
#include <stdint.h>

enum dtype {
	DT_F64,
	DT_F32,
	DT_F16,
	DT_BF16,
	DT_I64,
	DT_I32,
	DT_I16,
	DT_I8,
	DT_U8,
	DT_BOOL,
	DT_NF4,
	DT_FP4,
	DT_INT8, /* bitsandbytes: codes plus absmax, see struct kweight_desc */
	DT_COUNT
};

struct dtype_info {
	const char *st_name;	/* safetensors: "F32", "BF16", …; NULL: never a file's type */
	const char *torch_name; /* config.json: "float32", "bfloat16", … or NULL */
	unsigned bits;		/* of one element */
	int is_float;		/* converts to f32 value by value */
};
extern const struct dtype_info dtype_info[DT_COUNT];

size_t dtype_bytes(enum dtype t, size_t n); /* bytes of n elements, rounded up */
int dtype_by_st_name(const char *name);	    /* -1: unknown */
int dtype_by_torch_name(const char *name);  /* "torch.bfloat16" too; -1: unknown */

/* n elements of a float type from possibly unaligned memory; round to nearest even. NaN stays NaN. */
void dtype_to_f32(enum dtype t, const void *src, float *dst, size_t n);
void dtype_from_f32(enum dtype t, const float *src, void *dst, size_t n);

#endif
