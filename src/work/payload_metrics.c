// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "work/payload_metrics.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/cleanup.h"

enum { WORK_FREE_BYTES = 64 << 10 };

struct walk {
	struct metrics *out;
	const char *const *wanted;
	unsigned int room; /* for names nobody asked for */
	char name[METRICS_NAME_BYTES];
	size_t len;
	bool unnamable;
	bool ambiguous; /* a key with a dot was seen: two paths may read the same */
	struct ktstr_error *err;
};

static int walk_value(struct walk *w, const json_t *value, unsigned int depth);

static bool is_wanted(const struct walk *w)
{
	for (const char *const *p = w->wanted; p && *p; p++)
		if (!strcmp(*p, w->name))
			return true;
	return false;
}

static int keep_number(struct walk *w, double value)
{
	double before;
	struct metric *m;

	if (w->ambiguous && !w->unnamable && metrics_get(w->out, w->name, &before) == 0)
		return ktstr_error_set(w->err, -EBADMSG, "metric '%s' is there twice", w->name);
	if (w->unnamable || w->out->nr == KTSTR_PAYLOAD_VALUES || (!is_wanted(w) && !w->room)) {
		w->out->dropped++;
		return 0;
	}
	if (!is_wanted(w))
		w->room--;
	m = &w->out->values[w->out->nr++];
	memcpy(m->name, w->name, w->len + 1);
	m->value = value;
	return 0;
}

static bool has_control(const char *key)
{
	for (; *key; key++)
		if ((unsigned char)*key < ' ' || *key == 0x7f)
			return true;
	return false;
}

static int walk_member(struct walk *w, const char *key, const json_t *value, unsigned int depth)
{
	size_t len = w->len;
	bool unnamable = w->unnamable;
	int n = snprintf(w->name + len, sizeof(w->name) - len, "%s%s", depth > 1 ? "." : "", key);
	int r;

	if (n < 0 || (size_t)n >= sizeof(w->name) - len || has_control(key))
		w->unnamable = true;
	else
		w->len += (size_t)n;
	w->ambiguous |= strchr(key, '.') != NULL;
	r = walk_value(w, value, depth);
	w->len = len;
	w->name[len] = '\0';
	w->unnamable = unnamable;
	return r;
}

static int walk_object(struct walk *w, const json_t *object, unsigned int depth)
{
	const char *key;
	json_t *value;
	int r = 0;

	json_object_foreach((json_t *)object, key, value)
	{
		r = walk_member(w, key, value, depth + 1);
		if (r < 0)
			break;
	}
	return r;
}

static int walk_array(struct walk *w, const json_t *array, unsigned int depth)
{
	char key[24];
	int r = 0;

	for (size_t i = 0; i < json_array_size(array) && r == 0; i++) {
		snprintf(key, sizeof(key), "%zu", i);
		r = walk_member(w, key, json_array_get(array, i), depth + 1);
	}
	return r;
}

static int walk_value(struct walk *w, const json_t *value, unsigned int depth)
{
	if (json_is_number(value))
		return keep_number(w, json_number_value(value));
	if (depth >= METRICS_DEPTH) {
		w->out->dropped += json_is_object(value) || json_is_array(value);
		return 0;
	}
	if (json_is_object(value))
		return walk_object(w, value, depth);
	if (json_is_array(value))
		return walk_array(w, value, depth);
	return 0;
}

static int walk_document(const json_t *document, const char *const *wanted, struct metrics *out,
			 struct ktstr_error *err)
{
	struct walk w = { .out = out, .wanted = wanted, .err = err };
	unsigned int nr_wanted = 0;
	int r;

	for (; wanted && wanted[nr_wanted]; nr_wanted++)
		;
	w.room = nr_wanted < KTSTR_PAYLOAD_VALUES ? KTSTR_PAYLOAD_VALUES - nr_wanted : 0;
	r = walk_value(&w, document, 0);
	if (r < 0)
		out->nr = 0;
	return r;
}

/* Looks for documents, line by line. */
struct scan {
	const char *text, *end;
	size_t line;
	size_t work; /* bytes that may still be read; bounds the cost of broken documents */
	json_t *last;
	unsigned int documents;
	int refused; /* -EBADMSG: the last document is complete and not to be believed */
	struct ktstr_error why;
};

static bool rest_is_blank(const char *p, const char *end)
{
	for (; p < end && *p != '\n'; p++)
		if (*p != ' ' && *p != '\t' && *p != '\r')
			return false;
	return true;
}

/* jansson stops at what it refuses; the rest of such a document is not looked at as one. */
static bool is_refusal(const struct scan *s, const json_error_t *e)
{
	static const char *const no_numbers[] = { "'NaN'", "'nan'", "'Infinity'", "'inf'",
						  "'-'",   "'INF'", "'NAN'",	  "'infinity'" };

	/* Chatter begins like "[info]"; only an object is surely meant as data. */
	if (*s->text != '{')
		return false;
	if (json_error_code(e) == json_error_numeric_overflow ||
	    json_error_code(e) == json_error_duplicate_key)
		return true;
	for (size_t i = 0; i < ARRAY_SIZE(no_numbers); i++)
		if (strstr(e->text, no_numbers[i]))
			return true;
	return false;
}

/* Return: bytes of the document at the front, 0 if there is none. */
static size_t try_document(struct scan *s)
{
	json_error_t e;
	size_t left = (size_t)(s->end - s->text);
	json_t *doc = json_loadb(
		s->text, left,
		JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &e);
	size_t used = e.position > 0 ? (size_t)e.position : 1;

	s->work -= used < s->work ? used : s->work;
	if (doc && rest_is_blank(s->text + used, s->end)) {
		json_decref(s->last);
		s->last = doc;
		s->documents++;
		s->refused = 0;
		return used;
	}
	json_decref(doc);
	if (doc)
		return 0;
	ktstr_error_set(&s->why, -ENODATA, "line %zu of the document at line %zu: %s",
			(size_t)e.line, s->line, e.text);
	if (is_refusal(s, &e))
		s->refused = -EBADMSG;
	return json_error_code(&e) == json_error_premature_end_of_input ? left : 0;
}

static void next_line(struct scan *s, size_t skip)
{
	const char *stop = s->text + skip;

	for (; s->text < stop; s->text++)
		s->line += *s->text == '\n';
	stop = memchr(s->text, '\n', (size_t)(s->end - s->text));
	s->text = stop ? stop + 1 : s->end;
	s->line++;
}

static int scan_documents(struct scan *s)
{
	while (s->text < s->end) {
		size_t used = 0;

		if (*s->text == '{' || *s->text == '[') {
			if (!s->work)
				return ktstr_error_set(&s->why, -E2BIG,
						       "line %zu: too many broken documents",
						       s->line);
			used = try_document(s);
		}
		next_line(s, used);
	}
	return 0;
}

int metrics_parse(const char *text, size_t length, const char *const *wanted,
		  struct metrics *ret_metrics, struct ktstr_error *err)
{
	struct scan s = {
		.text = text,
		.end = text + length,
		.line = 1,
		.work = METRICS_WORK * length + WORK_FREE_BYTES,
	};
	json_auto_t *document = NULL;
	int r;

	memset(ret_metrics, 0, sizeof(*ret_metrics));
	r = scan_documents(&s);
	document = s.last;
	ret_metrics->documents = s.documents;
	if (r == 0 && s.refused)
		r = s.refused;
	if (r == 0 && !document)
		r = -ENODATA;
	if (r == -ENODATA && !s.why.text[0])
		return ktstr_error_set(err, r, "there is no JSON in the output");
	if (r < 0)
		return ktstr_error_set(err, r, "no usable JSON in the output: %s", s.why.text);
	return walk_document(document, wanted, ret_metrics, err);
}

int metrics_get(const struct metrics *metrics, const char *name, double *ret_value)
{
	for (unsigned int i = 0; i < metrics->nr; i++) {
		if (!strcmp(metrics->values[i].name, name)) {
			*ret_value = metrics->values[i].value;
			return 0;
		}
	}
	return metrics->dropped ? -EOVERFLOW : -ENODATA;
}
