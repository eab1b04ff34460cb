/*
 * What transformers (5.23) knows of tokenizer classes. Names come without `Fast` at their end.
 */
#ifndef COMMON_TOKENIZER_CLASSES_TABLE_H
#define COMMON_TOKENIZER_CLASSES_TABLE_H

#include <stddef.h>

/* A class that builds its own: its parts as in tokenizer.json, and its names of special tokens. */
struct class
{
	const char *name, *also; /* and other names for it */
	const char *parts, *names;
	const char *first; /* token of the vocabularies that it is for; NULL: not telling */
	int prefix_space;  /* its default of add_prefix_space */
	int post_anew;	   /* the file's post-processor is not taken over */
};
extern const struct class classes_table[];			/* ends with a NULL name */
const struct class *classes_find(const char *name, size_t len); /* NULL: not in the table */
/* The name, where that class builds its own and is not in the table; NULL: it does not. */
const char *classes_other(const char *name, size_t len);
/* Whether AutoTokenizer knows the model type, and the class for it (NULL: the one that follows
 * tokenizer.json). */
int classes_registered(const char *type, const char **class);
/* Whether a class that is named beside a model of the type is not believed. */
int classes_is_wrong(const char *type);

#endif
