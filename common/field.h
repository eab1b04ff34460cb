/* The one table of record fields: what stages check, what mpcat shows, what docs/stream.md lists.
 */
#ifndef COMMON_FIELD_H
#define COMMON_FIELD_H

#include <stddef.h>

/* The first key of headers and trailers, and the name of no column. */
#define STREAM_KEY "sluice"

enum stream_kind { KIND_TEXT, KIND_TOKENS, KIND_TRAIN, KIND_TENSORS, KIND_COUNT };

/* FT_U32S, FT_U8S, FT_F32S: bin of little-endian numbers; FT_SPANS: [[from, to], …]. */
enum field_type {
	FT_STR,
	FT_BOOL,
	FT_INT,
	FT_NUM,
	FT_U32S,
	FT_U8S,
	FT_F32S,
	FT_SPANS,
	FT_BIN,
	FT_ANY
};

struct field_info {
	const char *name;
	enum field_type type;
	unsigned kinds; /* 1 << KIND_… in which it has this meaning */
	const char *help;
};
extern const struct field_info field_table[]; /* ends with name NULL */

/* Whether a user's column may not have this name in a stream of `kinds`: it begins with `_`, or has
 * a meaning there. */
int field_reserved(const char *name, size_t len, unsigned kinds);

/* By name, else by suffix for families (ref_*_token_logps, policy_*_logps); NULL: a user's column.
 */
const struct field_info *field_find(const char *name, size_t len);

#endif
