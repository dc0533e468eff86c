// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/sha256.h"

/* From FIPS 180-4's examples and `sha256sum`. */
static const struct {
	size_t repeat;
	const char *text, *hex;
} vectors[] = {
	{ 1, "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	{ 1, "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
	{ 1, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	{ 1000000, "a", "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0" },
	{ 55, "x", "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072" },
	{ 64, "x", "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c" },
};

static void vectors_match(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct sha256 s;
		char hex[SHA256_HEX];

		sha256_init(&s);
		for (size_t n = 0; n < vectors[i].repeat; n++)
			sha256_update(&s, vectors[i].text, strlen(vectors[i].text));
		sha256_final_hex(&s, hex);
		assert_string_equal(hex, vectors[i].hex);
	}
}

static void cuts_do_not_matter(void **state)
{
	char bytes[1000], whole[SHA256_HEX], cut[SHA256_HEX];
	struct sha256 s;

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char)(i * 7);
	sha256_init(&s);
	sha256_update(&s, bytes, sizeof(bytes));
	sha256_final_hex(&s, whole);
	for (size_t at = 0; at <= sizeof(bytes); at += 37) {
		sha256_init(&s);
		sha256_update(&s, bytes, at);
		sha256_update(&s, bytes + at, sizeof(bytes) - at);
		sha256_final_hex(&s, cut);
		assert_string_equal(cut, whole);
	}
}

static void a_file_is_read_from_its_beginning(void **state)
{
	int fd = memfd_create("sha256", MFD_CLOEXEC);
	char hex[SHA256_HEX];

	(void)state;
	assert_int_equal(write(fd, "abc", 3), 3);
	assert_int_equal(sha256_fd_hex(fd, hex), 0);
	assert_string_equal(hex, vectors[1].hex);
	close(fd);
	assert_true(sha256_fd_hex(fd, hex) < 0);
}

static bool cpu_says(const char *flag)
{
	struct strbuf text = STRBUF_INIT;
	bool says =
		io_read_file("/proc/cpuinfo", &text, NULL) == 0 && strstr(strbuf_str(&text), flag);

	strbuf_deinit(&text);
	return says;
}

static void both_ways_agree(void **state)
{
	uint32_t in_c[8] = { 1, 0x80000002, 3, 0xffffffff, 5, 6, 0x12345678, 8 }, by_cpu[8];
	uint8_t blocks[64 * 9];

	(void)state;
	if (!sha256_x86_usable()) {
		assert_false(cpu_says(" sha_ni"));
		print_message("needs a CPU with the SHA extensions\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(blocks); i++)
		blocks[i] = (uint8_t)(i * 31 ^ i >> 3);
	for (size_t nr = 0; nr <= 9; nr++) {
		memcpy(by_cpu, in_c, sizeof(by_cpu));
		sha256_blocks(in_c, blocks, nr);
		sha256_x86_blocks(by_cpu, blocks, nr, sha256_constants);
		assert_memory_equal(by_cpu, in_c, sizeof(in_c));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_match),
		cmocka_unit_test(cuts_do_not_matter),
		cmocka_unit_test(a_file_is_read_from_its_beginning),
		cmocka_unit_test(both_ways_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
