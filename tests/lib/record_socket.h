/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* record_socket.h - where a body's records go, for bodies that misuse it. */
#ifndef KTSTR_TESTS_LIB_RECORD_SOCKET_H
#define KTSTR_TESTS_LIB_RECORD_SOCKET_H

/* The only socket of its kind that this process has, or -1. */
int record_socket(void);

#endif
