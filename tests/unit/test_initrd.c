// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../lib/scratch.h"
#include "base/cpio.h"
#include "base/io.h"
#include "tests/lib/libbpf.h"
#include "vm/imagelibs.h"
#include "vm/vm.h"

enum { IMAGE_MAX = 64 << 20 };

static struct scratch scratch;

struct seen {
	bool init, console, lib;
	unsigned int nr_libraries;
	struct strbuf modules;
};

static int look(void *arg, const struct cpio_entry *e)
{
	struct seen *seen = arg;

	if (!strcmp(e->name, "init")) {
		assert_int_equal(e->mode, S_IFREG | 0755);
		assert_true(e->size > 4);
		assert_memory_equal(e->data, "\177ELF", 4);
		seen->init = true;
	} else if (!strcmp(e->name, "dev/console")) {
		assert_int_equal(e->mode, S_IFCHR | 0600);
		assert_int_equal(e->rdev_major, 5);
		assert_int_equal(e->rdev_minor, 1);
		seen->console = true;
	} else if (!strcmp(e->name, "lib64")) {
		assert_int_equal(e->size, 7);
		assert_memory_equal(e->data, "usr/lib", 7);
		seen->lib = true;
	} else if (!strcmp(e->name, "usr/lib/libc.so.6") ||
		   !strcmp(e->name, "usr/lib/ld-linux-x86-64.so.2")) {
		assert_memory_equal(e->data, "\177ELF", 4);
		seen->nr_libraries++;
	} else if (!strncmp(e->name, "modules", 7) || !strncmp(e->name, "boot", 4)) {
		strbuf_addf(&seen->modules, "%s=%.*s ", e->name, (int)e->size,
			    (const char *)e->data);
	}
	return 0;
}

static void read_image(const char *path, struct strbuf *out)
{
	*out = (struct strbuf)STRBUF_INIT_LIMIT(IMAGE_MAX);
	assert_int_equal(io_read_file(path, out, NULL), 0);
}

static void the_agent_is_init(void **state)
{
	const struct ktstr_kernel kernel = { 0 };
	struct seen seen = { .modules = STRBUF_INIT };
	struct strbuf first, second;
	struct vm_image image = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(vm_image_write(scratch_path(&scratch, "1"), &kernel, &image, NULL), 0);
	assert_int_equal(vm_image_write(scratch_path(&scratch, "2"), &kernel, NULL, NULL), 0);
	read_image(scratch_path(&scratch, "1"), &first);
	read_image(scratch_path(&scratch, "2"), &second);
	assert_int_equal(cpio_read(first.data, first.len, look, &seen, NULL), 0);
	assert_true(seen.init && seen.console && seen.lib);
	assert_string_equal(strbuf_str(&seen.modules), "");
	assert_int_equal(seen.nr_libraries, 2);
	assert_true(image.nr_libraries >= 2);
	assert_int_equal(stat("/lib64/ld-linux-x86-64.so.2", &st), 0);
	assert_true(imagelibs_has(&image, "usr/lib/ld-linux-x86-64.so.2", &st));
	assert_false(imagelibs_has(&image, "usr/lib/libc.so.6", &st));
	st.st_size++;
	assert_false(imagelibs_has(&image, "usr/lib/ld-linux-x86-64.so.2", &st));
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.data, second.data, first.len);
	strbuf_deinit(&first);
	strbuf_deinit(&second);
	strbuf_deinit(&seen.modules);
}

static unsigned int libbpfs_of(const char *version, const char *release)
{
	struct ktstr_kernel kernel = { 0 };
	struct vm_image image = { 0 };
	unsigned int nr = 0;

	snprintf(kernel.version, sizeof(kernel.version), "%s", version);
	snprintf(kernel.release, sizeof(kernel.release), "%s", release);
	assert_int_equal(vm_image_write(scratch_path(&scratch, "1"), &kernel, &image, NULL), 0);
	for (unsigned int i = 0; i < image.nr_libraries; i++)
		nr += !strncmp(image.libraries[i].name, "usr/lib/libbpf.so.", 18);
	return nr;
}

static void only_kernels_that_need_libbpf_have_it(void **state)
{
	(void)state;
	assert_int_equal(libbpfs_of("5.17.1", ""), 0);
	assert_int_equal(libbpfs_of("6.15.2", ""), 0);
	assert_int_equal(libbpfs_of("5.14", ""), 0);
	assert_int_equal(libbpfs_of("6.1.176", "5.15.0-1"), 0);
	if (!libbpf_is_installed()) {
		print_message("needs libbpf (Debian: libbpf1)\n");
		skip();
	}
	assert_true(libbpfs_of("5.15.100", "") > 0);
	assert_true(libbpfs_of("5.16", "") > 0);
	/* Where no version is known, the release says it. */
	assert_true(libbpfs_of("", "5.15.0-91-generic") > 0);
}

static void modules_come_along_in_order(void **state)
{
	struct ktstr_kernel kernel = { 0 };
	struct seen seen = { .modules = STRBUF_INIT };
	struct strbuf image;

	(void)state;
	scratch_text(&scratch, "m/10-virtio.ko", "b");
	scratch_text(&scratch, "m/01-ring.ko", "a");
	scratch_text(&scratch, "m/README", "no module");
	snprintf(kernel.modules_path, sizeof(kernel.modules_path), "%s/m", scratch.dir);
	assert_int_equal(vm_image_write(scratch_path(&scratch, "1"), &kernel, NULL, NULL), 0);
	read_image(scratch_path(&scratch, "1"), &image);
	assert_int_equal(cpio_read(image.data, image.len, look, &seen, NULL), 0);
	assert_string_equal(strbuf_str(&seen.modules),
			    "modules= modules/01-ring.ko=a modules/10-virtio.ko=b ");
	strbuf_deinit(&image);
	strbuf_deinit(&seen.modules);
}

static void config_is_where_libbpf_looks(void **state)
{
	struct ktstr_kernel kernel = { .release = "7.3.4-x" };
	struct seen seen = { .modules = STRBUF_INIT };
	struct strbuf image;

	(void)state;
	snprintf(kernel.config_path, sizeof(kernel.config_path), "%s",
		 scratch_text(&scratch, "config", "CONFIG_HZ=250"));
	assert_int_equal(vm_image_write(scratch_path(&scratch, "1"), &kernel, NULL, NULL), 0);
	read_image(scratch_path(&scratch, "1"), &image);
	assert_int_equal(cpio_read(image.data, image.len, look, &seen, NULL), 0);
	assert_string_equal(strbuf_str(&seen.modules), "boot= boot/config-7.3.4-x=CONFIG_HZ=250 ");
	strbuf_deinit(&image);
	strbuf_deinit(&seen.modules);
}

static void failures_leave_nothing(void **state)
{
	struct ktstr_kernel kernel = { .modules_path = "/nowhere" };
	struct ktstr_error err = { 0 };

	(void)state;
	assert_int_equal(vm_image_write(scratch_path(&scratch, "1"), &kernel, NULL, &err), -ENOENT);
	assert_non_null(strstr(err.text, "with modules of /nowhere"));
	assert_int_equal(access(scratch_path(&scratch, "1"), F_OK), -1);
	kernel.modules_path[0] = '\0';
	assert_int_equal(vm_image_write("/nowhere/1", &kernel, NULL, &err), -ENOENT);
	/* Writing to it fails for lack of space. */
	assert_int_equal(symlink("/dev/full", scratch_path(&scratch, "full")), 0);
	assert_int_equal(vm_image_write(scratch_path(&scratch, "full"), &kernel, NULL, &err),
			 -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(the_agent_is_init, scratch),
		SCRATCH_TEST(only_kernels_that_need_libbpf_have_it, scratch),
		SCRATCH_TEST(modules_come_along_in_order, scratch),
		SCRATCH_TEST(config_is_where_libbpf_looks, scratch),
		SCRATCH_TEST(failures_leave_nothing, scratch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
