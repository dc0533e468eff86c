// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/crash.h"

#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "run/protocol.h"

enum { FRAMES_MAX = 24, STACK_BYTES = 64 << 10, TEXT_BYTES = 2048 };

static const int caught[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT };

/* One body per process, and the handler has no argument: the only static state of this layer. */
static struct {
	int record_fd;
	pid_t pid;
	uintptr_t base, begin, end; /* of the main program */
} crash;

/* Appends to a buffer without the parts of stdio that are unsafe in a handler. */
struct line {
	char text[TEXT_BYTES];
	size_t len;
};

static void put_text(struct line *line, const char *text)
{
	while (*text && line->len < sizeof(line->text) - 1)
		line->text[line->len++] = *text++;
}

static void put_number(struct line *line, uint64_t value, unsigned int base)
{
	char digits[24];
	size_t at = sizeof(digits);

	digits[--at] = '\0';
	do {
		digits[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	put_text(line, digits + at);
}

static bool in_program(uintptr_t address)
{
	return address >= crash.begin && address < crash.end;
}

struct frames {
	uintptr_t ips[FRAMES_MAX];
	int nr;
};

static _Unwind_Reason_Code add_frame(struct _Unwind_Context *context, void *arg)
{
	struct frames *frames = arg;

	if (frames->nr == FRAMES_MAX)
		return _URC_END_OF_STACK;
	frames->ips[frames->nr++] = _Unwind_GetIP(context);
	return _URC_NO_REASON;
}

/* The interrupted instruction itself stands once in the unwound list; what is above it there are
 * this handler and the kernel's return trampoline. */
static void put_frames(struct line *line, uintptr_t ip)
{
	struct frames frames = { 0 };
	const char *comma = "";
	int first = 0;

	/* Not backtrace(), which loads this very function's library when it is first called. */
	_Unwind_Backtrace(add_frame, &frames);
	for (int i = 0; i < frames.nr; i++)
		if (frames.ips[i] == ip)
			first = i + 1;
	put_text(line, ",\"frames\":[");
	for (int i = first; i < frames.nr; i++) {
		if (!in_program(frames.ips[i]))
			continue;
		put_text(line, comma);
		put_number(line, frames.ips[i] - crash.base, 10);
		comma = ",";
	}
	put_text(line, "]");
}

static void send_crash(const struct line *line)
{
	struct frame frame = {
		.type = RECORD_CRASH,
		.time_ns = clock_mono_ns(),
		.payload = line->text,
		.length = line->len,
	};
	static uint8_t bytes[PROTOCOL_HEADER_BYTES + TEXT_BYTES];
	ssize_t n;

	frame_put_header(bytes, &frame);
	memcpy(bytes + PROTOCOL_HEADER_BYTES, line->text, line->len);
	do {
		n = send(crash.record_fd, bytes, PROTOCOL_HEADER_BYTES + line->len, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
}

static void on_crash(int sig, siginfo_t *info, void *context)
{
	const ucontext_t *uc = context;
	uintptr_t ip = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
	static struct line line;

	if (getpid() == crash.pid) {
		put_text(&line, "{\"signal\":");
		put_number(&line, (uint64_t)sig, 10);
		put_text(&line, ",\"address\":\"0x");
		put_number(&line, (uintptr_t)info->si_addr, 16);
		put_text(&line, "\"");
		if (in_program(ip)) {
			put_text(&line, ",\"ip_offset\":");
			put_number(&line, ip - crash.base, 10);
		}
		put_frames(&line, ip);
		put_text(&line, "}");
		send_crash(&line);
	}
	/* SA_RESETHAND has put the default action back; unblocked by returning. */
	raise(sig);
}

/* The main program is the first object the loader names. */
static int note_program(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	crash.base = info->dlpi_addr;
	crash.begin = UINTPTR_MAX;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
		uintptr_t begin = info->dlpi_addr + ph->p_vaddr;

		if (ph->p_type != PT_LOAD || !(ph->p_flags & PF_X))
			continue;
		if (begin < crash.begin)
			crash.begin = begin;
		if (begin + ph->p_memsz > crash.end)
			crash.end = begin + ph->p_memsz;
	}
	return 1;
}

int crash_catch(int record_fd, struct ktstr_error *err)
{
	struct sigaction action = {
		.sa_sigaction = on_crash,
		.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND,
	};
	static char stack[STACK_BYTES];

	crash.record_fd = record_fd;
	crash.pid = getpid();
	dl_iterate_phdr(note_program, NULL);
	if (sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof(stack) }, NULL) < 0)
		return ktstr_error_set(err, -errno, "signal stack: %s", strerror(errno));
	for (size_t i = 0; i < ARRAY_SIZE(caught); i++)
		if (sigaction(caught[i], &action, NULL) < 0)
			return ktstr_error_set(err, -errno, "catch signal %d: %s", caught[i],
					       strerror(errno));
	return 0;
}
