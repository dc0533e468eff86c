// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/check_variants.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/near.h"

enum { HINT_BYTES = NEAR_WORD + 32 };

struct flags {
	const struct ktstr_scheduler *of;
	size_t nr;
	unsigned int requires[KTSTR_SCHEDULER_FLAGS], excludes[KTSTR_SCHEDULER_FLAGS]; /* bits */
};

static int add_bits(const struct flags *f, const char *const *names, unsigned int *bits,
		    struct ktstr_error *err)
{
	char hint[HINT_BYTES];

	for (size_t i = 0; i < KTSTR_FLAG_LINKS && names[i]; i++) {
		struct near near = near_start(names[i]);
		size_t k = 0;

		while (k < f->nr && strcmp(f->of->flags[k].name, names[i]) != 0)
			near_offer(&near, f->of->flags[k++].name);
		if (k == f->nr)
			return ktstr_error_set(err, -EINVAL, "there is no flag '%s'%s", names[i],
					       near_hint(&near, hint, sizeof(hint)));
		*bits |= 1U << k;
	}
	return 0;
}

static int read_flags(struct flags *f, struct ktstr_error *err)
{
	int r = 0;

	while (f->nr < KTSTR_SCHEDULER_FLAGS && f->of->flags[f->nr].name)
		f->nr++;
	if (!f->nr)
		return ktstr_error_set(err, -EINVAL,
				       "the scheduler has no flags to combine; a file for "
				       "--scheduler-file can name them");
	for (size_t i = 0; r == 0 && i < f->nr; i++) {
		r = add_bits(f, f->of->flags[i].requires, &f->requires[i], err);
		if (r == 0)
			r = add_bits(f, f->of->flags[i].excludes, &f->excludes[i], err);
	}
	return r;
}

static bool is_valid(const struct flags *f, unsigned int set)
{
	for (size_t i = 0; i < f->nr; i++)
		if (set & 1U << i && ((f->requires[i] & ~set) || (f->excludes[i] & set)))
			return false;
	return true;
}

static int fill(const struct flags *f, unsigned int set, struct check_variant *v,
		struct ktstr_error *err)
{
	const char **args = v->scheduler.args;
	size_t nr = 0, len = 0;

	v->scheduler = *f->of;
	while (nr < KTSTR_SCHEDULER_ARGS && args[nr])
		nr++;
	for (size_t i = 0; i < f->nr; i++) {
		const struct ktstr_scheduler_flag *flag = &f->of->flags[i];

		if (!(set & 1U << i))
			continue;
		if (len < sizeof(v->name))
			len += (size_t)snprintf(v->name + len, sizeof(v->name) - len, "%s%s",
						len ? "+" : "", flag->name);
		for (size_t a = 0; a < KTSTR_FLAG_LINKS && flag->args[a]; a++) {
			if (nr == KTSTR_SCHEDULER_ARGS - 1)
				return ktstr_error_set(err, -E2BIG,
						       "flags %s: more than %d arguments", v->name,
						       KTSTR_SCHEDULER_ARGS - 1);
			args[nr++] = flag->args[a];
		}
	}
	if (!len)
		snprintf(v->name, sizeof(v->name), "plain");
	return 0;
}

int check_variants(const struct ktstr_scheduler *scheduler, struct check_variant **ret_list,
		   struct ktstr_error *err)
{
	struct flags f = { .of = scheduler };
	_cleanup_free_ struct check_variant *list = NULL;
	int nr = 0, r = read_flags(&f, err);

	if (r < 0)
		return r;
	list = calloc((size_t)1 << f.nr, sizeof(*list));
	if (!list)
		return ktstr_error_nomem(err);
	for (unsigned int set = 0; set < 1U << f.nr; set++) {
		if (!is_valid(&f, set))
			continue;
		r = fill(&f, set, &list[nr++], err);
		if (r < 0)
			return r;
	}
	*ret_list = take_ptr(list);
	return nr;
}
