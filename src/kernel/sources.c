// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "kernel/sources.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/path.h"
#include "kernel/program.h"

static void source_deinit(struct source *s)
{
	free(s->uri);
	free(s->signed_by);
	for (size_t i = 0; i < s->nr_suites; i++)
		free(s->suites[i]);
	*s = (struct source){ 0 };
}

void sources_deinit(struct source_list *list)
{
	for (size_t i = 0; i < list->nr; i++)
		source_deinit(&list->items[i]);
	free(list->items);
	*list = (struct source_list){ 0 };
}

static bool is_yes(const char *value)
{
	return !strcasecmp(value, "yes") || !strcasecmp(value, "true") || !strcmp(value, "1");
}

/* The next blank-separated word of *text, malloc'ed; NULL at the end or without memory. */
static char *next_word(const char **text)
{
	const char *start = *text + strspn(*text, " \t\r\n");
	size_t len = strcspn(start, " \t\r\n");

	*text = start + len;
	return len ? strndup(start, len) : NULL;
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (;;) {
		text += strspn(text, " \t\r\n");
		if (!*text)
			return false;
		if (strcspn(text, " \t\r\n") == len && !strncmp(text, word, len))
			return true;
		text += strcspn(text, " \t\r\n");
	}
}

static int add_suites(struct source *s, const char *suites)
{
	char *word;

	while (s->nr_suites < SOURCES_MAX_SUITES && (word = next_word(&suites)))
		s->suites[s->nr_suites++] = word;
	return 0;
}

/* What one entry says, as texts; URIs may be several. */
struct fields {
	const char *uris, *suites, *components, *signed_by;
	bool trusted;
};

static int add_source(struct source_list *list, const struct fields *f, char *uri)
{
	struct source s = { .uri = uri, .trusted = f->trusted };
	struct source *grown = realloc(list->items, (list->nr + 1) * sizeof(*grown));

	if (!grown) {
		free(uri);
		return -ENOMEM;
	}
	list->items = grown;
	if (f->signed_by && *f->signed_by) {
		s.signed_by = strdup(f->signed_by);
		if (!s.signed_by) {
			free(uri);
			return -ENOMEM;
		}
	}
	s.has_main = has_word(f->components, "main");
	add_suites(&s, f->suites);
	grown[list->nr++] = s;
	return 0;
}

static int add_sources(struct source_list *list, const struct fields *f)
{
	const char *uris = f->uris;
	char *uri;
	int r;

	while ((uri = next_word(&uris))) {
		if (!strncmp(uri, "cdrom:", 6)) {
			free(uri);
			continue;
		}
		if (list->nr == SOURCES_MAX) {
			free(uri);
			return -E2BIG;
		}
		r = add_source(list, f, uri);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "[ signed-by=/a,/b trusted=yes ]", already without its brackets; is modified. */
static void read_bracket(char *options, struct fields *f)
{
	for (char *p = options + strspn(options, " \t"); *p; p += strspn(p, " \t")) {
		size_t len = strcspn(p, " \t");
		bool last = !p[len];

		p[len] = '\0';
		if (!strncasecmp(p, "signed-by=", 10))
			f->signed_by = p + 10;
		else if (!strncasecmp(p, "trusted=", 8))
			f->trusted = is_yes(p + 8);
		p += len + !last;
	}
	for (char *p = (char *)f->signed_by; p && *p; p++)
		if (*p == ',')
			*p = ' ';
}

static int parse_line(char *line, struct source_list *list)
{
	struct fields f = { 0 };
	_cleanup_free_ char *uri = NULL;
	_cleanup_free_ char *suite = NULL;
	const char *rest;
	char *p;

	line[strcspn(line, "#\r\n")] = '\0';
	p = line + strspn(line, " \t");
	if (strncmp(p, "deb", 3) != 0 || !isblank((unsigned char)p[3]))
		return 0;
	p += 3 + strspn(p + 3, " \t");
	if (*p == '[') {
		char *end = strchr(p, ']');

		if (!end)
			return 0;
		*end = '\0';
		read_bracket(p + 1, &f);
		p = end + 1;
	}
	rest = p;
	uri = next_word(&rest);
	suite = next_word(&rest);
	if (!uri || !suite)
		return 0;
	f.uris = uri;
	f.suites = suite;
	f.components = rest;
	return add_sources(list, &f);
}

int sources_parse_lines(const char *text, struct source_list *list)
{
	int r = 0;

	while (r == 0 && *text) {
		size_t len = strcspn(text, "\n");
		_cleanup_free_ char *line = strndup(text, len);

		r = line ? parse_line(line, list) : -ENOMEM;
		text += len + (text[len] == '\n');
	}
	return r;
}

/* One paragraph of "Field: value" lines, continued by lines that begin with a blank. */
enum { TYPES, URIS, SUITES, COMPONENTS, SIGNED_BY, TRUSTED, ENABLED, NR_FIELDS };

static const char *const field_names[NR_FIELDS] = { "types",	 "uris",    "suites", "components",
						    "signed-by", "trusted", "enabled" };

struct stanza {
	struct strbuf values[NR_FIELDS];
	int current; /* field that a continuation belongs to; -1: one that is not kept */
};

static void stanza_reset(struct stanza *s)
{
	for (int i = 0; i < NR_FIELDS; i++) {
		strbuf_clear(&s->values[i]);
		s->values[i].limit = 1 << 16;
	}
	s->current = -1;
}

static void stanza_deinit(struct stanza *s)
{
	for (int i = 0; i < NR_FIELDS; i++)
		strbuf_deinit(&s->values[i]);
}

static void stanza_line(struct stanza *s, const char *line, size_t len)
{
	const char *colon;
	size_t skip;

	if (isblank((unsigned char)*line)) {
		if (s->current < 0)
			return;
		strbuf_addch(&s->values[s->current], '\n');
		strbuf_add(&s->values[s->current], line, len);
		return;
	}
	s->current = -1;
	colon = memchr(line, ':', len);
	for (int i = 0; colon && i < NR_FIELDS; i++)
		if (strlen(field_names[i]) == (size_t)(colon - line) &&
		    !strncasecmp(line, field_names[i], (size_t)(colon - line)))
			s->current = i;
	if (s->current < 0)
		return;
	strbuf_clear(&s->values[s->current]);
	skip = (size_t)(colon + 1 - line);
	while (skip < len && isblank((unsigned char)line[skip]))
		skip++;
	strbuf_add(&s->values[s->current], line + skip, len - skip);
}

static int stanza_end(struct stanza *s, struct source_list *list)
{
	const char *enabled = strbuf_str(&s->values[ENABLED]);
	struct fields f = {
		.uris = strbuf_str(&s->values[URIS]),
		.suites = strbuf_str(&s->values[SUITES]),
		.components = strbuf_str(&s->values[COMPONENTS]),
		.signed_by = strbuf_str(&s->values[SIGNED_BY]),
		.trusted = is_yes(strbuf_str(&s->values[TRUSTED])),
	};
	int r = 0;

	for (int i = 0; i < NR_FIELDS; i++)
		if (s->values[i].error == -ENOMEM)
			r = -ENOMEM;
	if (r == 0 && has_word(strbuf_str(&s->values[TYPES]), "deb") &&
	    (!*enabled || is_yes(enabled)))
		r = add_sources(list, &f);
	stanza_reset(s);
	return r;
}

int sources_parse_deb822(const char *text, struct source_list *list)
{
	_cleanup_(stanza_deinit) struct stanza s = { 0 };
	int r = 0;

	stanza_reset(&s);
	while (r == 0 && *text) {
		size_t len = strcspn(text, "\n");
		size_t used = len;

		while (used && isspace((unsigned char)text[used - 1]))
			used--;
		if (!used)
			r = stanza_end(&s, list);
		else if (*text != '#')
			stanza_line(&s, text, used);
		text += len + (text[len] == '\n');
	}
	return r < 0 ? r : stanza_end(&s, list);
}

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), n = strlen(end);

	return len > n && !strcmp(text + len - n, end);
}

static int read_source_file(const char *path, struct source_list *list, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(SOURCES_MAX_BYTES);
	int r;

	if (io_read_file(path, &text, NULL) < 0)
		return 0; /* apt itself passes over what it cannot read */
	r = ends_with(path, ".sources") ? sources_parse_deb822(strbuf_str(&text), list)
					: sources_parse_lines(strbuf_str(&text), list);
	return r < 0 ? ktstr_error_set(err, r, "read '%s': %s", path, strerror(-r)) : 0;
}

static int read_source_dir(const char *path, struct source_list *list, struct ktstr_error *err)
{
	struct dirent **names = NULL;
	int nr = scandir(path, &names, NULL, alphasort);
	int r = 0;

	for (int i = 0; i < nr; i++) {
		if (r == 0 && (ends_with(names[i]->d_name, ".sources") ||
			       ends_with(names[i]->d_name, ".list"))) {
			_cleanup_free_ char *file = path_format("%s/%s", path, names[i]->d_name);

			r = file ? read_source_file(file, list, err) : ktstr_error_nomem(err);
		}
		free(names[i]);
	}
	free(names);
	return r;
}

/* "KEY='value'" as apt-config shell prints it. */
static char *shell_value(const char *text, const char *key)
{
	const char *p = strstr(text, key);
	const char *end;

	if (!p)
		return NULL;
	p += strlen(key);
	end = *p == '\'' ? strchr(p + 1, '\'') : NULL;
	return end ? strndup(p + 1, (size_t)(end - p - 1)) : NULL;
}

int sources_read_host(struct source_list *list, struct ktstr_error *err)
{
	static const char *const argv[] = { "apt-config", "shell",
					    "SINGLE",	  "Dir::Etc::sourcelist/f",
					    "PARTS",	  "Dir::Etc::sourceparts/d",
					    NULL };
	_cleanup_strbuf_ struct strbuf places = STRBUF_INIT;
	_cleanup_free_ char *single = NULL;
	_cleanup_free_ char *parts = NULL;
	int r = program_run(&(struct program_opts){ .argv = argv, .package = "apt" }, &places, err);

	if (r == -ENOTSUP)
		return ktstr_error_set(err, r,
				       "kernels are fetched with apt, which is not here; give one "
				       "with --kernel FILE");
	if (r < 0)
		return ktstr_error_wrap(err, r, "ask apt for its sources");
	single = shell_value(strbuf_str(&places), "SINGLE=");
	parts = shell_value(strbuf_str(&places), "PARTS=");
	r = single ? read_source_file(single, list, err) : 0;
	if (r == 0 && parts)
		r = read_source_dir(parts, list, err);
	return r;
}

static bool is_debian_suite(const char *suite)
{
	static const char *const names[] = { "bullseye", "bookworm", "trixie",	  "forky",
					     "duke",	 "sid",	     "oldstable", "stable",
					     "testing",	 "unstable" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(suite, names[i]))
			return true;
	return false;
}

static bool has_updates_beside(const struct source_list *list, const char *uri, const char *suite)
{
	for (size_t i = 0; i < list->nr; i++) {
		const struct source *s = &list->items[i];

		for (size_t j = 0; !strcmp(s->uri, uri) && j < s->nr_suites; j++)
			if (!strncmp(s->suites[j], suite, strlen(suite)) &&
			    !strcmp(s->suites[j] + strlen(suite), "-updates"))
				return true;
	}
	return false;
}

static int score(const struct source_list *list, const struct source *s)
{
	int best = 0;

	for (size_t i = 0; s->has_main && i < s->nr_suites; i++) {
		int points = 1;

		if (!is_debian_suite(s->suites[i]))
			continue;
		if (has_updates_beside(list, s->uri, s->suites[i]))
			points += 2;
		if (!s->signed_by)
			points += 1;
		else if (strstr(s->signed_by, "debian-archive"))
			points += 4;
		if (points > best)
			best = points;
	}
	return best;
}

const struct source *sources_debian_mirror(const struct source_list *list)
{
	const struct source *best = NULL;
	int best_score = 0;

	for (size_t i = 0; i < list->nr; i++) {
		int points = score(list, &list->items[i]);

		if (points > best_score) {
			best = &list->items[i];
			best_score = points;
		}
	}
	return best;
}
