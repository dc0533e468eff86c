// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "cgroup/change.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/io.h"

/* Shared with its thread; whoever is the last to let go frees it. */
struct hand {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	pthread_t thread;
	bool asked, done, gone; /* gone: nobody waits for it any more */
	enum change_kind kind;
	char *path, *text;
	int result;
};

struct changer {
	uint64_t timeout_ns;
	unsigned int stuck, stuck_max;
	struct hand *hand; /* NULL: none yet */
};

static void hand_free(struct hand *hand)
{
	pthread_cond_destroy(&hand->changed);
	pthread_mutex_destroy(&hand->lock);
	free(hand->path);
	free(hand->text);
	free(hand);
}

static int perform(enum change_kind kind, const char *path, const char *text)
{
	switch (kind) {
	case CHANGE_WRITE:
		return io_write_sysfs(path, text);
	case CHANGE_MKDIR:
		return mkdir(path, 0755) < 0 ? -errno : 0;
	default:
		return rmdir(path) < 0 ? -errno : 0;
	}
}

static void *hand_main(void *arg)
{
	struct hand *hand = arg;

	pthread_mutex_lock(&hand->lock);
	while (!hand->gone) {
		int result;

		if (!hand->asked) {
			pthread_cond_wait(&hand->changed, &hand->lock);
			continue;
		}
		hand->asked = false;
		pthread_mutex_unlock(&hand->lock);
		result = perform(hand->kind, hand->path, hand->text);
		pthread_mutex_lock(&hand->lock);
		hand->result = result;
		hand->done = true;
		pthread_cond_broadcast(&hand->changed);
	}
	pthread_mutex_unlock(&hand->lock);
	hand_free(hand);
	return NULL;
}

static int hand_create(struct hand **ret_hand)
{
	struct hand *hand = calloc(1, sizeof(*hand));
	pthread_condattr_t attr;
	int r;

	if (!hand)
		return -ENOMEM;
	pthread_mutex_init(&hand->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&hand->changed, &attr);
	pthread_condattr_destroy(&attr);
	r = pthread_create(&hand->thread, NULL, hand_main, hand);
	if (r) {
		hand_free(hand);
		return -r;
	}
	pthread_detach(hand->thread);
	*ret_hand = hand;
	return 0;
}

/* The thread frees the hand, now or when it comes back. */
static void hand_leave(struct hand *hand)
{
	pthread_mutex_lock(&hand->lock);
	hand->gone = true;
	pthread_cond_broadcast(&hand->changed);
	pthread_mutex_unlock(&hand->lock);
}

static int hand_ask(struct hand *hand, const struct change *change)
{
	_cleanup_free_ char *path = strdup(change->path);
	_cleanup_free_ char *text = change->text ? strdup(change->text) : NULL;

	if (!path || (change->text && !text))
		return -ENOMEM;
	free(hand->path);
	free(hand->text);
	hand->path = take_ptr(path);
	hand->text = take_ptr(text);
	hand->kind = change->kind;
	hand->asked = true;
	pthread_cond_broadcast(&hand->changed);
	return 0;
}

struct changer *changer_create(uint64_t timeout_ns, unsigned int stuck_max)
{
	struct changer *changer = calloc(1, sizeof(*changer));

	if (changer) {
		changer->timeout_ns = timeout_ns;
		changer->stuck_max = stuck_max;
	}
	return changer;
}

void changer_set_timeout(struct changer *changer, uint64_t timeout_ns)
{
	changer->timeout_ns = timeout_ns;
}

int changer_do(struct changer *changer, const struct change *change)
{
	struct timespec until;
	struct hand *hand;
	uint64_t until_ns;
	bool stuck;
	int r = 0;

	if (changer->stuck >= changer->stuck_max)
		return -ETIMEDOUT;
	if (!changer->hand) {
		r = hand_create(&changer->hand);
		if (r < 0)
			return r;
	}
	hand = changer->hand;
	until_ns = clock_add_ns(clock_mono_ns(), changer->timeout_ns);
	until = (struct timespec){ .tv_sec = (time_t)(until_ns / NSEC_PER_SEC),
				   .tv_nsec = (long)(until_ns % NSEC_PER_SEC) };
	pthread_mutex_lock(&hand->lock);
	hand->done = false;
	r = hand_ask(hand, change);
	while (r == 0 && !hand->done)
		r = -pthread_cond_timedwait(&hand->changed, &hand->lock, &until);
	stuck = r == -ETIMEDOUT && !hand->done;
	if (hand->done)
		r = hand->result;
	pthread_mutex_unlock(&hand->lock);
	if (stuck) {
		changer->stuck++;
		changer->hand = NULL;
		hand_leave(hand);
	}
	return r;
}

void changer_destroy(struct changer *changer)
{
	if (!changer)
		return;
	if (changer->hand)
		hand_leave(changer->hand);
	free(changer);
}
