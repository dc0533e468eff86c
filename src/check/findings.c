// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "check/findings.h"

#include <math.h>
#include <stdio.h>

enum { VALUE_TEXT = 48, DEMAND_TEXT = 256 };

static const char *name_of(const struct judge_finding *finding)
{
	const struct ktstr_check_info *info = ktstr_check_info(finding->check);

	return info ? info->name : "scenario";
}

static const char *unit_of(const struct judge_finding *finding)
{
	const struct ktstr_check_info *info = ktstr_check_info(finding->check);

	return info ? info->unit : "";
}

static bool has_bound(const struct judge_finding *finding)
{
	const struct ktstr_check_info *info = ktstr_check_info(finding->check);

	return info && info->relation != KTSTR_HOLDS_ALWAYS;
}

json_t *finding_to_json(const struct judge_finding *finding)
{
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s}", "check", name_of(finding),
				   "verdict", ktstr_verdict_name(finding->verdict), "subject",
				   finding->subject, "from", finding->from, "text", finding->text);

	if (!object)
		return NULL;
	if (finding->step[0])
		json_object_set_new(object, "step", json_string(finding->step));
	if (finding->has_value && isfinite(finding->value))
		json_object_set_new(object, "value", json_real(finding->value));
	if (has_bound(finding))
		json_object_set_new(object, "bound", json_real(finding->bound));
	if (unit_of(finding)[0])
		json_object_set_new(object, "unit", json_string(unit_of(finding)));
	return object;
}

static void put_value(char *text, double value, const char *unit)
{
	if (unit[0] == 'n' && value >= 1e6)
		snprintf(text, VALUE_TEXT, "%.3f ms", value / 1e6);
	else
		snprintf(text, VALUE_TEXT, "%.6g%s%s", value, unit[0] == '%' ? "" : " ", unit);
}

json_t *finding_to_check(const struct judge_finding *finding)
{
	const struct ktstr_check_info *info = ktstr_check_info(finding->check);
	char demand[DEMAND_TEXT], actual[VALUE_TEXT], bound[VALUE_TEXT];
	json_t *check;

	put_value(bound, finding->bound, unit_of(finding));
	put_value(actual, finding->value, unit_of(finding));
	if (has_bound(finding))
		snprintf(demand, sizeof(demand), "%s: %s %s %s", finding->subject, name_of(finding),
			 info->relation == KTSTR_BOUND_ABOVE ? "at most" : "at least", bound);
	else
		snprintf(demand, sizeof(demand), "%s: %s", finding->subject, name_of(finding));
	check = json_pack("{s:b, s:s, s:i, s:s, s:s, s:s}", "ok", finding->verdict == KTSTR_PASS,
			  "file", "", "line", 0, "text", demand, "why", finding->text, "check",
			  name_of(finding));
	if (!check)
		return NULL;
	if (has_bound(finding))
		json_object_set_new(check, "bound", json_string(bound));
	if (has_bound(finding) && finding->has_value)
		json_object_set_new(check, "actual", json_string(actual));
	if (finding->verdict == KTSTR_ERROR)
		json_object_set_new(check, "error", json_true());
	return check;
}
