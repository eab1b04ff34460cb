/*
 * The reader. A header is untrusted until parse_tensor and check_layout have passed it: every
 * offset is then inside the mapping, and the tensors cover the data exactly. A directory is several
 * files whose tables are joined, sorted by name, and compared with the index. The writer is
 * safetensors_write.c.
 */
#include "common/safetensors.h"

#include "common/io.h"
#include "common/json.h"
#include "common/mapped.h"
#include "common/mem.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The library's own limit on headers (MAX_HEADER_SIZE). */
enum { HEADER_MAX = 100 * 1000 * 1000, PREFIX = 8 };

enum { COMPARED = 1 << 16 }; /* elements at a time */

int st_size(struct st_tensor *t, struct err *e)
{
	size_t n = 1, bits;
	for (size_t i = 0; i < t->rank; i++)
		if (__builtin_mul_overflow(n, t->shape[i], &n))
			return err_data(e, "tensor '%s': the shape is too large", t->name);
	if (__builtin_mul_overflow(n, (size_t)dtype_info[t->dtype].bits, &bits))
		return err_data(e, "tensor '%s': the shape is too large", t->name);
	t->elements = n;
	t->bytes = dtype_bytes(t->dtype, n);
	return 0;
}

void st_shape_text(const struct st_tensor *t, char out[200])
{
	struct str s = {0};
	str_addc(&s, '[');
	for (size_t i = 0; i < t->rank; i++)
		str_addf(&s, "%s%zu", i ? ", " : "", t->shape[i]);
	str_addc(&s, ']');
	memcpy(out, s.s, s.len + 1); /* 8 numbers of at most 20 digits */
	str_done(&s);
}

/* A non-negative integer that fits; 0 or -1. */
static int json_size(const json_t *v, size_t *out)
{
	if (!json_is_integer(v) || json_integer_value(v) < 0)
		return -1;
	*out = (size_t)json_integer_value(v);
	return 0;
}

static int parse_shape(struct st_tensor *t, const json_t *shape, struct err *e)
{
	if (!json_is_array(shape))
		return err_data(e, "tensor '%s': no shape", t->name);
	t->rank = json_array_size(shape);
	if (t->rank > ST_RANK)
		return err_data(e, "tensor '%s': %zu dimensions, at most %d are read", t->name,
			t->rank, ST_RANK);
	for (size_t i = 0; i < t->rank; i++)
		if (json_size(json_array_get(shape, i), &t->shape[i]))
			return err_data(e,
				"tensor '%s': the shape holds something other than sizes", t->name);
	return 0;
}

/* Fills t, whose name is set, from its entry; data_len bytes of data begin at `data`. */
static int parse_tensor(
	struct st_tensor *t, const json_t *entry, const char *data, size_t data_len, struct err *e)
{
	const char *dtype = json_string_value(json_object_get(entry, "dtype"));
	if (!dtype)
		return err_data(e, "tensor '%s': no dtype", t->name);
	int dt = dtype_by_st_name(dtype);
	if (dt < 0)
		return err_data(
			e, "tensor '%s': elements of type '%s' are not read", t->name, dtype);
	t->dtype = (enum dtype)dt;
	if (parse_shape(t, json_object_get(entry, "shape"), e) || st_size(t, e))
		return -1;
	const json_t *offsets = json_object_get(entry, "data_offsets");
	size_t from, to;
	if (json_array_size(offsets) != 2 || json_size(json_array_get(offsets, 0), &from) ||
		json_size(json_array_get(offsets, 1), &to))
		return err_data(e, "tensor '%s': data_offsets are not two sizes", t->name);
	if (from > to || to > data_len)
		return err_data(e, "tensor '%s': bytes %zu to %zu of %zu are not in the file",
			t->name, from, to, data_len);
	if (to - from != t->bytes) {
		char shape[200];
		st_shape_text(t, shape);
		return err_data(e, "tensor '%s': %zu bytes of data, but %s %s is %zu", t->name,
			to - from, dtype, shape, t->bytes);
	}
	t->data = data + from;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct st_tensor *)a)->name, ((const struct st_tensor *)b)->name);
}

static int by_data(const void *a, const void *b)
{
	const struct st_tensor *x = a, *y = b;
	if (x->data != y->data)
		return x->data < y->data ? -1 : 1;
	return x->bytes < y->bytes ? -1 : x->bytes > y->bytes;
}

/* The tensors cover [data, data + len) exactly. Sorts them by place. */
static int check_layout(struct st_tensor *t, size_t n, const char *data, size_t len, struct err *e)
{
	qsort(t, n, sizeof *t, by_data);
	const char *at = data;
	for (size_t i = 0; i < n; i++) {
		const char *from = t[i].data;
		if (from < at)
			return err_data(
				e, "tensors '%s' and '%s' overlap", t[i - 1].name, t[i].name);
		if (from > at)
			return err_data(e, "%zu bytes before tensor '%s' belong to no tensor",
				(size_t)(from - at), t[i].name);
		at = from + t[i].bytes;
	}
	if (at != data + len)
		return err_data(e, "the header describes %zu bytes of data, the file has %zu",
			(size_t)(at - data), len);
	return 0;
}

/* Appends the file's tensors to s. */
static int parse_header(
	struct st *s, const json_t *header, const char *data, size_t len, struct err *e)
{
	size_t n = json_object_size(header), first = s->n;
	s->t = mem_resize(s->t, s->n + n, sizeof *s->t);
	const char *name;
	json_t *entry;
	json_object_foreach((json_t *)header, name, entry)
	{
		if (strcmp(name, "__metadata__") == 0)
			continue;
		struct st_tensor *t = &s->t[s->n++];
		*t = (struct st_tensor){.name = mem_strdup(name), .file = s->nfiles - 1};
		if (parse_tensor(t, entry, data, len, e))
			return -1;
	}
	return check_layout(s->t + first, s->n - first, data, len, e);
}

static int parse_file(struct st *s, const char *p, size_t len, struct err *e)
{
	uint64_t n = 0;
	if (len < PREFIX)
		return err_data(e, "truncated: %zu bytes", len);
	for (int i = 0; i < PREFIX; i++)
		n |= (uint64_t)(uint8_t)p[i] << 8 * i;
	if (n > HEADER_MAX)
		return err_data(e, "not a safetensors file (a header of %llu bytes)",
			(unsigned long long)n);
	if (n > len - PREFIX)
		return err_data(e, "truncated: a header of %llu bytes in a file of %zu",
			(unsigned long long)n, len);
	json_error_t je;
	json_t *header = json_loadb(p + PREFIX, (size_t)n, JSON_REJECT_DUPLICATES, &je);
	if (!header)
		return err_data(e, "header: %s", je.text);
	int rc = json_is_object(header)
			 ? parse_header(s, header, p + PREFIX + n, len - PREFIX - (size_t)n, e)
			 : err_data(e, "header: not an object");
	json_decref(header);
	return rc;
}

/* Maps one more file and appends its tensors. */
static int add_file(struct st *s, const char *path, struct err *e)
{
	struct mapped m;
	if (mapped_open(&m, path, e))
		return -1;
	s->files = mem_resize(s->files, s->nfiles + 1, sizeof *s->files);
	s->maps = mem_resize(s->maps, s->nfiles + 1, sizeof *s->maps);
	s->files[s->nfiles] = mem_strdup(path);
	s->maps[s->nfiles++] = m;
	return parse_file(s, m.p, m.len, e) ? err_prefix(e, "%s", path) : 0;
}

/* Sorts by name; the same name in two shards is refused. */
static int sort_names(struct st *s, struct err *e)
{
	qsort(s->t, s->n, sizeof *s->t, by_name);
	for (size_t i = 1; i < s->n; i++)
		if (strcmp(s->t[i - 1].name, s->t[i].name) == 0)
			return err_data(e, "tensor '%s' is both in '%s' and in '%s'", s->t[i].name,
				s->files[s->t[i - 1].file], s->files[s->t[i].file]);
	return 0;
}

/* ---- sharded directories --------------------------------------------------------------------- */

static int by_string(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A shard is a file of the directory, not a path to anywhere. */
static int shard_name_ok(const char *name)
{
	return name && *name && !strchr(name, '/') && strcmp(name, ".") && strcmp(name, "..");
}

/* The distinct shards of the index, sorted; their names belong to the index. */
static int list_shards(json_t *map, const char ***shards, size_t *n, struct err *e)
{
	const char *tensor;
	json_t *file;
	*shards = mem_alloc(json_object_size(map), sizeof **shards);
	*n = 0;
	json_object_foreach(map, tensor, file)
	{
		const char *name = json_string_value(file);
		if (!shard_name_ok(name)) {
			mem_free(*shards);
			return err_data(
				e, "tensor '%s' is not given a file of this directory", tensor);
		}
		(*shards)[(*n)++] = name;
	}
	qsort(*shards, *n, sizeof **shards, by_string);
	size_t kept = 0;
	for (size_t i = 0; i < *n; i++)
		if (!kept || strcmp((*shards)[kept - 1], (*shards)[i]) != 0)
			(*shards)[kept++] = (*shards)[i];
	*n = kept;
	return 0;
}

/* The index and the shards name the same tensors in the same files. */
static int check_index(const struct st *s, json_t *map, const char *const *shards, struct err *e)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct st_tensor *t = &s->t[i];
		const char *file = json_string_value(json_object_get(map, t->name));
		if (!file)
			return err_data(e, "tensor '%s' of '%s' is not in the index", t->name,
				shards[t->file]);
		if (strcmp(file, shards[t->file]) != 0)
			return err_data(e, "tensor '%s' should be in '%s' but is in '%s'", t->name,
				file, shards[t->file]);
	}
	const char *tensor;
	json_t *file;
	json_object_foreach(map, tensor, file)
	{
		if (!st_find(s, tensor))
			return err_data(
				e, "tensor '%s' is not in '%s'", tensor, json_string_value(file));
	}
	return 0;
}

static int open_shards(struct st *s, const char *dir, json_t *map, struct err *e)
{
	const char **shards;
	size_t n;
	if (list_shards(map, &shards, &n, e))
		return -1;
	int rc = n ? 0 : err_data(e, "the index names no tensor");
	for (size_t i = 0; i < n && !rc; i++) {
		char *path = io_path(dir, shards[i]);
		rc = add_file(s, path, e);
		mem_free(path);
	}
	if (!rc)
		rc = sort_names(s, e);
	if (!rc)
		rc = check_index(s, map, shards, e);
	mem_free(shards);
	return rc;
}

static int open_index(struct st *s, const char *dir, const char *index, struct err *e)
{
	json_t *root = json_read_file(index, e);
	if (!root)
		return -1;
	json_t *map = json_object_get(root, "weight_map");
	int rc = json_is_object(map) ? open_shards(s, dir, map, e) : err_data(e, "no weight_map");
	json_decref(root);
	return rc ? err_prefix(e, "%s", index) : 0;
}

static int ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);
	return n > m && strcmp(name + n - m, end) == 0;
}

/* There is no safetensors file: says what there is instead. */
static int explain_missing(const char *dir, struct err *e)
{
	DIR *d = opendir(dir);
	if (!d)
		return err_sys(e, "cannot open '%s'", dir);
	int rc = 0;
	static const char *const pickled[] = {".bin", ".pt", ".pth"};
	for (struct dirent *f; !rc && (f = readdir(d));)
		for (size_t i = 0; i < sizeof pickled / sizeof *pickled && !rc; i++)
			if (ends_in(f->d_name, pickled[i]) &&
				strcmp(f->d_name, "training_args.bin") != 0)
				rc = err_data(e,
					"'%s/%s' is a pickle, which is not read: save the model as "
					"safetensors",
					dir, f->d_name);
	closedir(d);
	return rc ? rc : err_set(e, STATUS_SYSTEM, "no model.safetensors in '%s'", dir);
}

static int open_dir(struct st *s, const char *dir, struct err *e)
{
	char *single = io_path(dir, "model.safetensors");
	char *index = io_path(dir, "model.safetensors.index.json");
	int rc;
	if (io_exists(single))
		rc = add_file(s, single, e) || sort_names(s, e) ? -1 : 0;
	else if (io_exists(index))
		rc = open_index(s, dir, index, e);
	else
		rc = explain_missing(dir, e);
	mem_free(single);
	mem_free(index);
	return rc;
}

int st_open_dir(struct st *s, const char *dir, struct err *e)
{
	*s = (struct st){0};
	if (!open_dir(s, dir, e))
		return 0;
	st_close(s);
	return -1;
}

int st_open_file(struct st *s, const char *path, struct err *e)
{
	*s = (struct st){0};
	if (!add_file(s, path, e) && !sort_names(s, e))
		return 0;
	st_close(s);
	return -1;
}

void st_close(struct st *s)
{
	for (size_t i = 0; i < s->n; i++)
		mem_free(s->t[i].name);
	for (size_t i = 0; i < s->nfiles; i++) {
		mapped_close(&s->maps[i]);
		mem_free(s->files[i]);
	}
	mem_free(s->t);
	mem_free(s->files);
	mem_free(s->maps);
	*s = (struct st){0};
}

int st_same_shape(const struct st_tensor *a, const struct st_tensor *b)
{
	return a->rank == b->rank && !memcmp(a->shape, b->shape, a->rank * sizeof *a->shape);
}

int st_same_values(const struct st_tensor *t, const struct st_tensor *in)
{
	if (!st_same_shape(t, in) || !dtype_info[t->dtype].is_float ||
		!dtype_info[in->dtype].is_float)
		return 0;
	float *v = mem_alloc(COMPARED, sizeof *v);
	char *as_base = mem_alloc(COMPARED, dtype_bytes(in->dtype, 1));
	int same = 1;
	for (size_t n, at = 0; at < t->elements && same; at += n) {
		n = t->elements - at < COMPARED ? t->elements - at : COMPARED;
		const char *from = t->data, *base = in->data;
		dtype_to_f32(t->dtype, from + dtype_bytes(t->dtype, at), v, n);
		dtype_from_f32(in->dtype, v, as_base, n);
		same = memcmp(as_base, base + dtype_bytes(in->dtype, at),
			       dtype_bytes(in->dtype, n)) == 0;
	}
	mem_free(v);
	mem_free(as_base);
	return same;
}

void st_release(const void *p, size_t bytes)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)p / page * page, to = (uintptr_t)p + bytes;
	if (bytes)
		madvise((void *)from, to - from, MADV_DONTNEED);
}

const struct st_tensor *st_find(const struct st *s, const char *name)
{
	struct st_tensor key = {.name = (char *)name};
	return s->n ? bsearch(&key, s->t, s->n, sizeof *s->t, by_name) : NULL;
}
