#include "tools/train-step/place.h"

#include "common/mem.h"
#include "common/sig.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int place_open(struct place *p, const char *root, int force, int go_on, struct err *e)
{
	*p = (struct place){.root = mem_strdup(root), .settled = go_on};
	return go_on ? 0 : outdir_open(&p->fresh, root, force, e);
}

static int fill_whole(const char *path, place_fill *fill, void *arg, struct err *e)
{
	struct outdir d;
	if (outdir_open(&d, path, 0, e) < 0)
		return -1;
	if (fill(&d, arg, e) < 0) {
		outdir_abandon(&d);
		return -1;
	}
	return outdir_commit(&d, e);
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
	char *path = p->settled ? io_path(p->root, name) : outdir_file(&p->fresh, name);
	int rc = fill_whole(path, fill, arg, e);
	mem_free(path);
	return rc == 0 && !p->settled ? settle(p, e) : rc;
}

static void remove_tree(const char *path)
{
	sig_remove(sig_remove_at_end(path));
}

static int move_up(const char *from, const char *root, const char *name, struct err *e)
{
	char *old = io_path(from, name), *new = io_path(root, name);
	remove_tree(new);
	int rc = rename(old, new) ? err_sys(e, "cannot rename to '%s'", new) : 0;
	mem_free(old);
	mem_free(new);
	return rc;
}

/* Every file of a finished directory into the one above, `last` last. */
static int move_all_up(const char *from, const char *root, const char *last, struct err *e)
{
	DIR *d = opendir(from);
	int rc = d ? 0 : err_sys(e, "cannot read '%s'", from);
	for (struct dirent *f; rc == 0 && (f = readdir(d));)
		if (f->d_name[0] != '.' && strcmp(f->d_name, last) != 0)
			rc = move_up(from, root, f->d_name, e);
	if (d)
		closedir(d);
	if (rc == 0)
		rc = move_up(from, root, last, e);
	if (rc == 0)
		remove_tree(from);
	return rc;
}

int place_finish(struct place *p, const char *last, place_fill *fill, void *arg, struct err *e)
{
	if (!p->settled)
		return fill(&p->fresh, arg, e) < 0 ? -1 : settle(p, e);
	char *path = io_path(p->root, "final");
	int rc = fill_whole(path, fill, arg, e);
	if (rc == 0)
		rc = move_all_up(path, p->root, last, e);
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
