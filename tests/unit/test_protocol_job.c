// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "run/protocol.h"

static struct ktstr_error err;
static struct job job;

#define LIMITS \
	"\"topology\":\"1n1l1c1t\",\"timeout_ns\":5,\"heartbeat_ns\":6,\"rows\":24,\"columns\":80,"
#define CHANCE \
	"\"seed\":\"00000000000000ff\",\"perturb\":\"light\",\"exact\":true,\"realtime_ns\":0,"
#define STOP  "\"stop_seq\":\"00000000000000000017\","
#define FILES "\"files_bytes\":9,\"files_xxh64\":\"ef46db3751d8e999\"}"
#define REST  LIMITS CHANCE STOP FILES
#define HEAD  "{\"version\":2,\"mode\":\"test\","
#define LISTS "\"argv\":[\"/t\"],\"env\":[\"A=b\"],"
#define GOOD  HEAD LISTS REST

static int decode(const char *text)
{
	memset(&err, 0, sizeof(err));
	return job_decode(text, strlen(text), &job, &err);
}

static void what_is_encoded_is_decoded(void **state)
{
	struct job in = {
		.mode = JOB_SHELL,
		.argv = { (char *)"/bin/t", (char *)"--guest-body", (char *)"\xc3\xa4\n\"" },
		.argc = 3,
		.env = { (char *)"PATH=/bin", (char *)"EMPTY=" },
		.nr_env = 2,
		.topology = (char *)"2n4l4c2t",
		.timeout_ns = INT64_MAX,
		.heartbeat_ns = 250000000,
		.rows = 50,
		.columns = 132,
		.seed = UINT64_MAX,
		.perturb = PERTURB_HEAVY,
		.exact = true,
		.realtime_ns = 1795000000000000001,
		.stop_seq = UINT64_MAX,
		.files_bytes = 512 << 20,
		.files_xxh64 = 0x0123456789abcdef,
		.scenario = (char *)"{\"steps\":[\"\xc3\xa4\"]}",
	};
	char *text = NULL;

	(void)state;
	assert_int_equal(job_encode(&in, &text, &err), 0);
	assert_int_equal(decode(text), 0);
	assert_int_equal(job.mode, JOB_SHELL);
	assert_int_equal(job.argc, 3);
	for (int i = 0; i < 3; i++)
		assert_string_equal(job.argv[i], in.argv[i]);
	assert_null(job.argv[3]);
	assert_int_equal(job.nr_env, 2);
	assert_string_equal(job.env[1], "EMPTY=");
	assert_null(job.env[2]);
	assert_string_equal(job.topology, "2n4l4c2t");
	assert_int_equal(job.timeout_ns, INT64_MAX);
	assert_int_equal(job.heartbeat_ns, 250000000);
	assert_int_equal(job.rows, 50);
	assert_int_equal(job.columns, 132);
	assert_int_equal(job.seed, UINT64_MAX);
	assert_int_equal(job.perturb, PERTURB_HEAVY);
	assert_true(job.exact);
	assert_int_equal(job.realtime_ns, 1795000000000000001);
	assert_int_equal(job.stop_seq, UINT64_MAX);
	assert_int_equal(job.files_bytes, 512 << 20);
	assert_int_equal(job.files_xxh64, 0x0123456789abcdef);
	assert_string_equal(job.scenario, in.scenario);
	job_deinit(&job);
	free(text);
}

static void most_jobs_have_no_scenario(void **state)
{
	const struct job in = { .mode = JOB_SHELL };
	char *text = NULL;

	(void)state;
	assert_int_equal(job_encode(&in, &text, &err), 0);
	assert_null(strstr(text, "scenario"));
	assert_int_equal(decode(text), 0);
	assert_null(job.scenario);
	job_deinit(&job);
	free(text);
}

static void a_full_list_is_still_terminated(void **state)
{
	struct job in = { .mode = JOB_EXEC, .argc = PROTOCOL_ARGS_MAX };
	char *text = NULL;

	(void)state;
	for (int i = 0; i < PROTOCOL_ARGS_MAX; i++)
		in.argv[i] = (char *)"x";
	assert_int_equal(job_encode(&in, &text, &err), 0);
	assert_int_equal(decode(text), 0);
	assert_int_equal(job.argc, PROTOCOL_ARGS_MAX);
	assert_null(job.argv[PROTOCOL_ARGS_MAX]);
	job_deinit(&job);
	free(text);
}

static void refuse_encode(const struct job *in, int code, const char *why)
{
	char *text = NULL;

	assert_int_equal(job_encode(in, &text, &err), code);
	assert_null(text);
	assert_non_null(strstr(err.text, why));
}

static void jobs_that_cannot_be_written_are_refused(void **state)
{
	static char large[PROTOCOL_JOB_JSON_MAX];

	(void)state;
	memset(large, 'x', sizeof(large) - 1);
	refuse_encode(&(struct job){ .argc = 1, .argv = { (char *)"\xff" } }, -EINVAL,
		      "'argv' entry 0");
	refuse_encode(&(struct job){ .argc = 1,
				     .argv = { (char *)"x" },
				     .nr_env = 1,
				     .env = { (char *)"A=\xff" } },
		      -EINVAL, "'env' entry 0");
	refuse_encode(&(struct job){ .mode = JOB_EXEC }, -EINVAL, "'argv' is empty");
	refuse_encode(&(struct job){ .mode = (enum job_mode)9 }, -EINVAL, "no mode 9");
	refuse_encode(&(struct job){ .mode = JOB_SHELL, .perturb = (enum perturb)3 }, -EINVAL,
		      "no perturbation 3");
	refuse_encode(&(struct job){ .mode = JOB_SHELL, .realtime_ns = UINT64_MAX }, -EINVAL,
		      "realtime_ns");
	refuse_encode(&(struct job){ .mode = JOB_SHELL, .timeout_ns = UINT64_MAX }, -EINVAL,
		      "timeout_ns");
	refuse_encode(&(struct job){ .mode = JOB_SHELL, .topology = (char *)"\xff" }, -EINVAL,
		      "topology");
	refuse_encode(&(struct job){ .argc = 1, .argv = { large } }, -E2BIG, "at most");
	refuse_encode(&(struct job){ .argc = PROTOCOL_ARGS_MAX + 1 }, -E2BIG, "'argv'");
}

static const struct refused {
	const char *text;
	int code;
	const char *why;
} refused[] = {
	{ "", -EINVAL, "line" },
	{ "[]", -EINVAL, "no JSON object" },
	{ "{}", -EINVAL, "version" },
	{ GOOD "x", -EINVAL, "line" },
	{ "{\"version\":1,\"mode\":\"test\"}", -EPROTO, "version 1" },
	{ "{\"version\":2.0}", -EINVAL, "version" },
	{ "{\"version\":2,\"mode\":\"dance\"}", -EINVAL, "'mode'" },
	{ "{\"version\":2,\"mode\":7}", -EINVAL, "'mode'" },
	{ HEAD "\"env\":[]," REST, -EINVAL, "'argv' is no list" },
	{ HEAD "\"argv\":\"x\",\"env\":[]," REST, -EINVAL, "'argv' is no list" },
	{ HEAD "\"argv\":[\"x\",1],\"env\":[]," REST, -EINVAL, "'argv' entry 1" },
	{ HEAD "\"argv\":[],\"env\":[]," REST, -EINVAL, "'argv' is empty" },
	{ HEAD "\"argv\":[\"x\\u0000y\"],\"env\":[]," REST, -EINVAL, "line" },
	{ HEAD "\"argv\":[\"x\"],\"env\":[null]," REST, -EINVAL, "'env' entry 0" },
	{ HEAD "\"argv\":[\"x\"],\"argv\":[\"x\"],\"env\":[]," REST, -EINVAL, "duplicate" },
	{ HEAD "\"more\":1,\"argv\":[\"x\"],\"env\":[]," REST, -EINVAL, "unknown keys" },
	{ HEAD "\"argv\":[\"x\"],\"env\":[],\"topology\":\"\",\"timeout_ns\":-1}", -EINVAL,
	  "'timeout_ns'" },
	{ HEAD "\"argv\":[\"x\"],\"env\":[],\"topology\":\"\",\"timeout_ns\":1.5}", -EINVAL,
	  "'timeout_ns'" },
	{ HEAD "\"argv\":[\"x\"],\"env\":[],\"topology\":null,\"timeout_ns\":1}", -EINVAL,
	  "'topology'" },
	{ HEAD "\"argv\":[\"x\"],\"env\":[],\"topology\":\"\",\"timeout_ns\":1,"
	       "\"heartbeat_ns\":1,\"rows\":65536,\"columns\":1}",
	  -EINVAL, "'rows'" },
	{ HEAD LISTS LIMITS "\"seed\":255}", -EINVAL, "'seed'" },
	{ HEAD LISTS LIMITS "\"seed\":\"ff\"}", -EINVAL, "'seed'" },
	{ HEAD LISTS LIMITS "\"seed\":\"00000000000000FF\"}", -EINVAL, "'seed'" },
	{ HEAD LISTS LIMITS "\"seed\":\"00000000000000ff\",\"perturb\":\"some\"}", -EINVAL,
	  "'perturb'" },
	{ HEAD LISTS LIMITS "\"seed\":\"00000000000000ff\",\"perturb\":\"off\",\"exact\":1}",
	  -EINVAL, "'exact'" },
	{ HEAD LISTS LIMITS CHANCE "\"stop_seq\":17}", -EINVAL, "'stop_seq'" },
	{ HEAD LISTS LIMITS CHANCE "\"stop_seq\":\"17\"}", -EINVAL, "'stop_seq'" },
	{ HEAD LISTS LIMITS CHANCE "\"stop_seq\":\"99999999999999999999\"}", -EINVAL,
	  "'stop_seq'" },
	{ HEAD LISTS LIMITS CHANCE STOP "\"files_bytes\":-1}", -EINVAL, "'files_bytes'" },
	{ HEAD LISTS LIMITS CHANCE STOP "\"files_bytes\":1}", -EINVAL, "'files_xxh64'" },
	{ HEAD LISTS LIMITS CHANCE STOP "\"scenario\":1," FILES, -EINVAL, "'scenario'" },
	{ HEAD LISTS LIMITS CHANCE STOP "\"else\":\"x\"," FILES, -EINVAL, "unknown keys" },
	{ HEAD LISTS LIMITS CHANCE STOP "\"else\":1,\"scenario\":\"x\"," FILES, -EINVAL,
	  "unknown keys" },
};

static void bad_jobs_are_refused_with_the_reason(void **state)
{
	(void)state;
	assert_int_equal(decode(GOOD), 0);
	assert_string_equal(job.argv[0], "/t");
	job_deinit(&job);
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		assert_int_equal(decode(refused[i].text), refused[i].code);
		if (!strstr(err.text, refused[i].why))
			fail_msg("'%s' gave '%s'", refused[i].text, err.text);
		assert_int_equal(job.argc, 0);
	}
}

static void too_many_and_too_long_are_refused(void **state)
{
	struct strbuf text = STRBUF_INIT;

	(void)state;
	strbuf_addstr(&text, HEAD "\"argv\":[\"0\"");
	for (int i = 1; i <= PROTOCOL_ARGS_MAX; i++)
		strbuf_addf(&text, ",\"%d\"", i);
	strbuf_addstr(&text, "],\"env\":[]," REST);
	assert_int_equal(decode(strbuf_str(&text)), -E2BIG);
	strbuf_clear(&text);
	strbuf_addstr(&text, GOOD);
	while (text.len <= PROTOCOL_JOB_JSON_MAX)
		strbuf_addch(&text, ' ');
	assert_int_equal(decode(strbuf_str(&text)), -E2BIG);
	strbuf_deinit(&text);
}

static void words_of_chance_are_read_as_written(void **state)
{
	char text[PROTOCOL_SEED_TEXT];
	enum perturb perturb;
	uint64_t seed;

	(void)state;
	assert_string_equal(seed_format(0xabc, text), "0000000000000abc");
	assert_int_equal(seed_parse(text, &seed), 0);
	assert_int_equal(seed, 0xabc);
	assert_int_equal(seed_parse("0000000000000abc0", &seed), -EINVAL);
	assert_int_equal(seed_parse("0x00000000000abc", &seed), -EINVAL);
	for (enum perturb p = PERTURB_OFF; p <= PERTURB_HEAVY; p++) {
		assert_int_equal(perturb_parse(perturb_name(p), &perturb), 0);
		assert_int_equal(perturb, p);
	}
	assert_int_equal(perturb_parse("", &perturb), -EINVAL);
	assert_string_equal(perturb_name((enum perturb)3), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_encoded_is_decoded),
		cmocka_unit_test(most_jobs_have_no_scenario),
		cmocka_unit_test(a_full_list_is_still_terminated),
		cmocka_unit_test(jobs_that_cannot_be_written_are_refused),
		cmocka_unit_test(bad_jobs_are_refused_with_the_reason),
		cmocka_unit_test(too_many_and_too_long_are_refused),
		cmocka_unit_test(words_of_chance_are_read_as_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
