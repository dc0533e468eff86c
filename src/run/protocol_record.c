// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/protocol_record.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/utf8.h"

static const char replacement[] = "\xef\xbf\xbd";

json_t *record_text_bytes(const char *bytes, size_t len)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	strbuf_addstr(&text, "");
	for (size_t i = 0; i < len;) {
		size_t n = utf8_length(bytes + i, len - i);

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
