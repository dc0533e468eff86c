// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <ktstr/options.h>

#include "base/cleanup.h"
#include "base/parse.h"

struct scan {
	const struct ktstr_command *command;
	int argc, at;
	char **argv;
	bool help;
	struct ktstr_error *err;
};

static const char *name_of(const struct ktstr_option *row, char *buf, size_t size)
{
	if (row->long_name)
		snprintf(buf, size, "--%s", row->long_name);
	else
		snprintf(buf, size, "-%c", row->short_name);
	return buf;
}

static size_t common_prefix(const char *a, const char *b, size_t len)
{
	size_t n = 0;

	while (n < len && a[n] && a[n] == b[n])
		n++;
	return n;
}

static int unknown_option(struct scan *s, const char *text, size_t len)
{
	const struct ktstr_option *best = NULL;
	size_t best_len = 1;

	for (size_t i = 0; i < s->command->nr_options; i++) {
		const struct ktstr_option *row = &s->command->options[i];
		size_t n = row->long_name && len > 2
				   ? common_prefix(row->long_name, text + 2, len - 2)
				   : 0;

		if (n > best_len) {
			best = row;
			best_len = n;
		}
	}
	if (best)
		return ktstr_error_set(
			s->err, -EINVAL,
			"unknown option '%.*s', did you mean '--%s'? try '%s --help'", (int)len,
			text, best->long_name, s->command->name);
	return ktstr_error_set(s->err, -EINVAL, "unknown option '%.*s', try '%s --help'", (int)len,
			       text, s->command->name);
}

static int add_item(struct ktstr_option_list *list, const char *value)
{
	if (list->nr == KTSTR_OPTION_LIST_MAX)
		return -E2BIG;
	list->items[list->nr++] = value;
	return 0;
}

static int store(const struct ktstr_option *row, const char *value)
{
	switch (row->kind) {
	case KTSTR_OPTION_FLAG:
		*(bool *)row->target = true;
		return 0;
	case KTSTR_OPTION_TEXT:
		*(const char **)row->target = value;
		return 0;
	case KTSTR_OPTION_LIST:
		return add_item(row->target, value);
	case KTSTR_OPTION_U32:
		return parse_u32(value, row->target);
	case KTSTR_OPTION_U64:
		return parse_u64(value, row->target);
	case KTSTR_OPTION_BYTES:
		return parse_bytes(value, row->target);
	case KTSTR_OPTION_DURATION:
		return parse_duration_ns(value, row->target);
	}
	return -EINVAL;
}

static const char *expected(enum ktstr_option_kind kind)
{
	switch (kind) {
	case KTSTR_OPTION_U32:
	case KTSTR_OPTION_U64:
		return "a whole number";
	case KTSTR_OPTION_BYTES:
		return "a size such as 512M or 2G";
	case KTSTR_OPTION_DURATION:
		return "a duration such as 250ms, 10s or 2m";
	default:
		return "something else";
	}
}

/* @value NULL: the next argument is the value. */
static int take(struct scan *s, const struct ktstr_option *row, const char *value)
{
	char name[64];
	int r;

	name_of(row, name, sizeof(name));
	if (row->kind == KTSTR_OPTION_FLAG && value)
		return ktstr_error_set(s->err, -EINVAL, "option '%s' takes no value, got '%s'",
				       name, value);
	if (row->kind != KTSTR_OPTION_FLAG && !value) {
		if (s->at + 1 >= s->argc)
			return ktstr_error_set(s->err, -EINVAL, "option '%s' needs a value: %s %s",
					       name, name, row->arg ? row->arg : "VALUE");
		value = s->argv[++s->at];
	}
	r = store(row, value);
	if (r == -E2BIG)
		return ktstr_error_set(s->err, -EINVAL, "option '%s' is given more than %d times",
				       name, KTSTR_OPTION_LIST_MAX);
	if (r == -ERANGE)
		return ktstr_error_set(s->err, -EINVAL, "option '%s': '%s' is too large", name,
				       value);
	if (r < 0)
		return ktstr_error_set(s->err, -EINVAL, "option '%s': '%s' is not %s", name, value,
				       expected(row->kind));
	return 0;
}

static int take_long(struct scan *s, const char *text)
{
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);

	for (size_t i = 0; i < s->command->nr_options; i++) {
		const struct ktstr_option *row = &s->command->options[i];

		if (row->long_name && strlen(row->long_name) == len - 2 &&
		    !strncmp(row->long_name, text + 2, len - 2))
			return take(s, row, equals ? equals + 1 : NULL);
	}
	if (!strcmp(text, "--help")) {
		s->help = true;
		return 0;
	}
	return unknown_option(s, text, len);
}

static const struct ktstr_option *find_short(const struct ktstr_command *command, char name)
{
	for (size_t i = 0; i < command->nr_options; i++)
		if (command->options[i].short_name == name)
			return &command->options[i];
	return NULL;
}

static int take_short(struct scan *s, const char *text)
{
	for (const char *p = text + 1; *p; p++) {
		const struct ktstr_option *row = find_short(s->command, *p);
		int r;

		if (!row && *p == 'h') {
			s->help = true;
			continue;
		}
		if (!row)
			return unknown_option(s, (char[]){ '-', *p, '\0' }, 2);
		if (row->kind != KTSTR_OPTION_FLAG)
			return take(s, row, p[1] ? p + 1 : NULL);
		r = take(s, row, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

static int check_operands(struct scan *s, const struct ktstr_operands *operands)
{
	const struct ktstr_command *c = s->command;

	if (operands->nr > c->operands_max)
		return ktstr_error_set(s->err, -EINVAL, "unexpected argument '%s', try '%s --help'",
				       operands->items[c->operands_max], c->name);
	if (operands->nr < c->operands_min)
		return ktstr_error_set(s->err, -EINVAL, "missing argument, usage: %s %s", c->name,
				       c->usage);
	if (operands->has_rest && !c->takes_rest)
		return ktstr_error_set(s->err, -EINVAL, "'%s' takes nothing after '--'", c->name);
	return 0;
}

int ktstr_options_parse(const struct ktstr_command *command, int argc, char **argv,
			struct ktstr_operands *ret_operands, struct ktstr_error *err)
{
	struct scan s = { .command = command, .argc = argc, .at = 1, .argv = argv, .err = err };
	struct ktstr_operands operands = { .items = argv + 1 };
	int r = 0;

	for (; s.at < argc && r == 0; s.at++) {
		char *text = argv[s.at];

		if (!strcmp(text, "--")) {
			operands.has_rest = true;
			operands.rest = argv + s.at + 1;
			operands.nr_rest = (size_t)(argc - s.at - 1);
			break;
		}
		if (text[0] == '-' && text[1] == '-')
			r = take_long(&s, text);
		else if (text[0] == '-' && text[1])
			r = take_short(&s, text);
		else
			operands.items[operands.nr++] = text;
	}
	operands.want_help = s.help;
	if (r == 0 && !s.help)
		r = check_operands(&s, &operands);
	if (r < 0)
		return r;
	*ret_operands = operands;
	return 0;
}

static int left_column(const struct ktstr_option *row, char *buf, size_t size)
{
	char short_part[8] = "   ";

	if (row->short_name)
		snprintf(short_part, sizeof(short_part), "-%c%s", row->short_name,
			 row->long_name ? "," : "");
	return snprintf(buf, size, "  %s %s%s%s%s", short_part, row->long_name ? "--" : "",
			row->long_name ? row->long_name : "", row->arg ? " " : "",
			row->arg ? row->arg : "");
}

static void help_line(const struct ktstr_option *row, int width, FILE *out)
{
	char left[96];

	left_column(row, left, sizeof(left));
	fprintf(out, "%-*s  %s\n", width, left, row->help);
}

void ktstr_options_help(const struct ktstr_command *command, FILE *out)
{
	static const struct ktstr_option help = { .short_name = 'h',
						  .long_name = "help",
						  .help = "show this text" };
	int width = 0;

	for (size_t i = 0; i < command->nr_options; i++) {
		char left[96];
		int n = left_column(&command->options[i], left, sizeof(left));

		if (n > width)
			width = n;
	}
	if (width < 12)
		width = 12;
	fprintf(out, "usage: %s %s\n\n%s\n\noptions:\n", command->name, command->usage,
		command->about);
	for (size_t i = 0; i < command->nr_options; i++)
		help_line(&command->options[i], width, out);
	help_line(&help, width, out);
}
