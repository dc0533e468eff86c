// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Does what its words say, in order, and ends with 0 after the last.
 *
 * usage: ktstr-exit-with WORD...
 *   ready      write the ready marker        say:TEXT   a line on stderr
 *   exit:N     end with status N             hold       sleep until killed
 *   signal:N   end by signal N               env:NAME   print the variable's value on stdout
 *   cwd        print the working folder on stdout
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_marker(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/ktstr-worker-ready-%d", (int)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, "ready\n", 6) != 6) {
		dprintf(STDERR_FILENO, "exit-with: %s: %s\n", path, strerror(errno));
		_exit(4);
	}
	close(fd);
}

static int number(const char *word)
{
	return (int)strtoul(strchr(word, ':') + 1, NULL, 10);
}

static void obey(const char *word)
{
	char cwd[PATH_MAX];

	if (!strcmp(word, "ready"))
		write_marker();
	else if (!strncmp(word, "say:", 4))
		dprintf(STDERR_FILENO, "%s\n", word + 4);
	else if (!strncmp(word, "exit:", 5))
		_exit(number(word));
	else if (!strncmp(word, "signal:", 7))
		raise(number(word));
	else if (!strncmp(word, "env:", 4))
		dprintf(STDOUT_FILENO, "%s\n", getenv(word + 4) ? getenv(word + 4) : "(unset)");
	else if (!strcmp(word, "cwd"))
		dprintf(STDOUT_FILENO, "%s\n", getcwd(cwd, sizeof(cwd)) ? cwd : strerror(errno));
	else if (!strcmp(word, "hold"))
		for (;;)
			pause();
	else
		_exit(64);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		obey(argv[i]);
	return 0;
}
