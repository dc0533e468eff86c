// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "sched/implemented.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { KEY_BYTES = 160, NAMES_MAX = 256 };
/* enum bpf_struct_ops_state, and where it is: struct bpf_struct_ops_common_value. */
enum { STATE_INUSE = 1, STATE_READY = 3, STATE_OFFSET = 4 };

static const char *const forms[] = { "sched_ext_ops", "sched_ext_ops_cid" };

static const struct {
	const char *cid, *name;
} same[] = {
	{ "select_cid", "select_cpu" },
	{ "set_cmask", "set_cpumask" },
	{ "dump_cid", "dump_cpu" },
	{ "cid_online", "cpu_online" },
	{ "cid_offline", "cpu_offline" },
	{ "cpuctl_init", "cgroup_init" },
	{ "cpuctl_exit", "cgroup_exit" },
	{ "cpuctl_prep_move", "cgroup_prep_move" },
	{ "cpuctl_move", "cgroup_move" },
	{ "cpuctl_cancel_move", "cgroup_cancel_move" },
	{ "cpuctl_set_weight", "cgroup_set_weight" },
	{ "cpuctl_set_idle", "cgroup_set_idle" },
	{ "cpuctl_set_bandwidth", "cgroup_set_bandwidth" },
};

static const char *common_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(same); i++)
		if (!strcmp(same[i].cid, name))
			return same[i].name;
	return name;
}

/* Return: false if there is no such number. */
static bool get(const json_t *offsets, const char *of, const char *member, size_t *ret_value)
{
	char key[KEY_BYTES];
	const json_t *number;

	snprintf(key, sizeof(key), "%s%s%s", of, member ? "." : "", member ? member : "");
	number = json_object_get(offsets, key);
	if (!json_is_integer(number) || json_integer_value(number) < 0)
		return false;
	*ret_value = (size_t)json_integer_value(number);
	return true;
}

static bool is_in_use(const unsigned char *value, size_t length)
{
	uint32_t state;

	if (length < STATE_OFFSET + sizeof(state))
		return false;
	memcpy(&state, value + STATE_OFFSET, sizeof(state));
	return state == STATE_INUSE || state == STATE_READY;
}

static bool has_name(const json_t *offsets, const char *of, const char *ops,
		     const unsigned char *value, size_t length)
{
	size_t at, len = strlen(ops) + 1;

	return get(offsets, of, "name", &at) && at <= length && len <= length - at &&
	       !memcmp(value + at, ops, len);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int to_array(const char **names, size_t nr, json_t **ret_names)
{
	json_t *array = json_array();
	int r = array ? 0 : -1;

	qsort(names, nr, sizeof(*names), compare_names);
	for (size_t i = 0; i < nr && r == 0; i++)
		r = json_array_append_new(array, json_string(names[i]));
	if (r < 0) {
		json_decref(array);
		return -ENOMEM;
	}
	*ret_names = array;
	return 0;
}

int implemented_read_value(const json_t *offsets, const char *of, const char *ops,
			   const void *value, size_t length, json_t **ret_names)
{
	const char *names[NAMES_MAX], *key;
	size_t nr = 0, of_len = strlen(of);
	const json_t *number;

	if (!is_in_use(value, length) || !has_name(offsets, of, ops, value, length))
		return -ENODATA;
	json_object_foreach((json_t *)offsets, key, number)
	{
		uint64_t program;
		size_t at;

		if (strncmp(key, of, of_len) != 0 || key[of_len] != '.' ||
		    !strcmp(key + of_len + 1, "name") || !get(offsets, of, key + of_len + 1, &at) ||
		    nr == NAMES_MAX)
			continue;
		if (at > length || sizeof(program) > length - at)
			return -ENODATA;
		memcpy(&program, (const unsigned char *)value + at, sizeof(program));
		if (program)
			names[nr++] = common_name(key + of_len + 1);
	}
	return to_array(names, nr, ret_names);
}

static int bpf(int command, union bpf_attr *attr)
{
	long r = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return r < 0 ? -errno : (int)r;
}

/* Return: 0, -ENODATA (it is another map), -errno. */
static int try_map(uint32_t id, const json_t *offsets, const char *ops, json_t **ret_names)
{
	union bpf_attr attr = { .map_id = id };
	_cleanup_close_ int fd = bpf(BPF_MAP_GET_FD_BY_ID, &attr);
	_cleanup_free_ unsigned char *value = NULL;
	struct bpf_map_info info = { 0 };
	const uint32_t key = 0;
	size_t type;
	int r;

	if (fd < 0)
		return fd == -ENOENT ? -ENODATA : fd;
	attr = (union bpf_attr){
		.info = { .bpf_fd = (uint32_t)fd,
			  .info_len = sizeof(info),
			  .info = (uintptr_t)&info },
	};
	r = bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
	if (r < 0 || info.type != BPF_MAP_TYPE_STRUCT_OPS || info.value_size < 1 ||
	    info.value_size > IMPLEMENTED_VALUE_BYTES)
		return r < 0 ? r : -ENODATA;
	value = calloc(1, info.value_size);
	if (!value)
		return -ENOMEM;
	attr = (union bpf_attr){ .map_fd = (uint32_t)fd,
				 .key = (uintptr_t)&key,
				 .value = (uintptr_t)value };
	r = bpf(BPF_MAP_LOOKUP_ELEM, &attr);
	for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(forms); i++)
		if (get(offsets, forms[i], NULL, &type) && type == info.btf_vmlinux_value_type_id)
			return implemented_read_value(offsets, forms[i], ops, value,
						      info.value_size, ret_names);
	return r < 0 ? r : -ENODATA;
}

int implemented_ops(const json_t *offsets, const char *ops, json_t **ret_names,
		    struct ktstr_error *err)
{
	union bpf_attr attr = { .start_id = 0 };
	int r = -ENODATA;

	for (int i = 0; i < IMPLEMENTED_MAPS && r == -ENODATA; i++) {
		int next = bpf(BPF_MAP_GET_NEXT_ID, &attr);
		uint32_t id = attr.next_id;

		if (next == -ENOENT)
			break;
		r = next < 0 ? next : try_map(id, offsets, ops, ret_names);
		attr = (union bpf_attr){ .start_id = id };
	}
	if (r == -ENODATA)
		return ktstr_error_set(err, r, "no BPF map has the operations of scheduler '%s'",
				       ops);
	return r < 0 ? ktstr_error_set(err, r, "read the operations of scheduler '%s': %s", ops,
				       strerror(-r))
		     : 0;
}
