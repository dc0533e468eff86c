// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * usage: ktstr-json-metrics [NAME=NUMBER]...
 * Prints chatter around two documents; the last has the arguments as they are, also NAME=NaN.
 */
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
	puts("[info] warming up");
	puts("{\"run\": 1}");
	puts("[1] of 2 done");
	printf("{\n  \"run\": 2,\n  \"list\": [1, 2.5],\n  \"given\": {");
	for (int i = 1; i < argc; i++) {
		const char *eq = strchr(argv[i], '=');

		if (!eq)
			return 64;
		printf("%s\n    \"%.*s\": %s", i > 1 ? "," : "", (int)(eq - argv[i]), argv[i],
		       eq + 1);
	}
	puts("\n  }\n}");
	puts("bye {\"run\": 3}");
	return 0;
}
