// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/need.h"

#include <errno.h>
#include <inttypes.h>

#include "vm/vm.h"

enum { MIB_SHIFT = 20 };

struct admission_need need_of(const struct need_opts *opts, const struct ktstr_entry *entry)
{
	const struct settings *settings = opts->settings;
	const struct ktstr_test *test = entry->test;
	struct admission_need need = { .cpus = 1, .memory_bytes = NEED_WORKER_BYTES };
	const struct ktstr_topology *topology =
		settings->has_topology ? &settings->topology : &test->topology;
	uint64_t guest = settings->memory_bytes ? settings->memory_bytes : test->memory_bytes;
	uint64_t clone = NEED_CLONE_BYTES + 2 * opts->program_bytes;
	uint32_t cpus;

	need.address_bytes = need.memory_bytes;
	if (test->host_only || !opts->machine)
		return need;
	if (!guest)
		guest = vm_memory_bytes(topology, opts->program_bytes);
	cpus = ktstr_topology_nr_cpus(topology);
	if (opts->machine->accel == KTSTR_ACCEL_KVM)
		need.cpus = cpus < opts->host_cpus ? cpus : opts->host_cpus;
	need.address_bytes = guest;
	need.memory_bytes += settings->no_template || guest < clone ? guest : clone;
	return need;
}

void need_explain(const struct admission_need *need, const struct admission_room *room,
		  struct ktstr_error *ret_text)
{
	uint64_t wanted = need->memory_bytes, there = room->memory_bytes;

	if (there > room->available_bytes)
		there = room->available_bytes;
	if (need->address_bytes > room->address_bytes) {
		wanted = need->address_bytes;
		there = room->address_bytes;
	}
	ktstr_error_set(ret_text, -ENOMEM,
			"no room on this machine: it needs %" PRIu32 " CPU%s and %" PRIu64
			" MiB of memory; there are %" PRIu32 " CPU%s and %" PRIu64
			" MiB; free some, or give the guest less with --memory or --topology",
			need->cpus, need->cpus == 1 ? "" : "s", wanted >> MIB_SHIFT, room->cpus,
			room->cpus == 1 ? "" : "s", there >> MIB_SHIFT);
}
