// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Writes more than anybody keeps: numbered lines of 64 bytes, then a JSON document.
 *
 * usage: ktstr-noisy STDOUT_KIB STDERR_KIB
 * The document is {"lines": N}, N being the lines on stdout.
 */
#include <stdio.h>
#include <stdlib.h>

static unsigned long write_lines(FILE *out, unsigned long kib)
{
	unsigned long nr = kib * 16;

	for (unsigned long i = 0; i < nr; i++)
		fprintf(out, "%063lu\n", i);
	return nr;
}

int main(int argc, char **argv)
{
	unsigned long nr;

	if (argc != 3)
		return 64;
	write_lines(stderr, strtoul(argv[2], NULL, 10));
	nr = write_lines(stdout, strtoul(argv[1], NULL, 10));
	printf("{\"lines\": %lu}\n", nr);
	fputs("last words\n", stderr);
	return 0;
}
