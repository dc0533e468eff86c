// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/intake.h"

#include <string.h>

void intake_init(struct intake *intake, struct evidence *e, intake_record_fn fn, void *arg)
{
	*intake = (struct intake){ .e = e, .fn = fn, .arg = arg };
	frame_parser_init(&intake->parser);
	sha256_init(&intake->hash);
}

void intake_deinit(struct intake *intake)
{
	frame_parser_deinit(&intake->parser);
}

static void take(struct intake *intake, const struct record *record)
{
	if (record->type == RECORD_BYE && !intake->bye_end)
		intake->bye_end = intake->parser.offset + intake->parser.used;
	evidence_add(intake->e, record);
	if (intake->fn)
		intake->fn(intake->arg, record);
}

static int parse(struct intake *intake, const void *bytes, size_t len)
{
	struct ktstr_error err = { 0 };
	struct record record;
	int r = frame_parser_feed(&intake->parser, bytes, len);

	while (r == 0 && (r = frame_parser_next(&intake->parser, &record, &err)) > 0) {
		take(intake, &record);
		r = 0;
	}
	if (r < 0 && !intake->e->damage)
		intake->e->damage = strdup(err.text[0] ? err.text : strerror(-r));
	return r;
}

int intake_feed(struct intake *intake, const void *bytes, size_t len)
{
	uint64_t before = intake->bytes;
	bool farewell_known = intake->bye_end;
	int r = parse(intake, bytes, len);

	intake->bytes += len;
	if (intake->bye_end && !farewell_known)
		len = intake->bye_end > before ? intake->bye_end - before : 0;
	if (!farewell_known)
		sha256_update(&intake->hash, bytes, len);
	return r;
}

void intake_end(struct intake *intake)
{
	struct evidence *e = intake->e;

	if (frame_parser_pending(&intake->parser) && !e->damage)
		e->damage = strdup("the last record is cut off");
	if (intake->bye_end && !e->damage)
		sha256_final_hex(&intake->hash, e->events_sha256);
}
