// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <ktstr/template.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "vm/store.h"
#include "vm/template.h"

_Static_assert((int)KTSTR_TEMPLATE_KEY > (int)STORE_KEY_MAX, "every key fits");

enum { SHOWN_MATCHES = 8 };

struct listing {
	struct store_info *infos;
	int nr;
};

static void listing_deinit(struct listing *l)
{
	store_list_free(l->infos, l->nr);
}

#define _cleanup_listing_ _cleanup_(listing_deinit)

static char *store_root(struct ktstr_error *err)
{
	_cleanup_free_ char *cache = path_cache_dir(err);
	char *root = cache ? path_format("%s/" TEMPLATE_FOLDER, cache) : NULL;

	if (cache && !root)
		ktstr_error_nomem(err);
	return root;
}

static int list_store(const char *root, struct listing *l, struct ktstr_error *err)
{
	int nr = store_list(root, &l->infos, err);

	if (nr < 0)
		return nr;
	l->nr = nr;
	return 0;
}

static void copy_text(const json_t *about, const char *name, char text[KTSTR_TEMPLATE_TEXT])
{
	const char *value = json_string_value(json_object_get(about, name));

	snprintf(text, KTSTR_TEMPLATE_TEXT, "%s", value ? value : "");
}

static void describe(const struct store_info *info, struct ktstr_template *t)
{
	static const enum ktstr_template_state states[] = {
		[STORE_WHOLE] = KTSTR_TEMPLATE_WHOLE,
		[STORE_DAMAGED] = KTSTR_TEMPLATE_DAMAGED,
		[STORE_MAKING] = KTSTR_TEMPLATE_MAKING,
		[STORE_LEFTOVER] = KTSTR_TEMPLATE_LEFTOVER,
	};
	json_int_t memory = json_integer_value(json_object_get(info->about, "memory_bytes"));

	memcpy(t->key, info->key, sizeof(info->key));
	t->state = states[info->state];
	t->in_use = info->in_use;
	t->disk_bytes = info->disk_bytes;
	t->used_ns = info->used_ns;
	memcpy(t->why, info->why, sizeof(t->why));
	t->memory_bytes = memory > 0 ? (uint64_t)memory : 0;
	copy_text(info->about, "qemu", t->qemu);
	copy_text(info->about, "kernel", t->kernel);
	copy_text(info->about, "topology", t->topology);
	copy_text(info->about, "mode", t->mode);
	copy_text(info->about, "made_at", t->made_at);
	copy_text(info->about, "ktstr", t->ktstr);
}

int ktstr_template_list(struct ktstr_template **ret_templates, struct ktstr_error *err)
{
	_cleanup_listing_ struct listing l = { 0 };
	_cleanup_free_ char *root = store_root(err);
	struct ktstr_template *templates = NULL;
	int r;

	if (!root)
		return -ENOENT;
	r = list_store(root, &l, err);
	if (r < 0)
		return r;
	if (l.nr) {
		templates = calloc((size_t)l.nr, sizeof(*templates));
		if (!templates)
			return ktstr_error_nomem(err);
	}
	for (int i = 0; i < l.nr; i++)
		describe(&l.infos[i], &templates[i]);
	*ret_templates = templates;
	return l.nr;
}

/* Which one @prefix means: the key itself, or the only one that begins so. */
static int find(const struct listing *l, const char *prefix, const char **ret_key,
		struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf names = STRBUF_INIT_LIMIT(1024);
	const char *found = NULL;
	int nr = 0;

	for (int i = 0; i < l->nr; i++) {
		const char *key = l->infos[i].key;

		if (strncmp(key, prefix, strlen(prefix)) != 0)
			continue;
		if (nr < SHOWN_MATCHES)
			strbuf_addf(&names, "%s%s", nr ? ", " : "", key);
		found = key;
		nr++;
		if (!strcmp(key, prefix)) {
			nr = 1;
			break;
		}
	}
	if (nr == 1) {
		*ret_key = found;
		return 0;
	}
	if (!nr)
		return ktstr_error_set(err, -ENOENT,
				       "no template '%s' in the cache; see: ktstr template list",
				       prefix);
	return ktstr_error_set(err, -ENOTUNIQ, "'%s' could be %d templates: %s%s", prefix, nr,
			       strbuf_str(&names), nr > SHOWN_MATCHES ? ", ..." : "");
}

int ktstr_template_remove(const char *prefix, char ret_key[KTSTR_TEMPLATE_KEY],
			  struct ktstr_error *err)
{
	_cleanup_listing_ struct listing l = { 0 };
	_cleanup_free_ char *root = NULL;
	const char *key = NULL;
	size_t len = strlen(prefix);
	int r;

	if (!len || len > STORE_KEY_MAX || strspn(prefix, "0123456789abcdef") != len)
		return ktstr_error_set(err, -EINVAL,
				       "'%.80s' is not how the key of a template begins: it "
				       "consists of the digits 0-9 and a-f",
				       prefix);
	root = store_root(err);
	if (!root)
		return -ENOENT;
	r = list_store(root, &l, err);
	if (r == 0)
		r = find(&l, prefix, &key, err);
	if (r < 0)
		return r;
	r = store_remove(root, key, err);
	if (r == -EBUSY)
		return ktstr_error_set(err, r, "template '%.12s' is in use; try again later", key);
	if (r < 0)
		return r;
	if (ret_key)
		memcpy(ret_key, key, strlen(key) + 1);
	return 0;
}

/* Return: how many went, or -errno. */
static int remove_damaged(const char *root, struct ktstr_error *err)
{
	_cleanup_listing_ struct listing l = { 0 };
	int removed = 0, r = list_store(root, &l, err);

	for (int i = 0; r == 0 && i < l.nr; i++) {
		if (l.infos[i].state != STORE_DAMAGED)
			continue;
		r = store_remove(root, l.infos[i].key, err);
		removed += r == 0;
		if (r == -EBUSY || r == -ENOENT)
			r = 0;
	}
	return r < 0 ? r : removed;
}

int ktstr_template_prune(uint64_t max_bytes, struct ktstr_template_pruned *ret_pruned,
			 struct ktstr_error *err)
{
	_cleanup_free_ char *root = store_root(err);
	struct ktstr_template_pruned pruned = { 0 };
	uint64_t before = 0;
	int damaged, r;

	if (!root)
		return -ENOENT;
	r = store_size(root, &before, err);
	if (r < 0)
		return r;
	damaged = remove_damaged(root, err);
	if (damaged < 0)
		return damaged;
	r = store_prune(root, max_bytes, err);
	if (r < 0)
		return r;
	pruned.removed = damaged + r;
	r = store_size(root, &pruned.kept_bytes, err);
	if (r < 0)
		return r;
	pruned.kept = r;
	pruned.freed_bytes = before > pruned.kept_bytes ? before - pruned.kept_bytes : 0;
	*ret_pruned = pruned;
	return 0;
}

int ktstr_template_usage(struct ktstr_template_store *ret_store, struct ktstr_error *err)
{
	_cleanup_free_ char *root = store_root(err);
	struct ktstr_template_store store = { 0 };
	int n, r;

	if (!root)
		return -ENOENT;
	n = snprintf(store.path, sizeof(store.path), "%s", root);
	if (n >= (int)sizeof(store.path))
		return ktstr_error_set(err, -ENAMETOOLONG, "the path '%.64s...' is too long", root);
	r = store_size(root, &store.disk_bytes, err);
	if (r < 0)
		return r;
	store.nr = r;
	*ret_store = store;
	return 0;
}
