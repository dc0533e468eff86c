// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/* Preloaded into QEMU for exact runs; what for says vm/exact_engine.h. */
#include <dlfcn.h>
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { LOCK_STEP_NS = 10000000, NSEC_PER_SEC = 1000000000, PATIENCE_S = 5 };

#define EXPORT __attribute__((visibility("default")))

typedef int (*wait_fn)(pthread_cond_t *, pthread_mutex_t *);
typedef int (*ppoll_fn)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
typedef int (*name_fn)(pthread_t, const char *);
typedef int (*lock_fn)(pthread_mutex_t *);

static wait_fn real_wait;
static ppoll_fn real_ppoll;
static name_fn real_name;
static lock_fn real_lock;
static _Atomic unsigned int guest_runs;
static pthread_mutex_t *_Atomic big_lock;
static __thread bool is_guest;

__attribute__((constructor)) static void find_real(void)
{
	/* Without a version the oldest is found, which has another layout. */
	real_wait = (wait_fn)dlvsym(RTLD_NEXT, "pthread_cond_wait", "GLIBC_2.3.2");
	if (!real_wait)
		real_wait = (wait_fn)dlsym(RTLD_NEXT, "pthread_cond_wait");
	real_ppoll = (ppoll_fn)dlsym(RTLD_NEXT, "ppoll");
	real_name = (name_fn)dlsym(RTLD_NEXT, "pthread_setname_np");
	real_lock = (lock_fn)dlsym(RTLD_NEXT, "pthread_mutex_lock");
}

static long futex(int operation, unsigned int value)
{
	static const struct timespec patience = { .tv_sec = PATIENCE_S };

	return syscall(SYS_futex, &guest_runs, operation | FUTEX_PRIVATE_FLAG, value, &patience,
		       NULL, 0);
}

/* QEMU calls the thread that runs all CPUs "ALL CPUs/TCG". */
EXPORT int pthread_setname_np(pthread_t thread, const char *name)
{
	if (strstr(name, "/TCG")) {
		is_guest = true;
		atomic_store(&guest_runs, 1);
	}
	return real_name(thread, name);
}

static void let_main_loop_run(void)
{
	atomic_store(&guest_runs, 0);
	futex(FUTEX_WAKE, 1);
}

EXPORT int pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	int r;

	if (!is_guest)
		return real_wait(cond, mutex);
	let_main_loop_run();
	r = real_wait(cond, mutex);
	atomic_store(&guest_runs, 1);
	return r;
}

/* The main loop may poll with QEMU's lock in its hands, as it does when a file of the guest's output
 * takes no more: then the CPUs' thread waits for it here.  Nobody else is let in by that. */
EXPORT int pthread_mutex_lock(pthread_mutex_t *mutex)
{
	int r = is_guest ? pthread_mutex_trylock(mutex) : EBUSY;

	/* Other libraries lock before this one is set up. */
	if (!real_lock)
		find_real();
	if (!is_guest)
		return real_lock(mutex);
	while (r == EBUSY || r == ETIMEDOUT) {
		struct timespec until;
		bool main_has_it = mutex->__data.__owner == getpid();

		if (main_has_it)
			let_main_loop_run();
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += LOCK_STEP_NS;
		until.tv_sec += until.tv_nsec / NSEC_PER_SEC;
		until.tv_nsec %= NSEC_PER_SEC;
		r = pthread_mutex_timedlock(mutex, &until);
		if (main_has_it)
			atomic_store(&guest_runs, 1);
	}
	return r;
}

/* A monitor or a debugger: whoever asks from outside need not wait. */
static bool is_from_outside(const struct pollfd *fds, nfds_t nr)
{
	struct stat st;

	for (nfds_t i = 0; i < nr; i++)
		if (fds[i].revents && fstat(fds[i].fd, &st) == 0 && S_ISSOCK(st.st_mode))
			return true;
	return false;
}

/* At the end of the machine the main loop polls with QEMU's big lock in its hand: the CPUs' thread,
 * which wants that lock, would never come to wait. */
static bool holds_big_lock(pid_t self)
{
	pthread_mutex_t *lock = atomic_load(&big_lock);

	return lock && lock->__data.__owner == self;
}

EXPORT int ppoll(struct pollfd *fds, nfds_t nr, const struct timespec *timeout,
		 const sigset_t *mask)
{
	int r = real_ppoll(fds, nr, timeout, mask);
	pid_t self = getpid();

	if (syscall(SYS_gettid) != self || holds_big_lock(self) || is_from_outside(fds, nr))
		return r;
	/* A guest that never idles again may have switched itself off, which only we can do. */
	while (atomic_load(&guest_runs))
		if (futex(FUTEX_WAIT, 1) < 0 && errno == ETIMEDOUT)
			break;
	return r;
}

EXPORT int __ppoll_chk(struct pollfd *fds, nfds_t nr, const struct timespec *timeout,
		       const sigset_t *mask, size_t size);

int __ppoll_chk(struct pollfd *fds, nfds_t nr, const struct timespec *timeout, const sigset_t *mask,
		size_t size)
{
	(void)size;
	return ppoll(fds, nr, timeout, mask);
}
