/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * test.h - all that a test author includes.
 *
 *	KTSTR_TEST(nobody_is_lost) = {
 *		.about = "what holds, as a sentence",
 *		.topology = { .llcs = 2, .cores_per_llc = 2 },
 *		.run = body,
 *	};
 *	KTSTR_MAIN
 *
 * The macro is the head of an ordinary initialiser.  Every zero field means "default"; an unused
 * tail of a list is zero.  A test program is host runner and guest body in one file: started by a
 * user it boots one VM per test and judges; started by the guest agent it runs one body.
 *
 * Bodies are void functions.  EXPECT_x records and goes on; ASSERT_x returns from the function, so
 * scope guards still run.  The order of arguments is (t, actual, bound).  Signed and unsigned
 * numbers compare by value.  A struct ktstr belongs to the thread that runs the body.
 *
 * Verdicts: PASS; FAIL (a check did not hold, the body crashed, the guest panicked, hung or ran
 * out of time); UNDECIDED (the evidence cannot settle it); SKIP (a need is not met); ERROR (the
 * harness, the VM or the set-up broke).
 */
#ifndef KTSTR_TEST_H
#define KTSTR_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <ktstr/api.h>
#include <ktstr/error.h>
#include <ktstr/payload.h>
#include <ktstr/scenario.h>
#include <ktstr/topology.h>

enum {
	KTSTR_TEST_PAYLOADS = 8,
	KTSTR_TEST_KCONFIGS = 8,
	KTSTR_TEST_FILES = 8,
	KTSTR_TEST_NAME = 64, /* bytes of a test's name, terminator included */
	KTSTR_TEST_ABI = 2
};

enum ktstr_verdict { KTSTR_PASS, KTSTR_SKIP, KTSTR_UNDECIDED, KTSTR_FAIL, KTSTR_ERROR };

/* What must be there; else the verdict is SKIP, naming the first need that is not met. */
struct ktstr_needs {
	const char *kconfigs[KTSTR_TEST_KCONFIGS]; /* "SCHED_CLASS_EXT": =y or =m */
	bool sched_ext;				   /* the kernel offers sched_ext */
	bool root;				   /* host_only tests: run by root */
	uint32_t kernel_major, kernel_minor;	   /* at least this version; 0: any */
};

struct ktstr_test {
	const char *about; /* one sentence: what holds */
	struct ktstr_topology topology;
	struct ktstr_needs needs;
	const struct ktstr_payload *payloads[KTSTR_TEST_PAYLOADS];
	const char *files[KTSTR_TEST_FILES]; /* more host files, as in struct ktstr_payload */
	uint64_t memory_bytes;		     /* 0: enough for the topology and the files */
	const char *kernel_args; /* more words for the guest kernel's command line, such as
				  * "isolcpus=1"; ktstr_kernel_args_check() says which */
	uint64_t timeout_ns;	 /* of the body; 0: 60 s and what its scenario takes */
	bool host_only;		 /* run the body on this machine, without a VM */
	const struct ktstr_scheduler *scheduler; /* NULL: the kernel's own */
	const struct ktstr_scenario *scenario;	 /* driven before the body is run; then a test needs
						  * no body */
	void (*run)(struct ktstr *t);
};

/* What KTSTR_TEST() registers. */
struct ktstr_entry {
	uint32_t abi;
	uint32_t test_size;
	const char *name;
	const char *file;
	uint32_t line;
	uint32_t reserved;
	const struct ktstr_test *test;
};

#if defined(__has_attribute) && __has_attribute(retain)
#define KTSTR_RETAIN retain,
#else
#define KTSTR_RETAIN
#endif
#ifdef __clang__
#define KTSTR_NOASAN no_sanitize("address"),
#else
#define KTSTR_NOASAN
#endif

#define KTSTR_TEST(name_)                                                                     \
	extern const struct ktstr_test ktstr_test_##name_;                                    \
	static const struct ktstr_entry ktstr_entry_##name_ = {                               \
		KTSTR_TEST_ABI,	    sizeof(struct ktstr_test), #name_, __FILE__, __LINE__, 0, \
		&ktstr_test_##name_                                                           \
	};                                                                                    \
	__attribute__((KTSTR_RETAIN KTSTR_NOASAN used,                                        \
		       section("ktstr_tests"))) static const struct ktstr_entry               \
		*const ktstr_slot_##name_ = &ktstr_entry_##name_;                             \
	const struct ktstr_test ktstr_test_##name_

/* The section's bounds belong to the program that is linked, so KTSTR_MAIN hands them in. */
#define KTSTR_MAIN                                                                      \
	extern const struct ktstr_entry *const __start_ktstr_tests[]                    \
		__attribute__((weak, visibility("hidden")));                            \
	extern const struct ktstr_entry *const __stop_ktstr_tests[]                     \
		__attribute__((weak, visibility("hidden")));                            \
	int main(int argc, char **argv)                                                 \
	{                                                                               \
		return ktstr_main(argc, argv, __start_ktstr_tests, __stop_ktstr_tests); \
	}

/**
 * ktstr_main() - the whole program behind KTSTR_MAIN.
 * @argc:	of main()
 * @argv:	of main()
 * @first:	first registered test
 * @end:	one behind the last
 *
 * Return: enum ktstr_exit.
 */
KTSTR_API int ktstr_main(int argc, char **argv, const struct ktstr_entry *const *first,
			 const struct ktstr_entry *const *end);

#define NSECS(n) ((uint64_t)(n))
#define USECS(n) (NSECS(n) * 1000)
#define MSECS(n) (USECS(n) * 1000)
#define SECS(n)	 (MSECS(n) * 1000)
#define KIB(n)	 ((uint64_t)(n) << 10)
#define MIB(n)	 ((uint64_t)(n) << 20)
#define GIB(n)	 ((uint64_t)(n) << 30)

enum ktstr_value_kind { KTSTR_VALUE_I64, KTSTR_VALUE_U64, KTSTR_VALUE_F64, KTSTR_VALUE_PTR };

struct ktstr_value {
	enum ktstr_value_kind kind;
	union {
		int64_t i;
		uint64_t u;
		double f;
		const void *p;
	};
};

static inline struct ktstr_value ktstr_value_i64(int64_t v)
{
	return (struct ktstr_value){ KTSTR_VALUE_I64, { .i = v } };
}

static inline struct ktstr_value ktstr_value_u64(uint64_t v)
{
	return (struct ktstr_value){ KTSTR_VALUE_U64, { .u = v } };
}

static inline struct ktstr_value ktstr_value_f64(double v)
{
	return (struct ktstr_value){ KTSTR_VALUE_F64, { .f = v } };
}

static inline struct ktstr_value ktstr_value_ptr(const void *v)
{
	return (struct ktstr_value){ KTSTR_VALUE_PTR, { .p = v } };
}

#define KTSTR_VALUE(x)                                 \
	_Generic((x), bool                             \
		 : ktstr_value_u64, char               \
		 : ktstr_value_i64, signed char        \
		 : ktstr_value_i64, short              \
		 : ktstr_value_i64, int                \
		 : ktstr_value_i64, long               \
		 : ktstr_value_i64, long long          \
		 : ktstr_value_i64, unsigned char      \
		 : ktstr_value_u64, unsigned short     \
		 : ktstr_value_u64, unsigned int       \
		 : ktstr_value_u64, unsigned long      \
		 : ktstr_value_u64, unsigned long long \
		 : ktstr_value_u64, float              \
		 : ktstr_value_f64, double             \
		 : ktstr_value_f64, default            \
		 : ktstr_value_ptr)(x)

enum ktstr_op { KTSTR_EQ, KTSTR_NE, KTSTR_LT, KTSTR_LE, KTSTR_GT, KTSTR_GE };

/* Where an assertion stands and how it was written. */
struct ktstr_site {
	const char *file;
	uint32_t line;
	uint32_t reserved;
	const char *actual_text;
	const char *bound_text;
};

#define KTSTR_SITE(a, b) (&(const struct ktstr_site){ __FILE__, __LINE__, 0, a, b })

/**
 * ktstr_expect() - compare two numbers or pointers; behind EXPECT_EQ and its kin.
 * @t:		the running test
 * @site:	where and how it was written
 * @actual:	what was seen
 * @op:		relation that must hold
 * @bound:	what it is compared with
 *
 * Return: true if it holds; false for NaN, which is no value and so not even unequal to one.
 * Either way both values are recorded.
 */
KTSTR_API bool ktstr_expect(struct ktstr *t, const struct ktstr_site *site,
			    struct ktstr_value actual, enum ktstr_op op, struct ktstr_value bound);

/**
 * ktstr_expect_true() - a condition; behind EXPECT_TRUE and EXPECT_FALSE.
 * @t:		the running test
 * @site:	where and how it was written
 * @actual:	the condition
 * @wanted:	what it must be
 *
 * Return: true if they are equal.
 */
KTSTR_API bool ktstr_expect_true(struct ktstr *t, const struct ktstr_site *site, bool actual,
				 bool wanted);

/**
 * ktstr_expect_streq() - two strings; NULL equals only NULL.
 * @t:		the running test
 * @site:	where and how it was written
 * @actual:	what was seen
 * @bound:	what it must be
 *
 * Return: true if they are equal.
 */
KTSTR_API bool ktstr_expect_streq(struct ktstr *t, const struct ktstr_site *site,
				  const char *actual, const char *bound);

/**
 * ktstr_expect_ok() - a call that returns a negative errno when it fails.
 * @t:		the running test
 * @site:	where and how it was written
 * @result:	0 or more is success
 *
 * If the failed call was one of this library's that took @t, the verdict is ERROR with its text;
 * else FAIL with strerror().
 *
 * Return: true on success.
 */
KTSTR_API bool ktstr_expect_ok(struct ktstr *t, const struct ktstr_site *site, long result);

/**
 * ktstr_expect_err() - a call that must fail in one way.
 * @t:		the running test
 * @site:	where and how it was written
 * @result:	what it returned
 * @wanted:	negative errno
 *
 * Return: true if they are equal.
 */
KTSTR_API bool ktstr_expect_err(struct ktstr *t, const struct ktstr_site *site, long result,
				long wanted);

/**
 * ktstr_expect_near() - two numbers at most @tolerance apart.
 * @t:		the running test
 * @site:	where and how it was written
 * @actual:	what was seen
 * @bound:	what it is compared with
 * @tolerance:	largest allowed distance, 0 or more
 *
 * Return: true if they are that near; false for NaN.
 */
KTSTR_API bool ktstr_expect_near(struct ktstr *t, const struct ktstr_site *site, double actual,
				 double bound, double tolerance);

/**
 * ktstr_fail_at() - record a failure in the caller's words; behind KTSTR_FAIL.
 * @t:		the running test
 * @site:	where
 * @fmt:	expected, seen, and the likely causes
 */
KTSTR_API void ktstr_fail_at(struct ktstr *t, const struct ktstr_site *site, const char *fmt, ...)
	KTSTR_PRINTF(3, 4);

/**
 * ktstr_skip() - say that a need is not met; return from the body afterwards.
 * @t:		the running test
 * @fmt:	the need, and what would meet it
 */
KTSTR_API void ktstr_skip(struct ktstr *t, const char *fmt, ...) KTSTR_PRINTF(2, 3);

/**
 * ktstr_undecided() - say that the evidence cannot settle the test, and why.
 * @t:		the running test
 * @fmt:	the reason
 */
KTSTR_API void ktstr_undecided(struct ktstr *t, const char *fmt, ...) KTSTR_PRINTF(2, 3);

/**
 * ktstr_note() - attach one line to the result, whatever the verdict.
 * @t:		the running test
 * @fmt:	the line, without newline
 */
KTSTR_API void ktstr_note(struct ktstr *t, const char *fmt, ...) KTSTR_PRINTF(2, 3);

/**
 * ktstr_measured() - attach a measured value to the result.
 * @t:		the running test
 * @name:	e.g. "allocated_bytes"; unit in the name
 * @value:	the value; NaN is refused with an ERROR, as a missing reading is not a value
 * @unit:	"B", "ns", "", ...
 */
KTSTR_API void ktstr_measured(struct ktstr *t, const char *name, double value, const char *unit);

/**
 * ktstr_seed() - the seed of this run, from which all its chance comes.
 * @t:		the running test
 *
 * Return: what --seed said.
 */
KTSTR_API uint64_t ktstr_seed(const struct ktstr *t);

/**
 * ktstr_random_u64() - the next random number for the workload.
 * @t:		the running test
 *
 * A function of the seed and of how many numbers the test drew before; the same on every machine.
 * Not for secrets.
 *
 * Return: any 64-bit number, each equally likely.
 */
KTSTR_API uint64_t ktstr_random_u64(struct ktstr *t);

/**
 * ktstr_random_below() - the same within a range.
 * @t:		the running test
 * @n:		how many numbers there are to choose from
 *
 * Return: 0 to @n - 1, each equally likely; 0 if @n is 0.
 */
KTSTR_API uint64_t ktstr_random_below(struct ktstr *t, uint64_t n);

/**
 * ktstr_verdict_name() - the word for a verdict.
 * @verdict:	any
 *
 * Return: "PASS", "SKIP", "UNDECIDED", "FAIL" or "ERROR".
 */
KTSTR_API const char *ktstr_verdict_name(enum ktstr_verdict verdict);

#define KTSTR_STOP_UNLESS(x)    \
	do {                    \
		if (!(x))       \
			return; \
	} while (0)

#define KTSTR_COMPARE(t, site, a, op, b) ktstr_expect(t, site, KTSTR_VALUE(a), op, KTSTR_VALUE(b))

#ifndef KTSTR_NO_SHORT_NAMES
/* Each spells its arguments itself: one macro calling another would show them expanded. */
#define EXPECT_EQ(t, a, b) KTSTR_COMPARE(t, KTSTR_SITE(#a, #b), a, KTSTR_EQ, b)
#define EXPECT_NE(t, a, b) KTSTR_COMPARE(t, KTSTR_SITE(#a, #b), a, KTSTR_NE, b)
#define EXPECT_LT(t, a, b) KTSTR_COMPARE(t, KTSTR_SITE(#a, #b), a, KTSTR_LT, b)
#define EXPECT_LE(t, a, b) KTSTR_COMPARE(t, KTSTR_SITE(#a, #b), a, KTSTR_LE, b)
#define EXPECT_GT(t, a, b) KTSTR_COMPARE(t, KTSTR_SITE(#a, #b), a, KTSTR_GT, b)
#define EXPECT_GE(t, a, b) KTSTR_COMPARE(t, KTSTR_SITE(#a, #b), a, KTSTR_GE, b)
#define EXPECT_TRUE(t, x)  ktstr_expect_true(t, KTSTR_SITE(#x, "true"), !!(x), true)
#define EXPECT_FALSE(t, x) ktstr_expect_true(t, KTSTR_SITE(#x, "false"), !!(x), false)
#define EXPECT_NULL(t, p) \
	KTSTR_COMPARE(t, KTSTR_SITE(#p, "NULL"), (const void *)(p), KTSTR_EQ, (const void *)NULL)
#define EXPECT_NOT_NULL(t, p) \
	KTSTR_COMPARE(t, KTSTR_SITE(#p, "NULL"), (const void *)(p), KTSTR_NE, (const void *)NULL)
#define EXPECT_STREQ(t, a, b)	  ktstr_expect_streq(t, KTSTR_SITE(#a, #b), a, b)
#define EXPECT_OK(t, r)		  ktstr_expect_ok(t, KTSTR_SITE(#r, ""), r)
#define EXPECT_ERR(t, r, e)	  ktstr_expect_err(t, KTSTR_SITE(#r, #e), r, e)
#define EXPECT_NEAR(t, a, b, tol) ktstr_expect_near(t, KTSTR_SITE(#a, #b), a, b, tol)

#define ASSERT_EQ(t, a, b) KTSTR_STOP_UNLESS(KTSTR_COMPARE(t, KTSTR_SITE(#a, #b), a, KTSTR_EQ, b))
#define ASSERT_NE(t, a, b) KTSTR_STOP_UNLESS(KTSTR_COMPARE(t, KTSTR_SITE(#a, #b), a, KTSTR_NE, b))
#define ASSERT_LT(t, a, b) KTSTR_STOP_UNLESS(KTSTR_COMPARE(t, KTSTR_SITE(#a, #b), a, KTSTR_LT, b))
#define ASSERT_LE(t, a, b) KTSTR_STOP_UNLESS(KTSTR_COMPARE(t, KTSTR_SITE(#a, #b), a, KTSTR_LE, b))
#define ASSERT_GT(t, a, b) KTSTR_STOP_UNLESS(KTSTR_COMPARE(t, KTSTR_SITE(#a, #b), a, KTSTR_GT, b))
#define ASSERT_GE(t, a, b) KTSTR_STOP_UNLESS(KTSTR_COMPARE(t, KTSTR_SITE(#a, #b), a, KTSTR_GE, b))
#define ASSERT_TRUE(t, x) \
	KTSTR_STOP_UNLESS(ktstr_expect_true(t, KTSTR_SITE(#x, "true"), !!(x), true))
#define ASSERT_FALSE(t, x) \
	KTSTR_STOP_UNLESS(ktstr_expect_true(t, KTSTR_SITE(#x, "false"), !!(x), false))
#define ASSERT_NULL(t, p)                                                                       \
	KTSTR_STOP_UNLESS(KTSTR_COMPARE(t, KTSTR_SITE(#p, "NULL"), (const void *)(p), KTSTR_EQ, \
					(const void *)NULL))
#define ASSERT_NOT_NULL(t, p)                                                                   \
	KTSTR_STOP_UNLESS(KTSTR_COMPARE(t, KTSTR_SITE(#p, "NULL"), (const void *)(p), KTSTR_NE, \
					(const void *)NULL))
#define ASSERT_STREQ(t, a, b) KTSTR_STOP_UNLESS(ktstr_expect_streq(t, KTSTR_SITE(#a, #b), a, b))
#define ASSERT_OK(t, r)	      KTSTR_STOP_UNLESS(ktstr_expect_ok(t, KTSTR_SITE(#r, ""), r))
#define ASSERT_ERR(t, r, e)   KTSTR_STOP_UNLESS(ktstr_expect_err(t, KTSTR_SITE(#r, #e), r, e))
#define ASSERT_NEAR(t, a, b, tol) \
	KTSTR_STOP_UNLESS(ktstr_expect_near(t, KTSTR_SITE(#a, #b), a, b, tol))

#define KTSTR_FAIL_NOW(t, ...)                                     \
	do {                                                       \
		ktstr_fail_at(t, KTSTR_SITE("", ""), __VA_ARGS__); \
		return;                                            \
	} while (0)
#endif

#endif
