/*
 * The pages of a column, one after the other: a header, read and checked, and the bytes behind it, their
 * checksum proved where there is one, decompressed. Nothing is allocated that the file does not have bytes
 * for.
 */
#ifndef TOOLS_TMPL_PARQUET_PAGE_H
#define TOOLS_TMPL_PARQUET_PAGE_H

#include "tools/tmpl/parquet_codec.h"
#include "tools/tmpl/parquet_file.h"

enum pq_page_kind { PQ_DATA, PQ_INDEX, PQ_DICTIONARY, PQ_DATA_V2 }; /* the format's own numbers */

struct pq_page {
	enum pq_page_kind kind;
	size_t size, stored; /* bytes, decompressed and as they lie in the file */
	uint32_t crc;
	int has_crc;
	uint64_t values; /* nulls included */
	int encoding;
	int def_encoding, rep_encoding; /* of PQ_DATA */
	size_t def_len, rep_len;	/* of PQ_DATA_V2: bytes in front, never compressed */
	int is_compressed;
	uint64_t at; /* of its bytes */
};

/* What the columns of a file share. */
struct pq_source {
	struct pq_file file;
	uint64_t pages_end;
	struct pq_room room;
	struct pq_buffer raw; /* bytes as they lie in the file */
};

/* The page whose header is at `at`. */
int pq_page_header(struct pq_source *s, uint64_t at, struct pq_page *page, struct err *e);
/* Its bytes, right after its header was read: page->size of them. */
int pq_page_bytes(struct pq_source *s, const struct pq_page *page, int codec, struct pq_buffer *to,
	struct err *e);

#endif
