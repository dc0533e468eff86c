// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "run/check_round.h"
#include "run/check_variants.h"
#include "scenario/file.h"
#include "scenario/model_arena.h"

struct rounds {
	const struct ktstr_check_opts *opts;
	struct model_arena *arena; /* of the scheduler's file */
	struct ktstr_scheduler from_file;
	const struct ktstr_scheduler *scheduler;
	struct check_variant *variants; /* NULL: none were asked for */
	int nr_variants;
	struct check_round round;
};

static int read_scheduler(struct rounds *r, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(KTSTR_CATALOGUE_FILE_BYTES);
	const char *path = r->opts->scheduler_file;
	int e;

	r->scheduler = r->opts->scheduler;
	if (!path)
		return 0;
	if (r->scheduler)
		return ktstr_error_set(err, -EINVAL,
				       "a scheduler's file and a scheduler: one of them");
	e = io_read_file(path, &text, err);
	if (e < 0)
		return e;
	r->arena = model_arena_create();
	if (!r->arena)
		return ktstr_error_nomem(err);
	e = file_read_scheduler(path, strbuf_str(&text), text.len, r->arena, &r->from_file, err);
	if (e < 0)
		return e;
	if (!r->from_file.name) {
		const char *slash = strrchr(r->from_file.binary, '/');

		r->from_file.name = slash ? slash + 1 : r->from_file.binary;
	}
	r->scheduler = &r->from_file;
	return 0;
}

static int make_variants(struct rounds *r, struct ktstr_error *err)
{
	if (!r->opts->variants)
		return 0;
	if (!r->scheduler)
		return ktstr_error_set(
			err, -EINVAL,
			"--variants is of a scheduler with flags; describe it in a file, and "
			"name that with --scheduler-file");
	r->nr_variants = check_variants(r->scheduler, &r->variants, err);
	return r->nr_variants < 0 ? r->nr_variants : 0;
}

/* As totals_exit() weighs what happened within one. */
static int worse(int a, int b)
{
	static const int worst[] = { KTSTR_EXIT_INTERRUPTED, KTSTR_EXIT_TIMEOUT,
				     KTSTR_EXIT_USAGE,	     KTSTR_EXIT_FAIL,
				     KTSTR_EXIT_HARNESS,     KTSTR_EXIT_CAPACITY,
				     KTSTR_EXIT_UNDECIDED,   KTSTR_EXIT_PASS,
				     KTSTR_EXIT_SKIP };

	for (size_t i = 0; i < ARRAY_SIZE(worst); i++)
		if (a == worst[i] || b == worst[i])
			return worst[i];
	return KTSTR_EXIT_HARNESS;
}

static size_t nr_kernels(const struct rounds *r)
{
	size_t nr = 0;

	while (r->opts->kernels && r->opts->kernels[nr])
		nr++;
	return nr ? nr : 1;
}

static size_t nr_rounds(const struct rounds *r)
{
	return nr_kernels(r) * (r->variants ? (size_t)r->nr_variants : 1);
}

static int do_round(struct rounds *r, size_t number, bool look, struct ktstr_error *err)
{
	size_t per_kernel = r->variants ? (size_t)r->nr_variants : 1;
	struct check_round *round = &r->round;

	round->opts.scheduler = r->scheduler;
	round->look = look;
	round->number = nr_rounds(r) > 1 ? (unsigned int)number + 1 : 0;
	if (r->opts->kernels)
		round->kernel = r->opts->kernels[number / per_kernel];
	if (r->variants) {
		round->variant = r->variants[number % per_kernel].name;
		round->opts.scheduler = &r->variants[number % per_kernel].scheduler;
	}
	return check_round(round, err);
}

static int do_all(struct rounds *r, struct ktstr_error *err)
{
	int e = KTSTR_EXIT_PASS;

	/* What the last one lacks is better known before the first one's hours. */
	for (size_t i = 0; i < nr_rounds(r) && e == KTSTR_EXIT_PASS; i++)
		e = do_round(r, i, true, err);
	if (e != KTSTR_EXIT_PASS)
		return e;
	if (r->opts->json_path) {
		int opened = io_open_output(r->opts->json_path, &r->round.json_fd, err);

		if (opened < 0)
			return io_path_is_wrong(opened) ? KTSTR_EXIT_USAGE : KTSTR_EXIT_HARNESS;
	}
	for (size_t i = 0; i < nr_rounds(r); i++) {
		int one = do_round(r, i, false, err);

		e = i ? worse(e, one) : one;
		if (one == KTSTR_EXIT_INTERRUPTED || one == KTSTR_EXIT_USAGE ||
		    (err && err->text[0]))
			break;
	}
	if (!r->round.lost || e == KTSTR_EXIT_INTERRUPTED)
		return e;
	ktstr_error_set(err, r->round.lost, "results were lost: %s", strerror(-r->round.lost));
	return KTSTR_EXIT_HARNESS;
}

int ktstr_check(const struct ktstr_check_opts *opts, struct ktstr_error *err)
{
	struct rounds r = { .opts = opts, .round = { .opts = *opts, .json_fd = -1 } };
	int exit_code = KTSTR_EXIT_USAGE;

	if (read_scheduler(&r, err) == 0 && make_variants(&r, err) == 0)
		exit_code = do_all(&r, err);
	if (r.round.json_fd > STDERR_FILENO)
		close(r.round.json_fd);
	free(r.variants);
	model_arena_destroy(r.arena);
	return exit_code;
}
