// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "guest/stop.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/io.h>
#include <sys/time.h>
#include <ucontext.h>

#include "run/protocol.h"

int stop_init(struct ktstr_error *err)
{
	if (ioperm(PROTOCOL_STOP_PORT, 1, 1) < 0)
		return ktstr_error_set(err, -errno, "port of pvpanic: %s", strerror(errno));
	return 0;
}

enum { LOOP_BYTES = 2 /* of "jmp" to itself: eb fe */ };

/* Out of the loop. */
static void on_alarm(int sig, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void)sig;
	(void)info;
	c->uc_mcontext.gregs[REG_RIP] += LOOP_BYTES;
}

static int catch_alarm(struct sigaction *ret_before, sigset_t *ret_mask)
{
	struct sigaction action = { .sa_sigaction = on_alarm, .sa_flags = SA_SIGINFO };
	sigset_t alarm;

	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	if (sigaction(SIGALRM, &action, ret_before) < 0 ||
	    sigprocmask(SIG_UNBLOCK, &alarm, ret_mask) < 0)
		return -errno;
	return 0;
}

int stop_machine_exactly(struct ktstr_error *err)
{
	const struct itimerval soon = { .it_value.tv_usec = STOP_SPIN_NS / 1000 };
	struct sigaction before;
	sigset_t mask;
	int r = catch_alarm(&before, &mask);

	if (r == 0 && setitimer(ITIMER_REAL, &soon, NULL) < 0)
		r = -errno;
	if (r < 0)
		return ktstr_error_set(err, r, "timer for the stop: %s", strerror(-r));
	__asm__ volatile("outb %%al, %%dx\n"
			 ".byte 0xeb, 0xfe"
			 :
			 : "a"((unsigned char)1), "d"((unsigned short)PROTOCOL_STOP_PORT)
			 : "memory");
	sigprocmask(SIG_SETMASK, &mask, NULL);
	sigaction(SIGALRM, &before, NULL);
	return 0;
}

void stop_machine(void)
{
	outb(1, PROTOCOL_STOP_PORT);
}
