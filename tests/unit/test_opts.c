/* The option tables: what is parsed, what is refused and how, in children whose end is looked at. */
#include "common/opts.h"

#include "common/die.h"
#include "common/mem.h"
#include "tests/tap.h"

#include <sys/wait.h>
#include <unistd.h>

static int flag;
static int64_t whole = 7;
static uint64_t bytes;
static double real = 0.5;
static const char *text, *choice = "one";
static struct opt_list list;

static const struct opt own[] = {
	{"model", 'm', OPT_STR, &text, "DIR", "a string"},
	{"max-length", 0, OPT_INT, &whole, "N", "an integer"},
	{"memory", 0, OPT_SIZE, &bytes, "SIZE", "bytes"},
	{NULL, 0, OPT_GROUP, NULL, NULL, "A group"},
	{"beta", 'b', OPT_REAL, &real, "X", "a number"},
	{"adapter", 'a', OPT_LIST, &list, "DIR", "a list"},
	{"mode", 0, OPT_STR, &choice, "one|two_b|three-c", "a choice"},
	{"packing", 0, OPT_REFUSE, NULL, NULL, "there is no padding here: leave it out"},
	{"flag", 'x', OPT_FLAG, &flag, NULL, "a flag"},
	{0},
};
static const struct opt *const tables[] = {
	own, opts_filter, opts_device, opts_output, opts_base, NULL};
static const struct opt_program program = {
	"tok", "[-m DIR] [FILE…]", "Does things.", "  tok -m x y\n", tables};

/* Words to argv. */
static int parse(const char *line, char ***argv_out)
{
	static char copy[1000], *argv[40];
	int argc = 1;
	snprintf(copy, sizeof copy, "%s", line);
	argv[0] = copy + sizeof copy - 1;
	for (char *p = copy; *p;) {
		argv[argc++] = p;
		p += strcspn(p, " ");
		if (*p)
			*p++ = 0;
	}
	argv[argc] = NULL;
	*argv_out = argv;
	return argc;
}

/* Runs the parser in a child: its exit status, and what it wrote to standard error and output. */
static int end_of(const char *line, char *err, char *out, size_t room)
{
	int e[2], o[2];
	if (pipe(e) || pipe(o))
		exit(1);
	fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		char **argv;
		dup2(e[1], STDERR_FILENO);
		dup2(o[1], STDOUT_FILENO);
		close(e[0]), close(o[0]);
		int argc = parse(line, &argv);
		opts_parse(&program, argc, argv);
		_exit(99);
	}
	close(e[1]), close(o[1]);
	FILE *fo = fdopen(o[0], "r"), *fe = fdopen(e[0], "r");
	size_t n = fread(out, 1, room - 1, fo);
	out[n] = 0;
	n = fread(err, 1, room - 1, fe);
	err[n] = 0;
	fclose(fo), fclose(fe);
	int status;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void refused(const char *line, const char *says)
{
	char err[2000], out[20000];
	int status = end_of(line, err, out, sizeof err);
	char *newline = strchr(err, '\n');
	ok(status == STATUS_USAGE && strstr(err, says) && newline && !newline[1] && !*out,
		"%s: %.*s", line, newline ? (int)(newline - err) : 0, err);
}

int main(void)
{
	char **argv, err[20000], out[20000];
	die_init("tok");
	unsetenv("SLUICE_THREADS");
	int argc = parse(
		"one --max-length=12 two -b 1e-3 -xm dir --memory 3G -a p -a q --mode two_b -- -x",
		&argv);
	int first = opts_parse(&program, argc, argv);
	is_int(argc - first, 3, "operands stand before, between and behind options");
	ok(!strcmp(argv[first], "one") && !strcmp(argv[first + 1], "two") &&
			!strcmp(argv[first + 2], "-x"),
		"in order, all of them behind '--'");
	is_int(whole, 12, "an integer");
	ok(real == 1e-3, "a number");
	ok(flag && !strcmp(text, "dir"), "letters together, the last with its argument");
	is_int((long long)bytes, 3LL << 30, "a size with a suffix");
	ok(list.n == 2 && !strcmp(list.v[1], "q"), "a list");
	is_str(choice, "two_b", "a choice");
	ok(opts_given("max-length") && !opts_given("gzip"), "what was given is known");
	char *h = opts_history(&program, (const char *const[]){"max-length", "beta", "mode", "flag",
						 "adapter", "gzip", NULL});
	is_str(h, "max-length=12 beta=0.001 mode=two_b flag adapter=p,q",
		"history has the values in force");
	free(h);

	setenv("SLUICE_THREADS", "3", 1);
	setenv("SLUICE_DEVICE", "cpu", 1);
	argc = parse("--shard 2/5", &argv);
	opts_parse(&program, argc, argv);
	is_int(opts_common.threads, 3, "SLUICE_THREADS counts");
	is_str(opts_model.device, "cpu", "SLUICE_DEVICE counts");
	ok(opts_common.shard_i == 2 && opts_common.shard_n == 5, "a shard");
	argc = parse("-j 2 --rejects f", &argv);
	opts_parse(&program, argc, argv);
	is_int(opts_common.threads, 2, "an option is stronger");
	ok(opts_common.skip_bad, "--rejects implies --skip-bad");

	refused("--nonsense", "unknown option '--nonsense'; try 'tok --help'");
	refused("--max-len 3", "did you mean '--max-length'?");
	refused("--max_length 3", "did you mean '--max-length'?");
	refused("--maxlength=3", "did you mean '--max-length'?");
	refused("-y", "unknown option '-y'");
	refused("--max-length", "option '--max-length' wants N");
	refused("-b", "option '-b' wants X");
	refused("--flag=1", "option '--flag' takes no argument");
	refused("--max-length -3", "option '--max-length' wants a whole number, not '-3'");
	refused("--max-length 3x", "whole number");
	refused("--max-length 99999999999999999999", "whole number");
	refused("--memory 3Q", "number of bytes");
	refused("--memory 99999999999T", "number of bytes");
	refused("-b nan", "option '-b' wants a number, not 'nan'");
	refused("-b 0x10", "number");
	refused("-b 1e999", "number");
	refused("-b 1,5", "number");
	refused("--mode two", "option '--mode' wants one|two_b|three-c, not 'two'");
	refused("-j 1025", "1025 threads are more than any machine has; at most 1024");
	refused("--mode=", "option '--mode' wants");
	refused("--shard 0/2", "option '--shard' wants I/N, not '0/2'");
	refused("--shard 3/2", "--shard");
	refused("--shard 1", "--shard");
	refused("--packing", "there is no padding here");
	refused("--packing=true", "there is no padding here");
	setenv("SLUICE_THREADS", "many", 1);
	refused("-x", "SLUICE_THREADS wants a whole number, not 'many'");
	unsetenv("SLUICE_THREADS");

	is_int(end_of("--nonsense -m", err, out, sizeof out), 2, "the first error ends it");
	is_int(end_of("--help", err, out, sizeof out), 0, "--help exits 0");
	ok(!*err && strstr(out, "usage: tok [-m DIR] [FILE…]\nDoes things.\n") &&
			strstr(out, "A group:\n") &&
			strstr(out, "  -b, --beta X              a number\n") &&
			strstr(out, "man tok") && !strstr(out, "--packing"),
		"on standard output: usage, a sentence, groups, where the manual is; not what is "
		"refused");
	is_int(end_of("-x -V", err, out, sizeof out), 0, "-V exits 0");
	ok(!strncmp(out, "tok (sluice) 0.1.0\n", 19), "with name and version");
	end_of("--list-options", err, out, sizeof out);
	ok(!strncmp(out, "--model\t-m\tDIR\ta string\n", 24) &&
			strstr(out, "--flag\t-x\t\ta flag\n"),
		"--list-options gives a line an option");
	ok(strstr(out, "--threads") && !strstr(strstr(out, "--threads") + 1, "--threads"),
		"a row that two tables have is shown once");
	mem_free(list.v);
	return tap_done();
}
