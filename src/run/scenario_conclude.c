// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"
#include "check/findings.h"
#include "run/scenario.h"

static void add_check(struct evidence *e, const struct judge_finding *finding)
{
	json_t *check = finding_to_check(finding);

	e->nr_checks++;
	if (finding->verdict == KTSTR_PASS) {
		json_decref(check);
		return;
	}
	e->nr_failed++;
	e->check_error |= finding->verdict == KTSTR_ERROR;
	if (!check || (json_array_size(e->failed) < EVIDENCE_FAILED &&
		       json_array_append(e->failed, check) < 0))
		e->check_error = true;
	json_decref(check);
}

static void add_finding(struct evidence *e, const struct judge_finding *finding)
{
	if (json_array_append_new(e->findings, finding_to_json(finding)) < 0)
		e->check_error = true;
	switch (finding->verdict) {
	case KTSTR_SKIP: /* it is about nothing here */
		return;
	case KTSTR_UNDECIDED:
		if (!e->undecided_text)
			e->undecided_text = strdup(finding->text);
		return;
	default:
		add_check(e, finding);
	}
}

void scenario_conclude(struct evidence *e, const struct judge_host *host)
{
	_cleanup_free_ struct judge_findings *findings = NULL;

	if (!e->nr_scenario || json_array_size(e->findings))
		return;
	findings = calloc(1, sizeof(*findings));
	if (!findings || judge_run(e->scenario, e->nr_scenario == json_array_size(e->scenario),
				   host, findings) < 0) {
		e->nr_failed++;
		e->check_error = true;
		return;
	}
	for (size_t i = 0; i < findings->nr; i++)
		add_finding(e, &findings->items[i]);
}
