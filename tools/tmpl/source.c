#include "tools/tmpl/source.h"

#include "common/io.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/utf8.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

enum { TEMPLATE_MAX = 4 << 20 };

static const struct {
	const char *name, *text;
} builtin[] = {
	{"chatml", "{% for message in messages %}"
		   "{{ '<|im_start|>' + message['role'] + '\\n' }}"
		   "{% if message['role'] == 'assistant' %}{% generation %}"
		   "{{ message['content'] + '<|im_end|>' }}{% endgeneration %}"
		   "{% else %}{{ message['content'] + '<|im_end|>' }}{% endif %}"
		   "{{ '\\n' }}{% endfor %}"
		   "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"},
	{"llama3", "{{ bos_token }}{% for message in messages %}"
		   "{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}"
		   "{% if message['role'] == 'assistant' %}{% generation %}"
		   "{{ message['content'] | trim + '<|eot_id|>' }}{% endgeneration %}"
		   "{% else %}{{ message['content'] | trim + '<|eot_id|>' }}{% endif %}"
		   "{% endfor %}{% if add_generation_prompt %}"
		   "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"},
	{"zephyr", "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' }}"
		   "{% if message['role'] == 'assistant' %}{% generation %}"
		   "{{ message['content'] + eos_token }}{% endgeneration %}"
		   "{% else %}{{ message['content'] + eos_token }}{% endif %}"
		   "{{ '\\n' }}{% endfor %}"
		   "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"},
};

const char *source_builtin(size_t i)
{
	return i < sizeof builtin / sizeof *builtin ? builtin[i].name : NULL;
}

static const struct named_template *find(const struct source *s, const char *name)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->v[i].name, name))
			return &s->v[i];
	return NULL;
}

static void add(struct source *s, const char *name, size_t len, char *text)
{
	mem_grow(&s->v, &s->cap, s->n + 1, sizeof *s->v);
	s->v[s->n++] = (struct named_template){mem_strndup(name, len), text};
}

static int add_file(struct source *s, const char *path, const char *name, size_t len, struct err *e)
{
	size_t n;
	char *text = io_read_file(path, TEMPLATE_MAX, &n, e);
	if (!text)
		return -1;
	if (strlen(text) != n || !utf8_valid(text, n)) {
		mem_free(text);
		return err_data(e, "%s: is not UTF-8 text", path);
	}
	add(s, name, len, text);
	return 0;
}

/* additional_chat_templates/NAME.jinja */
static int add_directory(struct source *s, const char *dir, struct err *e)
{
	char *path = io_path(dir, "additional_chat_templates");
	DIR *d = opendir(path);
	int rc = 0;
	for (struct dirent *f; d && rc == 0 && (f = readdir(d));) {
		size_t n = strlen(f->d_name);
		if (n <= 6 || strcmp(f->d_name + n - 6, ".jinja"))
			continue;
		char *file = io_path(path, f->d_name);
		rc = add_file(s, file, f->d_name, n - 6, e);
		mem_free(file);
	}
	if (d)
		closedir(d);
	mem_free(path);
	return rc;
}

/* "chat_template": a string, or a list of {"name", "template"}. */
static int add_config(struct source *s, const json_t *config, struct err *e)
{
	const json_t *t = json_object_get(config, "chat_template");
	if (json_is_string(t))
		add(s, "default", 7, mem_strdup(json_string_value(t)));
	for (size_t i = 0; i < json_array_size(t); i++) {
		const json_t *item = json_array_get(t, i);
		const char *name = json_string_value(json_object_get(item, "name"));
		const char *text = json_string_value(json_object_get(item, "template"));
		if (!name || !text)
			return err_data(e, "tokenizer_config.json: 'chat_template' holds something "
					   "other than names and templates");
		add(s, name, strlen(name), mem_strdup(text));
	}
	return 0;
}

/* A token is a string, or an object whose "content" is. What is set already stays. */
static void add_special(struct source *s, const json_t *config)
{
	static const char *const names[] = {"bos_token", "eos_token", "unk_token", "sep_token",
		"pad_token", "cls_token", "mask_token"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		json_t *t = json_object_get(config, names[i]);
		if (json_is_object(t))
			t = json_object_get(t, "content");
		if (json_is_string(t) && !json_object_get(s->special, names[i]))
			json_object_set(s->special, names[i], t);
	}
}

/* 0 when the file is not there: *config is NULL then. */
static int read_config(json_t **config, const char *dir, const char *name, struct err *e)
{
	char *path = io_path(dir, name);
	*config = NULL;
	int rc = 0;
	if (io_exists(path) && !(*config = json_read_file(path, e)))
		rc = -1;
	mem_free(path);
	return rc;
}

static int load_directory(struct source *s, const char *dir, struct err *e)
{
	json_t *config, *map;
	if (read_config(&config, dir, "tokenizer_config.json", e) < 0)
		return -1;
	if (read_config(&map, dir, "special_tokens_map.json", e) < 0) {
		json_decref(config);
		return -1;
	}
	add_special(s, config);
	add_special(s, map);
	char *path = io_path(dir, "chat_template.jinja");
	int rc = io_exists(path) ? add_file(s, path, "default", 7, e) : add_config(s, config, e);
	mem_free(path);
	json_decref(config);
	json_decref(map);
	return rc < 0 ? -1 : add_directory(s, dir, e);
}

static int unknown(const struct source *s, const char *which, struct err *e)
{
	struct str names = {0};
	for (size_t i = 0; i < s->n; i++)
		str_addf(&names, " %s", s->v[i].name);
	for (size_t i = 0; source_builtin(i); i++)
		str_addf(&names, " %s", source_builtin(i));
	err_usage(e, "no chat template '%s': neither a file nor one of:%s", which, names.s);
	str_done(&names);
	return -1;
}

static int choose(struct source *s, const char *which, struct err *e)
{
	const struct named_template *t = find(s, which);
	s->from = which;
	if (t) {
		s->plain = t->text;
		return 0;
	}
	for (size_t i = 0; source_builtin(i); i++) {
		if (!strcmp(builtin[i].name, which)) {
			s->plain = builtin[i].text;
			return 0;
		}
	}
	if (!io_exists(which))
		return unknown(s, which, e);
	if (add_file(s, which, which, strlen(which), e) < 0)
		return -1;
	s->plain = s->v[s->n - 1].text;
	io_note_input(which);
	return 0;
}

int source_load(struct source *s, const char *dir, const char *which, struct err *e)
{
	*s = (struct source){.special = json_object()};
	if (dir && load_directory(s, dir, e) < 0)
		return -1;
	if (which) {
		if (choose(s, which, e) < 0)
			return -1;
		s->tools = s->plain;
		return 0;
	}
	const struct named_template *t = find(s, "default"), *tools = find(s, "tool_use");
	if (!t && s->n)
		return err_usage(e,
			"%s: has several chat templates and none is named 'default': "
			"choose one with --chat-template (--list-templates shows them)",
			dir);
	s->plain = t ? t->text : NULL;
	s->tools = tools ? tools->text : s->plain;
	s->from = dir;
	return 0;
}

void source_done(struct source *s)
{
	for (size_t i = 0; i < s->n; i++) {
		mem_free(s->v[i].name);
		mem_free(s->v[i].text);
	}
	mem_free(s->v);
	json_decref(s->special);
}
