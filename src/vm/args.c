// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "vm/vm.h"

#include <cpuid.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "vm/template.h"

enum {
	APIC_ID_MAX = 254, /* 255 is the broadcast address of an xAPIC */
	MIB_SHIFT = 20,
	MEMORY_MIN_MIB = 256,
	MEMORY_PER_CPU_MIB = 8,
	MEMORY_PER_NODE_MIB = 64,
	/* The job as fw_cfg delivers it, unpacked, and as much again for tmpfs, which takes no more
	 * than half of memory. */
	MEMORY_PER_JOB = 4,
	/* What the kernel needs to come up at all; below it dies without a word. */
	MEMORY_BOOT_MIB = 128,
	MEMORY_BOOT_PER_CPU_MIB = 2,
	MEMORY_BOOT_PER_NODE_MIB = 32,
};

/* One template serves all machines of a class. */
static const uint16_t memory_classes_mib[] = { 384, 512, 768, 1024, 1536, 2048 };

/* Intel's leaf 4 is where dies become caches.  Left out is what costs emulation time and no test
 * has a use for: five-level paging, and rep stosb, which makes memset() go byte by byte. */
static const char tcg_cpu[] = "max,vendor=GenuineIntel,-la57,-erms,-fsrm";
static const char exact_cpu[] = "max,vendor=GenuineIntel,-la57,-erms,-fsrm,rdrand=off,rdseed=off";
/* A WARN and lockdep print at level 4, which "quiet" would keep from the console. */
static const char kernel_words[] =
	"console=ttyS0 loglevel=5 panic=-1 reboot=t rdinit=/init nokaslr mitigations=off tsc=reliable "
	"no_timer_check audit=0 cryptomgr.notests random.trust_cpu=%s init_on_alloc=0 lsm= "
	"8250.nr_uarts=1 damon_stat.enabled=N%s%s%s";

struct builder {
	char **args;
	size_t nr, size;
	bool failed;
};

static void add_take(struct builder *b, char *arg)
{
	if (b->nr + 1 >= b->size) {
		size_t size = b->size ? b->size * 2 : 64;
		char **args = reallocarray(b->args, size, sizeof(*args));

		if (!args)
			b->failed = true;
		b->args = args ? args : b->args;
		b->size = args ? size : b->size;
	}
	if (!arg || b->failed) {
		b->failed = true;
		free(arg);
		return;
	}
	b->args[b->nr++] = arg;
	b->args[b->nr] = NULL;
}

static void add(struct builder *b, const char *arg)
{
	add_take(b, strdup(arg));
}

static void add2(struct builder *b, const char *option, const char *value)
{
	add(b, option);
	add(b, value);
}

__attribute__((format(printf, 3, 4))) static void addf(struct builder *b, const char *option,
						       const char *fmt, ...)
{
	struct strbuf text = STRBUF_INIT;
	va_list ap;

	add(b, option);
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	add_take(b, strbuf_take(&text));
	strbuf_deinit(&text);
}

/* "prefix" and a path in which commas are doubled, as QEMU's option lists want them. */
static void add_path(struct builder *b, const char *option, const char *prefix, const char *dir,
		     const char *name)
{
	const char *const parts[] = { dir, name ? "/" : "", name ? name : "" };
	struct strbuf text = STRBUF_INIT;

	add(b, option);
	strbuf_addstr(&text, prefix);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		for (const char *p = parts[i]; *p; p++) {
			strbuf_addch(&text, *p);
			if (*p == ',')
				strbuf_addch(&text, ',');
		}
	add_take(b, strbuf_take(&text));
	strbuf_deinit(&text);
}

/* The four numbers, zero meaning one. */
static struct ktstr_topology filled(const struct ktstr_topology *t)
{
	return (struct ktstr_topology){
		.nodes = t->nodes ? t->nodes : 1,
		.llcs = t->llcs ? t->llcs : 1,
		.cores_per_llc = t->cores_per_llc ? t->cores_per_llc : 1,
		.threads_per_core = t->threads_per_core ? t->threads_per_core : 1,
	};
}

static unsigned int bits_for(uint32_t count)
{
	unsigned int bits = 0;

	while (1u << bits < count)
		bits++;
	return bits;
}

/* An APIC id holds thread, core, die and package in fields of whole bits, so that a shape whose
 * counts are no powers of two runs out of ids early.  Source: Intel SDM vol. 3, 10.9. */
static uint32_t highest_apic_id(const struct ktstr_topology *t)
{
	uint32_t dies = t->llcs / t->nodes;
	unsigned int core_shift = bits_for(t->threads_per_core);
	unsigned int die_shift = core_shift + bits_for(t->cores_per_llc);
	unsigned int package_shift = die_shift + bits_for(dies);

	return (t->nodes - 1) << package_shift | (dies - 1) << die_shift |
	       (t->cores_per_llc - 1) << core_shift | (t->threads_per_core - 1);
}

static uint64_t class_mib(uint64_t mib)
{
	for (size_t i = 0; i < ARRAY_SIZE(memory_classes_mib); i++)
		if (mib <= memory_classes_mib[i])
			return memory_classes_mib[i];
	return (mib + 1023) / 1024 * 1024;
}

uint64_t vm_memory_bytes(const struct ktstr_topology *topology, uint64_t job_bytes)
{
	struct ktstr_topology t = filled(topology);
	uint64_t cpus = ktstr_topology_nr_cpus(&t);
	uint64_t mib = MEMORY_MIN_MIB + MEMORY_PER_CPU_MIB * (cpus - 1) +
		       MEMORY_PER_NODE_MIB * (t.nodes - 1);

	mib += ((job_bytes >> MIB_SHIFT) + (job_bytes > 0)) * MEMORY_PER_JOB;
	mib = class_mib(mib);
	mib += (t.nodes - mib % t.nodes) % t.nodes;
	return mib << MIB_SHIFT;
}

static int check_memory(const struct ktstr_topology *t, uint64_t bytes, struct ktstr_error *err)
{
	uint64_t needed = MEMORY_BOOT_MIB +
			  MEMORY_BOOT_PER_CPU_MIB * (uint64_t)ktstr_topology_nr_cpus(t) +
			  MEMORY_BOOT_PER_NODE_MIB * (t->nodes - 1);
	char name[KTSTR_TOPOLOGY_TEXT];

	if (bytes >> MIB_SHIFT >= needed)
		return 0;
	return ktstr_error_set(err, -EINVAL,
			       "topology '%s' needs at least %llu MiB of memory to boot, %llu MiB "
			       "were asked for",
			       ktstr_topology_format(t, name, sizeof(name)),
			       (unsigned long long)needed,
			       (unsigned long long)(bytes >> MIB_SHIFT));
}

static int check_engine(const struct vm_opts *opts, struct ktstr_error *err)
{
	if (opts->accel != KTSTR_ACCEL_KVM && opts->accel != KTSTR_ACCEL_TCG)
		return ktstr_error_set(err, -EINVAL, "accelerator must be KVM or TCG");
	if (opts->exact && opts->accel != KTSTR_ACCEL_TCG)
		return ktstr_error_set(err, -EINVAL,
				       "exact runs are emulated: accelerator must be TCG");
	if (opts->kernel_args && ktstr_kernel_args_check(opts->kernel_args, err) < 0)
		return -EINVAL;
	if (opts->template && opts->save_dir)
		return ktstr_error_set(err, -EINVAL, "a template is not made from a clone");
	return 0;
}

static int check_opts(const struct vm_opts *opts, uint64_t memory_bytes, struct ktstr_error *err)
{
	struct ktstr_topology t = filled(&opts->topology);
	char name[KTSTR_TOPOLOGY_TEXT];
	int r = ktstr_topology_check(&t, err);

	if (r == 0)
		r = check_engine(opts, err);
	if (r < 0)
		return r;
	if (opts->accel == KTSTR_ACCEL_TCG && ktstr_topology_nr_cpus(&t) > VM_TCG_CPUS_MAX)
		return ktstr_error_set(err, -ERANGE,
				       "topology '%s': without KVM, guests of more than %d CPUs do "
				       "not come up in reasonable time",
				       ktstr_topology_format(&t, name, sizeof(name)),
				       VM_TCG_CPUS_MAX);
	if (highest_apic_id(&t) > APIC_ID_MAX)
		return ktstr_error_set(err, -ERANGE,
				       "topology '%s' needs APIC ids up to %u, the machine has %d: "
				       "cores, LLCs per node and threads each take whole bits",
				       ktstr_topology_format(&t, name, sizeof(name)),
				       highest_apic_id(&t), APIC_ID_MAX);
	return check_memory(&t, memory_bytes, err);
}

/* Not the compiler's built-in, which has a constructor run in each program, bodies in guests too. */
static bool is_amd(void)
{
	unsigned int eax = 0, ebx = 0, ecx = 0, edx = 0;

	return __get_cpuid(0, &eax, &ebx, &ecx, &edx) && ebx == signature_AMD_ebx &&
	       ecx == signature_AMD_ecx && edx == signature_AMD_edx;
}

/* The CPUs' threads are known by them: exact_engine.h, run/stolen.h. */
static void add_names(struct builder *b)
{
	add2(b, "-name", "ktstr,debug-threads=on");
}

static void add_engine(struct builder *b, const struct vm_opts *opts)
{
	if (opts->accel == KTSTR_ACCEL_TCG) {
		/* One thread for all vCPUs: docs/decisions, and the only way that can be exact. */
		add2(b, "-accel", "tcg,thread=single");
		add2(b, "-cpu", opts->exact ? exact_cpu : tcg_cpu);
		add_names(b);
		if (!opts->exact)
			return;
		/* 8 ns an instruction; when all CPUs sleep, time jumps to the next timer. */
		add2(b, "-icount", "shift=3,sleep=off");
		add2(b, "-rtc", "base=2026-01-01T00:00:00,clock=vm");
		add2(b, "-seed", "1");
		return;
	}
	add2(b, "-accel", "kvm");
	/* Only what can be saved and restored.  AMD describes shared caches in leaves that QEMU
	 * offers only with topoext. */
	add2(b, "-cpu", is_amd() ? "host,topoext=on" : "host");
	add_names(b);
}

static void add_machine(struct builder *b, const struct vm_opts *opts, bool one_node)
{
	addf(b, "-machine", "pc,smm=off,vmport=off,usb=off,i8042=off,hpet=%s%s",
	     opts->exact ? "off" : "on", one_node ? ",memory-backend=ram0" : "");
	if (opts->qemu->firmware_path[0])
		add2(b, "-bios", opts->qemu->firmware_path);
	/* Without slots to plug, the kernel has far less ACPI code to interpret. */
	add2(b, "-global", "PIIX4_PM.acpi-root-pci-hotplug=off");
	add2(b, "-global", "PIIX4_PM.acpi-pci-hotplug-with-bridge-support=off");
}

/* 8.2 reads state from a file by itself and maps read-only files as writable private memory. */
static bool reads_files(const struct ktstr_qemu *qemu)
{
	return qemu->major > 8 || (qemu->major == 8 && qemu->minor >= 2);
}

static void add_memory(struct builder *b, const struct vm_opts *opts, uint32_t node,
		       unsigned long long mib)
{
	const char *dir = opts->template ? opts->template->dir : opts->save_dir;
	_cleanup_free_ char *start = NULL, *name = path_format("ram%u", node);

	if (!dir) {
		addf(b, "-object", "memory-backend-ram,id=ram%u,size=%lluM,merge=off", node, mib);
		return;
	}
	start = path_format("memory-backend-file,id=ram%u,size=%lluM,merge=off,%s,mem-path=", node,
			    mib,
			    !opts->template	      ? "share=on"
			    : reads_files(opts->qemu) ? "share=off,readonly=on,rom=off"
						      : "share=off");
	if (start && name)
		add_path(b, "-object", start, dir, name);
	else
		b->failed = true;
}

/* An LLC is a die: Intel's leaf 4 as QEMU fills it shares the third level cache per die. */
static void add_cpus_and_memory(struct builder *b, const struct vm_opts *opts,
				const struct ktstr_topology *t, uint64_t memory_bytes)
{
	uint32_t nr_cpus = ktstr_topology_nr_cpus(t), per_node = nr_cpus / t->nodes;
	unsigned long long node_mib = (memory_bytes >> MIB_SHIFT) / t->nodes;

	addf(b, "-smp", "%u,sockets=%u,dies=%u,cores=%u,threads=%u", nr_cpus, t->nodes,
	     t->llcs / t->nodes, t->cores_per_llc, t->threads_per_core);
	addf(b, "-m", "%lluM", node_mib * t->nodes);
	for (uint32_t i = 0; i < t->nodes; i++)
		add_memory(b, opts, i, node_mib);
	for (uint32_t i = 0; i < t->nodes && t->nodes > 1; i++)
		addf(b, "-numa", "node,nodeid=%u,cpus=%u-%u,memdev=ram%u", i, i * per_node,
		     (i + 1) * per_node - 1, i);
	for (uint32_t i = 0; i < t->nodes; i++)
		for (uint32_t j = i + 1; j < t->nodes; j++)
			addf(b, "-numa", "dist,src=%u,dst=%u,val=%d", i, j, KTSTR_TOPOLOGY_FAR);
}

static void add_channels(struct builder *b, const struct vm_opts *opts)
{
	add_path(b, "-chardev", "file,id=console,path=", opts->dir, "console.log");
	add2(b, "-serial", "chardev:console");
	/* Frames are in the file when the guest's write returns, also right before it powers off. */
	add2(b, "-device", "virtio-serial-pci,ioeventfd=off");
	add_path(b, "-chardev", "file,id=records,path=", opts->dir, "records.bin");
	add2(b, "-device", "virtserialport,chardev=records,name=ktstr.records");
	/* Always there, so that one template serves all. */
	if (opts->shell_fd >= 0)
		addf(b, "-chardev", "socket,id=shell,fd=%d", opts->shell_fd);
	else
		add2(b, "-chardev", "null,id=shell");
	add2(b, "-device", "virtserialport,chardev=shell,name=ktstr.shell");
	/* Always both: what has read the directory of files must not see another one in a clone. */
	add_path(b, "-fw_cfg",
		 "name=opt/ktstr/job,file=", opts->job_path ? opts->job_path : "/dev/null", NULL);
	add_path(b, "-fw_cfg",
		 "name=opt/ktstr/files,file=", opts->files_path ? opts->files_path : "/dev/null",
		 NULL);
	add2(b, "-device", "pvpanic");
	/* The fastest way out: outl(0x10, 0xf4) ends QEMU with exit code 0x10 << 1 | 1. */
	add2(b, "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04");
}

/* What runs it, not what it is: none of this is part of a template's key. */
static void add_control(struct builder *b, const struct vm_opts *opts)
{
	bool pauses = opts->save_dir || opts->pause_at_stop || vm_passes_stop(opts);

	add2(b, "-action", pauses ? "panic=pause" : "panic=none");
	if (opts->qmp_fd > 0) {
		addf(b, "-chardev", "socket,id=qmp,fd=%d", opts->qmp_fd);
		add2(b, "-mon", "chardev=qmp,mode=control");
	}
	if (opts->gdb_path) {
		add_path(b, "-chardev", "socket,id=gdb,server=on,wait=off,path=", opts->gdb_path,
			 NULL);
		add2(b, "-gdb", "chardev:gdb");
	}
	/* What has to be told QEMU is told before a guest runs. */
	if (opts->qmp_fd > 0 || opts->hold)
		add(b, "-S");
	if (opts->template)
		add2(b, "-incoming", "defer");
}

static void add_kernel(struct builder *b, const struct vm_opts *opts)
{
	const struct ktstr_kernel *k = opts->kernel;
	_cleanup_free_ char *stub = NULL;

	/* A clone's memory holds its kernel already; reading 70 MiB once more takes its time. */
	if (opts->template && k->pvh) {
		stub = path_format("%s/" TEMPLATE_STUB, opts->template->dir);
		b->failed |= !stub;
	}
	/* Without a PVH entry only the bzImage can be started; it unpacks itself, 2 s slower. */
	add2(b, "-kernel",
	     stub			   ? stub
	     : k->pvh || !k->image_path[0] ? k->vmlinux_path
					   : k->image_path);
	add2(b, "-initrd", stub ? stub : opts->initrd_path);
	/* ktstr.exact is for the agent: guest/settle.h. */
	addf(b, "-append", kernel_words, opts->exact ? "off" : "on",
	     opts->exact ? " ktstr.exact=1" : "", opts->kernel_args ? " " : "",
	     opts->kernel_args ? opts->kernel_args : "");
}

int vm_args_build(const struct vm_opts *opts, char ***ret_args, struct ktstr_error *err)
{
	struct ktstr_topology t = filled(&opts->topology);
	uint64_t memory_bytes = opts->memory_bytes ? opts->memory_bytes : vm_memory_bytes(&t, 0);
	struct builder b = { 0 };
	int r = check_opts(opts, memory_bytes, err);

	if (r < 0)
		return r;
	add(&b, opts->qemu->path);
	add(&b, "-no-user-config");
	add(&b, "-nodefaults");
	add2(&b, "-display", "none");
	add(&b, "-no-reboot");
	add_engine(&b, opts);
	add_machine(&b, opts, t.nodes == 1);
	add_cpus_and_memory(&b, opts, &t, memory_bytes);
	add_channels(&b, opts);
	add_control(&b, opts);
	add_kernel(&b, opts);
	if (b.failed) {
		vm_args_free(b.args);
		return ktstr_error_nomem(err);
	}
	*ret_args = b.args;
	return 0;
}

void vm_args_free(char **args)
{
	for (char **p = args; p && *p; p++)
		free(*p);
	free(args);
}
