#include "tools/tmpl/parquet_schema.h"

#include "common/json.h"
#include "common/utf8.h"

#include <string.h>

enum {
	DEPTH_MAX = 100, /* of groups; a list takes two */
	PATH_MAX_SHOWN = 200,
};

struct builder {
	struct pq_schema *s;
	const struct pq_meta *m;
	size_t at;	 /* the next element */
	size_t counted;	 /* children that the elements so far say they have */
	size_t column;	 /* the next column */
	struct str path; /* to where we are */
	struct err *e;
};

/* Levels of what holds the field; depth in the schema. */
struct levels {
	int def, rep, depth;
};

static int build_field(struct builder *b, struct levels at, struct pq_node *node);

static int fail(struct builder *b, const char *what)
{
	return err_data(b->e, "column '%.300s': %s", b->path.s ? b->path.s : "", what);
}

static const struct pq_element *peek(const struct builder *b)
{
	return b->at < b->m->nelements ? &b->m->elements[b->at] : NULL;
}

/* Takes an element. Its children are no more than there are elements, over all that count some. */
static const struct pq_element *take(struct builder *b, struct levels at)
{
	const struct pq_element *el = peek(b);
	if (!el || el->children >= b->m->nelements - b->counted) {
		err_data(b->e, "the footer's schema lacks fields that it counts");
		return NULL;
	}
	if (at.depth > DEPTH_MAX) {
		err_data(b->e, "the schema nests deeper than %d", DEPTH_MAX);
		return NULL;
	}
	if (el->type == PQ_GROUP && !el->children) {
		fail(b, "a group without fields");
		return NULL;
	}
	b->at++;
	b->counted += el->children;
	return el;
}

static struct pq_node *add_children(struct builder *b, struct pq_node *node, size_t n)
{
	node->nchildren = n;
	node->child = arena_alloc(&b->s->arena, n, sizeof *node->child);
	memset(node->child, 0, n * sizeof *node->child);
	return node->child;
}

static int build_leaf(struct builder *b, const struct pq_element *el, struct levels at)
{
	struct pq_leaf *leaf = &b->s->leaves[b->column++];
	leaf->element = el;
	size_t shown = b->path.len < PATH_MAX_SHOWN ? b->path.len : PATH_MAX_SHOWN;
	leaf->path = arena_strndup(&b->s->arena, b->path.s, utf8_valid_prefix(b->path.s, shown));
	leaf->max_def = at.def;
	leaf->max_rep = at.rep;
	return 0;
}

static int build_struct(
	struct builder *b, const struct pq_element *el, struct levels at, struct pq_node *node)
{
	struct pq_node *child = add_children(b, node, el->children);
	size_t path = b->path.len;
	struct str key = {0};
	int rc = 0;
	for (size_t i = 0; i < el->children && rc == 0; i++) {
		const struct pq_element *member = peek(b);
		if (!member)
			break; /* build_field will say so */
		if (!utf8_valid(member->name, member->name_len) ||
			memchr(member->name, 0, member->name_len)) {
			rc = fail(b, "the name of a field in it is not UTF-8 text");
			break;
		}
		if (path)
			str_addc(&b->path, '.');
		str_add(&b->path, member->name, member->name_len);
		str_reset(&key);
		json_write_string(&key, member->name, member->name_len);
		str_addc(&key, ':');
		child[i].key = arena_strndup(&b->s->arena, key.s, key.len);
		child[i].key_len = key.len;
		rc = build_field(b, at, &child[i]);
		str_cut(&b->path, path);
	}
	str_done(&key);
	return rc;
}

/* The repeated group of a list is the item itself, not a wrapper around it. */
static int is_item(
	const struct builder *b, const struct pq_element *list, const struct pq_element *el)
{
	static const char array[] = "array", tuple[] = "_tuple";
	if (el->type != PQ_GROUP || el->children != 1 || el->meaning == PQ_LIST_OF ||
		el->meaning == PQ_MAP_OF || b->at + 1 >= b->m->nelements ||
		b->m->elements[b->at + 1].repetition == PQ_REPEATED)
		return 1;
	if (el->name_len == sizeof array - 1 && !memcmp(el->name, array, el->name_len))
		return 1;
	return el->name_len == list->name_len + sizeof tuple - 1 &&
	       !memcmp(el->name, list->name, list->name_len) &&
	       !memcmp(el->name + list->name_len, tuple, sizeof tuple - 1);
}

static struct levels enter_list(struct levels at, struct pq_node *node)
{
	node->shape = PQ_LIST;
	node->item_def = ++at.def;
	node->rep = ++at.rep;
	at.depth++;
	return at;
}

static int build_value(
	struct builder *b, const struct pq_element *el, struct levels at, struct pq_node *node);

static int build_list(
	struct builder *b, const struct pq_element *el, struct levels at, struct pq_node *node)
{
	const struct pq_element *item = peek(b);
	if (el->children != 1 || !item || item->repetition != PQ_REPEATED)
		return fail(b, "a list that is not made as lists are");
	at = enter_list(at, node);
	int is = is_item(b, el, item);
	if (!take(b, at))
		return -1;
	str_adds(&b->path, "[]");
	struct pq_node *child = add_children(b, node, 1);
	return is ? build_value(b, item, at, child) : build_field(b, at, child);
}

/* A map without values is a list of its keys. */
static int build_map(
	struct builder *b, const struct pq_element *el, struct levels at, struct pq_node *node)
{
	static const char *const parts[] = {"key", "value"};
	const struct pq_element *pair = peek(b);
	if (el->children != 1 || !pair || pair->repetition != PQ_REPEATED || pair->children < 1 ||
		pair->children > 2)
		return fail(b, "a map that is not made as maps are");
	at = enter_list(at, node);
	if (!take(b, at))
		return -1;
	struct pq_node *child = add_children(b, node, 1);
	child->first = b->column;
	child->def = at.def;
	str_adds(&b->path, "[].");
	size_t path = b->path.len;
	if (pair->children == 1) {
		str_adds(&b->path, parts[0]);
		return build_field(b, at, child);
	}
	child->shape = PQ_PAIR;
	add_children(b, child, 2);
	for (int i = 0; i < 2; i++) {
		str_cut(&b->path, path);
		str_adds(&b->path, parts[i]);
		if (build_field(b, at, &child->child[i]) < 0)
			return -1;
	}
	child->end = b->column;
	return 0;
}

/* An element whose own repetition has been seen to. */
static int build_value(
	struct builder *b, const struct pq_element *el, struct levels at, struct pq_node *node)
{
	size_t path = b->path.len;
	int rc;
	at.depth++;
	node->def = at.def;
	node->first = b->column;
	if (el->type != PQ_GROUP) {
		node->shape = PQ_VALUE;
		rc = build_leaf(b, el, at);
	} else if (el->meaning == PQ_LIST_OF) {
		rc = build_list(b, el, at, node);
	} else if (el->meaning == PQ_MAP_OF) {
		rc = build_map(b, el, at, node);
	} else {
		node->shape = PQ_STRUCT;
		rc = build_struct(b, el, at, node);
	}
	node->end = b->column;
	str_cut(&b->path, path);
	return rc;
}

/* The next element and all below it. Repeated outside of a list: a list of its own, never null. */
static int build_field(struct builder *b, struct levels at, struct pq_node *node)
{
	const struct pq_element *el = take(b, at);
	if (!el)
		return -1;
	if (el->repetition == PQ_OPTIONAL)
		at.def++;
	if (el->repetition != PQ_REPEATED)
		return build_value(b, el, at, node);
	size_t path = b->path.len;
	node->def = at.def;
	node->first = b->column;
	at = enter_list(at, node);
	str_adds(&b->path, "[]");
	int rc = build_value(b, el, at, add_children(b, node, 1));
	node->end = b->column;
	str_cut(&b->path, path);
	return rc;
}

int pq_schema_make(struct pq_schema *s, const struct pq_meta *m, struct err *e)
{
	struct builder b = {.s = s, .m = m, .e = e};
	*s = (struct pq_schema){0};
	s->leaves = arena_alloc(&s->arena, m->ncolumns, sizeof *s->leaves);
	const struct pq_element *root = peek(&b);
	int rc = 0;
	if (m->ncolumns) {
		if (root->type != PQ_GROUP || !take(&b, (struct levels){0}))
			rc = root->type == PQ_GROUP ? -1 : err_data(e, "the schema has no root");
		else
			rc = build_struct(&b, root, (struct levels){0}, &s->root);
		s->root.shape = PQ_STRUCT;
		s->root.end = b.column;
	}
	if (rc == 0 && b.column != m->ncolumns)
		rc = err_data(e, "the footer's schema has fields that belong nowhere");
	str_done(&b.path);
	if (rc < 0)
		pq_schema_done(s);
	return rc;
}

void pq_schema_done(struct pq_schema *s)
{
	arena_done(&s->arena);
	*s = (struct pq_schema){0};
}
