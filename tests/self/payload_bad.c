// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Tests for a guest that never starts, as a payload cannot be packed; paths are relative. */
#include <ktstr/test.h>

static void never_runs(struct ktstr *t)
{
	ktstr_note(t, "the body ran");
	EXPECT_TRUE(t, true);
}

#define PACKS(name_, binary_)                                 \
	static const struct ktstr_payload name_##_payload = { \
		.name = #name_,                               \
		.binary = binary_,                            \
	};                                                    \
	KTSTR_TEST(name_) = {                                 \
		.about = "cannot start: " #name_,             \
		.topology = { .cores_per_llc = 1 },           \
		.payloads = { &name_##_payload },             \
		.run = never_runs,                            \
	}

PACKS(missing, "ktstr-no-such-payload");
PACKS(missing_path, "./no/such/file");
PACKS(not_executable, "./not-executable");
PACKS(a_folder, "./folder");
PACKS(library_missing, "./library-missing");

KTSTR_MAIN
