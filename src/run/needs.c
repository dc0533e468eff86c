// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/needs.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/parse.h"
#include "vm/vm.h"

static bool config_is_met(const struct ktstr_kernel *kernel, const char *option,
			  struct strbuf *reason)
{
	const char *prefix = strncmp(option, "CONFIG_", 7) ? "CONFIG_" : "";

	switch (ktstr_kernel_config(kernel, option)) {
	case KTSTR_KERNEL_YES:
		return true;
	case KTSTR_KERNEL_NO:
		strbuf_addf(reason, "needs %s%s, which kernel '%s' was built without", prefix,
			    option, kernel->name);
		return false;
	case KTSTR_KERNEL_UNKNOWN:
		break;
	}
	strbuf_addf(reason, "needs %s%s; cannot tell whether kernel '%s' has it: no config file",
		    prefix, option, kernel->name);
	return false;
}

/* "7.3.4-1-amd64" begins with two numbers; @ret_* are not written otherwise. */
static bool release_numbers(const char *release, uint32_t *ret_major, uint32_t *ret_minor)
{
	char major[16], minor[16];
	size_t a = strspn(release, "0123456789"), b;

	if (!a || a >= sizeof(major) || release[a] != '.')
		return false;
	b = strspn(release + a + 1, "0123456789");
	if (!b || b >= sizeof(minor))
		return false;
	memcpy(major, release, a);
	major[a] = '\0';
	memcpy(minor, release + a + 1, b);
	minor[b] = '\0';
	return parse_u32(major, ret_major) == 0 && parse_u32(minor, ret_minor) == 0;
}

static bool version_is_met(const struct ktstr_kernel *kernel, const struct ktstr_needs *needs,
			   struct strbuf *reason)
{
	uint32_t major, minor;

	if (!needs->kernel_major)
		return true;
	if (!release_numbers(kernel->release, &major, &minor)) {
		strbuf_addf(reason, "needs Linux %u.%u; cannot tell the version of kernel '%s'",
			    needs->kernel_major, needs->kernel_minor, kernel->name);
		return false;
	}
	if (major > needs->kernel_major ||
	    (major == needs->kernel_major && minor >= needs->kernel_minor))
		return true;
	strbuf_addf(reason, "needs Linux %u.%u; kernel '%s' is %s", needs->kernel_major,
		    needs->kernel_minor, kernel->name, kernel->release);
	return false;
}

static bool sched_ext_is_met(const struct ktstr_kernel *kernel, struct strbuf *reason)
{
	if (kernel->sched_ext == KTSTR_KERNEL_YES)
		return true;
	strbuf_addf(reason, "needs sched_ext; kernel '%s' %s; try: ktstr kernel fetch",
		    kernel->name,
		    kernel->sched_ext == KTSTR_KERNEL_NO ? "does not offer it"
							 : "has no config that would tell");
	return false;
}

bool needs_are_met(const struct ktstr_test *test, const struct ktstr_kernel *kernel,
		   struct strbuf *ret_reason)
{
	const struct ktstr_needs *needs = &test->needs;

	if (test->host_only && needs->root && geteuid() != 0) {
		strbuf_addstr(ret_reason, "needs root");
		return false;
	}
	if (!version_is_met(kernel, needs, ret_reason))
		return false;
	if (needs->sched_ext && !sched_ext_is_met(kernel, ret_reason))
		return false;
	for (size_t i = 0; i < KTSTR_TEST_KCONFIGS; i++)
		if (needs->kconfigs[i] && !config_is_met(kernel, needs->kconfigs[i], ret_reason))
			return false;
	return true;
}

bool needs_accel_is_met(const struct ktstr_test *test, enum ktstr_accel accel,
			struct strbuf *ret_reason)
{
	if (accel == KTSTR_ACCEL_KVM || ktstr_topology_nr_cpus(&test->topology) <= VM_TCG_CPUS_MAX)
		return true;
	strbuf_addf(
		ret_reason,
		"needs KVM in live mode: emulated guests of more than %d CPUs do not come up in "
		"reasonable time",
		VM_TCG_CPUS_MAX);
	return false;
}

void needs_host_kernel(struct ktstr_kernel *ret_kernel)
{
	struct utsname uts;

	*ret_kernel = (struct ktstr_kernel){ .name = "of this host" };
	if (uname(&uts) < 0)
		return;
	snprintf(ret_kernel->release, sizeof(ret_kernel->release), "%s", uts.release);
	snprintf(ret_kernel->config_path, sizeof(ret_kernel->config_path), "/boot/config-%s",
		 uts.release);
	if (access(ret_kernel->config_path, R_OK) < 0)
		ret_kernel->config_path[0] = '\0';
	ret_kernel->sched_ext =
		access("/sys/kernel/sched_ext", F_OK) == 0 ? KTSTR_KERNEL_YES : KTSTR_KERNEL_NO;
}
