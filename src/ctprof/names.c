// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "ctprof/names.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

enum shape { LITERAL, NUMBER, HEX, LETTERS_NUMBER, NUMBER_LETTERS, INSTANCE };

struct token {
	const char *at;
	size_t len;   /* without what follows */
	size_t split; /* where digits begin or end */
	enum shape shape;
};

static bool separates(char c)
{
	return c == '\0' || isspace((unsigned char)c) || strchr(".-_/:@+[]", c);
}

static size_t span_of(const char *at, size_t len, int (*is)(int))
{
	size_t n = 0;

	while (n < len && is((unsigned char)at[n]))
		n++;
	return n;
}

static int is_lower_hex(int c)
{
	return isdigit(c) || (c >= 'a' && c <= 'f');
}

static void shape_token(struct token *t, enum names_rule rule)
{
	size_t digits = span_of(t->at, t->len, isdigit);
	size_t letters = span_of(t->at, t->len, isalpha);
	bool has_digit = false;

	for (size_t i = 0; i < t->len; i++)
		has_digit |= isdigit((unsigned char)t->at[i]) != 0;
	t->shape = LITERAL;
	if (t->len && digits == t->len) {
		t->shape = NUMBER;
	} else if (t->len >= 2 && has_digit && span_of(t->at, t->len, is_lower_hex) == t->len) {
		if (rule != NAMES_CGROUP || t->len < NAMES_ID_LEN)
			t->shape = HEX;
	} else if (letters &&
		   letters + span_of(t->at + letters, t->len - letters, isdigit) == t->len) {
		t->shape = letters == t->len ? LITERAL : LETTERS_NUMBER;
		t->split = letters;
	} else if (digits && digits + span_of(t->at + digits, t->len - digits, isalpha) == t->len) {
		t->shape = NUMBER_LETTERS;
		t->split = digits;
	}
}

/* The instance of a systemd unit at @at, behind its "@": its length, 0 if it is none. */
static size_t instance(const char *at)
{
	static const char suffix[] = ".service";
	size_t len = strcspn(at, "._-/");

	if (strncmp(at + len, suffix, sizeof(suffix) - 1))
		return 0;
	at += len + sizeof(suffix) - 1;
	return *at == '\0' || *at == '/' ? len : 0;
}

/* Cuts the next token off @at; the separator behind it stays there. */
static struct token next_token(const char *name, const char **at, enum names_rule rule)
{
	struct token t = { .at = *at };

	if (rule >= NAMES_CGROUP && t.at > name && t.at[-1] == '@')
		t.len = instance(t.at);
	if (t.len) {
		t.shape = INSTANCE;
	} else {
		while (!separates(t.at[t.len]))
			t.len++;
		shape_token(&t, rule);
	}
	*at += t.len;
	return t;
}

static void add_token(struct strbuf *out, const struct token *t)
{
	if (t->shape == LETTERS_NUMBER)
		strbuf_add(out, t->at, t->split);
	if (t->shape == LITERAL)
		strbuf_add(out, t->at, t->len);
	else
		strbuf_addstr(out, t->shape == HEX ? "{H}" : t->shape == INSTANCE ? "{I}" : "{N}");
	if (t->shape == NUMBER_LETTERS)
		strbuf_add(out, t->at + t->split, t->len - t->split);
}

/* @varying NULL: every token as a pattern; else only those whose bit is set. */
static void add_pattern(struct strbuf *out, enum names_rule rule, const char *name,
			const uint64_t *varying)
{
	const char *at = name;

	if (rule == NAMES_EXACT) {
		strbuf_addstr(out, name);
		return;
	}
	for (unsigned int i = 0;; i++) {
		struct token t = next_token(name, &at, rule);

		if (varying && i < NAMES_VARYING && !(varying[i / 64] >> (i % 64) & 1))
			strbuf_add(out, t.at, t.len);
		else
			add_token(out, &t);
		if (!*at)
			return;
		strbuf_addch(out, *at++);
	}
}

void names_pattern(struct strbuf *out, enum names_rule rule, const char *name)
{
	add_pattern(out, rule, name, NULL);
}

/* Marks the tokens in which two names of one pattern differ. */
static void mark_varying(enum names_rule rule, const char *a, const char *b, uint64_t *varying)
{
	const char *at_a = a, *at_b = b;

	for (unsigned int i = 0; i < NAMES_VARYING; i++) {
		struct token x = next_token(a, &at_a, rule), y = next_token(b, &at_b, rule);

		if (x.len != y.len || memcmp(x.at, y.at, x.len))
			varying[i / 64] |= 1ull << (i % 64);
		if (!*at_a++ || !*at_b++)
			return;
	}
}

/* What is known of a bucket while names are put into it. */
struct bucket {
	const char *first;
	uint64_t varying[NAMES_VARYING / 64];
};

void buckets_deinit(struct buckets *b)
{
	free(b->of);
	free(b->labels);
	*b = (struct buckets){ 0 };
}

static int label_buckets(struct buckets *b, enum names_rule rule, const struct bucket *made,
			 struct arena *arena)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	b->labels = calloc(b->nr + 1, sizeof(*b->labels));
	for (size_t i = 0; b->labels && i < b->nr; i++) {
		strbuf_clear(&text);
		add_pattern(&text, rule, made[i].first, made[i].varying);
		b->labels[i] = text.error ? NULL : arena_copy(arena, strbuf_str(&text), text.len);
		if (!b->labels[i])
			return -ENOMEM;
	}
	return b->labels ? 0 : -ENOMEM;
}

static void text_sets_deinit(struct text_set *s)
{
	text_set_deinit(s);
}

int buckets_make(const struct text_set *names, enum names_rule rule, struct arena *arena,
		 struct buckets *ret_buckets)
{
	_cleanup_(text_sets_deinit) struct text_set patterns = { 0 };
	_cleanup_(buckets_deinit) struct buckets b = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_free_ struct bucket *made = calloc(names->nr + 1, sizeof(*made));

	b.of = calloc(names->nr + 1, sizeof(*b.of));
	if (!made || !b.of)
		return -ENOMEM;
	for (size_t i = 0; i < names->nr; i++) {
		const char *pattern;
		uint32_t to;

		strbuf_clear(&text);
		names_pattern(&text, rule, names->texts[i]);
		pattern = text.error ? NULL : arena_copy(arena, strbuf_str(&text), text.len);
		to = pattern ? text_set_add(&patterns, pattern) : NAMES_NONE;
		if (to == NAMES_NONE)
			return -ENOMEM;
		b.of[i] = to;
		if (to == b.nr) {
			made[to].first = names->texts[i];
			b.nr++;
		} else {
			mark_varying(rule, made[to].first, names->texts[i], made[to].varying);
		}
	}
	if (label_buckets(&b, rule, made, arena) < 0)
		return -ENOMEM;
	*ret_buckets = b;
	b = (struct buckets){ 0 };
	return 0;
}
