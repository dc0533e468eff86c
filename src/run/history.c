// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/history.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include <ktstr/log.h>

enum { HISTORY_VERSION = 1 };

static int check_entry(const char *key, const json_t *entry, struct ktstr_error *err)
{
	if (strlen(key) > HISTORY_KEY_MAX)
		return ktstr_error_set(err, -E2BIG, "a key is longer than %d bytes",
				       HISTORY_KEY_MAX);
	for (size_t i = 0; i < 2; i++)
		if (json_integer_value(json_array_get(entry, i)) <= 0)
			return ktstr_error_set(err, -EINVAL,
					       "an entry is not [duration_ns, when_s]");
	return 0;
}

int history_parse(const char *text, size_t len, json_t **ret_tests, struct ktstr_error *err)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL), *tests, *entry;
	const char *key;
	int r = 0;

	tests = json_object_get(root, "tests");
	if (json_integer_value(json_object_get(root, "version")) != HISTORY_VERSION ||
	    !json_is_object(tests))
		r = ktstr_error_set(err, -EINVAL, "it is no history of version %d",
				    HISTORY_VERSION);
	else if (json_object_size(tests) > HISTORY_KEYS_MAX)
		r = ktstr_error_set(err, -E2BIG, "it has more than %d keys", HISTORY_KEYS_MAX);
	json_object_foreach(r == 0 ? tests : NULL, key, entry)
	{
		r = check_entry(key, entry, err);
		if (r < 0)
			break;
	}
	if (r == 0)
		*ret_tests = json_incref(tests);
	json_decref(root);
	return r;
}

static char *history_path(const char *suffix, struct ktstr_error *err)
{
	_cleanup_free_ char *dir = path_state_dir(err);
	char *path = dir ? path_format("%s/history.json%s", dir, suffix) : NULL;

	if (dir && !path)
		ktstr_error_nomem(err);
	return path;
}

/* Return: a new reference; NULL if there is none, or none that can be used. */
static json_t *read_tests(const char *path)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(HISTORY_FILE_MAX);
	struct ktstr_error err;
	json_t *tests = NULL;

	if (access(path, F_OK) < 0)
		return NULL;
	if (io_read_file(path, &text, &err) < 0 ||
	    history_parse(strbuf_str(&text), text.len, &tests, &err) < 0)
		ktstr_log(KTSTR_LOG_WARN, "'%s' is ignored and will be written anew: %s", path,
			  err.text);
	return tests;
}

void history_load(struct history *h)
{
	struct ktstr_error err;
	_cleanup_free_ char *path = history_path("", &err);

	*h = (struct history){ .seen = json_object() };
	if (path)
		h->tests = read_tests(path);
}

void history_deinit(struct history *h)
{
	json_decref(h->tests);
	json_decref(h->seen);
	*h = (struct history){ 0 };
}

uint64_t history_expect(const struct history *h, const char *key)
{
	return (uint64_t)json_integer_value(json_array_get(json_object_get(h->tests, key), 0));
}

void history_note(struct history *h, const char *key, uint64_t duration_ns)
{
	json_int_t before = json_integer_value(json_object_get(h->seen, key));
	json_int_t now = duration_ns < INT64_MAX ? (json_int_t)duration_ns : INT64_MAX;

	if (!now || strlen(key) > HISTORY_KEY_MAX)
		return;
	if (before)
		now = before / 2 + now / 2;
	json_object_set_new(h->seen, key, json_integer(now ? now : 1));
}

static void fold_in(json_t *tests, const json_t *seen)
{
	json_int_t when = (json_int_t)time(NULL);
	const char *key;
	json_t *duration;

	json_object_foreach((json_t *)seen, key, duration)
	{
		json_int_t now = json_integer_value(duration);
		json_int_t before =
			json_integer_value(json_array_get(json_object_get(tests, key), 0));

		if (before)
			now = before / 2 + now / 2;
		json_object_set_new(tests, key, json_pack("[I, I]", now ? now : 1, when));
	}
}

static int compare_numbers(const void *a, const void *b)
{
	json_int_t left = *(const json_int_t *)a, right = *(const json_int_t *)b;

	return left < right ? -1 : left > right;
}

static void forget_oldest(json_t *tests)
{
	size_t nr = json_object_size(tests), i = 0, surplus;
	_cleanup_free_ json_int_t *times = calloc(nr + 1, sizeof(*times));
	json_t *entry;
	const char *key;
	void *next;

	if (nr <= HISTORY_KEYS_MAX || !times)
		return;
	json_object_foreach(tests, key, entry) times[i++] =
		json_integer_value(json_array_get(entry, 1));
	qsort(times, nr, sizeof(*times), compare_numbers);
	surplus = nr - HISTORY_KEYS_MAX;
	json_object_foreach_safe(tests, next, key, entry)
	{
		if (!surplus ||
		    json_integer_value(json_array_get(entry, 1)) > times[nr - HISTORY_KEYS_MAX - 1])
			continue;
		json_object_del(tests, key);
		surplus--;
	}
}

static int write_tests(const char *path, json_t *tests, struct ktstr_error *err)
{
	json_t *root = json_pack("{s:i, s:O}", "version", HISTORY_VERSION, "tests", tests);
	_cleanup_free_ char *text = root ? json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS) : NULL;

	json_decref(root);
	return text ? io_write_quickly(path, text, strlen(text), 0666, err)
		    : ktstr_error_nomem(err);
}

/* Return: the locked descriptor, or -errno. */
static int lock(struct ktstr_error *err)
{
	_cleanup_free_ char *path = history_path(".lock", err), *dir = path_state_dir(err);
	_cleanup_close_ int fd = -1;
	int r;

	if (!path || !dir)
		return err->code;
	r = path_mkdir_all(dir, err);
	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return ktstr_error_set(err, -errno, "lock '%s': %s", path, strerror(errno));
	return take_fd(&fd);
}

void history_save(const struct history *h)
{
	struct ktstr_error err = { 0 };
	_cleanup_free_ char *path = history_path("", &err);
	_cleanup_close_ int fd = -1;
	json_t *tests;
	int r;

	if (!json_object_size(h->seen))
		return;
	fd = path ? lock(&err) : -ENOENT;
	if (fd < 0) {
		ktstr_log(KTSTR_LOG_DEBUG, "no history is kept: %s", err.text);
		return;
	}
	/* Others may have written since it was loaded. */
	tests = read_tests(path);
	if (!tests)
		tests = json_object();
	fold_in(tests, h->seen);
	forget_oldest(tests);
	r = write_tests(path, tests, &err);
	if (r < 0)
		ktstr_log(KTSTR_LOG_DEBUG, "no history is kept: %s", err.text);
	json_decref(tests);
}
