// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdlib.h>
#include <string.h>

#include "run/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

/* First byte: how large the pieces are. */
static void parse_raw(const uint8_t *data, size_t size)
{
	size_t step = (size_t)data[0] + 1;
	struct frame_parser p;
	struct record record;
	uint64_t seq = 0;
	int r = 0;

	frame_parser_init(&p);
	for (size_t at = 1; at < size && r == 0; at += step) {
		require(frame_parser_feed(&p, data + at, size - at < step ? size - at : step) == 0);
		while ((r = frame_parser_next(&p, &record, NULL)) == 1) {
			require(record.seq == ++seq);
			require(record.payload[record.length] == '\0');
		}
	}
	frame_parser_deinit(&p);
}

/* The bytes as a payload: it must come back unchanged. */
static void round_trip(const uint8_t *data, size_t size)
{
	struct frame frame = { data[0], 1, 2, data + 1, size - 1 };
	struct strbuf out = STRBUF_INIT;
	struct frame_parser p;
	struct record record;

	frame_parser_init(&p);
	if (frame_encode(&frame, &out) == 0) {
		require(frame_renumber(out.data, out.len, 1) == 0);
		require(frame_parser_feed(&p, out.data, out.len) == 0);
		require(frame_parser_next(&p, &record, NULL) == 1);
		require(record.length == size - 1 && record.type == data[0]);
		require(memcmp(record.payload, data + 1, size - 1) == 0);
	}
	frame_parser_deinit(&p);
	strbuf_deinit(&out);
}

/* The bytes as a message of a test body: what is renumbered is a whole frame. */
static void renumber(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size);
	struct frame_parser p;
	struct record record;

	require(copy != NULL);
	memcpy(copy, data, size);
	frame_parser_init(&p);
	if (frame_renumber(copy, size, 1) == 0) {
		require(frame_parser_feed(&p, copy, size) == 0);
		require(frame_parser_next(&p, &record, NULL) == 1);
		require(frame_parser_pending(&p) == 0 && record.type == frame_type(copy));
	}
	frame_parser_deinit(&p);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > 1 << 20)
		return 0;
	parse_raw(data, size);
	round_trip(data, size);
	renumber(data, size);
	return 0;
}
