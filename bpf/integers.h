/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* integers.h - the kernel's integer types, which the headers of libbpf want, for BPF objects. */
#ifndef KTSTR_BPF_INTEGERS_H
#define KTSTR_BPF_INTEGERS_H

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;

#endif
