// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "scenario/yaml.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct level {
	json_t *container;
	char key[YAML_KEY];
	bool has_key;
	uint32_t key_line;
};

struct build {
	struct yaml_document *document;
	const char *text;
	size_t length;
	struct level levels[YAML_DEPTH];
	size_t depth;
	struct ktstr_error *err;
};

static int fail(struct build *b, int code, size_t line, const char *fmt, ...) KTSTR_PRINTF(4, 5);

static int fail(struct build *b, int code, size_t line, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return ktstr_error_set(b->err, code, "%s:%zu: %s", b->document->name, line, text);
}

static size_t line_of(const yaml_event_t *event)
{
	return event->start_mark.line + 1;
}

/* --- what libyaml refuses -------------------------------------------------------------------- */

static size_t line_at(const struct build *b, size_t offset)
{
	size_t line = 1;

	for (size_t i = 0; i < offset && i < b->length; i++)
		line += b->text[i] == '\n';
	return line;
}

static int parser_error(struct build *b, const yaml_parser_t *parser)
{
	bool bytes = parser->error == YAML_READER_ERROR;
	size_t line = bytes ? line_at(b, parser->problem_offset) : parser->problem_mark.line + 1;

	if (parser->error == YAML_MEMORY_ERROR)
		return ktstr_error_nomem(b->err);
	return fail(b, -EINVAL, line, "%s%s%s", parser->problem ? parser->problem : "not YAML",
		    parser->context ? " " : "", parser->context ? parser->context : "");
}

/* --- values ---------------------------------------------------------------------------------- */

static int remember(struct build *b, const json_t *value, size_t line)
{
	struct yaml_document *d = b->document;
	struct yaml_place *places;

	if (d->nr_places == YAML_VALUES)
		return fail(b, -E2BIG, line, "more than %d values", YAML_VALUES);
	if (d->nr_places == d->size_places) {
		size_t size = d->size_places ? 2 * d->size_places : 256;

		places = reallocarray(d->places, size, sizeof(*places));
		if (!places)
			return ktstr_error_nomem(b->err);
		d->places = places;
		d->size_places = size;
	}
	d->places[d->nr_places++] = (struct yaml_place){ value, (uint32_t)line };
	return 0;
}

/* Takes @value.  The line of a value in a mapping is that of its key. */
static int put(struct build *b, json_t *value, size_t line)
{
	struct level *top = b->depth ? &b->levels[b->depth - 1] : NULL;
	int r;

	if (!value)
		return ktstr_error_nomem(b->err);
	if (!top) {
		b->document->root = value;
		return remember(b, value, line);
	}
	if (json_is_array(top->container)) {
		r = json_array_append_new(top->container, value);
	} else {
		r = json_object_set_new(top->container, top->key, value);
		line = top->key_line;
		top->has_key = false;
	}
	return r < 0 ? ktstr_error_nomem(b->err) : remember(b, value, line);
}

static int take_key(struct build *b, const yaml_event_t *event)
{
	struct level *top = &b->levels[b->depth - 1];
	const char *key = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;

	if (length == 0 || length >= YAML_KEY)
		return fail(b, -EINVAL, line_of(event), "a key has 1 to %d bytes", YAML_KEY - 1);
	if (json_object_get(top->container, key))
		return fail(b, -EINVAL, line_of(event), "'%s' comes twice", key);
	memcpy(top->key, key, length + 1);
	top->key_line = (uint32_t)line_of(event);
	top->has_key = true;
	return 0;
}

static bool wants_key(const struct build *b)
{
	const struct level *top = b->depth ? &b->levels[b->depth - 1] : NULL;

	return top && json_is_object(top->container) && !top->has_key;
}

/* A block of text ends in a newline that nobody means. */
static int take_scalar(struct build *b, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	yaml_scalar_style_t style = event->data.scalar.style;
	bool block = style == YAML_LITERAL_SCALAR_STYLE || style == YAML_FOLDED_SCALAR_STYLE;

	if (event->data.scalar.anchor)
		return fail(b, -EINVAL, line_of(event), "anchors ('&') are not read here");
	if (event->data.scalar.tag)
		return fail(b, -EINVAL, line_of(event), "tags ('!') are not read here");
	if (memchr(value, '\0', length))
		return fail(b, -EINVAL, line_of(event), "a text with a NUL byte");
	if (wants_key(b))
		return take_key(b, event);
	if (block && length && value[length - 1] == '\n')
		length--;
	return put(b, json_stringn(value, length), line_of(event));
}

static int open_container(struct build *b, const yaml_event_t *event)
{
	bool mapping = event->type == YAML_MAPPING_START_EVENT;
	const yaml_char_t *anchor =
		mapping ? event->data.mapping_start.anchor : event->data.sequence_start.anchor;
	const yaml_char_t *tag =
		mapping ? event->data.mapping_start.tag : event->data.sequence_start.tag;
	json_t *container;
	int r;

	if (anchor || tag)
		return fail(b, -EINVAL, line_of(event), "%s are not read here",
			    anchor ? "anchors ('&')" : "tags ('!')");
	if (wants_key(b))
		return fail(b, -EINVAL, line_of(event), "a key is a text");
	if (b->depth == YAML_DEPTH)
		return fail(b, -E2BIG, line_of(event), "nested deeper than %d", YAML_DEPTH);
	if (b->depth == 0 && !mapping)
		return fail(b, -EINVAL, line_of(event), "a mapping is expected, 'KEY: VALUE'");
	container = mapping ? json_object() : json_array();
	r = put(b, container, line_of(event));
	if (r == 0)
		b->levels[b->depth++] = (struct level){ .container = container };
	return r;
}

/* Return: 1 at the end, 0 to go on, or a negative errno. */
static int take_event(struct build *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		return b->document->root ? fail(b, -EINVAL, line_of(event),
						"a second document ('---') is not read here")
					 : 0;
	case YAML_ALIAS_EVENT:
		return fail(b, -EINVAL, line_of(event), "aliases ('*') are not read here");
	case YAML_SCALAR_EVENT:
		if (b->depth == 0)
			return fail(b, -EINVAL, line_of(event),
				    "a mapping is expected, 'KEY: VALUE'");
		return take_scalar(b, event);
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return open_container(b, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return 0;
	case YAML_STREAM_END_EVENT:
		return 1;
	default:
		return 0;
	}
}

static int read_events(struct build *b, yaml_parser_t *parser)
{
	yaml_event_t event;
	int r = 0;

	while (r == 0) {
		if (!yaml_parser_parse(parser, &event))
			return parser_error(b, parser);
		r = take_event(b, &event);
		yaml_event_delete(&event);
	}
	return r < 0 ? r : 0;
}

int yaml_parse(const char *name, const char *text, size_t length,
	       struct yaml_document *ret_document, struct ktstr_error *err)
{
	struct yaml_document document = { .name = strdup(name) };
	struct build b = { .document = &document, .text = text, .length = length, .err = err };
	yaml_parser_t parser;
	int r;

	if (!document.name || !yaml_parser_initialize(&parser)) {
		free(document.name);
		return ktstr_error_nomem(err);
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
	if (length > YAML_BYTES)
		r = ktstr_error_set(err, -E2BIG, "%s: %zu bytes, at most %d are read", name, length,
				    YAML_BYTES);
	else
		r = read_events(&b, &parser);
	if (r == 0 && !document.root)
		r = fail(&b, -EINVAL, 1, "the file is empty");
	yaml_parser_delete(&parser);
	if (r < 0) {
		yaml_document_deinit(&document);
		return r;
	}
	*ret_document = document;
	return 0;
}

void yaml_document_deinit(struct yaml_document *document)
{
	json_decref(document->root);
	free(document->name);
	free(document->places);
	*document = (struct yaml_document){ 0 };
}

const char *yaml_place(void *arg, const json_t *value)
{
	struct yaml_document *d = arg;

	for (size_t i = 0; i < d->nr_places; i++) {
		if (d->places[i].value != value)
			continue;
		snprintf(d->text, sizeof(d->text), "%s:%u", d->name, d->places[i].line);
		return d->text;
	}
	return NULL;
}
