// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "kernel/program.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <ktstr/kernel.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"

extern char **environ;

static volatile sig_atomic_t interrupted;

void ktstr_kernel_interrupt(void)
{
	interrupted = 1;
}

bool program_interrupted(void)
{
	return interrupted;
}

/* The environment with messages in English: they are read.  Its strings are borrowed. */
static const char **environment_with(const char *tmp_dir)
{
	const char **env;
	size_t nr = 0, at = 0;

	while (environ[nr])
		nr++;
	env = calloc(nr + 3, sizeof(*env));
	if (!env)
		return NULL;
	for (size_t i = 0; i < nr; i++)
		if (strncmp(environ[i], "LC_ALL=", 7) != 0 &&
		    (!tmp_dir || strncmp(environ[i], "TMPDIR=", 7) != 0))
			env[at++] = environ[i];
	env[at++] = "LC_ALL=C";
	env[at] = tmp_dir;
	return env;
}

int program_start(const struct program_opts *opts, struct program *ret_program,
		  struct ktstr_error *err)
{
	_cleanup_program_ struct program p = PROGRAM_INIT;
	_cleanup_free_ char *tmp = opts->tmp_dir ? path_format("TMPDIR=%s", opts->tmp_dir) : NULL;
	_cleanup_free_ const char **env = environment_with(tmp);
	_cleanup_free_ char *path = NULL;
	const char *argv[PROGRAM_MAX_ARGS] = { NULL };
	int r;

	if (!env || (opts->tmp_dir && !tmp))
		return ktstr_error_nomem(err);
	path = path_find_program(opts->argv[0], NULL);
	if (!path)
		return ktstr_error_set(
			err, -ENOTSUP, "program '%s' is missing; install the package '%s'",
			opts->argv[0], opts->package ? opts->package : opts->argv[0]);
	argv[0] = path;
	for (size_t i = 1; opts->argv[i]; i++) {
		if (i >= ARRAY_SIZE(argv) - 1)
			return ktstr_error_set(err, -E2BIG, "too many arguments for '%s'", path);
		argv[i] = opts->argv[i];
	}
	snprintf(p.name, sizeof(p.name), "%s", path_base(opts->argv[0]));
	p.output_fd = memfd_create(p.name, MFD_CLOEXEC);
	if (p.output_fd < 0)
		return ktstr_error_set(err, -errno, "collect output of '%s': %s", path,
				       strerror(errno));
	r = child_start(
		&(struct child_opts){ .argv = argv,
				      .env = env,
				      .cwd = opts->cwd,
				      .stdin_fd = opts->stdin_fd ? opts->stdin_fd : -1,
				      .stdout_fd = opts->stdout_fd ? opts->stdout_fd : p.output_fd,
				      .stderr_fd = p.output_fd },
		&p.child, err);
	if (r < 0)
		return r;
	*ret_program = p;
	p = (struct program)PROGRAM_INIT;
	return 0;
}

/* What it said, on one line: the last lines, as a person would quote them. */
static void quote_tail(const char *text, size_t len, char *buf, size_t size)
{
	size_t at = 0;

	while (len && isspace((unsigned char)text[len - 1]))
		len--;
	if (len >= size - 4) {
		at = 3;
		memcpy(buf, "...", 3);
		text += len - (size - 4);
		len = size - 4;
	}
	for (size_t i = 0; i < len; i++)
		buf[at + i] = text[i] == '\n' ? '|' : text[i];
	buf[at + len] = '\0';
}

static int blame(const char *output)
{
	static const struct {
		const char *text;
		int code;
	} causes[] = {
		{ "No space left on device", -ENOSPC },
		{ "enough free space", -ENOSPC },
		{ "Temporary failure resolving", -ENETUNREACH },
		{ "Could not resolve", -ENETUNREACH },
		{ "Network is unreachable", -ENETUNREACH },
		{ "Could not connect", -ENETUNREACH },
		{ "Unable to connect", -ENETUNREACH },
	};

	for (size_t i = 0; i < ARRAY_SIZE(causes); i++)
		if (strstr(output, causes[i].text))
			return causes[i].code;
	return -EIO;
}

static int read_output(struct program *p, struct strbuf *out)
{
	strbuf_clear(out);
	if (lseek(p->output_fd, 0, SEEK_SET) < 0)
		return -errno;
	return io_read_to_end(p->output_fd, out);
}

/* apt marks what was fatal; the warnings before it are of no use to the reader. */
static const char *skip_warnings(const char *output)
{
	const char *mark = strncmp(output, "E: ", 3) != 0 ? strstr(output, "\nE: ") : NULL;

	return mark ? mark + 1 : output;
}

static int failed(struct program *p, struct strbuf *output, struct ktstr_error *err)
{
	const char *text = skip_warnings(strbuf_str(output));
	char tail[600];

	quote_tail(text, strlen(text), tail, sizeof(tail));
	if (p->child.signal)
		return ktstr_error_set(err, -EIO, "'%s' was killed by signal %d: %s", p->name,
				       p->child.signal, tail);
	return ktstr_error_set(err, blame(strbuf_str(output)), "'%s' failed with exit code %d: %s",
			       p->name, p->child.exit_code, tail);
}

int program_wait(struct program *p, struct strbuf *ret_output, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf own = STRBUF_INIT;
	struct strbuf *output = ret_output ? ret_output : &own;
	int r;

	do {
		r = interrupted ? -EINTR : child_wait(&p->child, 100 * NSEC_PER_MSEC);
	} while (r == -ETIMEDOUT);
	if (r == -EINTR)
		return ktstr_error_set(err, r, "interrupted while '%s' was running", p->name);
	if (r == 0)
		r = read_output(p, output);
	if (r < 0)
		return ktstr_error_set(err, r, "run '%s': %s", p->name, strerror(-r));
	if (p->child.signal || p->child.exit_code)
		return failed(p, output, err);
	return 0;
}

int program_run(const struct program_opts *opts, struct strbuf *ret_output, struct ktstr_error *err)
{
	_cleanup_program_ struct program p = PROGRAM_INIT;
	int r = program_start(opts, &p, err);

	return r < 0 ? r : program_wait(&p, ret_output, err);
}

void program_deinit(struct program *p)
{
	child_deinit(&p->child);
	if (p->output_fd >= 0)
		close(p->output_fd);
	p->output_fd = -1;
}
