// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static int get(struct __user_cap_data_struct *data)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

	return syscall(SYS_capget, &header, data) < 0 ? -errno : 0;
}

bool rights_have(int capability)
{
	struct __user_cap_data_struct data[2] = { 0 };

	return get(data) == 0 && data[capability / 32].effective >> (capability % 32) & 1;
}

int rights_drop(const int *capabilities, unsigned int nr)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { 0 };
	int r = get(data);

	for (unsigned int i = 0; i < nr; i++) {
		uint32_t bit = 1u << (capabilities[i] % 32);

		data[capabilities[i] / 32].effective &= ~bit;
		data[capabilities[i] / 32].permitted &= ~bit;
	}
	if (r == 0 && syscall(SYS_capset, &header, data) < 0)
		r = -errno;
	return r;
}
