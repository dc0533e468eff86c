/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * yaml.h - a file of YAML as a JSON document that remembers its lines.
 *
 * The part of YAML 1.1 that people write: mappings, lists, texts in any style, comments.  Every single
 * value is a text; what it means, its key decides ("no" is a text, and so is "0x10").  Anchors, aliases,
 * tags, second documents and keys that come twice are errors.
 */
#ifndef KTSTR_SCENARIO_YAML_H
#define KTSTR_SCENARIO_YAML_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include <ktstr/api.h>
#include <ktstr/error.h>

enum { YAML_BYTES = 1 << 20, YAML_DEPTH = 12, YAML_VALUES = 1 << 16, YAML_KEY = 128 };

struct yaml_place {
	const json_t *value;
	uint32_t line;
};

struct yaml_document {
	json_t *root; /* a mapping */
	char *name;   /* for messages */
	struct yaml_place *places;
	size_t nr_places, size_places;
	char text[256]; /* of yaml_place() */
};

/* @name: what messages call it.
 * Return: 0, -EINVAL ("NAME:LINE: what is wrong"), -E2BIG (over a limit above), -ENOMEM. */
int yaml_parse(const char *name, const char *text, size_t length,
	       struct yaml_document *ret_document, struct ktstr_error *err) KTSTR_MUST_CHECK;
void yaml_document_deinit(struct yaml_document *document);

/* "NAME:LINE" of a value, of its key if it has one; valid until the next call.  @document is void so that
 * this is a model_place_fn.  NULL: it is no value of this document. */
const char *yaml_place(void *document, const json_t *value);

#endif
