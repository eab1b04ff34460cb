/*
 * Where the chat template comes from, and the special tokens that it sees: a file or built-in name
 * that the user gives, else the model directory, looked through as transformers 5 does.
 */
#ifndef TOOLS_TMPL_SOURCE_H
#define TOOLS_TMPL_SOURCE_H

#include "common/err.h"

#include <jansson.h>

struct named_template {
	char *name, *text;
};

struct source {
	struct named_template *v; /* of the model directory, or the one that the user chose */
	size_t n, cap;
	const char *plain, *tools; /* for rows without and with tools; NULL: there is none */
	const char *from;	   /* where `plain` was found, for messages */
	json_t *special; /* {"bos_token": "<s>", …}: strings, as the template sees them */
};

/* dir NULL: no model. which NULL: the model's own; else a name of the model's, a built-in name, or a
 * file. No template at all is no error: plain is NULL. */
int source_load(struct source *s, const char *dir, const char *which, struct err *e);
void source_done(struct source *s);

/* Built-in names, one after the other; NULL after the last. */
const char *source_builtin(size_t i);

#endif
