// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Ends at once and leaves a child behind that keeps stdout and stderr open until it is killed.
 *
 * usage: ktstr-fork-daemon [--setsid] [--stay]
 *   --setsid  the child leaves the process group
 *   --stay    say that it is ready, and wait until killed
 * The child's pid is printed as {"child": PID}.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool has(int argc, char **argv, const char *flag)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], flag))
			return true;
	return false;
}

static void hold(void)
{
	for (;;)
		pause();
}

static void write_marker(void)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "/tmp/ktstr-worker-ready-%d", (int)getpid());
	f = fopen(path, "we");
	if (!f || fputs("ready\n", f) < 0 || fclose(f))
		_exit(4);
}

int main(int argc, char **argv)
{
	bool leave = has(argc, argv, "--setsid");
	int ready[2];
	pid_t pid;
	char c;

	if (pipe(ready) < 0)
		return 1;
	pid = fork();
	if (pid < 0)
		return 1;
	if (pid == 0) {
		if (leave)
			setsid();
		close(ready[0]);
		close(ready[1]);
		hold();
	}
	close(ready[1]);
	if (read(ready[0], &c, 1) != 0)
		return 1;
	printf("{\"child\": %d}\n", (int)pid);
	fflush(stdout);
	if (has(argc, argv, "--stay")) {
		write_marker();
		fputs("staying\n", stderr);
		hold();
	}
	return 0;
}
