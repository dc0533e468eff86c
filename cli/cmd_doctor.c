// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <jansson.h>

#include <ktstr/kernel.h>
#include <ktstr/template.h>
#include <ktstr/test.h>
#include <ktstr/vm.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "cli.h"

enum state { OK, LIMITED, MISSING };

static const char *const state_names[] = { "ok", "limited", "missing" };

struct finding {
	enum state state;
	char text[1100];
	char remedy[256]; /* a command; "" if nothing needs mending */
};

/* What earlier checks found, for later ones. */
struct host {
	struct ktstr_qemu qemu;
	struct ktstr_kernel kernel;
	bool have_qemu, have_kernel, emulated;
};

struct check {
	const char *name;
	void (*run)(struct host *host, struct finding *f);
};

static const uint64_t MEMORY_LEAST = MIB(512), MEMORY_GOOD = GIB(1);
static const uint64_t DISK_LEAST = MIB(256), DISK_GOOD = GIB(1);

static void say(struct finding *f, enum state state, const char *fmt, ...) KTSTR_PRINTF(3, 4);
static void say(struct finding *f, enum state state, const char *fmt, ...)
{
	va_list ap;

	f->state = state;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

static void mend(struct finding *f, const char *fmt, ...) KTSTR_PRINTF(2, 3);
static void mend(struct finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->remedy, sizeof(f->remedy), fmt, ap);
	va_end(ap);
}

static bool has_program(const char *name)
{
	_cleanup_free_ char *path = path_find_program(name, NULL);

	return path != NULL;
}

static void mend_by_package(struct finding *f, const char *debian, const char *fedora,
			    const char *arch)
{
	if (has_program("apt-get"))
		mend(f, "sudo apt-get install --no-install-recommends %s", debian);
	else if (has_program("dnf"))
		mend(f, "sudo dnf install %s", fedora);
	else if (has_program("pacman"))
		mend(f, "sudo pacman -S --needed %s", arch);
	else
		mend(f, "install %s with this system's package manager", debian);
}

static void check_system(struct host *host, struct finding *f)
{
	struct utsname u;
	cpu_set_t cpus;
	int nr = 0;

	(void)host;
	uname(&u);
	if (sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		nr = CPU_COUNT(&cpus);
	if (!strcmp(u.machine, "x86_64")) {
		say(f, OK, "Linux %s on %s, %d CPUs for us", u.release, u.machine, nr);
		return;
	}
	say(f, MISSING, "Linux %s on %s: only x86_64 can run tests", u.release, u.machine);
	mend(f, "use an x86_64 machine");
}

static void check_qemu(struct host *host, struct finding *f)
{
	struct ktstr_error err;

	if (ktstr_qemu_find(NULL, &host->qemu, &err) < 0) {
		say(f, MISSING, "%s", err.text);
		mend_by_package(f, "qemu-system-x86", "qemu-system-x86-core", "qemu-system-x86");
		return;
	}
	host->have_qemu = true;
	if (host->qemu.major >= KTSTR_QEMU_GOOD_MAJOR) {
		say(f, OK, "QEMU %s, %s", host->qemu.version, host->qemu.path);
		return;
	}
	say(f, LIMITED,
	    "QEMU %s, %s: below %d a virtual CPU may run up to 250 ms at a stretch, so tests of "
	    "timing stay undecided",
	    host->qemu.version, host->qemu.path, KTSTR_QEMU_GOOD_MAJOR);
	mend(f, "make setup (in ktstr's source tree; on Debian 12 it takes QEMU from backports)");
}

static void check_kernel(struct host *host, struct finding *f)
{
	struct ktstr_error err;

	if (ktstr_kernel_resolve(NULL, &host->kernel, &err) < 0) {
		say(f, MISSING, "%s", err.text);
		mend(f, "ktstr kernel fetch");
		return;
	}
	host->have_kernel = true;
	if (host->kernel.sched_ext == KTSTR_KERNEL_YES) {
		say(f, OK, "%s, with sched_ext", host->kernel.name);
		return;
	}
	say(f, LIMITED, "%s, %s: tests that need sched_ext are skipped", host->kernel.name,
	    host->kernel.sched_ext == KTSTR_KERNEL_NO ? "without sched_ext"
						      : "not known whether with sched_ext");
	mend(f, "ktstr kernel fetch");
}

static void check_kvm(struct host *host, struct finding *f)
{
	struct ktstr_error why = { .text = "" }, err;
	enum ktstr_accel accel = KTSTR_ACCEL_TCG;

	host->emulated = true;
	if (access("/dev/kvm", F_OK) < 0) {
		say(f, LIMITED, "no /dev/kvm: guests are emulated, slower but sound");
		mend(f,
		     "sudo modprobe -a kvm_intel kvm_amd (needs virtualisation in the firmware)");
		return;
	}
	if (access("/dev/kvm", R_OK | W_OK) < 0) {
		say(f, LIMITED, "/dev/kvm: %s: guests are emulated", strerror(errno));
		mend(f, "sudo usermod -aG kvm $USER, then log in again");
		return;
	}
	if (!host->have_qemu || !host->have_kernel) {
		say(f, LIMITED,
		    "/dev/kvm is there; whether it boots a guest needs QEMU and a kernel");
		mend(f, "mend the lines above, then run this again");
		return;
	}
	if (ktstr_accel_probe(&host->qemu, host->kernel.name, &accel, &why, &err) < 0) {
		say(f, LIMITED, "%s", err.text);
		mend(f, "ktstr exec -- true");
		return;
	}
	host->emulated = accel != KTSTR_ACCEL_KVM;
	if (!host->emulated) {
		say(f, OK, "%s", why.text[0] ? why.text : "a guest booted with KVM");
		return;
	}
	say(f, LIMITED, "%s: guests are emulated, slower but sound", why.text);
	mend(f, "use a machine whose /dev/kvm boots guests; this one emulates");
}

static void check_apt(struct host *host, struct finding *f)
{
	(void)host;
	if (has_program("apt-get")) {
		say(f, OK, "apt-get is here: 'ktstr kernel fetch' works");
		return;
	}
	say(f, LIMITED, "no apt-get: kernels cannot be fetched");
	mend(f, "ktstr run --kernel FILE (a bzImage, a vmlinux or a build tree)");
}

static void check_busybox(struct host *host, struct finding *f)
{
	_cleanup_free_ char *path = path_find_program("busybox", NULL);

	(void)host;
	if (path) {
		say(f, OK, "%s: commands inside guests", path);
		return;
	}
	say(f, LIMITED, "no busybox: guests have no shell and no commands");
	mend_by_package(f, "busybox-static", "busybox", "busybox");
}

static void check_memory(struct host *host, struct finding *f)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const char *line;
	uint64_t available;

	(void)host;
	if (io_read_file("/proc/meminfo", &text, NULL) < 0 ||
	    !(line = strstr(strbuf_str(&text), "MemAvailable:")) ||
	    sscanf(line, "MemAvailable: %" SCNu64, &available) != 1) {
		say(f, LIMITED, "/proc/meminfo does not say how much memory is free");
		mend(f, "mount -t proc proc /proc");
		return;
	}
	available *= 1024;
	say(f,
	    available < MEMORY_LEAST  ? MISSING
	    : available < MEMORY_GOOD ? LIMITED
				      : OK,
	    "%" PRIu64 " MiB available, a guest and its QEMU take from %" PRIu64 " MiB up",
	    available >> 20, MEMORY_LEAST >> 20);
	if (f->state != OK)
		mend(f, "ps -e -o rss,pid,comm --sort=-rss | head (end what is not needed)");
}

/* The nearest folder that exists decides about space and rights. */
static void check_folder(char *dir, struct finding *f)
{
	char shown[512];
	struct statvfs fs;
	uint64_t room;

	snprintf(shown, sizeof(shown), "%s", dir);
	while (access(dir, F_OK) < 0 && errno == ENOENT && strrchr(dir, '/') > dir)
		*strrchr(dir, '/') = '\0';
	if (access(dir, W_OK | X_OK) < 0 || statvfs(dir, &fs) < 0) {
		say(f, MISSING, "%s: %s", dir, strerror(errno));
		mend(f, "export XDG_CACHE_HOME=DIR XDG_STATE_HOME=DIR (folders that are writable)");
		return;
	}
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	say(f,
	    room < DISK_LEAST  ? MISSING
	    : room < DISK_GOOD ? LIMITED
			       : OK,
	    "%s: %" PRIu64 " MiB free", shown, room >> 20);
	if (f->state != OK)
		mend(f, "ktstr kernel rm NAME (or free space under %.150s)", dir);
}

static void check_folder_of(char *(*find)(struct ktstr_error *err), struct finding *f)
{
	struct ktstr_error err;
	_cleanup_free_ char *dir = find(&err);

	if (dir) {
		check_folder(dir, f);
		return;
	}
	say(f, MISSING, "%s", err.text);
	mend(f, "export HOME=DIR (a folder that is writable)");
}

static void check_cache(struct host *host, struct finding *f)
{
	(void)host;
	check_folder_of(path_cache_dir, f);
}

/* Without a place for templates every test boots its machine. */
static void check_templates(struct host *host, struct finding *f)
{
	struct ktstr_template_store store;
	struct ktstr_error err;
	struct finding folder = { .state = OK };
	char *dir;

	(void)host;
	if (ktstr_template_usage(&store, &err) < 0) {
		say(f, LIMITED, "%s: every test boots its own machine", err.text);
		mend(f, "export XDG_CACHE_HOME=DIR (a folder that is writable)");
		return;
	}
	dir = store.path;
	say(f, OK, "%s: %d of them take %" PRIu64 " of at most %" PRIu64 " MiB", dir, store.nr,
	    store.disk_bytes >> 20, (uint64_t)(KTSTR_TEMPLATE_MAX_BYTES >> 20));
	check_folder(dir, &folder);
	if (folder.state != MISSING)
		return;
	say(f, LIMITED, "%s: every test that finds no template boots its own machine", folder.text);
	mend(f, "export XDG_CACHE_HOME=DIR (a folder that is writable and has room)");
}

static void check_runs(struct host *host, struct finding *f)
{
	(void)host;
	check_folder_of(path_state_dir, f);
}

static void check_cgroup(struct host *host, struct finding *f)
{
	(void)host;
	if (access("/sys/fs/cgroup/cgroup.controllers", R_OK) == 0) {
		say(f, OK, "cgroup v2 at /sys/fs/cgroup");
		return;
	}
	say(f, LIMITED,
	    "no cgroup v2 at /sys/fs/cgroup: host captures lack cgroup data, guests "
	    "have it");
	if (access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0 ||
	    path_is_dir("/sys/fs/cgroup/unified") || path_is_dir("/sys/fs/cgroup/memory"))
		mend(f, "boot with systemd.unified_cgroup_hierarchy=1");
	else
		mend(f, "sudo mount -t cgroup2 none /sys/fs/cgroup");
}

static void check_ptrace(struct host *host, struct finding *f)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	int scope = 0;

	(void)host;
	if (io_read_file("/proc/sys/kernel/yama/ptrace_scope", &text, NULL) == 0)
		scope = strbuf_str(&text)[0] - '0';
	if (scope <= 0) {
		say(f, OK, "own processes may be traced: 'ktstr ctprof probe' works");
	} else if (scope < 3 && geteuid() == 0) {
		say(f, OK, "ptrace_scope is %d, root may trace", scope);
	} else {
		say(f, LIMITED, "ptrace_scope is %d: jemalloc counters on this host need %s", scope,
		    scope < 3 ? "root" : "a reboot without it");
		mend(f, scope < 3 ? "sudo sysctl kernel.yama.ptrace_scope=0"
				  : "set kernel.yama.ptrace_scope=0 in /etc/sysctl.d, then reboot");
	}
}

static void check_btf(struct host *host, struct finding *f)
{
	(void)host;
	if (access("/sys/kernel/btf/vmlinux", R_OK) == 0) {
		say(f, OK, "the host's kernel describes its types (BTF)");
		return;
	}
	say(f, LIMITED, "the host's kernel has no BTF: BPF tools work in guests only");
	mend(f, "boot a kernel with CONFIG_DEBUG_INFO_BTF=y");
}

static const struct check checks[] = {
	{ "system", check_system },
	{ "qemu", check_qemu },
	{ "kernel", check_kernel },
	{ "kvm", check_kvm },
	{ "memory", check_memory },
	{ "cache-folder", check_cache },
	{ "templates", check_templates },
	{ "run-folder", check_runs },
	{ "busybox", check_busybox },
	{ "apt", check_apt },
	{ "cgroup-v2", check_cgroup },
	{ "ptrace", check_ptrace },
	{ "btf", check_btf },
};

static void print_line(const char *name, const struct finding *f)
{
	printf("%-8s %-13s %s\n", state_names[f->state], name, f->text);
	if (f->remedy[0])
		printf("%22s -> %s\n", "", f->remedy);
}

static int print_json(const struct finding *found, bool can_run)
{
	json_t *rows = json_array();
	json_t *all = json_pack("{s:s, s:i, s:b, s:o}", "type", "doctor", "version", 1, "can_run",
				can_run, "checks", rows);
	int r = all ? 0 : -1;

	for (size_t i = 0; i < ARRAY_SIZE(checks) && r == 0; i++) {
		json_t *row = json_pack("{s:s, s:s, s:s}", "name", checks[i].name, "state",
					state_names[found[i].state], "text", found[i].text);

		if (row && found[i].remedy[0])
			json_object_set_new(row, "remedy", json_string(found[i].remedy));
		r = json_array_append_new(rows, row);
	}
	if (r == 0)
		r = json_dumpf(all, stdout, JSON_COMPACT);
	json_decref(all);
	if (r < 0)
		return cli_failf(KTSTR_EXIT_HARNESS, "out of memory");
	putchar('\n');
	return KTSTR_EXIT_PASS;
}

int cmd_doctor(int argc, char **argv)
{
	bool json = false, can_run = true;
	const struct ktstr_option options[] = {
		{ 0, "json", NULL, "one JSON object instead of lines", KTSTR_OPTION_FLAG, &json },
	};
	const struct ktstr_command command = {
		.name = "ktstr doctor",
		.usage = "[--json]",
		.about =
			"Says what this machine can do, and the command that mends what it cannot.\n"
			"Exit status: 0 if tests can run, 70 if not.",
		.options = options,
		.nr_options = ARRAY_SIZE(options),
	};
	struct finding found[ARRAY_SIZE(checks)] = { 0 };
	struct ktstr_operands operands;
	struct host host = { 0 };
	int r = cli_parse(&command, argc, argv, &operands);

	if (r >= 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		checks[i].run(&host, &found[i]);
		can_run = can_run && found[i].state != MISSING;
		if (!json)
			print_line(checks[i].name, &found[i]);
	}
	if (json)
		r = print_json(found, can_run);
	else
		printf("\ntests can%s run here%s\n", can_run ? "" : "not",
		       !can_run	       ? ""
		       : host.emulated ? ", in emulated guests"
				       : ", with KVM");
	if (r > 0)
		return r;
	return can_run ? KTSTR_EXIT_PASS : KTSTR_EXIT_HARNESS;
}
