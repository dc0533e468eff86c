// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* What is compared, and in what the machines differ. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctprof/compare.h"
#include "ctprof/render.h"

enum { SETUP_SHOWN = 6, VALUE_BYTES = 128 };

static const double NS_PER_TICK = 1e7, UNSEEN_WORTH_TELLING = 0.05;

static void add_time(uint64_t unix_ns, struct strbuf *out)
{
	time_t at = (time_t)(unix_ns / 1000000000u);
	char text[64];
	struct tm tm;

	if (gmtime_r(&at, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", &tm))
		strbuf_addstr(out, text);
}

static void add_seconds(double seconds, struct strbuf *out)
{
	char text[KTSTR_CTPROF_NUMBER_BYTES];

	if (seconds < 100)
		strbuf_addstr(out, ktstr_ctprof_format_number("ns", seconds * 1e9, false, text));
	else
		strbuf_addf(out, "%.0f min", seconds / 60);
}

static const char *name_of(const struct ktstr_ctprof_side *side)
{
	const char *base = side->name ? strrchr(side->name, '/') : NULL;

	return base && base[1] ? base + 1 : side->name ? side->name : "-";
}

/* When, and on which kernel. */
static void add_when(const struct ktstr_ctprof_comparison *c, unsigned int side, struct strbuf *out)
{
	if (side && c->one_boot) {
		add_seconds(c->seconds[1], out);
		strbuf_addstr(out, c->guessed ? " later, it seems of one boot" : " later");
		return;
	}
	add_time(c->sides[side].snapshot->captured_at_unix_ns, out);
	if (c->sides[side].since) {
		strbuf_addstr(out, ", the last ");
		add_seconds(c->seconds[side], out);
	}
}

static void add_side(struct render *r, struct sheet *s, unsigned int side, const char *role)
{
	const struct ktstr_ctprof_comparison *c = r->comparison;
	const struct ktstr_ctprof *snapshot = c->sides[side].snapshot;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	sheet_add(s, SHEET_BOLD, role);
	render_name(name_of(&c->sides[side]), &text);
	sheet_add(s, SHEET_PLAIN, strbuf_str(&text));
	strbuf_clear(&text);
	add_when(c, side, &text);
	sheet_add(s, SHEET_PLAIN, strbuf_str(&text));
	strbuf_clear(&text);
	strbuf_addf(&text, "%zu threads", snapshot->nr_threads);
	if (side && c->one_boot && c->born + c->ended)
		strbuf_addf(&text, ", %" PRIu32 " born, %" PRIu32 " ended", c->born, c->ended);
	sheet_add(s, SHEET_PLAIN, strbuf_str(&text));
	strbuf_clear(&text);
	if (!(side && c->one_boot) && snapshot->kernel)
		render_name(snapshot->kernel, &text);
	sheet_add(s, SHEET_PLAIN, strbuf_str(&text));
}

/* Does the value belong to how the machine is set up, rather than to what it does? */
static bool is_setup(const struct ktstr_ctprof_column *c)
{
	if (c->kind == KTSTR_CTPROF_KIND_HOST_TEXT)
		return true;
	if (c->kind != KTSTR_CTPROF_KIND_HOST || c->info->type == KTSTR_TYPE_COUNTER)
		return false;
	return !strncmp(c->info->source, "/sys/", 5) || !strncmp(c->info->source, "/proc/sys", 9);
}

static bool setup_differs(const struct ktstr_ctprof_cell *cell)
{
	const struct ktstr_ctprof_value *a = &cell->sides[0], *b = &cell->sides[1];

	return cell->differs || (cell->has_delta && cell->delta != 0) || a->there != b->there;
}

static void add_setup(struct render *r, const struct ktstr_ctprof_column *column,
		      const struct ktstr_ctprof_cell *cell)
{
	char before[VALUE_BYTES], after[VALUE_BYTES];

	ktstr_ctprof_format_value(column, &cell->sides[0], before, sizeof(before));
	ktstr_ctprof_format_value(column, &cell->sides[1], after, sizeof(after));
	strbuf_addf(r->out, "set-up %s: ", column->info->name);
	render_name(before, r->out);
	strbuf_addstr(r->out, " -> ");
	render_name(after, r->out);
	strbuf_addch(r->out, '\n');
}

static void add_setups(struct render *r)
{
	const struct ktstr_ctprof_block *machine = &r->comparison->blocks[0];
	size_t nr = 0;

	for (size_t i = 0; i < machine->nr_columns; i++) {
		const struct ktstr_ctprof_cell *cell = &machine->groups[0].cells[i];

		if (!is_setup(&machine->columns[i]) || !setup_differs(cell))
			continue;
		if (nr++ < SETUP_SHOWN || !r->opts->limit)
			add_setup(r, &machine->columns[i], cell);
	}
	if (nr > SETUP_SHOWN && r->opts->limit)
		strbuf_addf(r->out,
			    "set-up %zu more differences; --sections host,sched-ext "
			    "--group-by machine --limit 0 shows all\n",
			    nr - SETUP_SHOWN);
}

/* Counters of all CPUs, and whether they were busy. */
static const struct {
	const char *name;
	bool busy;
} cpu_times[] = {
	{ "cpu_user_ticks", true },    { "cpu_nice_ticks", true },    { "cpu_system_ticks", true },
	{ "cpu_irq_ticks", true },     { "cpu_softirq_ticks", true }, { "cpu_idle_ticks", false },
	{ "cpu_iowait_ticks", false },
};

/* What the machine's own counters say: busy time and all time, nanoseconds. */
static bool cpu_time(const struct ktstr_ctprof_block *machine, double *ret_busy, double *ret_all)
{
	double busy = 0, all = 0;

	for (size_t i = 0; i < sizeof(cpu_times) / sizeof(cpu_times[0]); i++) {
		int column = ktstr_ctprof_column_find(machine, cpu_times[i].name);
		const struct ktstr_ctprof_value *v =
			column < 0 ? NULL : &machine->groups[0].cells[column].between;

		if (!v || !v->there)
			return false;
		all += v->number;
		busy += cpu_times[i].busy ? v->number : 0;
	}
	*ret_busy = busy * NS_PER_TICK;
	*ret_all = all * NS_PER_TICK;
	return all > 0;
}

/* How busy the CPUs were, and how much of it no thread below has to show for: those that were
 * born and ended in between are in neither snapshot. */
static void add_busy(struct render *r)
{
	const struct ktstr_ctprof_block *machine = &r->comparison->blocks[0];
	int column = ktstr_ctprof_column_find(machine, "run_time_ns");
	const struct ktstr_ctprof_value *run =
		column < 0 ? NULL : &machine->groups[0].cells[column].between;
	double busy, all;

	if (!cpu_time(machine, &busy, &all))
		return;
	strbuf_addf(r->out, "CPUs   %.0f%% busy", busy / all * 100);
	if (run && run->there && busy - run->number > busy * UNSEEN_WORTH_TELLING)
		strbuf_addf(r->out, ", %.0f%% of that by threads not below: ended, or not recorded",
			    (busy - run->number) / busy * 100);
	strbuf_addch(r->out, '\n');
}

void render_heading(struct render *r)
{
	const struct ktstr_ctprof_comparison *c = r->comparison;
	_cleanup_sheet_ struct sheet s = { 0 };

	render_start(r, KTSTR_CTPROF_BY_MACHINE, &s);
	s.nr_columns = 5;
	s.name = 1;
	for (size_t i = 0; i < s.nr_columns; i++)
		s.left[i] = true;
	if (c->nr_sides == 1) {
		add_side(r, &s, 0, "of");
	} else {
		add_side(r, &s, 0, "before");
		add_side(r, &s, 1, "after");
	}
	if (sheet_print(&s, r->out) < 0)
		r->out->error = s.text.error;
	if (c->nr_sides == 2)
		add_setups(r);
	if (c->one_boot)
		add_busy(r);
}
