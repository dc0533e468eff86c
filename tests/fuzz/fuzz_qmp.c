// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vm/qmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SENT_MAX = 64 << 10 };

/* A peer that says @data and hangs up. */
static void converse(const uint8_t *data, size_t size)
{
	json_t *value = NULL;
	struct qmp q;
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		abort();
	if (send(fds[1], data, size, MSG_DONTWAIT) != (ssize_t)size)
		abort();
	shutdown(fds[1], SHUT_WR);
	qmp_init(&q, fds[0]);
	if (qmp_greet(&q, NULL) == 0 && qmp_command(&q, "stop", NULL, &value, NULL) == 0 &&
	    qmp_wait_event(&q, "STOP", NULL, NULL) == 0 && !value)
		abort();
	json_decref(value);
	qmp_deinit(&q);
	close(fds[1]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct qmp_message m;

	if (qmp_message_parse((const char *)data, size, &m, NULL) == 0) {
		if (m.kind == QMP_ANSWER && !m.value)
			abort();
		if (strlen(m.name) >= sizeof(m.name) || strlen(m.text) >= sizeof(m.text))
			abort();
		qmp_message_deinit(&m);
	}
	if (size && size <= SENT_MAX)
		converse(data, size);
	return 0;
}
