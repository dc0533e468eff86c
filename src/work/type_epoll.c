// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "work/types.h"

enum { GROUP, UNITS, THINK_US };

struct common {
	_Atomic bool ended; /* events that came together count as one */
	int events[];
};

static void close_events(const struct work_self *first)
{
	struct common *common = first->common;

	for (uint32_t i = 1; i < first->group_size; i++) {
		if (common->events[i] > 0)
			close(common->events[i]);
	}
}

static int open_events(const struct work_self *first)
{
	struct common *common = first->common;

	for (uint32_t i = 1; i < first->group_size; i++) {
		common->events[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (common->events[i] < 0) {
			int r = -errno;

			close_events(first);
			return r;
		}
	}
	return 0;
}

static void write_all(struct work_self *self)
{
	struct common *common = self->common;
	const uint64_t one = 1;

	for (uint32_t i = 1; i < self->group_size; i++) {
		work_note_wake(self, i);
		if (write(common->events[i], &one, sizeof(one)) < 0 && errno != EAGAIN)
			work_trouble(self, "write to an eventfd", errno);
	}
}

static void be_writer(struct work_self *self)
{
	struct common *common = self->common;

	while (work_goes_on(self)) {
		work_sleep_until(self, work_sign(self) + self->params[THINK_US] * NSEC_PER_USEC);
		write_all(self);
		work_did(self);
	}
	atomic_store(&common->ended, true);
	write_all(self);
}

/* Return: whether there was an event. */
static bool wait_for_event(struct work_self *self, int epoll)
{
	struct epoll_event event;
	int n;

	work_wait_begin(self);
	do {
		n = epoll_wait(epoll, &event, 1, -1);
	} while (n < 0 && errno == EINTR && !work_is_stopped(self));
	if (n < 0 && errno != EINTR)
		work_trouble(self, "epoll_wait", errno);
	work_wait_end(self);
	return n > 0;
}

static void serve(struct work_self *self, int epoll)
{
	const struct common *common = self->common;
	uint64_t value;

	while (work_goes_on(self)) {
		if (!wait_for_event(self, epoll))
			return;
		if (atomic_load(&common->ended)) {
			work_finish(self);
			return;
		}
		if (read(common->events[self->member], &value, sizeof(value)) < 0)
			work_trouble(self, "read from an eventfd", errno);
		work_burn(self, self->params[UNITS]);
		work_did(self);
	}
}

static void run(struct work_self *self)
{
	const struct common *common = self->common;
	struct epoll_event event = { .events = EPOLLIN };
	int epoll;

	if (self->member == 0) {
		be_writer(self);
		return;
	}
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, common->events[self->member], &event) < 0)
		work_trouble(self, "epoll", errno);
	else
		serve(self, epoll);
	if (epoll >= 0)
		close(epoll);
}

const struct work_ops work_ops_epoll = { .wakes = true,
					 .common_bytes = sizeof(struct common),
					 .member_bytes = sizeof(int),
					 .open = open_events,
					 .close = close_events,
					 .run = run };
