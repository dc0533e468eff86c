// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/bpf_libbpf.h"

#include <bpf/libbpf.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "base/cleanup.h"

enum { OBJECT_BYTES_MAX = 1 << 20 };

extern const unsigned char ctprof_bpf_old[], ctprof_bpf_old_end[];

const char *const bpf_libbpf_names[] = { "libbpf.so.1", "libbpf.so.0", NULL };

/* clang-format off */
#define FUNCTIONS(FN)                        \
	FN(libbpf_set_print)                 \
	FN(libbpf_get_error)                 \
	FN(bpf_object__open_mem)             \
	FN(bpf_object__load)                 \
	FN(bpf_object__close)                \
	FN(bpf_object__find_map_by_name)     \
	FN(bpf_object__find_program_by_name) \
	FN(bpf_map__fd)                      \
	FN(bpf_program__fd)
/* clang-format on */

struct libbpf {
	void *handle;
#define FN(name) __typeof__(&(name)) name;
	FUNCTIONS(FN)
#undef FN
};

static void libbpf_close(struct libbpf *lib)
{
	if (lib->handle)
		dlclose(lib->handle);
}

static int libbpf_open(struct libbpf *lib, const char *const *names)
{
	for (; *names && !lib->handle; names++)
		lib->handle = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
	if (!lib->handle)
		return -ELIBACC;
#define FN(name)                                                  \
	*(void **)(void *)&lib->name = dlsym(lib->handle, #name); \
	if (!lib->name)                                           \
		return -EBADMSG;
	FUNCTIONS(FN)
#undef FN
	return 0;
}

/* Where what libbpf says goes; of this thread, as libbpf knows no context. */
static _Thread_local char *said;

__attribute__((format(printf, 2, 0))) static int hear(enum libbpf_print_level level,
						      const char *fmt, va_list args)
{
	if (level != LIBBPF_WARN || !said || said[0])
		return 0;
	vsnprintf(said, BPF_LIBBPF_TEXT_BYTES, fmt, args);
	said[strcspn(said, "\n")] = '\0';
	return 0;
}

/* Return: 0 with @ret_object malloc'ed; -ENOMEM; -EBADMSG: it is damaged. */
static int unpack(void **ret_object, size_t *ret_bytes)
{
	size_t packed = (size_t)(ctprof_bpf_old_end - ctprof_bpf_old);
	unsigned long long bytes = ZSTD_getFrameContentSize(ctprof_bpf_old, packed);
	_cleanup_free_ void *object = NULL;

	if (!bytes || bytes > OBJECT_BYTES_MAX)
		return -EBADMSG;
	object = malloc((size_t)bytes);
	if (!object)
		return -ENOMEM;
	if (ZSTD_decompress(object, (size_t)bytes, ctprof_bpf_old, packed) != bytes)
		return -EBADMSG;
	*ret_bytes = (size_t)bytes;
	*ret_object = take_ptr(object);
	return 0;
}

/* What the object has ends with it, so descriptors of it are made anew. */
static int keep(int fd)
{
	int kept = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return kept < 0 ? -errno : kept;
}

static int take_fds(const struct libbpf *lib, struct bpf_object *object,
		    struct bpf_loaded *ret_loaded)
{
	struct bpf_map *config = lib->bpf_object__find_map_by_name(object, "config_map");
	struct bpf_program *program = lib->bpf_object__find_program_by_name(object, "ctprof_tasks");
	_cleanup_close_ int config_fd = -1;
	int program_fd;

	if (!config || !program)
		return -EBADMSG;
	config_fd = keep(lib->bpf_map__fd(config));
	if (config_fd < 0)
		return config_fd;
	program_fd = keep(lib->bpf_program__fd(program));
	if (program_fd < 0)
		return program_fd;
	ret_loaded->config_fd = take_fd(&config_fd);
	ret_loaded->program_fd = program_fd;
	return 0;
}

static int load(const struct libbpf *lib, struct bpf_loaded *ret_loaded)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "ctprof");
	_cleanup_free_ void *bytes = NULL;
	struct bpf_object *object;
	size_t len;
	int r;

	r = unpack(&bytes, &len);
	if (r < 0)
		return r;
	object = lib->bpf_object__open_mem(bytes, len, &opts);
	/* Libraries before 1.0 return errors as pointers. */
	r = (int)lib->libbpf_get_error(object);
	if (r)
		return r;
	r = lib->bpf_object__load(object);
	if (r == 0)
		r = take_fds(lib, object, ret_loaded);
	lib->bpf_object__close(object);
	return r;
}

int bpf_libbpf_load(const char *const *names, struct bpf_loaded *ret_loaded,
		    char ret_what[static BPF_LIBBPF_TEXT_BYTES])
{
	_cleanup_(libbpf_close) struct libbpf lib = { 0 };
	int r = libbpf_open(&lib, names);
	libbpf_print_fn_t before;

	ret_what[0] = '\0';
	if (r < 0)
		return r;
	said = ret_what;
	before = lib.libbpf_set_print(hear);
	r = load(&lib, ret_loaded);
	lib.libbpf_set_print(before);
	said = NULL;
	return r;
}
