// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "ctprof/bpf_pass.h"

/* A child that becomes another program when told to: the same file, so that only the kernel knows. */
struct changeling {
	pid_t pid;
	int tell, told; /* pipes */
};

static struct changeling start(void)
{
	struct changeling c;
	int to[2], from[2];

	assert_int_equal(pipe(to), 0);
	assert_int_equal(pipe(from), 0);
	c.pid = fork();
	if (c.pid == 0) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		close(to[1]);
		close(from[0]);
		execl("/bin/sh", "sh", "-c", "echo; read x; exec sh -c 'echo; read x; read y'",
		      NULL);
		_exit(1);
	}
	close(to[0]);
	close(from[1]);
	c.tell = to[1];
	c.told = from[0];
	return c;
}

static void await(const struct changeling *c)
{
	char byte;

	assert_int_equal(read(c->told, &byte, 1), 1);
}

static void end(struct changeling *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	close(c->tell);
	close(c->told);
}

static void collect(struct collect *c)
{
	struct ktstr_error err;
	int r = bpf_collector.fill(c, &err);

	if (r == -EOPNOTSUPP) {
		print_message("needs BPF: %s\n", err.text);
		skip();
	}
	assert_int_equal(r, 0);
	assert_int_equal(c->builder->nr_threads, 1);
	assert_true(c->builder->notes[0].flags & NOTE_IDENTITY);
	assert_false(c->builder->notes[0].flags & NOTE_SAME);
}

static void the_same_program_is_told_from_another(void **state)
{
	_cleanup_builder_ struct builder b = { 0 };
	_cleanup_close_ int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct changeling child = start();
	const struct ktstr_ctprof_opts opts = { .pid = child.pid };
	struct collect c = { .opts = &opts, .builder = &b, .proc_fd = proc_fd, .live = true };

	(void)state;
	await(&child);
	collect(&c);
	assert_int_equal(bpf_identify(&c), 0);
	assert_true(b.notes[0].flags & NOTE_SAME);

	b.notes[0].flags &= ~(uint32_t)NOTE_SAME;
	assert_int_equal(write(child.tell, "\n", 1), 1);
	await(&child);
	assert_int_equal(bpf_identify(&c), 0);
	assert_false(b.notes[0].flags & NOTE_SAME);
	end(&child);
	assert_int_equal(bpf_identify(&c), 0);
	assert_false(b.notes[0].flags & NOTE_SAME);
}

static void a_number_used_again_is_another_thread(void **state)
{
	_cleanup_builder_ struct builder b = { 0 };
	_cleanup_close_ int proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct changeling child = start();
	const struct ktstr_ctprof_opts opts = { .pid = child.pid };
	struct collect c = { .opts = &opts, .builder = &b, .proc_fd = proc_fd, .live = true };

	(void)state;
	await(&child);
	collect(&c);
	b.notes[0].born_ns++;
	assert_int_equal(bpf_identify(&c), 0);
	assert_false(b.notes[0].flags & NOTE_SAME);
	b.notes[0].born_ns--;
	b.notes[0].thread_pointer += 8;
	assert_int_equal(bpf_identify(&c), 0);
	assert_false(b.notes[0].flags & NOTE_SAME);
	end(&child);
}

static int fail_at_once(void *context, const struct bpf_record *record)
{
	(void)context;
	(void)record;
	return -ECANCELED;
}

static void a_taker_that_fails_ends_the_pass(void **state)
{
	const struct ctprof_config config = { .mode = CTPROF_IDENTIFY };
	_cleanup_bpf_ struct bpf_loaded loaded = BPF_LOADED_INIT;
	struct ktstr_error err;

	(void)state;
	if (bpf_take(&loaded, &err) < 0) {
		print_message("needs BPF: %s\n", err.text);
		skip();
	}
	assert_int_equal(bpf_pass(&loaded, &config, NULL, fail_at_once, NULL), -ECANCELED);
}

enum { FEW = 8192 }; /* such a store would be small by itself */

struct kept {
	const struct ctprof_thread *threads[1 << 16];
	size_t nr;
	bool saw_self;
};

static int keep(void *context, const struct bpf_record *record)
{
	struct kept *kept = context;

	if (record->kind != CTPROF_KIND_THREAD || kept->nr == ARRAY_SIZE(kept->threads))
		return 0;
	kept->threads[kept->nr++] = record->thread;
	kept->saw_self |= record->thread->tid == (uint32_t)gettid();
	return 0;
}

/* However large the pieces are that it was read into. */
static void a_store_keeps_all_records(void **state)
{
	static const size_t expected[] = { 0, 1 << 10, 64 << 20 };
	const struct ctprof_config config = { .mode = CTPROF_IDENTIFY };
	static struct kept kept;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		_cleanup_(bpf_store_deinit) struct bpf_store store = { .expected = expected[i] };
		_cleanup_bpf_ struct bpf_loaded loaded = BPF_LOADED_INIT;
		struct ktstr_error err;

		if (bpf_take(&loaded, &err) < 0) {
			print_message("needs BPF: %s\n", err.text);
			skip();
		}
		kept = (struct kept){ 0 };
		for (int round = 0; round < 3; round++) {
			size_t before = kept.nr;

			assert_int_equal(bpf_pass(&loaded, &config, &store, keep, &kept), 0);
			for (size_t k = 0; k < before; k++)
				assert_ptr_not_equal(kept.threads[k], kept.threads[before]);
		}
		assert_true(kept.saw_self);
		assert_true(store.bytes >= kept.nr * offsetof(struct ctprof_thread, present));
		if (kept.nr < FEW)
			assert_int_equal(store.bytes > (4 << 20) - 100, expected[i] == 64 << 20);
		for (size_t k = 0; k < kept.nr; k++) {
			assert_int_equal(kept.threads[k]->lead.kind, CTPROF_KIND_THREAD);
			assert_true(kept.threads[k]->tid != 0);
		}
	}
}

/* What was given back is taken again; two at a time have one each. */
static void a_program_is_kept_for_the_next(void **state)
{
	_cleanup_bpf_ struct bpf_loaded first = BPF_LOADED_INIT, second = BPF_LOADED_INIT;
	struct ktstr_error err;
	int program_fd;

	(void)state;
	if (bpf_take(&first, &err) < 0) {
		print_message("needs BPF: %s\n", err.text);
		skip();
	}
	program_fd = first.program_fd;
	assert_int_equal(bpf_take(&second, &err), 0);
	assert_int_not_equal(second.program_fd, program_fd);
	bpf_give(&first);
	assert_int_equal(first.program_fd, -1);
	assert_int_equal(bpf_take(&first, &err), 0);
	assert_int_equal(first.program_fd, program_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_program_is_told_from_another),
		cmocka_unit_test(a_number_used_again_is_another_thread),
		cmocka_unit_test(a_taker_that_fails_ends_the_pass),
		cmocka_unit_test(a_store_keeps_all_records),
		cmocka_unit_test(a_program_is_kept_for_the_next),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
