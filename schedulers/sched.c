// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * ktstr-sched: load our sched_ext scheduler (sched.bpf.c) and hold it until told to stop.
 *
 * Attached, it writes the ready marker /tmp/ktstr-worker-ready-PID and one line on stdout.  SIGTERM
 * and SIGINT detach it; its counters are one JSON object on stdout.  It is tied to this process:
 * when that dies, the kernel lets go of it.
 *
 * Exit status: 0 detached when told to; 1 the kernel ejected it (its reason, message and dump are
 * on stderr); 2 usage; 3 it could not be loaded or attached.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "loader.h"

/* The kernel's names, where libbpf's headers may be too old to have them. */
enum { MAP_FLAG_LINK = 1 << 13, ATTACH_STRUCT_OPS = 44, KIND_UNREGISTERED = 64 };

extern const char sched_object[], sched_object_end[];

struct loader {
	struct bpf_object *object;
	struct bpf_link *ops; /* the value in the map */
	int link;	      /* what keeps it attached; -1: none of our own */
	struct ring_buffer *exits;
	const struct sched_counters *counters;
	struct sched_exit seen;
	bool has_ended;
};

/* --- loading -------------------------------------------------------------------------------- */
__attribute__((format(printf, 2, 0))) static int print_warnings(enum libbpf_print_level level,
								const char *format, va_list args)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, args) : 0;
}

static int failed(const char *what, int r)
{
	fprintf(stderr, "ktstr-sched: %s: %s\n", what, strerror(-r));
	return r;
}

/* libbpf before 1.4 gives no access to the ops' plain members, so they are set in the object. */
static int set_watchdog(char *object, size_t size, uint32_t watchdog_ms)
{
	Elf *elf = elf_version(EV_CURRENT) != EV_NONE ? elf_memory(object, size) : NULL;
	size_t names, at = 0;
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	if (elf && elf_getshdrstrndx(elf, &names) == 0)
		while (!at && (section = elf_nextscn(elf, section)))
			if (gelf_getshdr(section, &header) &&
			    !strcmp(elf_strptr(elf, names, header.sh_name), ".struct_ops"))
				at = header.sh_offset + offsetof(struct sched_ext_ops, timeout_ms);
	elf_end(elf);
	if (!at || at + sizeof(watchdog_ms) > size)
		return failed("no .struct_ops in the object", -EBADMSG);
	memcpy(object + at, &watchdog_ms, sizeof(watchdog_ms));
	return 0;
}

static struct bpf_map *find_map(const struct loader *l, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(l->object, name);

	if (!map)
		failed(name, -ENOENT);
	return map;
}

static int prepare(struct loader *l, const struct settings *settings)
{
	struct bpf_program *init = bpf_object__find_program_by_name(l->object, "sched_init");
	struct bpf_map *options = find_map(l, ".rodata.options"), *ops = find_map(l, "ktstr_ops");
	struct bpf_map *machine = find_map(l, ".rodata.machine");
	static struct sched_machine seen;
	int r;

	if (!init || !options || !ops || !machine)
		return -ENOENT;
	r = machine_read(&seen);
	if (r < 0)
		return r;
	r = bpf_map__set_initial_value(options, &settings->options, sizeof(settings->options));
	if (r == 0)
		r = bpf_map__set_initial_value(machine, &seen, sizeof(seen));
	if (r == 0)
		r = bpf_map__set_map_flags(ops, MAP_FLAG_LINK);
	/* It makes a queue, which may sleep; older libbpf knows no section name that says so. */
	if (r == 0)
		r = bpf_program__set_flags(init, bpf_program__flags(init) | BPF_F_SLEEPABLE);
	return r < 0 ? failed("prepare", r) : 0;
}

static int load(struct loader *l, const struct settings *settings)
{
	size_t size = (size_t)(sched_object_end - sched_object);
	char *copy = malloc(size);
	int r = 0;

	if (!copy)
		return failed("load", -ENOMEM);
	memcpy(copy, sched_object, size);
	if (settings->watchdog_ms)
		r = set_watchdog(copy, size, settings->watchdog_ms);
	if (r == 0) {
		LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "ktstr_sched");

		l->object = bpf_object__open_mem(copy, size, &opts);
		r = l->object ? 0 : failed("open the object", -errno);
	}
	free(copy);
	if (r == 0)
		r = prepare(l, settings);
	if (r < 0)
		return r;
	r = bpf_object__load(l->object);
	return r < 0 ? failed("load", r) : 0;
}

/* --- attached ------------------------------------------------------------------------------- */
static int on_exit_record(void *context, void *data, size_t size)
{
	struct loader *l = context;

	if (size < sizeof(l->seen))
		return -EBADMSG;
	memcpy(&l->seen, data, sizeof(l->seen));
	l->has_ended = true;
	return 0;
}

static int map_data(struct loader *l)
{
	struct bpf_map *counters = find_map(l, ".data.counters"), *exits = find_map(l, "exits");
	void *data;

	if (!counters || !exits)
		return -ENOENT;
	data = mmap(NULL, bpf_map__value_size(counters), PROT_READ, MAP_SHARED,
		    bpf_map__fd(counters), 0);
	if (data == MAP_FAILED)
		return failed("map the counters", -errno);
	l->counters = data;
	l->exits = ring_buffer__new(bpf_map__fd(exits), on_exit_record, l, NULL);
	return l->exits ? 0 : failed("ring buffer", -errno);
}

/* A link ends with this process, a bare registration would outlive it.  libbpf makes the link since
 * 1.2; before, it only fills in the map. */
static int attach(struct loader *l)
{
	struct bpf_map *ops = find_map(l, "ktstr_ops");
	bool is_old = libbpf_major_version() == 1 && libbpf_minor_version() < 2;

	l->ops = ops ? bpf_map__attach_struct_ops(ops) : NULL;
	if (!l->ops)
		return failed("attach", -errno);
	if (!is_old)
		return 0;
	l->link =
		bpf_link_create(bpf_map__fd(ops), 0, (enum bpf_attach_type)ATTACH_STRUCT_OPS, NULL);
	return l->link < 0 ? failed("attach", l->link) : 0;
}

static void detach(struct loader *l)
{
	if (l->link >= 0) {
		close(l->link);
		bpf_link__disconnect(l->ops);
	}
	bpf_link__destroy(l->ops);
	l->ops = NULL;
	l->link = -1;
}

static int say_ready(void)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/tmp/ktstr-worker-ready-%d", (int)getpid());
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, "ready\n", 6) != 6)
		return failed(path, -errno);
	close(fd);
	puts("ktstr-sched: attached");
	return fflush(stdout) ? -errno : 0;
}

/* Return: 0 once a signal came or the kernel let go. */
static int hold(struct loader *l, int signals)
{
	struct pollfd fds[] = { { .fd = signals, .events = POLLIN },
				{ .fd = ring_buffer__epoll_fd(l->exits), .events = POLLIN } };

	while (!l->has_ended && !(fds[0].revents & POLLIN)) {
		int r = poll(fds, 2, -1);

		if (r < 0 && errno != EINTR)
			return failed("poll", -errno);
		if (r > 0 && fds[1].revents)
			r = ring_buffer__consume(l->exits);
		if (r < 0 && r != -EINTR)
			return failed("exit record", r);
	}
	return 0;
}

/* Says how it ended.  Return: exit status. */
static int conclude(struct loader *l)
{
	const struct sched_counters *n = l->counters;

	/* Sent before the detaching above returned. */
	if (!l->has_ended)
		ring_buffer__consume(l->exits);
	printf("{\"direct\": %llu, \"queued\": %llu, \"kicked\": %llu, \"preempted\": %llu, "
	       "\"stolen\": %llu, \"parked\": %llu, \"struck\": %llu}\n",
	       n->direct, n->queued, n->kicked, n->preempted, n->stolen, n->parked, n->struck);
	if (fflush(stdout))
		return EXIT_LOAD;
	if (l->has_ended && l->seen.kind == KIND_UNREGISTERED)
		return 0;
	if (!l->has_ended) {
		fputs("ktstr-sched: detached, but the kernel did not say how\n", stderr);
		return EXIT_EJECTED;
	}
	/* The line that matters comes last. */
	fprintf(stderr, "%s\nktstr-sched: ejected by the kernel: %s (kind %llu, code %lld): %s\n",
		l->seen.dump, l->seen.reason, l->seen.kind, l->seen.code, l->seen.message);
	return EXIT_EJECTED;
}

static int run(struct loader *l, const struct settings *settings, int signals)
{
	int r = load(l, settings);

	if (r == 0)
		r = map_data(l);
	if (r == 0)
		r = attach(l);
	if (r == 0)
		r = say_ready();
	if (r == 0)
		r = hold(l, signals);
	if (r < 0)
		return EXIT_LOAD;
	detach(l);
	return conclude(l);
}

int main(int argc, char **argv)
{
	struct settings settings;
	struct loader loader = { .link = -1 };
	sigset_t stop;
	int signals, status;

	if (settings_parse(argc, argv, &settings) < 0)
		return EXIT_USAGE;
	libbpf_set_print(print_warnings);
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigaddset(&stop, SIGINT);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	signals = signalfd(-1, &stop, SFD_CLOEXEC);
	if (signals < 0) {
		failed("signalfd", -errno);
		return EXIT_LOAD;
	}
	status = run(&loader, &settings, signals);
	ring_buffer__free(loader.exits);
	bpf_object__close(loader.object);
	close(signals);
	return status;
}
