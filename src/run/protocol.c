// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/protocol.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/crc32.h"

static const char *const type_names[RECORD_TYPES] = {
	[RECORD_HELLO] = "HELLO",     [RECORD_SHAPE] = "SHAPE",
	[RECORD_STARTED] = "STARTED", [RECORD_HEARTBEAT] = "HEARTBEAT",
	[RECORD_OUTPUT] = "OUTPUT",   [RECORD_CHECK] = "CHECK",
	[RECORD_NOTE] = "NOTE",	      [RECORD_VALUE] = "VALUE",
	[RECORD_SKIP] = "SKIP",	      [RECORD_UNDECIDED] = "UNDECIDED",
	[RECORD_PAYLOAD] = "PAYLOAD", [RECORD_CRASH] = "CRASH",
	[RECORD_DONE] = "DONE",	      [RECORD_BODY_END] = "BODY_END",
	[RECORD_TIMEOUT] = "TIMEOUT", [RECORD_ERROR] = "ERROR",
	[RECORD_BYE] = "BYE",	      [RECORD_SCENARIO] = "SCENARIO",
};

struct header {
	uint32_t magic;
	uint16_t type;
	uint16_t flags;
	uint32_t length;
	uint32_t crc;
	uint64_t seq;
	uint64_t time_ns;
};
_Static_assert(sizeof(struct header) == PROTOCOL_HEADER_BYTES, "the header has no padding");

const char *record_type_name(enum record_type type)
{
	if ((unsigned int)type >= RECORD_TYPES || !type_names[type])
		return "?";
	return type_names[type];
}

bool record_from_body(enum record_type type)
{
	switch (type) {
	case RECORD_CHECK:
	case RECORD_NOTE:
	case RECORD_VALUE:
	case RECORD_SKIP:
	case RECORD_UNDECIDED:
	case RECORD_PAYLOAD:
	case RECORD_CRASH:
	case RECORD_DONE:
	case RECORD_ERROR:
	case RECORD_SCENARIO:
		return true;
	default:
		return false;
	}
}

static struct header header_get(const void *bytes)
{
	struct header h;

	memcpy(&h, bytes, sizeof(h));
	return (struct header){
		.magic = le32toh(h.magic),
		.type = le16toh(h.type),
		.flags = le16toh(h.flags),
		.length = le32toh(h.length),
		.crc = le32toh(h.crc),
		.seq = le64toh(h.seq),
		.time_ns = le64toh(h.time_ns),
	};
}

void frame_put_header(uint8_t out[PROTOCOL_HEADER_BYTES], const struct frame *frame)
{
	struct header h = {
		.magic = htole32(PROTOCOL_MAGIC),
		.type = htole16((uint16_t)frame->type),
		.length = htole32((uint32_t)frame->length),
		.crc = htole32(crc32_update(0, frame->payload, frame->length)),
		.seq = htole64(frame->seq),
		.time_ns = htole64(frame->time_ns),
	};

	memcpy(out, &h, sizeof(h));
}

int frame_encode(const struct frame *frame, struct strbuf *out)
{
	uint8_t header[PROTOCOL_HEADER_BYTES];

	if (frame->type < RECORD_HELLO || frame->type >= RECORD_TYPES)
		return -EINVAL;
	if (frame->length > PROTOCOL_PAYLOAD_MAX)
		return -E2BIG;
	frame_put_header(header, frame);
	strbuf_clear(out);
	strbuf_add(out, header, sizeof(header));
	strbuf_add(out, frame->payload, frame->length);
	return out->error;
}

/* What is wrong with a header; NULL if nothing is. */
static const char *header_fault(const struct header *h)
{
	if (h->magic != PROTOCOL_MAGIC)
		return "no frame starts there";
	if (h->type < RECORD_HELLO || h->type >= RECORD_TYPES)
		return "no such record type";
	if (h->flags)
		return "flags are set";
	if (h->length > PROTOCOL_PAYLOAD_MAX)
		return "the payload is over the limit";
	return NULL;
}

int frame_renumber(void *bytes, size_t size, uint64_t seq)
{
	uint8_t *p = bytes;
	struct header h;

	if (size < sizeof(h))
		return -EBADMSG;
	h = header_get(p);
	if (header_fault(&h) || h.length != size - sizeof(h))
		return -EBADMSG;
	frame_put_header(p, &(struct frame){ .type = h.type,
					     .seq = seq,
					     .time_ns = h.time_ns,
					     .payload = p + sizeof(h),
					     .length = h.length });
	return 0;
}

enum record_type frame_type(const void *bytes)
{
	return header_get(bytes).type;
}

void frame_parser_init(struct frame_parser *p)
{
	*p = (struct frame_parser){
		.pending = STRBUF_INIT,
		.payload = STRBUF_INIT_LIMIT(PROTOCOL_PAYLOAD_MAX),
		.next_seq = 1,
	};
}

void frame_parser_deinit(struct frame_parser *p)
{
	strbuf_deinit(&p->pending);
	strbuf_deinit(&p->payload);
}

int frame_parser_feed(struct frame_parser *p, const void *bytes, size_t len)
{
	strbuf_consume(&p->pending, p->used);
	p->offset += p->used;
	p->used = 0;
	strbuf_add(&p->pending, bytes, len);
	return p->pending.error;
}

size_t frame_parser_pending(const struct frame_parser *p)
{
	return p->pending.len - p->used;
}

static int damaged(const struct frame_parser *p, const char *fault, struct ktstr_error *err)
{
	return ktstr_error_set(err, -EBADMSG, "record %llu, byte %llu: damaged: %s",
			       (unsigned long long)p->next_seq,
			       (unsigned long long)(p->offset + p->used), fault);
}

int frame_parser_next(struct frame_parser *p, struct record *ret_record, struct ktstr_error *err)
{
	const char *front = strbuf_str(&p->pending) + p->used;
	const char *fault;
	struct header h;

	if (frame_parser_pending(p) < sizeof(h))
		return 0;
	h = header_get(front);
	fault = header_fault(&h);
	if (fault)
		return damaged(p, fault, err);
	if (h.seq != p->next_seq)
		return damaged(p, "its number is not the next one", err);
	if (frame_parser_pending(p) - sizeof(h) < h.length)
		return 0;
	if (h.crc != crc32_update(0, front + sizeof(h), h.length))
		return damaged(p, "its checksum does not match", err);
	strbuf_clear(&p->payload);
	strbuf_add(&p->payload, front + sizeof(h), h.length);
	if (p->payload.error)
		return ktstr_error_nomem(err);
	p->used += sizeof(h) + h.length;
	p->next_seq++;
	*ret_record = (struct record){
		.type = h.type,
		.seq = h.seq,
		.time_ns = h.time_ns,
		.payload = p->payload.data,
		.length = h.length,
	};
	return 1;
}
