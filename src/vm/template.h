/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * template.h - machines that are booted once and restored often.
 *
 * A template is a folder in the store (store.h): the guest's memory as sparse files, one per NUMA
 * node, and QEMU's device state, saved where the agent stops itself (run/protocol.h, "Stop").  Its
 * key is a hash over QEMU's identity and command line with files named by their content, so whatever
 * could change the machine changes the key.
 *
 * Life cycle:
 *  1. template_obtain() finds the template or boots and saves it, once among all processes; others
 *     that want the same one wait.
 *  2. vm_start() with it maps its memory privately and restores; any number at once.
 *  3. template_release() lets it be evicted; running clones do not mind.
 */
#ifndef KTSTR_VM_TEMPLATE_H
#define KTSTR_VM_TEMPLATE_H

#include <stdbool.h>
#include <stdint.h>

#include <ktstr/template.h>

#include "base/sha256.h"
#include "vm/vm.h"

struct store_entry;

struct template_opts {
	const struct vm_opts
		*vm;	       /* machine; job_path, files_path, dir, template, gdb are ignored */
	const char *cache_dir; /* templates live in TEMPLATE_FOLDER below it */
	uint64_t max_bytes;    /* of all templates on disk; 0: TEMPLATE_MAX_BYTES */
	int cancel_fd;	       /* readable: give up with -EINTR; -1: never */
	/* Said once when it must boot or wait; NULL: to nobody. */
	void (*progress)(void *arg, const char *text);
	void *arg;
};

#define TEMPLATE_MAX_BYTES KTSTR_TEMPLATE_MAX_BYTES
#define TEMPLATE_FOLDER	   "templates"

/* Files of a template beside its memory, ram0, ram1, ...  The stub is an ELF file that QEMU takes for
 * a kernel. */
#define TEMPLATE_STATE "state"
#define TEMPLATE_STUB  "kernel-stub"

struct template
{
	char *dir; /* where its files are */
	uint64_t memory_bytes;
	char key[SHA256_HEX];
	bool is_new;
	struct store_entry *entry;
};

/* Return: 0; -EINTR; -ENOSPC, -EROFS, -EACCES or another -errno: there is no template to be had, @err
 * says why, and the same machine can still be booted cold. */
int template_obtain(const struct template_opts *opts, struct template **ret_template,
		    struct ktstr_error *err) KTSTR_MUST_CHECK;
void template_release(struct template *template);

/* Hex, as 'ktstr template list' shows it. */
const char *template_key(const struct template *template);
/* Was it booted by this very call? */
bool template_is_new(const struct template *template);

#endif
