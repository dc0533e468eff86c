// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "tests/lib/libbpf.h"

#include <dlfcn.h>
#include <stddef.h>

void *libbpf_open(void)
{
	void *handle = dlopen("libbpf.so.1", RTLD_NOW);

	return handle ? handle : dlopen("libbpf.so.0", RTLD_NOW);
}

bool libbpf_is_installed(void)
{
	void *handle = libbpf_open();

	if (handle)
		dlclose(handle);
	return handle != NULL;
}
