// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Started with somebody's jemalloc preloaded: says where that build keeps its counters.
 *
 * usage: calibrate MALLCTL GOT-SLOT
 *
 * MALLCTL is the library's exported mallctl(), GOT-SLOT the address (hexadecimal, as linked) of
 * the word that holds the distance of the thread data from the thread pointer.  Prints
 * "ktstr ALLOCATED DEALLOCATED": distances of the two counters from the start of the thread data,
 * after having seen both of them move by what it allocated and freed.
 */
#include <dlfcn.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int mallctl_fn(const char *name, void *old, size_t *old_len, void *new, size_t new_len);

enum { PLANT_BYTES = 3 << 20, SLACK_BYTES = 1 << 20 };

static volatile uint64_t *counter(mallctl_fn *mallctl, const char *name)
{
	uint64_t *at = NULL;
	size_t len = sizeof(at);

	return mallctl(name, &at, &len, NULL, 0) == 0 ? at : NULL;
}

static int moved(uint64_t before, uint64_t after)
{
	return after >= before + PLANT_BYTES && after <= before + PLANT_BYTES + SLACK_BYTES;
}

/* A prefixed build does not replace malloc(), so the block is taken from the build itself. */
static int proven(void *library, const char *mallctl_name, volatile uint64_t *allocated,
		  volatile uint64_t *deallocated)
{
	size_t prefix = strlen(mallctl_name) - strlen("mallctl");
	uint64_t a = *allocated, d = *deallocated;
	void *(*take)(size_t);
	void (*give)(void *);
	char name[128];
	void *block;

	snprintf(name, sizeof(name), "%.*smalloc", (int)prefix, mallctl_name);
	take = (void *(*)(size_t))dlsym(library, name);
	snprintf(name, sizeof(name), "%.*sfree", (int)prefix, mallctl_name);
	give = (void (*)(void *))dlsym(library, name);
	if (!take || !give)
		return 0;
	block = take(PLANT_BYTES);
	if (!block || !moved(a, *allocated))
		return 0;
	give(block);
	return moved(d, *deallocated);
}

int main(int argc, char **argv)
{
	volatile uint64_t *allocated, *deallocated;
	mallctl_fn *mallctl;
	uintptr_t tp, tsd;
	int64_t distance;
	Dl_info info;

	if (argc != 3 || strlen(argv[1]) < strlen("mallctl"))
		return 2;
	mallctl = (mallctl_fn *)dlsym(RTLD_DEFAULT, argv[1]);
	if (!mallctl || !dladdr((void *)mallctl, &info))
		return 3;
	allocated = counter(mallctl, "thread.allocatedp");
	deallocated = counter(mallctl, "thread.deallocatedp");
	if (!allocated || !deallocated)
		return 4;
	if (!proven(RTLD_DEFAULT, argv[1], allocated, deallocated))
		return 5;
	memcpy(&distance, (char *)info.dli_fbase + strtoull(argv[2], NULL, 16), sizeof(distance));
	__asm__("mov %%fs:0, %0" : "=r"(tp));
	tsd = tp + (uintptr_t)distance;
	printf("ktstr %" PRId64 " %" PRId64 "\n", (int64_t)((uintptr_t)allocated - tsd),
	       (int64_t)((uintptr_t)deallocated - tsd));
	return 0;
}
