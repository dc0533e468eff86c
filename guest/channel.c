// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/channel.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "run/protocol_record.h"

int channel_init(struct channel *c, int fd)
{
	*c = (struct channel){
		.fd = fd,
		.queue = STRBUF_INIT_LIMIT(CHANNEL_LIMIT),
		.stop_seq = UINT64_MAX,
	};
	strbuf_reserve(&c->queue, CHANNEL_LIMIT);
	if (c->queue.error)
		return -ENOMEM;
	memset(c->queue.data, 0, CHANNEL_LIMIT);
	return 0;
}

void channel_deinit(struct channel *c)
{
	strbuf_deinit(&c->queue);
}

bool channel_full(const struct channel *c)
{
	return c->queue.len >= CHANNEL_FULL;
}

static bool has_room(const struct channel *c, size_t size)
{
	return size <= CHANNEL_LIMIT - c->queue.len;
}

static int enqueued(struct channel *c)
{
	c->seq++;
	channel_pump(c); /* a port that is gone shows in channel_flush() */
	return 0;
}

static int enqueue(struct channel *c, void *frame, size_t size)
{
	int r;

	if (!has_room(c, size))
		return -ENOBUFS;
	r = frame_renumber(frame, size, c->seq + 1);
	if (r < 0)
		return r;
	strbuf_add(&c->queue, frame, size);
	return enqueued(c);
}

int channel_send(struct channel *c, enum record_type type, const void *payload, size_t length)
{
	uint8_t header[PROTOCOL_HEADER_BYTES];

	if (length > PROTOCOL_PAYLOAD_MAX)
		return -E2BIG;
	if (!has_room(c, sizeof(header) + length))
		return -ENOBUFS;
	frame_put_header(header, &(struct frame){ .type = type,
						  .seq = c->seq + 1,
						  .time_ns = clock_mono_ns(),
						  .payload = payload,
						  .length = length });
	strbuf_add(&c->queue, header, sizeof(header));
	strbuf_add(&c->queue, payload, length);
	return enqueued(c);
}

int channel_send_json(struct channel *c, enum record_type type, json_t *object)
{
	_cleanup_strbuf_ struct strbuf frame = STRBUF_INIT;
	int r = record_encode_json(type, object, &frame);

	return r < 0 ? r : enqueue(c, frame.data, frame.len);
}

int channel_send_number(struct channel *c, enum record_type type, const char *key, int number)
{
	unsigned int rest = number < 0 ? 0u - (unsigned int)number : (unsigned int)number;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char digits[16], *p = digits + sizeof(digits);

	*--p = '\0';
	do {
		*--p = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (number < 0)
		*--p = '-';
	strbuf_addstr(&text, "{\"");
	strbuf_addstr(&text, key);
	strbuf_addstr(&text, "\":");
	strbuf_addstr(&text, p);
	strbuf_addch(&text, '}');
	return text.error ? text.error : channel_send(c, type, text.data, text.len);
}

int channel_send_text(struct channel *c, enum record_type type, const char *fmt, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return channel_send_json(c, type, json_pack("{s:o}", "text", record_text(text)));
}

int channel_forward(struct channel *c, void *frame, size_t size)
{
	return enqueue(c, frame, size);
}

/* Always compared, so that a run that is stopped does the same up to there. */
static void stop_if_due(struct channel *c)
{
	if (c->seq < c->stop_seq)
		return;
	c->stop_seq = UINT64_MAX;
	c->stop();
}

void channel_stop_after(struct channel *c, uint64_t seq, void (*stop)(void))
{
	c->stop = stop;
	c->stop_seq = seq ? seq : UINT64_MAX;
	if (!c->queue.len)
		stop_if_due(c);
}

int channel_pump(struct channel *c)
{
	while (c->queue.len) {
		ssize_t n = write(c->fd, c->queue.data, c->queue.len);

		if (n < 0 && errno == EINTR)
			continue;
		/* Without memory the driver cannot take bytes now either. */
		if (n < 0)
			return errno == EAGAIN || errno == ENOMEM ? 0 : -errno;
		if (n == 0)
			return 0;
		strbuf_consume(&c->queue, (size_t)n);
	}
	stop_if_due(c);
	return 0;
}

int channel_flush(struct channel *c, uint64_t timeout_ns)
{
	uint64_t deadline = clock_mono_ns() + timeout_ns;

	for (;;) {
		struct pollfd p = { .fd = c->fd, .events = POLLOUT };
		int r = channel_pump(c);

		if (r < 0 || !c->queue.len)
			return r;
		if (clock_mono_ns() >= deadline)
			return -ETIMEDOUT;
		if (poll(&p, 1, 10) > 0 && !(p.revents & POLLOUT))
			nanosleep(&(struct timespec){ .tv_nsec = 1000 * 1000 }, NULL);
	}
}
