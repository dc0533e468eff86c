// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/jobfile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "run/scenario.h"
#include "run/session.h"
#include "work/payload_find.h"

#define APPLET_LIST_NS SECS(20)

static const char *const guest_env[] = {
	"PATH=/files:/bin:/sbin:/usr/bin:/usr/sbin",
	"HOME=/root",
	"USER=root",
	"LANG=C.UTF-8",
	"TERM=linux",
	"TMPDIR=/tmp",
};

DEFINE_CLEANUP(struct pack *, pack_destroy);
#define _cleanup_pack_ _cleanup_(pack_destroyp)

static void add_arg(struct job *job, const char *text)
{
	if (job->argc < PROTOCOL_ARGS_MAX)
		job->argv[job->argc++] = (char *)text;
}

/* @job only borrows here: its strings are never freed by us. */
static void fill_job(struct job *job, const struct jobfile_opts *opts, char *topology)
{
	for (size_t i = 0; i < ARRAY_SIZE(guest_env); i++)
		job->env[job->nr_env++] = (char *)guest_env[i];
	ktstr_topology_format(opts->topology, topology, KTSTR_TOPOLOGY_TEXT);
	job->topology = topology;
	job->timeout_ns = opts->timeout_ns;
	job->heartbeat_ns = SESSION_HEARTBEAT_NS;
	job->seed = opts->seed;
	job->perturb = opts->perturb;
	job->exact = opts->exact;
	job->realtime_ns = opts->realtime_ns;
	job->stop_seq = opts->stop_seq;
	job->files_bytes = opts->files->bytes;
	job->files_xxh64 = opts->files->xxh64;
	job->scenario = (char *)opts->scenario;
}

static int write_job(const struct jobfile_opts *opts, const struct job *job,
		     struct ktstr_error *err)
{
	_cleanup_free_ char *text = NULL;
	int r = job_encode(job, &text, err);

	return r < 0 ? r : io_write_quickly(opts->path, text, strlen(text), 0644, err);
}

int jobfile_split(const char *spec, char **ret_host, char **ret_guest, struct ktstr_error *err)
{
	const char *colon = strstr(spec, ":/");
	_cleanup_free_ char *host = NULL, *guest = NULL;

	host = colon ? strndup(spec, (size_t)(colon - spec)) : strdup(spec);
	if (!host)
		return ktstr_error_nomem(err);
	if (!*path_base(host))
		return ktstr_error_set(err, -EINVAL, "'%s': no file is named", spec);
	guest = colon ? strdup(colon + 1) : path_format("/files/%s", path_base(host));
	if (!guest)
		return ktstr_error_nomem(err);
	if (strstr(guest, "/../") || !*path_base(guest) || !strcmp(path_base(guest), ".."))
		return ktstr_error_set(err, -EINVAL, "'%s': '%s' is not a guest path of a file",
				       spec, guest);
	*ret_host = take_ptr(host);
	*ret_guest = take_ptr(guest);
	return 0;
}

static int create(const struct jobfile_archive *archive, struct pack **ret_pack,
		  struct ktstr_error *err)
{
	int r = pack_create(archive->path, ret_pack, err);

	if (r == 0)
		pack_leave_out(*ret_pack, archive->image);
	return r;
}

int jobfile_add_file(struct pack *pack, const char *spec, struct ktstr_error *err)
{
	_cleanup_free_ char *host = NULL, *guest = NULL;
	int r = jobfile_split(spec, &host, &guest, err);

	if (r < 0)
		return r;
	r = pack_add(pack, host, guest, err);
	return r < 0 ? ktstr_error_wrap(err, r, "file for the guest") : 0;
}

static int add_payload(struct pack *pack, const struct ktstr_payload *payload, const char *program,
		       struct ktstr_error *err)
{
	_cleanup_free_ char *host = NULL, *guest = NULL;
	int r = payload_find_binary(payload->binary, program, &host, err);

	if (r == 0) {
		guest = path_format(PAYLOAD_GUEST_DIR "/%s", path_base(payload->binary));
		r = guest ? pack_add(pack, host, guest, err) : ktstr_error_nomem(err);
	}
	for (size_t i = 0; r == 0 && i < KTSTR_PAYLOAD_FILES; i++)
		if (payload->files[i])
			r = jobfile_add_file(pack, payload->files[i], err);
	return r < 0 ? ktstr_error_wrap(err, r, "payload '%s'", payload->name) : 0;
}

static int add_test_files(struct pack *pack, const struct ktstr_test *test, const char *program,
			  struct ktstr_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < KTSTR_TEST_PAYLOADS; i++)
		if (test->payloads[i])
			r = add_payload(pack, test->payloads[i], program, err);
	for (size_t i = 0; r == 0 && i < KTSTR_TEST_FILES; i++)
		if (test->files[i])
			r = jobfile_add_file(pack, test->files[i], err);
	return r;
}

int jobfile_pack_test(const struct jobfile_archive *archive, const struct ktstr_entry *entry,
		      const char *program, struct jobfile_packed *ret_packed,
		      struct ktstr_error *err)
{
	_cleanup_pack_ struct pack *pack = NULL;
	_cleanup_free_ char *guest = path_format("/bin/%s", path_base(program)), *scenario = NULL;
	int r;

	if (!guest)
		return ktstr_error_nomem(err);
	r = create(archive, &pack, err);
	if (r == 0)
		r = pack_add_program(pack, program, guest, err);
	if (r == 0)
		r = add_test_files(pack, entry->test, program, err);
	if (r == 0)
		r = scenario_pack(pack,
				  &(struct scenario_pack_opts){ .test = entry->test,
								.program = program,
								.vmlinux = archive->vmlinux },
				  &scenario, err);
	if (r == 0)
		r = pack_finish(pack, &ret_packed->sums, err);
	if (r == 0)
		ret_packed->scenario = take_ptr(scenario);
	return r;
}

int jobfile_describe_test(const struct jobfile_opts *opts, const char *program, const char *test,
			  struct ktstr_error *err)
{
	_cleanup_free_ char *guest = path_format("/bin/%s", path_base(program));
	char topology[KTSTR_TOPOLOGY_TEXT], seed[PROTOCOL_SEED_TEXT];
	struct job job = { .mode = JOB_TEST };

	if (!guest)
		return ktstr_error_nomem(err);
	fill_job(&job, opts, topology);
	add_arg(&job, guest);
	add_arg(&job, PROTOCOL_BODY_OPTION);
	add_arg(&job, test);
	add_arg(&job, seed_format(opts->seed, seed));
	add_arg(&job, perturb_name(opts->perturb));
	return write_job(opts, &job, err);
}

/* Every applet as a link in /bin; busybox itself knows which it has. */
static int add_busybox(struct pack *pack, struct ktstr_error *err)
{
	_cleanup_free_ char *host = path_find_program("busybox", NULL);
	_cleanup_strbuf_ struct strbuf list = STRBUF_INIT;
	char *rest, *name;
	int r;

	if (!host)
		return ktstr_error_set(err, -ENOENT,
				       "busybox is not in PATH; install it: apt install "
				       "busybox-static");
	r = pack_add(pack, host, "/bin/busybox", err);
	if (r == 0)
		r = child_run((const char *const[]){ host, "--list", NULL }, APPLET_LIST_NS, &list,
			      NULL, err);
	if (r != 0)
		return r < 0 ? r : ktstr_error_set(err, -EIO, "'%s --list' failed", host);
	strbuf_addstr(&list, "");
	rest = list.data;
	while (r == 0 && (name = strsep(&rest, "\n"))) {
		_cleanup_free_ char *guest = NULL;

		if (!*name || !strcmp(name, "busybox"))
			continue;
		guest = path_format("/bin/%s", name);
		r = guest ? pack_link(pack, "busybox", guest, err) : ktstr_error_nomem(err);
	}
	return r;
}

int jobfile_pack_guest(const struct jobfile_archive *archive, const char *const *includes,
		       struct pack_sums *ret_sums, struct ktstr_error *err)
{
	_cleanup_pack_ struct pack *pack = NULL;
	int r = create(archive, &pack, err);

	if (r == 0)
		r = add_busybox(pack, err);
	for (size_t i = 0; r == 0 && includes && includes[i]; i++)
		r = jobfile_add_file(pack, includes[i], err);
	return r < 0 ? r : pack_finish(pack, ret_sums, err);
}

int jobfile_describe_guest(const struct jobfile_opts *opts, const struct jobfile_guest *guest,
			   struct ktstr_error *err)
{
	char topology[KTSTR_TOPOLOGY_TEXT];
	struct job job = {
		.mode = guest->argv ? JOB_EXEC : JOB_SHELL,
		.rows = guest->rows,
		.columns = guest->columns,
	};

	fill_job(&job, opts, topology);
	for (size_t i = 0; guest->argv && guest->argv[i]; i++) {
		if (job.argc == PROTOCOL_ARGS_MAX)
			return ktstr_error_set(err, -E2BIG, "more than %d arguments",
					       PROTOCOL_ARGS_MAX);
		add_arg(&job, guest->argv[i]);
	}
	return write_job(opts, &job, err);
}
