// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/settings.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/env.h"
#include "base/parse.h"

/* Where the rows put what they read: words, until they are understood. */
struct raw {
	struct settings settings;
	const char *color, *mode, *perturb, *seed, *seeds, *repetitions, *jobs;
};

enum { ROWS = 32 };

static const char *const mode_words[] = { "auto", "live", "exact" };

static size_t make_rows(struct raw *raw, struct ktstr_option rows[ROWS])
{
	struct settings *s = &raw->settings;
	const struct ktstr_option all[] = {
		{ 'l', "list", NULL, "list the tests (those selected) and leave", KTSTR_OPTION_FLAG,
		  &s->list },
		{ 0, "dump", NULL,
		  "show what is demanded of the tests, and which layer demands it, and leave",
		  KTSTR_OPTION_FLAG, &s->dump },
		{ 't', "test", "PATTERN", "run the tests whose names match this glob (repeatable)",
		  KTSTR_OPTION_LIST, &s->patterns },
		{ 0, "json", NULL, "write JSON lines to standard output instead of KTAP",
		  KTSTR_OPTION_FLAG, &s->json },
		{ 0, "junit", "FILE", "also write the results as JUnit XML", KTSTR_OPTION_TEXT,
		  &s->junit_path },
		{ 0, "topology", "T", "use this topology for every VM, such as 1n2l4c2t",
		  KTSTR_OPTION_TEXT, &s->topology_text },
		{ 0, "kernel", "SPEC",
		  "boot this: a cached name, version, bzImage, vmlinux or tree", KTSTR_OPTION_TEXT,
		  &s->kernel_spec },
		{ 0, "qemu", "PATH", "use this QEMU", KTSTR_OPTION_TEXT, &s->qemu_path },
		{ 0, "memory", "SIZE", "give every VM this much memory, such as 512M",
		  KTSTR_OPTION_BYTES, &s->memory_bytes },
		{ 0, "kernel-args", "WORDS", "more words for the kernel's command line",
		  KTSTR_OPTION_TEXT, &s->kernel_args },
		{ 0, "mode", "MODE",
		  "live (real time), exact (virtual time) or auto: live with KVM, else exact",
		  KTSTR_OPTION_TEXT, &raw->mode },
		{ 0, "seed", "N", "where all chance in a guest comes from (1)", KTSTR_OPTION_TEXT,
		  &raw->seed },
		{ 0, "seeds", "N|A..B", "run every test with each of the seeds 1..N or A..B",
		  KTSTR_OPTION_TEXT, &raw->seeds },
		{ 0, "repeat", "N", "run everything this many times", KTSTR_OPTION_TEXT,
		  &raw->repetitions },
		{ 0, "perturb", "HOW", "how much a seed disturbs a guest: off, light, heavy",
		  KTSTR_OPTION_TEXT, &raw->perturb },
		{ 'j', "jobs", "N", "run so many at once (by cores and free memory)",
		  KTSTR_OPTION_TEXT, &raw->jobs },
		{ 0, "partition", "KIND:M/N", "run the Mth of N shares: slice:M/N or hash:M/N",
		  KTSTR_OPTION_TEXT, &s->partition_text },
		{ 0, "fail-fast", NULL, "start nothing more after the first FAIL or ERROR",
		  KTSTR_OPTION_FLAG, &s->fail_fast },
		{ 0, "no-template", NULL, "boot every guest instead of cloning a booted one",
		  KTSTR_OPTION_FLAG, &s->no_template },
		{ 0, "console", NULL, "show guests' consoles on standard error, one at a time",
		  KTSTR_OPTION_FLAG, &s->console },
		{ 0, "wall-limit", "TIME",
		  "end an exact run's body after this long on this machine", KTSTR_OPTION_DURATION,
		  &s->wall_limit_ns },
		{ 0, "timeout", "TIME", "end the whole run after this long, such as 90s or 10m",
		  KTSTR_OPTION_DURATION, &s->run_timeout_ns },
		{ 0, "test-timeout", "TIME", "end every body after this long, whatever it declares",
		  KTSTR_OPTION_DURATION, &s->test_timeout_ns },
		{ 0, "keep", NULL, "keep the files of passing tests too, and the guest's archives",
		  KTSTR_OPTION_FLAG, &s->keep },
		{ 0, "run-dir", "DIR", "make this the folder of the run; it must be new or empty",
		  KTSTR_OPTION_TEXT, &s->run_dir },
		{ 0, "color", "WHEN", "color the summary: auto, always or never", KTSTR_OPTION_TEXT,
		  &raw->color },
		{ 'v', "verbose", NULL, "say what is being done", KTSTR_OPTION_FLAG, &s->verbose },
		{ 0, "version", NULL, "print the version and leave", KTSTR_OPTION_FLAG,
		  &s->version },
	};

	_Static_assert(ARRAY_SIZE(all) <= ROWS, "make ROWS larger");
	memcpy(rows, all, sizeof(all));
	return ARRAY_SIZE(all);
}

static struct ktstr_command make_command(const char *name, const struct ktstr_option *rows,
					 size_t nr_rows)
{
	return (struct ktstr_command){
		.name = name,
		.usage = "[OPTION]... [PATTERN]...",
		.about =
			"Runs the tests in this program, each in its own VM, several at once.  KTAP goes to "
			"standard output,\na summary to standard error, all files to "
			"$XDG_STATE_HOME/ktstr/runs.\nExit status: 0 passed, 1 failed, 2 usage, "
			"4 all skipped, 5 undecided, 70 harness broke,\n75 no capacity, 124 time "
			"limit of the run, 130 interrupted.",
		.options = rows,
		.nr_options = nr_rows,
		.operands_max = KTSTR_OPTION_LIST_MAX,
	};
}

void settings_help(const char *program, FILE *out)
{
	struct ktstr_option rows[ROWS];
	struct raw raw = { 0 };
	size_t nr = make_rows(&raw, rows);
	struct ktstr_command command = make_command(program, rows, nr);

	ktstr_options_help(&command, out);
}

int settings_decide_color(const char *word, bool *ret_color, struct ktstr_error *err)
{
	if (!word || !strcmp(word, "auto")) {
		*ret_color = isatty(STDERR_FILENO) && env_allows_color();
		return 0;
	}
	if (strcmp(word, "always") != 0 && strcmp(word, "never") != 0)
		return ktstr_error_set(err, -EINVAL, "--color '%s': it is auto, always or never",
				       word);
	*ret_color = !strcmp(word, "always");
	return 0;
}

static int decide_mode(const char *word, enum machine_mode *ret_mode, struct ktstr_error *err)
{
	*ret_mode = MACHINE_AUTO;
	for (size_t i = 0; word && i < ARRAY_SIZE(mode_words); i++) {
		if (strcmp(word, mode_words[i]) != 0)
			continue;
		*ret_mode = (enum machine_mode)i;
		return 0;
	}
	return word ? ktstr_error_set(err, -EINVAL, "--mode '%s': it is auto, live or exact", word)
		    : 0;
}

static int decide_perturb(const char *word, enum perturb *ret_perturb, struct ktstr_error *err)
{
	*ret_perturb = PERTURB_LIGHT;
	if (word && perturb_parse(word, ret_perturb) < 0)
		return ktstr_error_set(err, -EINVAL, "--perturb '%s': it is off, light or heavy",
				       word);
	return 0;
}

/* @ret_value keeps its value without a @text. */
static int parse_count(const char *option, const char *text, uint32_t max, uint32_t *ret_value,
		       struct ktstr_error *err)
{
	uint32_t value;

	if (!text)
		return 0;
	if (parse_u32(text, &value) < 0 || !value || value > max)
		return ktstr_error_set(err, -EINVAL, "%s '%s': it is a number from 1 to %u", option,
				       text, max);
	*ret_value = value;
	return 0;
}

static int decide_seeds(const struct raw *raw, struct settings *s, struct ktstr_error *err)
{
	s->first_seed = s->last_seed = 1;
	if (raw->seed && raw->seeds)
		return ktstr_error_set(err, -EINVAL,
				       "--seed and --seeds: one or many, not both at once");
	if (raw->seeds)
		return plan_parse_seeds(raw->seeds, &s->first_seed, &s->last_seed, err);
	if (raw->seed && (parse_u64(raw->seed, &s->first_seed) < 0 || s->first_seed > INT64_MAX))
		return ktstr_error_set(err, -EINVAL, "--seed '%s': it is a number from 0 to %lld",
				       raw->seed, (long long)INT64_MAX);
	s->last_seed = s->first_seed;
	return 0;
}

static int decide_many(const struct raw *raw, struct settings *s, struct ktstr_error *err)
{
	int r = decide_seeds(raw, s, err);

	s->repetitions = 1;
	if (r == 0)
		r = parse_count("--repeat", raw->repetitions, PLAN_ITEMS_MAX, &s->repetitions, err);
	if (r == 0)
		r = parse_count("--jobs", raw->jobs, SETTINGS_JOBS_MAX, &s->jobs, err);
	if (r == 0 && s->partition_text)
		r = plan_parse_shard(s->partition_text, &s->shard, err);
	if (r == 0 && s->console && s->jobs > 1)
		r = ktstr_error_set(err, -EINVAL,
				    "--console shows one guest at a time: leave out --jobs");
	if (r == 0 && s->console)
		s->jobs = 1;
	return r;
}

static int add_operands(struct settings *s, const struct ktstr_operands *operands,
			struct ktstr_error *err)
{
	for (size_t i = 0; i < operands->nr; i++) {
		if (s->patterns.nr == KTSTR_OPTION_LIST_MAX)
			return ktstr_error_set(err, -EINVAL, "more than %d patterns",
					       KTSTR_OPTION_LIST_MAX);
		s->patterns.items[s->patterns.nr++] = operands->items[i];
	}
	return 0;
}

int settings_parse(int argc, char **argv, struct settings *ret_settings, struct ktstr_error *err)
{
	struct ktstr_option rows[ROWS];
	struct raw raw = { 0 };
	struct settings *s = &raw.settings;
	size_t nr = make_rows(&raw, rows);
	struct ktstr_command command = make_command(argv[0], rows, nr);
	struct ktstr_operands operands;
	int r = ktstr_options_parse(&command, argc, argv, &operands, err);

	if (r < 0)
		return r;
	s->help = operands.want_help;
	r = add_operands(s, &operands, err);
	if (r == 0)
		r = settings_decide_color(raw.color, &s->color, err);
	if (r == 0)
		r = decide_mode(raw.mode, &s->mode, err);
	if (r == 0)
		r = decide_perturb(raw.perturb, &s->perturb, err);
	if (r == 0)
		r = decide_many(&raw, s, err);
	if (r == 0 && s->kernel_args)
		r = ktstr_kernel_args_check(s->kernel_args, err);
	if (r == 0 && s->topology_text) {
		r = ktstr_topology_parse(s->topology_text, &s->topology, err);
		s->has_topology = true;
	}
	if (r < 0)
		return -EINVAL;
	*ret_settings = *s;
	return 0;
}

const char *settings_mode_word(enum machine_mode mode)
{
	return mode_words[mode];
}
