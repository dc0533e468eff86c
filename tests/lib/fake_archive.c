// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "fake_archive.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "base/sha256.h"
#include "fake_kernel.h"

static void hash(const struct strbuf *bytes, char hex[SHA256_HEX])
{
	struct sha256 sha;

	sha256_init(&sha);
	sha256_update(&sha, bytes->data, bytes->len);
	sha256_final_hex(&sha, hex);
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "fake archive: %s\n", what);
	abort();
}

static bool has_program(const char *name)
{
	_cleanup_free_ char *path = path_find_program(name, NULL);

	return path != NULL;
}

bool fake_archive_create(const struct scratch *s)
{
	char text[2048];

	if (!has_program("apt-get") || !has_program("apt-cache") || !has_program("dpkg-deb"))
		return false;
	snprintf(text, sizeof(text),
		 "deb [trusted=yes] file:%s/repo bookworm main\n"
		 "deb [trusted=yes] file:%s/repo bookworm-updates main\n",
		 s->dir, s->dir);
	scratch_text(s, "etc/sources.list", text);
	scratch_text(s, "etc/apt.conf.d/.keep", "");
	snprintf(text, sizeof(text), "Dir::Etc \"%s/etc\";\n", s->dir);
	setenv("APT_CONFIG", scratch_text(s, "apt.conf", text), 1);
	setenv("XDG_CACHE_HOME", scratch_path(s, "cache"), 1);
	return true;
}

static void add_file(const struct scratch *s, const char *to, const struct strbuf *bytes)
{
	char path[400];

	snprintf(path, sizeof(path), "package/%s", to);
	scratch_write(s, path, bytes->data, bytes->len, 0644);
}

static void add_image(const struct scratch *s, const struct fake_package *p)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	char path[300];

	fake_kernel(p->release, &bytes);
	snprintf(path, sizeof(path),
		 p->old_layout ? "boot/vmlinuz-%s" : "usr/lib/modules/%s/vmlinuz", p->release);
	add_file(s, path, &bytes);
	if (!p->old_layout)
		return;
	fake_module("", &bytes);
	snprintf(path, sizeof(path), "lib/modules/%s/kernel/virtio.ko", p->release);
	add_file(s, path, &bytes);
	fake_module("virtio", &bytes);
	snprintf(path, sizeof(path), "lib/modules/%s/kernel/virtio_console.ko", p->release);
	add_file(s, path, &bytes);
}

static void add_config(const struct scratch *s, const struct fake_package *p)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	char path[300];

	strbuf_addstr(&bytes, p->config);
	snprintf(path, sizeof(path), p->old_layout ? "boot/config-%s" : "usr/lib/modules/%s/config",
		 p->release);
	add_file(s, path, &bytes);
}

static void build(const struct scratch *s, const char *deb)
{
	_cleanup_free_ char *program = path_find_program("dpkg-deb", NULL);
	const char *const argv[] = { program, "--root-owner-group",	  "-Zgzip",
				     "-b",    scratch_path(s, "package"), scratch_path(s, deb),
				     NULL };
	_cleanup_strbuf_ struct strbuf out = STRBUF_INIT;

	must(child_run(argv, 60 * NSEC_PER_SEC, &out, NULL, NULL) == 0, strbuf_str(&out));
}

/* What apt reads of one package; collected in repo/SUITE until the index is written. */
static void note_package(const struct scratch *s, const struct fake_package *p, const char *deb)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT, notes = STRBUF_INIT;
	char hex[SHA256_HEX], list[200];

	snprintf(list, sizeof(list), "repo/%s.list", p->suite);
	must(io_read_file(scratch_path(s, deb), &bytes, NULL) == 0, deb);
	if (io_read_file(scratch_path(s, list), &notes, NULL) < 0)
		strbuf_clear(&notes);
	hash(&bytes, hex);
	strbuf_addf(&notes,
		    "Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: nobody\n"
		    "Filename: %s\nSize: %zu\nSHA256: %s\nDescription: fake\n\n",
		    p->name, p->version, deb + strlen("repo/"), bytes.len, hex);
	scratch_write(s, list, notes.data, notes.len, 0644);
}

void fake_archive_add(const struct scratch *s, const struct fake_package *p)
{
	char control[512], deb[300];

	must(path_remove_tree(scratch_path(s, "package"), NULL) == 0, "remove package");
	snprintf(control, sizeof(control),
		 "Package: %s\nVersion: %s\nArchitecture: amd64\nMaintainer: nobody\n"
		 "Description: fake\n",
		 p->name, p->version);
	scratch_text(s, "package/DEBIAN/control", control);
	must(chmod(scratch_path(s, "package/DEBIAN"), 0755) == 0, "chmod");
	if (p->has_image)
		add_image(s, p);
	if (p->has_config)
		add_config(s, p);
	scratch_text(s, "repo/pool/.keep", "");
	snprintf(deb, sizeof(deb), "repo/pool/%s_%s.deb", p->name, p->suite);
	build(s, deb);
	note_package(s, p, deb);
}

void fake_archive_index(const struct scratch *s, const char *suite)
{
	_cleanup_strbuf_ struct strbuf packages = STRBUF_INIT;
	char path[200], hex[SHA256_HEX], release[512];

	snprintf(path, sizeof(path), "repo/%s.list", suite);
	must(io_read_file(scratch_path(s, path), &packages, NULL) == 0, path);
	hash(&packages, hex);
	snprintf(path, sizeof(path), "repo/dists/%s/main/binary-amd64/Packages", suite);
	scratch_write(s, path, packages.data, packages.len, 0644);
	snprintf(release, sizeof(release),
		 "Suite: %s\nCodename: %s\nArchitectures: amd64\nComponents: main\n"
		 "Date: Sun, 01 Nov 2026 00:00:00 UTC\nSHA256:\n"
		 " %s %zu main/binary-amd64/Packages\n",
		 suite, suite, hex, packages.len);
	snprintf(path, sizeof(path), "repo/dists/%s/Release", suite);
	scratch_text(s, path, release);
}
