// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/strbuf.h"
#include "kernel/module.h"

#include "../lib/fake_kernel.h"
#include "../lib/scratch.h"

static struct scratch scratch;
static struct ktstr_error err;

static void add(const char *path, const char *depends)
{
	struct strbuf ko = STRBUF_INIT, packed = STRBUF_INIT;

	fake_module(depends, &ko);
	if (strstr(path, ".zst")) {
		fake_zstd_payload(&ko, &packed);
		scratch_write(&scratch, path, packed.data, packed.len - 4, 0644);
	} else {
		scratch_write(&scratch, path, ko.data, ko.len, 0644);
	}
	strbuf_deinit(&ko);
	strbuf_deinit(&packed);
}

static int collect(const char *config)
{
	char to[512];

	snprintf(to, sizeof(to), "%s", scratch_path(&scratch, "out"));
	return module_collect(config, scratch_path(&scratch, "root"), to, &err);
}

/* The names in out/, in order, with blanks between. */
static const char *loaded(void)
{
	static struct strbuf text = STRBUF_INIT;
	struct dirent **names = NULL;
	int nr = scandir(scratch_path(&scratch, "out"), &names, NULL, alphasort);

	strbuf_clear(&text);
	for (int i = 0; i < nr; i++) {
		if (names[i]->d_name[0] != '.')
			strbuf_addf(&text, "%s%s", text.len ? " " : "", names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return strbuf_str(&text);
}

static int set_up(void **state)
{
	(void)state;
	scratch_create(&scratch);
	add("root/lib/kernel/drivers/virtio/virtio.ko", "");
	add("root/lib/kernel/drivers/virtio/virtio_ring.ko.zst", "virtio");
	add("root/lib/kernel/drivers/virtio/virtio-pci.ko", "virtio_ring,virtio");
	add("root/lib/kernel/drivers/char/virtio_console.ko", "virtio_ring,virtio");
	add("root/lib/kernel/drivers/net/virtio_net.ko", "virtio");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_destroy(&scratch);
	return 0;
}

static void dependencies_come_first(void **state)
{
	(void)state;
	assert_int_equal(collect("CONFIG_VIRTIO_PCI=m\nCONFIG_VIRTIO_CONSOLE=m\n"), 4);
	assert_string_equal(loaded(), "00-virtio.ko 01-virtio_ring.ko 02-virtio_pci.ko "
				      "03-virtio_console.ko");
}

static void built_in_needs_none(void **state)
{
	(void)state;
	assert_int_equal(collect("CONFIG_VIRTIO_PCI=y\nCONFIG_VIRTIO_CONSOLE=y\n"), 0);
	assert_int_equal(access(scratch_path(&scratch, "out"), F_OK), -1);
}

static void a_missing_module_is_named(void **state)
{
	(void)state;
	unlink(scratch_path(&scratch, "root/lib/kernel/drivers/virtio/virtio.ko"));
	assert_int_equal(collect("CONFIG_VIRTIO_CONSOLE=m\n"), -ENOENT);
	assert_non_null(strstr(err.text, "needs module 'virtio'"));
}

static void a_circle_ends(void **state)
{
	(void)state;
	add("root/lib/kernel/drivers/virtio/virtio.ko", "virtio_ring");
	assert_int_equal(collect("CONFIG_VIRTIO_CONSOLE=m\n"), -ELOOP);
}

static void a_broken_module_is_refused(void **state)
{
	(void)state;
	scratch_text(&scratch, "root/lib/kernel/drivers/char/virtio_console.ko", "no ELF here");
	assert_int_equal(collect("CONFIG_VIRTIO_CONSOLE=m\n"), -EINVAL);
	assert_non_null(strstr(err.text, "virtio_console.ko"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(dependencies_come_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(built_in_needs_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_missing_module_is_named, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_circle_ends, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_broken_module_is_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
