/* The files that go along. The weights are modeldir_weights.c. */
#include "common/modeldir.h"

#include "common/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEMPLATES "additional_chat_templates"

/* The first row that matches says what a file is; the last takes all but hidden ones. */
static const struct {
	const char *pattern; /* fnmatch */
	unsigned what;	     /* 0: stays behind */
} kinds[] = {
	{"config.json", MODELDIR_CONFIG},
	{"generation_config.json", MODELDIR_CONFIG},
	{"tokenizer.json", MODELDIR_TOKENIZER},
	{"tokenizer_config.json", MODELDIR_TOKENIZER},
	{"special_tokens_map.json", MODELDIR_TOKENIZER},
	{"added_tokens.json", MODELDIR_TOKENIZER},
	{"vocab.json", MODELDIR_TOKENIZER},
	{"vocab.txt", MODELDIR_TOKENIZER},
	{"merges.txt", MODELDIR_TOKENIZER},
	{"*.model", MODELDIR_TOKENIZER},
	{"*.tiktoken", MODELDIR_TOKENIZER},
	{"chat_template.jinja", MODELDIR_TOKENIZER},
	{"chat_template.json", MODELDIR_TOKENIZER},
	{TEMPLATES "/*.jinja", MODELDIR_TOKENIZER},
	{"*.safetensors", 0},
	{"*.index.json", 0},
	{"*.bin", 0},
	{"*.pt", 0},
	{"*.pth", 0},
	{"*.ckpt", 0},
	{"*.gguf", 0},
	{"*.h5", 0},
	{"*.msgpack", 0},
	{"*.onnx*", 0},
	{"README*", 0},
	{"*", MODELDIR_OTHER},
};

static int goes_along(const char *name, unsigned which)
{
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		if (fnmatch(kinds[i].pattern, name, FNM_PATHNAME | FNM_PERIOD) == 0)
			return (kinds[i].what & which) != 0;
	return 0;
}

static int is_regular(const char *dir, const char *name)
{
	struct stat st;
	char *path = io_path(dir, name);
	int rc = stat(path, &st) == 0 && S_ISREG(st.st_mode);
	mem_free(path);
	return rc;
}

/* The files of dir/sub ("" or TEMPLATES) that go along; a missing sub has none. */
static int list_in(
	struct modeldir_files *f, const char *dir, const char *sub, unsigned which, struct err *e)
{
	char *path = *sub ? io_path(dir, sub) : mem_strdup(dir);
	DIR *d = opendir(path);
	int rc = d || (*sub && errno == ENOENT) ? 0 : err_sys(e, "cannot open '%s'", path);
	mem_free(path);
	for (struct dirent *entry; d && (entry = readdir(d));) {
		char *name = *sub ? io_path(sub, entry->d_name) : mem_strdup(entry->d_name);
		if (!goes_along(name, which) || !is_regular(dir, name)) {
			mem_free(name);
			continue;
		}
		mem_grow(&f->v, &f->cap, f->n + 1, sizeof *f->v);
		f->v[f->n++] = name;
	}
	if (d)
		closedir(d);
	return rc;
}

static int by_string(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int modeldir_list(struct modeldir_files *f, const char *dir, unsigned which, struct err *e)
{
	*f = (struct modeldir_files){0};
	if (list_in(f, dir, "", which, e) || list_in(f, dir, TEMPLATES, which, e)) {
		modeldir_files_done(f);
		return -1;
	}
	if (f->n)
		qsort(f->v, f->n, sizeof *f->v, by_string);
	return 0;
}

void modeldir_files_done(struct modeldir_files *f)
{
	for (size_t i = 0; i < f->n; i++)
		mem_free(f->v[i]);
	mem_free(f->v);
	*f = (struct modeldir_files){0};
}

/* A name in TEMPLATES needs that directory first. */
static int make_parent(const struct outdir *d, const char *name, struct err *e)
{
	if (!strchr(name, '/'))
		return 0;
	char *path = outdir_file(d, TEMPLATES);
	int rc = mkdir(path, 0777) == 0 || errno == EEXIST ? 0
							   : err_sys(e, "cannot create '%s'", path);
	mem_free(path);
	return rc;
}

int modeldir_copy(const struct outdir *d, const char *src, unsigned which, struct err *e)
{
	struct modeldir_files f;
	if (modeldir_list(&f, src, which, e))
		return -1;
	int rc = 0;
	for (size_t i = 0; i < f.n && !rc; i++)
		if (make_parent(d, f.v[i], e) || outdir_copy(d, src, f.v[i], e) < 0)
			rc = -1;
	modeldir_files_done(&f);
	return rc;
}

int modeldir_name_ok(const char *name)
{
	static const char prefix[] = TEMPLATES "/";
	if (strncmp(name, prefix, sizeof prefix - 1) == 0)
		name += sizeof prefix - 1;
	return *name && *name != '.' && !strchr(name, '/');
}

int modeldir_write(
	const struct outdir *d, const char *name, const void *p, size_t len, struct err *e)
{
	if (make_parent(d, name, e))
		return -1;
	char *path = outdir_file(d, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int rc = fd < 0 ? err_sys(e, "cannot create '%s'", path) : 0;
	const char *at = p;
	while (!rc && len) {
		ssize_t n = write(fd, at, len);
		if (n < 0 && errno != EINTR)
			rc = err_sys(e, "cannot write '%s'", path);
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	if (fd >= 0 && close(fd) && !rc)
		rc = err_sys(e, "cannot write '%s'", path);
	mem_free(path);
	return rc;
}

json_t *modeldir_read_config(const char *dir, struct err *e)
{
	char *path = io_path(dir, "config.json");
	json_t *config = json_read_file(path, e);
	if (config && !json_is_object(config)) {
		json_decref(config);
		config = NULL;
		err_data(e, "%s: not an object", path);
	}
	mem_free(path);
	return config;
}

const char *modeldir_dtype_key(const json_t *config)
{
	return json_object_get(config, "dtype") ? "dtype" : "torch_dtype";
}

char *modeldir_config(const json_t *config, int dtype, int untie, json_t *quantization, size_t *len)
{
	json_t *c = json_copy((json_t *)config);
	if (dtype >= 0)
		json_object_set_new(
			c, modeldir_dtype_key(c), json_string(dtype_info[dtype].torch_name));
	if (untie)
		json_object_set_new(c, "tie_word_embeddings", json_false());
	if (json_is_null(quantization))
		json_object_del(c, "quantization_config");
	else if (quantization)
		json_object_set(c, "quantization_config", quantization);
	struct str s = {0};
	json_write_pretty(&s, c, 1);
	str_addc(&s, '\n');
	json_decref(c);
	*len = s.len;
	return str_take(&s);
}
