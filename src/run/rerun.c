// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/rerun.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"

static void add_option(struct strbuf *out, const char *option, const char *value)
{
	if (!value)
		return;
	strbuf_addf(out, " %s ", option);
	strbuf_add_quoted(out, value);
}

static void add_time(struct strbuf *out, const char *option, uint64_t ns)
{
	if (ns)
		strbuf_addf(out, " %s %" PRIu64 "ns", option, ns);
}

/* What only a guest is a function of; the seed matters to bodies on the host too. */
static void add_chance(struct strbuf *out, const struct rerun_opts *opts)
{
	const struct settings *s = opts->settings;
	bool in_guest = strcmp(opts->mode, "host") != 0;

	if (in_guest || s->first_seed != s->last_seed || s->first_seed != 1)
		strbuf_addf(out, " --seed %" PRIu64, opts->item->seed);
	if (in_guest && *opts->mode)
		add_option(out, "--mode", opts->mode);
	else if (s->mode != MACHINE_AUTO)
		add_option(out, "--mode", settings_mode_word(s->mode));
	if (in_guest || s->perturb != PERTURB_LIGHT)
		add_option(out, "--perturb", perturb_name(s->perturb));
}

char *rerun_line(const struct rerun_opts *opts)
{
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
	const struct settings *s = opts->settings;

	strbuf_add_quoted(&out, opts->command);
	add_option(&out, "-t", opts->item->entry->name);
	add_chance(&out, opts);
	add_option(&out, "--topology", s->topology_text);
	add_option(&out, "--kernel", s->kernel_spec);
	add_option(&out, "--qemu", s->qemu_path);
	add_option(&out, "--kernel-args", s->kernel_args);
	if (s->memory_bytes)
		strbuf_addf(&out, " --memory %" PRIu64, s->memory_bytes);
	add_time(&out, "--test-timeout", s->test_timeout_ns);
	add_time(&out, "--wall-limit", s->wall_limit_ns);
	if (s->no_template)
		strbuf_addstr(&out, " --no-template");
	return strbuf_take(&out);
}
