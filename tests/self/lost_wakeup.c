// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * A program with a real race, for exploring and replaying: most schedules pass, a few fail.
 *
 * A consumer looks whether its mailbox is full, and if not, waits on a condition variable; but it
 * looks before it takes the lock.  If the producer fills the box and signals between the two, nobody
 * hears the signal, and the consumer oversleeps until its wait times out.  The window is some hundred
 * instructions long.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <time.h>

#include <ktstr/test.h>

enum { ITEMS = 640, PATIENCE_MS = 200, CONSUMER_ROUNDS = 5000, PRODUCER_ROUNDS = 5000 };

struct mailbox {
	pthread_mutex_t lock;
	pthread_cond_t posted;
	atomic_bool is_full;
	unsigned int nr_taken, nr_overslept;
	int first_overslept;	    /* item; -1: none */
	unsigned int rounds[ITEMS]; /* of work before each post */
};

static void work(unsigned int rounds)
{
	for (volatile unsigned int i = 0; i < rounds; i++)
		;
}

static int wait_for_post(struct mailbox *box)
{
	struct timespec ts;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_nsec += (long)MSECS(PATIENCE_MS);
	ts.tv_sec += ts.tv_nsec / (long)SECS(1);
	ts.tv_nsec %= (long)SECS(1);
	pthread_mutex_lock(&box->lock);
	r = pthread_cond_clockwait(&box->posted, &box->lock, CLOCK_MONOTONIC, &ts);
	pthread_mutex_unlock(&box->lock);
	return r;
}

static void *consume(void *arg)
{
	struct mailbox *box = arg;

	while (box->nr_taken < ITEMS) {
		if (!atomic_load(&box->is_full)) {
			/* The race: a post that comes here is not heard. */
			bool is_late = wait_for_post(box) == ETIMEDOUT;

			if (!atomic_load(&box->is_full))
				continue;
			if (is_late && box->nr_overslept++ == 0)
				box->first_overslept = (int)box->nr_taken;
		}
		atomic_store(&box->is_full, false);
		box->nr_taken++;
		work(CONSUMER_ROUNDS);
	}
	return NULL;
}

static void *produce(void *arg)
{
	struct mailbox *box = arg;

	for (unsigned int i = 0; i < ITEMS; i++) {
		work(box->rounds[i]);
		while (atomic_load(&box->is_full))
			sched_yield();
		atomic_store(&box->is_full, true);
		pthread_cond_signal(&box->posted);
	}
	return NULL;
}

static void hand_over(struct ktstr *t)
{
	struct mailbox box = { .lock = PTHREAD_MUTEX_INITIALIZER,
			       .posted = PTHREAD_COND_INITIALIZER,
			       .first_overslept = -1 };
	pthread_t consumer, producer;

	for (unsigned int i = 0; i < ITEMS; i++)
		box.rounds[i] =
			PRODUCER_ROUNDS / 2 + (unsigned int)ktstr_random_below(t, PRODUCER_ROUNDS);
	ASSERT_EQ(t, pthread_create(&consumer, NULL, consume, &box), 0);
	ASSERT_EQ(t, pthread_create(&producer, NULL, produce, &box), 0);
	pthread_join(producer, NULL);
	pthread_join(consumer, NULL);
	EXPECT_EQ(t, box.nr_taken, ITEMS);
	if (box.nr_overslept)
		KTSTR_FAIL_NOW(t,
			       "consumer overslept: item %d lay in the mailbox for up to %d ms; "
			       "the post before its wait was not heard",
			       box.first_overslept, PATIENCE_MS);
}

KTSTR_TEST(consumer_never_oversleeps) = {
	.about = "whoever waits for the mailbox hears of each post (it does not: a lost wake-up)",
	.topology = { .cores_per_llc = 2 },
	.run = hand_over,
};

KTSTR_MAIN
