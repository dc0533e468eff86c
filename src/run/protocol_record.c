// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/protocol_record.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"

static const char replacement[] = "\xef\xbf\xbd";

/* Bytes of the valid UTF-8 sequence at the front, 0 if there is none (RFC 3629, section 4). */
static size_t utf8_length(const unsigned char *s, size_t len)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t n;

	if (s[0] < 0x80)
		return s[0] ? 1 : 0;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	n = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (n > len)
		return 0;
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

json_t *record_text_bytes(const char *bytes, size_t len)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_addstr(&text, "");
	for (size_t i = 0; i < len;) {
		size_t n = utf8_length((const unsigned char *)bytes + i, len - i);

		if (n)
			strbuf_add(&text, bytes + i, n);
		else
			strbuf_addstr(&text, replacement);
		i += n ? n : 1;
	}
	if (text.error)
		return NULL;
	return json_stringn_nocheck(text.data, text.len);
}

json_t *record_text(const char *text)
{
	return record_text_bytes(text, strlen(text));
}

int record_encode_json(enum record_type type, json_t *object, struct strbuf *out)
{
	_cleanup_free_ char *text = NULL;
	bool is_object = json_is_object(object);

	if (object && is_object)
		text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (object && !is_object)
		return -EINVAL;
	if (!text)
		return -ENOMEM;
	return frame_encode(&(struct frame){ .type = type,
					     .time_ns = clock_mono_ns(),
					     .payload = text,
					     .length = strlen(text) },
			    out);
}

int record_send_json(int fd, enum record_type type, json_t *object)
{
	_cleanup_strbuf_ struct strbuf frame = STRBUF_INIT;
	int r = record_encode_json(type, object, &frame);
	ssize_t n;

	if (r < 0)
		return r;
	do {
		n = send(fd, frame.data, frame.len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}
