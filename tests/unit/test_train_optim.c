/* Optimizers against bitsandbytes, torch and transformers (tests/oracle/optim.py), on every backend. */
#include "common/safetensors.h"
#include "tests/kernels/ops.h"
#include "tools/train-step/optim.h"

enum { STEPS = 6, PARAMS = 5 };

static const size_t shapes[PARAMS][2] = {{300, 0}, {64, 64}, {4100, 0}, {10, 7}, {33, 130}};
static struct st golden;

/* ---- the oracle's parameters and gradients ------------------------------------------------------- */

static uint64_t mix(uint64_t x)
{
	x += 0x9E3779B97F4A7C15;
	x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
	x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
	return x ^ (x >> 31);
}

static float value(uint64_t param, uint64_t step, uint64_t i)
{
	uint64_t h = mix(i + (param << 40 | step << 32));
	double x = (double)(h >> 40) / 0x1p23 - 1;
	if (step && (h % 16 == 0 || (step < 3 && i / 256 == 1)))
		return 0;
	return (float)(step ? ldexp(x, -(int)(mix(i >> 8) % 12)) : x);
}

static void fill(struct params *ps, struct kbuf to, uint64_t step)
{
	for (size_t i = 0; i < ps->n; i++) {
		size_t n = param_len(&ps->p[i]);
		float *x = malloc(n * sizeof *x);
		for (size_t j = 0; j < n; j++)
			x[j] = value(i, step, j);
		K->write(C, kbuf_at(to, ps->p[i].offset).p, x, n * sizeof *x);
		free(x);
	}
}

static void open_params(struct params *ps)
{
	struct err e;
	*ps = (struct params){0};
	for (size_t i = 0; i < PARAMS; i++)
		params_add(ps, "p", shapes[i][0], shapes[i][1], i != 0);
	params_alloc(ps, K, C, 1, &e);
	fill(ps, ps->value, 0);
}

/* ---- comparison ---------------------------------------------------------------------------------- */

static const struct st_tensor *want(
	const char *fmt, const char *name, size_t param, int step, const char *state)
{
	char path[80];
	snprintf(path, sizeof path, fmt, name, param, step, state);
	return st_find(&golden, path);
}

static double worst_value(const struct params *ps, const char *name)
{
	double worst = 0;
	for (size_t i = 0; i < ps->n; i++) {
		const struct st_tensor *t = want("%s/%zu", name, i, 0, "");
		size_t n = param_len(&ps->p[i]);
		if (!t || t->elements != (n + 4) / 5)
			return INFINITY;
		float *theirs = malloc(t->bytes), *ours = malloc(n * sizeof *ours);
		memcpy(theirs, t->data, t->bytes);
		K->read(C, ours, param_value(ps, i).p, n * sizeof *ours);
		for (size_t j = 0; j < t->elements; j++) { /* every fifth */
			double off = fabs((double)ours[5 * j] - (double)theirs[j]);
			worst = off <= worst ? worst : off;
		}
		free(theirs);
		free(ours);
	}
	return worst;
}

/* Bytes of the 8-bit states that differ from the oracle's; each must be there. */
static size_t different_bytes(const struct optim *o, const char *name, int step, size_t *seen)
{
	size_t bad = 0;
	for (int s = 0; s < OPTIM_STATES && o->state[s].name; s++) {
		size_t at = 0;
		for (size_t i = 0; i < PARAMS; i++) {
			const struct st_tensor *t =
				want("%s/%zu/%d/%s", name, i, step, o->state[s].name);
			if (!t)
				continue;
			uint8_t *ours = malloc(t->bytes);
			K->read(C, ours, (char *)o->state[s].buf.p + at, t->bytes);
			for (size_t j = 0; j < t->bytes; j++)
				bad += ours[j] != ((const uint8_t *)t->data)[j];
			*seen += t->bytes;
			at += (t->bytes + 63) / 64 * 64;
			free(ours);
		}
	}
	return bad;
}

static void run_with(const char *name, const char *args, const char *peer, double tolerance,
	size_t bytes8, int out)
{
	struct params ps;
	struct optim o;
	struct err e = {0};
	struct optim_opts opts = {name, 0.9, 0.999, 1e-8, 0.1, args};
	size_t bad = 0, seen = 0;
	open_params(&ps);
	if (!ok(optim_init(&o, &opts, &ps, out, K, C, &e) == 0, "%s: %s has states", K->name, name))
		diag("%s", e.msg);
	for (uint64_t t = 1; t <= STEPS; t++) {
		fill(&ps, ps.grad, t);
		optim_step(&o, 1e-2, 1, t, &e);
		if (t == 1 || t == STEPS)
			bad += different_bytes(&o, peer, (int)t, &seen);
	}
	double worst = worst_value(&ps, peer);
	ok(worst <= tolerance, "%s: %s: parameters are the peer's (%.2g)", K->name, name, worst);
	if (bytes8)
		ok(seen == bytes8 && bad == 0,
			"%s: %s: every byte of the states is the peer's (%zu of %zu differ)",
			K->name, name, bad, seen);
	optim_done(&o);
	params_done(&ps, K, C);
}

static void run(const char *name, const char *peer, double tolerance, size_t bytes8, int out)
{
	run_with(name, NULL, peer, tolerance, bytes8, out);
}

static void all(void)
{
	/* Twice (after steps 1 and 6) 4096, 4100 and 4290 codes and 16, 17 and 17 absmax. */
	const size_t one_state = 2 * (4096 + 4100 + 4290 + 4 * (16 + 17 + 17));
	run("adamw_8bit", "adamw_8bit", 2.4e-7, 2 * one_state, 0);
	run("paged_adamw_8bit", "adamw_8bit", 2.4e-7, 2 * one_state, 1);
	run("paged_adamw_32bit", "paged_adamw_32bit", 2.4e-7, 0, 1);
	run("lion_8bit", "lion_8bit", 2.4e-7, one_state, 0);
	run("lion_32bit", "lion_32bit", 2.4e-7, 0, 0);
	run("rmsprop", "rmsprop", 2.4e-7, 0, 0);
	run("sgd", "sgd", 2.4e-7, 0, 0);
	run("adafactor", "adafactor", 1e-6, 0, 0); /* its means are f32 sums there */
	run("ademamix", "ademamix", 2.4e-7, 0, 0);
	run("paged_ademamix_32bit", "ademamix", 2.4e-7, 0, 1);
	run_with("ademamix_8bit", "t_alpha=4,t_beta3=5", "ademamix_8bit", 2.4e-7, 3 * one_state, 0);
	run_with("paged_ademamix_8bit", "t_beta3=5,t_alpha=4,alpha=5,beta3=0.9999", "ademamix_8bit",
		2.4e-7, 3 * one_state, 1);
	run("rmsprop_bnb_32bit", "rmsprop_bnb_32bit", 2.4e-7, 0, 0);
	run("rmsprop_bnb", "rmsprop_bnb_32bit", 2.4e-7, 0, 0);
	run("rmsprop_bnb_8bit", "rmsprop_bnb_8bit", 2.4e-7, one_state, 0);
}

/* ---- what does not need a backend ---------------------------------------------------------------- */

static void sizes(void)
{
	struct params ps = {0};
	size_t most;
	params_add(&ps, "big", 1024, 1024, 1);
	params_add(&ps, "small", 64, 63, 1);
	struct optim_opts o = {"adamw_8bit", 0.9, 0.999, 1e-8, 0, NULL};
	is_int((long long)optim_bytes(&o, &ps, &most), 2 * (1 << 20) + 2 * 4 * 4096 + 2 * 4 * 4032,
		"8-bit states: two bytes an element, an absmax in 256, f32 below 4096");
	is_int((long long)most, 2 * (1 << 20) + 2 * 4 * 4096,
		"the most is the largest parameter's");
	o.name = "adafactor";
	is_int((long long)optim_bytes(&o, &ps, NULL), 4 * (1024 + 1024 + 64 + 64),
		"adafactor: a row and a column");
	o.name = "sgd";
	is_int((long long)optim_bytes(&o, &ps, NULL), 0, "sgd: nothing");
	params_done(&ps, &kernels_plain, NULL);
	struct err e = {0};
	o.name = "adam";
	ok(optim_check(&o, &e) < 0 && e.status == STATUS_USAGE && strstr(e.msg, "paged_adamw_8bit"),
		"an unknown optimizer is refused with the list of known ones");
	o.name = "galore_adamw_layerwise";
	ok(optim_check(&o, &e) < 0 && e.status == STATUS_USAGE &&
			strstr(e.msg, "use paged_adamw_8bit"),
		"one of transformers' that is not here is refused with the word to use");
	o.name = "ademamix";
	static const char *const bad[] = {"alpha", "alpha=", "alpha=x", "alpha=-1", "beta3=1",
		"t_alpha=3;", "gamma=1", "=1", ",", "alpha=nan", "alpha=1e999"};
	int refused = 1;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		o.args = bad[i];
		refused &= optim_check(&o, &e) < 0 && e.status == STATUS_USAGE &&
			   strstr(e.msg, "--optim-args") != NULL;
	}
	ok(refused, "what is no --optim-args is refused");
	o.args = "alpha=2,t_beta3=100";
	ok(optim_check(&o, &e) == 0, "what is one is taken");
	o.args = NULL;
	o.name = "lion_8bit";
	ok(optim_uses(&o, "adam-beta2") && !optim_uses(&o, "adam-epsilon"),
		"an optimizer knows which options it uses");
}

int main(void)
{
	struct err e;
	if (!ok(st_open_file(&golden, "tests/golden/train/optim.safetensors", &e) == 0,
		    "the peers' answers are there"))
		return tap_done();
	each_backend(2, all);
	sizes();
	st_close(&golden);
	return tap_done();
}
