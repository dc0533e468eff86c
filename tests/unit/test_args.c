// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vm/template.h"
#include "vm/vm.h"

static const struct ktstr_qemu qemu = { .path = "/usr/bin/qemu-system-x86_64",
					.firmware_path = "/usr/share/qemu/qboot.rom" };
static const struct ktstr_kernel kernel = { .vmlinux_path = "/k/vmlinux" };

static struct vm_opts usual(const char *topology)
{
	struct vm_opts opts = { .qemu = &qemu,
				.kernel = &kernel,
				.accel = KTSTR_ACCEL_TCG,
				.initrd_path = "/run/guest.cpio",
				.job_path = "/run/job.json",
				.files_path = "/run/files.cpio",
				.dir = "/run",
				.shell_fd = -1 };

	assert_int_equal(ktstr_topology_parse(topology, &opts.topology, NULL), 0);
	return opts;
}

/* All arguments, one space between two. */
static char *joined(const struct vm_opts *opts)
{
	static char text[8192];
	struct ktstr_error err = { 0 };
	char **args = NULL;

	text[0] = '\0';
	if (vm_args_build(opts, &args, &err) < 0)
		fail_msg("%s", err.text);
	for (char **p = args; *p; p++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s",
			 p > args ? " " : "", *p);
	vm_args_free(args);
	return text;
}

static void expect_words(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("'%s' is not in '%s'", words, text);
}

static void the_usual_line_is_complete(void **state)
{
	struct vm_opts opts = usual("1n1l2c1t");

	(void)state;
	assert_string_equal(
		joined(&opts),
		"/usr/bin/qemu-system-x86_64 -no-user-config -nodefaults -display none -no-reboot "
		"-accel tcg,thread=single -cpu max,vendor=GenuineIntel,-la57,-erms,-fsrm "
		"-name ktstr,debug-threads=on "
		"-machine pc,smm=off,vmport=off,usb=off,i8042=off,hpet=on,memory-backend=ram0 "
		"-bios /usr/share/qemu/qboot.rom "
		"-global PIIX4_PM.acpi-root-pci-hotplug=off "
		"-global PIIX4_PM.acpi-pci-hotplug-with-bridge-support=off "
		"-smp 2,sockets=1,dies=1,cores=2,threads=1 -m 384M "
		"-object memory-backend-ram,id=ram0,size=384M,merge=off "
		"-chardev file,id=console,path=/run/console.log -serial chardev:console "
		"-device virtio-serial-pci,ioeventfd=off "
		"-chardev file,id=records,path=/run/records.bin "
		"-device virtserialport,chardev=records,name=ktstr.records "
		"-chardev null,id=shell -device virtserialport,chardev=shell,name=ktstr.shell "
		"-fw_cfg name=opt/ktstr/job,file=/run/job.json "
		"-fw_cfg name=opt/ktstr/files,file=/run/files.cpio "
		"-device pvpanic -device isa-debug-exit,iobase=0xf4,iosize=0x04 "
		"-action panic=none "
		"-kernel /k/vmlinux -initrd /run/guest.cpio "
		"-append console=ttyS0 loglevel=5 panic=-1 reboot=t rdinit=/init nokaslr "
		"mitigations=off tsc=reliable no_timer_check audit=0 cryptomgr.notests "
		"random.trust_cpu=on init_on_alloc=0 lsm= 8250.nr_uarts=1 damon_stat.enabled=N");
}

static void kvm_differs_in_engine_and_cpu_only(void **state)
{
	struct vm_opts opts = usual("2n4l2c2t");
	char *kvm = NULL, *tcg = NULL;
	const char *tail = "-machine pc,";

	(void)state;
	tcg = strdup(joined(&opts));
	opts.accel = KTSTR_ACCEL_KVM;
	kvm = strdup(joined(&opts));
	assert_non_null(tcg);
	assert_non_null(kvm);
	expect_words(kvm, "-accel kvm -cpu host");
	assert_null(strstr(kvm, "tcg"));
	assert_string_equal(strstr(kvm, tail), strstr(tcg, tail));
	free(kvm);
	free(tcg);
}

static void topologies_become_smp_and_nodes(void **state)
{
	static const struct {
		const char *topology, *smp, *more;
	} cases[] = {
		{ "1n1l1c1t", "-smp 1,sockets=1,dies=1,cores=1,threads=1 ",
		  "-m 384M -object memory-backend-ram,id=ram0,size=384M,merge=off -chardev" },
		{ "1n2l2c1t", "-smp 4,sockets=1,dies=2,cores=2,threads=1 ", "memory-backend=ram0" },
		{ "1n1l2c2t", "-smp 4,sockets=1,dies=1,cores=2,threads=2 ", "memory-backend=ram0" },
		{ "2n4l2c2t", "-smp 16,sockets=2,dies=2,cores=2,threads=2 ",
		  "-m 512M -object memory-backend-ram,id=ram0,size=256M,merge=off "
		  "-object memory-backend-ram,id=ram1,size=256M,merge=off "
		  "-numa node,nodeid=0,cpus=0-7,memdev=ram0 "
		  "-numa node,nodeid=1,cpus=8-15,memdev=ram1 -numa dist,src=0,dst=1,val=20 "
		  "-chardev" },
		{ "3n3l1c1t", "-smp 3,sockets=3,dies=1,cores=1,threads=1 ",
		  "-numa node,nodeid=2,cpus=2-2,memdev=ram2 -numa dist,src=0,dst=1,val=20 "
		  "-numa dist,src=0,dst=2,val=20 -numa dist,src=1,dst=2,val=20 -chardev" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vm_opts opts = usual(cases[i].topology);

		expect_words(joined(&opts), cases[i].smp);
		expect_words(joined(&opts), cases[i].more);
		/* A backend belongs to the machine or to a node, never to both. */
		assert_int_equal(!strstr(joined(&opts), "-numa"),
				 !!strstr(joined(&opts), "memory-backend=ram0"));
	}
}

static void optional_parts_are_left_out(void **state)
{
	const struct ktstr_qemu bare = { .path = "/q" };
	struct vm_opts opts = usual("1n1l1c1t");

	(void)state;
	opts.qemu = &bare;
	assert_null(strstr(joined(&opts), "-bios"));
	expect_words(joined(&opts), "-chardev null,id=shell ");
	opts.shell_fd = 7;
	expect_words(joined(&opts), "-chardev socket,id=shell,fd=7 "
				    "-device virtserialport,chardev=shell,name=ktstr.shell ");
}

static void both_files_are_always_there(void **state)
{
	struct vm_opts opts = usual("1n1l1c1t");

	(void)state;
	opts.job_path = NULL;
	expect_words(joined(&opts), "-fw_cfg name=opt/ktstr/job,file=/dev/null "
				    "-fw_cfg name=opt/ktstr/files,file=/run/files.cpio ");
	opts.files_path = NULL;
	expect_words(joined(&opts), "-fw_cfg name=opt/ktstr/job,file=/dev/null "
				    "-fw_cfg name=opt/ktstr/files,file=/dev/null ");
}

static void commas_in_paths_are_doubled_where_lists_are_read(void **state)
{
	struct vm_opts opts = usual("1n1l1c1t");

	(void)state;
	opts.dir = "/a,b c/,";
	opts.job_path = "/j,";
	opts.files_path = "/f,";
	opts.initrd_path = "/i,";
	expect_words(joined(&opts), "file,id=console,path=/a,,b c/,,/console.log ");
	expect_words(joined(&opts), "file,id=records,path=/a,,b c/,,/records.bin ");
	expect_words(joined(&opts), "name=opt/ktstr/job,file=/j,, ");
	expect_words(joined(&opts), "name=opt/ktstr/files,file=/f,, ");
	expect_words(joined(&opts), "-initrd /i, ");
}

static void kernels_without_pvh_entry_unpack_themselves(void **state)
{
	struct ktstr_kernel k = { .vmlinux_path = "/k/vmlinux", .image_path = "/k/bzImage" };
	struct vm_opts opts = usual("1n1l1c1t");

	(void)state;
	opts.kernel = &k;
	expect_words(joined(&opts), "-kernel /k/bzImage ");
	k.pvh = true;
	expect_words(joined(&opts), "-kernel /k/vmlinux ");
	k = (struct ktstr_kernel){ .vmlinux_path = "/k/vmlinux" };
	expect_words(joined(&opts), "-kernel /k/vmlinux ");
}

static void memory_follows_topology_and_job(void **state)
{
	const struct ktstr_topology one = { 0 }, eight = { .cores_per_llc = 8 };
	const struct ktstr_topology nodes = { .nodes = 3, .llcs = 3 };

	(void)state;
	assert_int_equal(vm_memory_bytes(&one, 0), 384ull << 20);
	assert_int_equal(vm_memory_bytes(&eight, 0), 384ull << 20);
	assert_int_equal(vm_memory_bytes(&eight, 18ull << 20), 512ull << 20);
	assert_int_equal(vm_memory_bytes(&one, (32ull << 20) - 1), 384ull << 20);
	assert_int_equal(vm_memory_bytes(&one, 32ull << 20), 512ull << 20);
	assert_int_equal(vm_memory_bytes(&one, 100ull << 20), 768ull << 20);
	assert_int_equal(vm_memory_bytes(&one, 440ull << 20), 2048ull << 20);
	assert_int_equal(vm_memory_bytes(&one, 500ull << 20), 3072ull << 20);
	assert_int_equal(vm_memory_bytes(&nodes, 0), 513ull << 20);
	assert_int_equal(vm_memory_bytes(&nodes, 500ull << 20), 3072ull << 20);
}

static void exact_machines_take_no_chance(void **state)
{
	struct vm_opts opts = usual("1n1l2c1t");
	struct ktstr_error err = { 0 };
	char **args = NULL;

	(void)state;
	assert_null(strstr(joined(&opts), "-icount"));
	opts.exact = true;
	expect_words(joined(&opts),
		     "-accel tcg,thread=single "
		     "-cpu max,vendor=GenuineIntel,-la57,-erms,-fsrm,rdrand=off,rdseed=off "
		     "-name ktstr,debug-threads=on -icount shift=3,sleep=off "
		     "-rtc base=2026-01-01T00:00:00,clock=vm -seed 1 ");
	/* Its idle ticks would cost most of an hour of sleep. */
	expect_words(joined(&opts), ",hpet=off,");
	expect_words(joined(&opts), " random.trust_cpu=off ");
	expect_words(joined(&opts), " ktstr.exact=1");
	/* It pauses where a template would be taken. */
	expect_words(joined(&opts), " -action panic=pause ");
	opts.accel = KTSTR_ACCEL_KVM;
	assert_int_equal(vm_args_build(&opts, &args, &err), -EINVAL);
	expect_words(err.text, "accelerator must be TCG");
}

static void templates_in_the_making_keep_memory_in_files(void **state)
{
	struct vm_opts opts = usual("2n2l1c1t");

	(void)state;
	opts.save_dir = "/t,";
	opts.qmp_fd = 9;
	expect_words(
		joined(&opts),
		"-object memory-backend-file,id=ram0,size=192M,merge=off,share=on,mem-path=/t,,/ram0 "
		"-object memory-backend-file,id=ram1,size=192M,merge=off,share=on,mem-path=/t,,/ram1 ");
	expect_words(joined(&opts), "-action panic=pause -chardev socket,id=qmp,fd=9 "
				    "-mon chardev=qmp,mode=control -S -kernel /k/vmlinux ");
}

static void clones_map_what_is_saved(void **state)
{
	static char dir[] = "/c,/0a";
	static struct template template = { .dir = dir };
	struct ktstr_kernel k = { .vmlinux_path = "/k/vmlinux", .pvh = true };
	struct ktstr_qemu q = { .path = "/q", .major = 10 };
	struct vm_opts opts = usual("1n1l1c1t");

	(void)state;
	opts.template = &template;
	opts.kernel = &k;
	opts.qemu = &q;
	opts.qmp_fd = 9;
	expect_words(
		joined(&opts),
		"-object memory-backend-file,id=ram0,size=384M,merge=off,share=off,readonly=on,"
		"rom=off,mem-path=/c,,/0a/ram0 ");
	expect_words(joined(&opts),
		     "-action panic=none -chardev socket,id=qmp,fd=9 "
		     "-mon chardev=qmp,mode=control -S -incoming defer "
		     "-kernel /c,/0a/kernel-stub -initrd /c,/0a/kernel-stub -append ");
	k.pvh = false;
	expect_words(joined(&opts), "-kernel /k/vmlinux -initrd /run/guest.cpio ");
	/* Older ones map read-only files as ROM. */
	q = (struct ktstr_qemu){ .path = "/q", .major = 8, .minor = 1 };
	expect_words(joined(&opts), "merge=off,share=off,mem-path=/c,,/0a/ram0 ");
}

static void debuggers_may_hold_the_guest(void **state)
{
	struct vm_opts opts = usual("1n1l1c1t");

	(void)state;
	opts.gdb_path = "/run/g,db";
	opts.hold = true;
	opts.pause_at_stop = true;
	expect_words(joined(&opts), "-action panic=pause "
				    "-chardev socket,id=gdb,server=on,wait=off,path=/run/g,,db "
				    "-gdb chardev:gdb -S -kernel ");
}

static void impossible_machines_are_refused(void **state)
{
	static const struct {
		const char *topology;
		uint64_t memory_mib;
		enum ktstr_accel accel;
		int code;
		const char *says;
	} cases[] = {
		{ "1n1l2c1t", 0, KTSTR_ACCEL_AUTO, -EINVAL, "KVM or TCG" },
		{ "1n1l1c1t", 129, KTSTR_ACCEL_TCG, -EINVAL, "at least 130 MiB" },
		{ "4n4l2c1t", 200, KTSTR_ACCEL_TCG, -EINVAL, "at least 240 MiB" },
		{ "1n1l128c1t", 0, KTSTR_ACCEL_TCG, 0, "" },
		{ "1n1l129c1t", 0, KTSTR_ACCEL_TCG, -ERANGE,
		  "without KVM, guests of more than 128" },
		{ "1n1l255c1t", 0, KTSTR_ACCEL_KVM, 0, "" },
		/* 5 dies of 51 cores take 3 + 6 bits. */
		{ "1n5l51c1t", 0, KTSTR_ACCEL_KVM, -ERANGE,
		  "APIC ids up to 306, the machine has 254" },
		{ "1n1l85c3t", 0, KTSTR_ACCEL_KVM, -ERANGE, "APIC ids up to 338" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct vm_opts opts = usual(cases[i].topology);
		struct ktstr_error err = { 0 };
		char **args = NULL;

		opts.memory_bytes = cases[i].memory_mib << 20;
		opts.accel = cases[i].accel;
		assert_int_equal(vm_args_build(&opts, &args, &err), cases[i].code);
		expect_words(err.text, cases[i].says);
		vm_args_free(args);
	}
}

static void bad_topologies_are_refused_too(void **state)
{
	struct vm_opts opts = usual("1n1l1c1t");
	struct ktstr_error err = { 0 };
	char **args = NULL;

	(void)state;
	opts.topology.nodes = 2;
	assert_int_equal(vm_args_build(&opts, &args, &err), -EINVAL);
	opts.topology = (struct ktstr_topology){ .cores_per_llc = 256 };
	assert_int_equal(vm_args_build(&opts, &args, &err), -ERANGE);
	assert_null(args);
}

static void added_words_come_last(void **state)
{
	struct vm_opts opts = usual("1n1l2c1t");

	(void)state;
	opts.kernel_args = "isolcpus=1 lsm=yama";
	expect_words(joined(&opts), " damon_stat.enabled=N isolcpus=1 lsm=yama");
	opts.exact = true;
	expect_words(joined(&opts), " damon_stat.enabled=N ktstr.exact=1 isolcpus=1 lsm=yama");
}

static void words_that_the_runner_lives_by_are_refused(void **state)
{
	static const char *const refused[] = { "console=tty0",	"a=1  rdinit=/bin/sh",
					       "ktstr.exact=1", "a -- b",
					       "panic=0",	"a\nb",
					       "\xc3\xa4=1",	"init=/x" };
	static const char *const taken[] = { "", " ", "isolcpus=1", "lsm=yama a.console=1 b" };
	struct vm_opts opts = usual("1n1l2c1t");
	char text[KTSTR_KERNEL_ARGS_BYTES + 1];
	struct ktstr_error err = { 0 };
	char **args = NULL;

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		assert_int_equal(ktstr_kernel_args_check(refused[i], &err), -EINVAL);
	expect_words(err.text, "'init=/x' is for the runner to say");
	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++)
		assert_int_equal(ktstr_kernel_args_check(taken[i], &err), 0);
	memset(text, 'a', sizeof(text));
	text[KTSTR_KERNEL_ARGS_BYTES - 1] = '\0';
	assert_int_equal(ktstr_kernel_args_check(text, &err), 0);
	text[KTSTR_KERNEL_ARGS_BYTES - 1] = 'a';
	text[KTSTR_KERNEL_ARGS_BYTES] = '\0';
	assert_int_equal(ktstr_kernel_args_check(text, &err), -EINVAL);
	opts.kernel_args = "console=tty0";
	assert_int_equal(vm_args_build(&opts, &args, &err), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_usual_line_is_complete),
		cmocka_unit_test(kvm_differs_in_engine_and_cpu_only),
		cmocka_unit_test(topologies_become_smp_and_nodes),
		cmocka_unit_test(optional_parts_are_left_out),
		cmocka_unit_test(both_files_are_always_there),
		cmocka_unit_test(commas_in_paths_are_doubled_where_lists_are_read),
		cmocka_unit_test(kernels_without_pvh_entry_unpack_themselves),
		cmocka_unit_test(memory_follows_topology_and_job),
		cmocka_unit_test(exact_machines_take_no_chance),
		cmocka_unit_test(templates_in_the_making_keep_memory_in_files),
		cmocka_unit_test(clones_map_what_is_saved),
		cmocka_unit_test(debuggers_may_hold_the_guest),
		cmocka_unit_test(impossible_machines_are_refused),
		cmocka_unit_test(bad_topologies_are_refused_too),
		cmocka_unit_test(added_words_come_last),
		cmocka_unit_test(words_that_the_runner_lives_by_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
