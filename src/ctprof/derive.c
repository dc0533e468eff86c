// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/compare.h"

#define ROW(name_, unit_, about_)           \
	.info = { .name = #name_,           \
		  .unit = unit_,            \
		  .source = "derived",      \
		  .needs = "",              \
		  .about = about_,          \
		  .type = KTSTR_TYPE_GAUGE, \
		  .aggregate = KTSTR_AGGREGATE_SUM }

static const struct derived_row rows[] = {
#define KTSTR_DERIVED(id, name, unit, form_, first, second, about)                                 \
	[KTSTR_CTPROF_DERIVED_##id] = { ROW(name, unit, about), .form = DERIVED_##form_,           \
					.inputs = { KTSTR_CTPROF_##first, KTSTR_CTPROF_##second }, \
					.nr_inputs = 2 },
#define KTSTR_DERIVED_OFFCPU(id, name, unit, about)                                                \
	[KTSTR_CTPROF_DERIVED_##id] = {                                                            \
		ROW(name, unit, about), .form = DERIVED_OFFCPU,                                    \
		.inputs = { KTSTR_CTPROF_CPU_DELAY_TOTAL, KTSTR_CTPROF_BLKIO_DELAY_TOTAL,          \
			    KTSTR_CTPROF_FREEPAGES_DELAY_TOTAL, KTSTR_CTPROF_COMPACT_DELAY_TOTAL,  \
			    KTSTR_CTPROF_WPCOPY_DELAY_TOTAL, KTSTR_CTPROF_IRQ_DELAY_TOTAL,         \
			    KTSTR_CTPROF_SWAPIN_DELAY_TOTAL, KTSTR_CTPROF_THRASHING_DELAY_TOTAL }, \
		.nr_inputs = DERIVED_INPUTS                                                        \
	},
#include <ktstr/derived.def>
};

const struct derived_row *derived_row(unsigned int derived)
{
	return derived < KTSTR_CTPROF_NR_DERIVED ? &rows[derived] : NULL;
}

const struct ktstr_metric_info *ktstr_ctprof_derived_info(unsigned int derived)
{
	return derived < KTSTR_CTPROF_NR_DERIVED ? &rows[derived].info : NULL;
}

void derived_add(const struct derived_row *row, const int64_t inputs[DERIVED_INPUTS],
		 struct derived_sums *sums)
{
	sums->have++;
	if (row->form != DERIVED_OFFCPU) {
		sums->first += (double)inputs[0];
		sums->second += (double)inputs[1];
		return;
	}
	for (unsigned int i = 0; i < DERIVED_INPUTS - 2; i++)
		sums->first += (double)inputs[i];
	/* The kernel counts a page that thrashes from swap in both. */
	sums->first += (double)(inputs[6] > inputs[7] ? inputs[6] : inputs[7]);
}

bool derived_value(const struct derived_row *row, const struct derived_sums *sums,
		   double *ret_value)
{
	double whole = row->form == DERIVED_SHARE ? sums->first + sums->second : sums->second;

	if (!sums->have)
		return false;
	if (row->form == DERIVED_OFFCPU)
		*ret_value = sums->first;
	else if (row->form == DERIVED_LESS)
		*ret_value = sums->first - sums->second;
	else if (whole == 0)
		return false;
	else
		*ret_value = sums->first / whole;
	return true;
}

bool ktstr_ctprof_derived_get(const struct ktstr_ctprof_thread *thread,
			      enum ktstr_ctprof_derived derived, double *ret_value)
{
	const struct derived_row *row = derived_row(derived);
	int64_t inputs[DERIVED_INPUTS] = { 0 };
	struct derived_sums sums = { 0 };

	for (unsigned int i = 0; row && i < row->nr_inputs; i++)
		if (!ktstr_ctprof_get(thread, row->inputs[i], &inputs[i]))
			return false;
	if (!row)
		return false;
	derived_add(row, inputs, &sums);
	return derived_value(row, &sums, ret_value);
}
