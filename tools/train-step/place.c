#include "tools/train-step/place.h"

#include "common/mem.h"

int place_open(struct place *p, const char *root, int force, int go_on, struct err *e)
{
	*p = (struct place){.root = mem_strdup(root), .settled = go_on};
	return go_on ? 0 : outdir_open(&p->fresh, root, force, e);
}

static int fill_new(struct outdir *d, const char *path, place_fill *fill, void *arg, struct err *e)
{
	if (outdir_open(d, path, 0, e) < 0)
		return -1;
	if (fill(d, arg, e) == 0)
		return 0;
	outdir_abandon(d);
	return -1;
}

static int settle(struct place *p, struct err *e)
{
	if (outdir_commit(&p->fresh, e) < 0)
		return -1;
	p->settled = 1;
	return 0;
}

int place_add(struct place *p, const char *name, place_fill *fill, void *arg, struct err *e)
{
	struct outdir d;
	char *path = p->settled ? io_path(p->root, name) : outdir_file(&p->fresh, name);
	int rc = fill_new(&d, path, fill, arg, e);
	if (rc == 0)
		rc = outdir_commit(&d, e);
	mem_free(path);
	return rc == 0 && !p->settled ? settle(p, e) : rc;
}

int place_finish(struct place *p, const char *last, place_fill *fill, void *arg, struct err *e)
{
	if (!p->settled)
		return fill(&p->fresh, arg, e) < 0 ? -1 : settle(p, e);
	struct outdir d;
	char *path = io_path(p->root, "final");
	int rc = fill_new(&d, path, fill, arg, e);
	if (rc == 0)
		rc = outdir_commit_into(&d, p->root, last, e);
	mem_free(path);
	return rc;
}

void place_done(struct place *p)
{
	if (p->fresh.tmp)
		outdir_abandon(&p->fresh);
	mem_free(p->root);
	*p = (struct place){0};
}
