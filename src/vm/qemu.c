// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/qemu.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/path.h"
#include "vm/filememo.h"

static const char default_name[] = "qemu-system-x86_64";
static const char version_words[] = "QEMU emulator version ";

enum { VERSION_OUTPUT_MAX = 4096, PART_MAX = 9999 };

/* One number of a version; @p moves behind it. */
static int read_number(const char **p, uint32_t *ret_number)
{
	uint32_t number = 0;

	if (!isdigit((unsigned char)**p))
		return -EPROTO;
	for (; isdigit((unsigned char)**p); ++*p) {
		number = number * 10 + (uint32_t)(**p - '0');
		if (number > PART_MAX)
			return -EPROTO;
	}
	*ret_number = number;
	return 0;
}

int qemu_version_parse(const char *text, struct ktstr_qemu *ret_qemu)
{
	const char *start = text + sizeof(version_words) - 1, *p = start;
	uint32_t parts[3] = { 0 };

	if (strncmp(text, version_words, sizeof(version_words) - 1))
		return -EPROTO;
	for (int i = 0; i < 3; i++) {
		if (i && *p != '.')
			break;
		p += i > 0;
		if (read_number(&p, &parts[i]) < 0)
			return -EPROTO;
		/* A major version alone is no version. */
		if (!i && *p != '.')
			return -EPROTO;
	}
	ret_qemu->major = parts[0];
	ret_qemu->minor = parts[1];
	ret_qemu->micro = parts[2];
	snprintf(ret_qemu->version, sizeof(ret_qemu->version), "%.*s", (int)strcspn(start, "\r\n"),
		 start);
	return 0;
}

/* qboot.rom beside the QEMU in use comes before the system's. */
static void find_firmware(struct ktstr_qemu *qemu)
{
	_cleanup_free_ char *real = realpath(qemu->path, NULL);
	const char *base = real ? path_base(real) : NULL;
	_cleanup_free_ char *beside =
		base ? path_format("%.*s../share/qemu/qboot.rom", (int)(base - real), real) : NULL;
	const char *const places[] = { beside ? beside : "", "/usr/share/qemu/qboot.rom",
				       "/usr/local/share/qemu/qboot.rom" };

	qemu->firmware_path[0] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		_cleanup_free_ char *place = realpath(places[i], NULL);

		if (!place || strlen(place) >= sizeof(qemu->firmware_path) ||
		    access(place, R_OK) < 0)
			continue;
		snprintf(qemu->firmware_path, sizeof(qemu->firmware_path), "%s", place);
		return;
	}
}

/* A script may be about another program's version tomorrow. */
static bool is_program(int fd)
{
	char magic[SELFMAG];

	return pread(fd, magic, SELFMAG, 0) == SELFMAG && !memcmp(magic, ELFMAG, SELFMAG);
}

static bool recall_version(const struct filememo *memo, struct ktstr_qemu *qemu)
{
	_cleanup_free_ char *line = filememo_recall(memo);

	return line && qemu_version_parse(line, qemu) == 0;
}

static int ask_version(struct ktstr_qemu *qemu, struct ktstr_error *err)
{
	const char *const argv[] = { qemu->path, "--version", NULL };
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT_LIMIT(VERSION_OUTPUT_MAX);
	int r = child_run(argv, 30 * NSEC_PER_SEC, &out, NULL, err);

	if (r < 0 && r != -E2BIG)
		return ktstr_error_wrap(err, r, "ask '%s' for its version", qemu->path);
	if (r != 0 || qemu_version_parse(strbuf_str(&out), qemu) < 0)
		return ktstr_error_set(err, -EPROTO,
				       "'%s --version' is not understood (exit %d, '%.*s'): name "
				       "a QEMU for x86-64",
				       qemu->path, r, (int)strcspn(strbuf_str(&out), "\r\n"),
				       strbuf_str(&out));
	return 0;
}

/* Starting QEMU for that takes 30 ms, mostly for its libraries. */
static int learn_version(struct ktstr_qemu *qemu, struct ktstr_error *err)
{
	_cleanup_free_ char *cache = path_cache_dir(NULL), *line = NULL;
	_cleanup_close_ int fd = open(qemu->path, O_RDONLY | O_CLOEXEC);
	_cleanup_(filememo_deinit) struct filememo memo = { 0 };
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0 || !is_program(fd) ||
	    filememo_init(&memo, cache, "qemu", "qemu", qemu->path, &st) < 0)
		return ask_version(qemu, err);
	if (recall_version(&memo, qemu))
		return 0;
	r = ask_version(qemu, err);
	if (r < 0)
		return r;
	line = path_format("%s%s", version_words, qemu->version);
	if (line && fstat(fd, &st) == 0)
		filememo_remember(&memo, &st, line);
	return 0;
}

int ktstr_qemu_find(const char *path, struct ktstr_qemu *ret_qemu, struct ktstr_error *err)
{
	struct ktstr_error why = { .code = -ENOENT };
	_cleanup_free_ char *found = path_find_program(path ? path : default_name, &why);
	struct ktstr_qemu qemu = { 0 };
	int r;

	if (!found && why.code != -ENOENT)
		return ktstr_error_set(err, why.code, "no QEMU: %s", why.text);
	if (!found)
		return ktstr_error_set(err, -ENOENT,
				       "no QEMU: '%s' was not found: install it (Debian: "
				       "qemu-system-x86, Fedora: qemu-system-x86-core, Arch: "
				       "qemu-system-x86) or name one",
				       path ? path : default_name);
	if (strlen(found) >= sizeof(qemu.path))
		return ktstr_error_set(err, -ENAMETOOLONG, "path of QEMU is too long: '%s'", found);
	snprintf(qemu.path, sizeof(qemu.path), "%s", found);
	r = learn_version(&qemu, err);
	if (r < 0)
		return r;
	if (qemu.major < KTSTR_QEMU_MIN_MAJOR)
		return ktstr_error_set(
			err, -ENOTSUP,
			"QEMU %s ('%s') is too old: %d is needed, %d or newer is best "
			"(Debian 12: qemu-system-x86 from bookworm-backports)",
			qemu.version, qemu.path, KTSTR_QEMU_MIN_MAJOR, KTSTR_QEMU_GOOD_MAJOR);
	find_firmware(&qemu);
	*ret_qemu = qemu;
	return 0;
}
