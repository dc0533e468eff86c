// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/taskstats.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/taskstats.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

enum { REPLY_BYTES = 2048, REQUEST_BYTES = 32 };

struct taskstats_socket {
	struct mnl_socket *socket;
	uint16_t family;
	uint32_t seq;
	char requests[TASKSTATS_BATCH * REQUEST_BYTES];
	char replies[TASKSTATS_BATCH][REPLY_BYTES];
	struct mmsghdr headers[TASKSTATS_BATCH];
	struct iovec vectors[TASKSTATS_BATCH];
};

/* Who asked, and who is told. */
struct query {
	uint32_t first_seq;
	size_t nr;
	size_t answered;
	void (*take)(void *arg, size_t index, int result, const void *bytes, size_t len);
	void *arg;
};

static int take_family(const struct nlattr *attr, void *arg)
{
	uint16_t *family = arg;

	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID &&
	    mnl_attr_validate(attr, MNL_TYPE_U16) == 0)
		*family = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static struct nlmsghdr *put_request(void *at, uint16_t type, uint32_t seq, uint8_t command)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(at);
	struct genlmsghdr *generic;

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST;
	header->nlmsg_seq = seq;
	generic = mnl_nlmsg_put_extra_header(header, sizeof(*generic));
	generic->cmd = command;
	generic->version = 1;
	return header;
}

static int error_of(const struct nlmsghdr *header)
{
	const struct nlmsgerr *e = mnl_nlmsg_get_payload(header);

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*e) || e->error >= 0)
		return -EPROTO;
	return e->error;
}

static int resolve(struct taskstats_socket *ts)
{
	struct nlmsghdr *header = put_request(ts->requests, GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY);
	ssize_t n;

	mnl_attr_put_strz(header, CTRL_ATTR_FAMILY_NAME, TASKSTATS_GENL_NAME);
	if (mnl_socket_sendto(ts->socket, header, header->nlmsg_len) < 0)
		return -errno;
	n = mnl_socket_recvfrom(ts->socket, ts->replies, sizeof(ts->replies));
	if (n < 0)
		return -errno;
	header = (struct nlmsghdr *)ts->replies;
	if (!mnl_nlmsg_ok(header, (int)n))
		return -EPROTO;
	if (header->nlmsg_type == NLMSG_ERROR)
		return error_of(header);
	mnl_attr_parse(header, sizeof(struct genlmsghdr), take_family, &ts->family);
	return ts->family ? 0 : -ENOENT;
}

struct trial {
	const struct taskstats_kernel *kernel;
	int result;
};

static void take_trial(void *arg, size_t index, int result, const void *bytes, size_t len)
{
	struct trial *trial = arg;
	struct ktstr_ctprof_thread self = { 0 };

	(void)index;
	trial->result = result < 0 ? result : taskstats_parse(bytes, len, trial->kernel, &self);
}

/* Asks about ourselves, to learn whether we may and whether the answer is understood. */
static int try_out(struct taskstats_socket *ts, const struct taskstats_kernel *kernel)
{
	struct trial trial = { .kernel = kernel, .result = -EPROTO };
	uint32_t self = (uint32_t)gettid();
	int r = taskstats_query(ts, &self, 1, take_trial, &trial);

	if (r < 0)
		return r;
	return trial.result == -ENODATA ? 0 : trial.result;
}

int taskstats_open(const struct taskstats_kernel *kernel, struct taskstats_socket **ret)
{
	_cleanup_(taskstats_closep) struct taskstats_socket *ts = calloc(1, sizeof(*ts));
	int r;

	if (!ts)
		return -ENOMEM;
	for (size_t i = 0; i < TASKSTATS_BATCH; i++) {
		ts->vectors[i] = (struct iovec){ ts->replies[i], REPLY_BYTES };
		ts->headers[i].msg_hdr.msg_iov = &ts->vectors[i];
		ts->headers[i].msg_hdr.msg_iovlen = 1;
	}
	ts->socket = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!ts->socket || mnl_socket_bind(ts->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	r = resolve(ts);
	if (r == 0)
		r = try_out(ts, kernel);
	if (r < 0)
		return r;
	*ret = take_ptr(ts);
	return 0;
}

void taskstats_close(struct taskstats_socket *ts)
{
	if (!ts)
		return;
	if (ts->socket)
		mnl_socket_close(ts->socket);
	free(ts);
}

static int take_stats(const struct nlattr *attr, void *arg)
{
	const struct nlattr **stats = arg;

	if (mnl_attr_get_type(attr) == TASKSTATS_TYPE_STATS)
		*stats = attr;
	return MNL_CB_OK;
}

static int take_aggregate(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) == TASKSTATS_TYPE_AGGR_PID)
		mnl_attr_parse_nested(attr, take_stats, arg);
	return MNL_CB_OK;
}

static void take_message(struct query *q, const struct nlmsghdr *header)
{
	size_t index = header->nlmsg_seq - q->first_seq;
	const struct nlattr *stats = NULL;

	if (index >= q->nr)
		return;
	q->answered++;
	if (header->nlmsg_type == NLMSG_ERROR) {
		q->take(q->arg, index, error_of(header), NULL, 0);
		return;
	}
	mnl_attr_parse(header, sizeof(struct genlmsghdr), take_aggregate, &stats);
	if (!stats)
		q->take(q->arg, index, -EPROTO, NULL, 0);
	else
		q->take(q->arg, index, 0, mnl_attr_get_payload(stats),
			mnl_attr_get_payload_len(stats));
}

/* The kernel has answered before it is back from our send, so nothing is waited for. */
static int receive(struct taskstats_socket *ts, struct query *q)
{
	while (q->answered < q->nr) {
		size_t before = q->answered;
		int n = recvmmsg(mnl_socket_get_fd(ts->socket), ts->headers, TASKSTATS_BATCH,
				 MSG_DONTWAIT, NULL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		for (int i = 0; i < n; i++) {
			const struct nlmsghdr *header = (const void *)ts->replies[i];

			if (mnl_nlmsg_ok(header, (int)ts->headers[i].msg_len))
				take_message(q, header);
		}
		if (q->answered == before)
			return 0;
	}
	return 0;
}

int taskstats_query(struct taskstats_socket *ts, const uint32_t *tids, size_t nr,
		    void (*take)(void *arg, size_t index, int result, const void *bytes,
				 size_t len),
		    void *arg)
{
	struct query q = { .first_seq = ts->seq + 1, .nr = nr, .take = take, .arg = arg };
	size_t len = 0;

	for (size_t i = 0; i < nr; i++) {
		struct nlmsghdr *header =
			put_request(ts->requests + len, ts->family, ++ts->seq, TASKSTATS_CMD_GET);

		mnl_attr_put_u32(header, TASKSTATS_CMD_ATTR_PID, tids[i]);
		len += MNL_ALIGN(header->nlmsg_len);
	}
	if (mnl_socket_sendto(ts->socket, ts->requests, len) < 0)
		return -errno;
	return receive(ts, &q);
}
