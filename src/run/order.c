// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/order.h"

#include <string.h>

#include "base/cleanup.h"
#include "base/strbuf.h"

/* @entry passed registry_check(). */
static void add_key(const struct order *order, const struct ktstr_entry *entry, struct strbuf *out)
{
	const struct settings *s = order->settings;
	char topology[KTSTR_TOPOLOGY_TEXT];

	strbuf_addf(out, "%s %s ", order->program, entry->name);
	if (entry->test->host_only) {
		strbuf_addstr(out, "- host");
		return;
	}
	ktstr_topology_format(s->has_topology ? &s->topology : &entry->test->topology, topology,
			      sizeof(topology));
	strbuf_addf(out, "%s %s", topology, order->exact ? "exact" : "live");
}

void order_plan(const struct order *order, const struct history *history, struct plan *plan)
{
	_cleanup_strbuf_ struct strbuf key = STRBUF_INIT;
	struct ktstr_error ignored;

	for (size_t i = 0; i < plan->nr; i++) {
		if (registry_check(plan->items[i].entry, &ignored) < 0)
			continue;
		strbuf_clear(&key);
		add_key(order, plan->items[i].entry, &key);
		plan->items[i].expected_ns = history_expect(history, strbuf_str(&key));
	}
	plan_sort(plan);
}

static bool is_whole(const struct result *result)
{
	static const char *const cut[] = { "interrupted", "run-timeout", "worker-died",
					   "not-started" };

	for (size_t i = 0; i < ARRAY_SIZE(cut); i++)
		if (!strcmp(result->end, cut[i]))
			return false;
	return result->folder;
}

void order_note(const struct order *order, struct history *history, const struct plan_item *item,
		const struct result *result)
{
	_cleanup_strbuf_ struct strbuf key = STRBUF_INIT;

	if (!is_whole(result))
		return;
	add_key(order, item->entry, &key);
	history_note(history, strbuf_str(&key), result->duration_ns);
}
