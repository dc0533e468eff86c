// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/results_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "run/report.h"
#include "run/result.h"

#define RUN_PREFIX "{\"type\":\"run\""

void results_reader_init(struct results_reader *reader, int fd)
{
	*reader = (struct results_reader){ 0 };
	lines_init(&reader->lines, fd, REPORT_RUN_LINE_MAX);
}

void results_reader_deinit(struct results_reader *reader)
{
	lines_deinit(&reader->lines);
	json_decref(reader->object);
	reader->object = NULL;
}

static enum results_kind damaged(struct results_line *line, const char *why)
{
	ktstr_error_set(&line->why, -EBADMSG, "%s", why);
	return RESULTS_DAMAGED;
}

static enum results_kind kind_of(struct results_line *line)
{
	static const struct {
		const char *type;
		enum results_kind kind;
	} kinds[] = {
		{ "run", RESULTS_RUN },
		{ "result", RESULTS_RESULT },
		{ "summary", RESULTS_SUMMARY },
	};
	const char *type = json_string_value(json_object_get(line->object, "type"));
	const json_t *version = json_object_get(line->object, "version");

	if (!type)
		return damaged(line, "it has no \"type\"");
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (strcmp(type, kinds[i].type) != 0)
			continue;
		if (!json_is_integer(version) || json_integer_value(version) < 1)
			return damaged(line, "it has no \"version\"");
		if (json_integer_value(version) <= RESULT_VERSION)
			return kinds[i].kind;
		ktstr_error_set(&line->why, -ENOTSUP,
				"a newer ktstr wrote it (version %lld, this one reads %d)",
				(long long)json_integer_value(version), RESULT_VERSION);
		return RESULTS_NEWER;
	}
	return RESULTS_OTHER;
}

/* Only a plan may be that long; what else is gets no chance to fill the memory. */
static bool is_too_long(const struct line *place)
{
	return place->too_long || (place->len > REPORT_LINE_MAX &&
				   strncmp(place->text, RUN_PREFIX, strlen(RUN_PREFIX)) != 0);
}

static enum results_kind parse(struct results_line *line)
{
	json_error_t error;

	if (is_too_long(&line->place))
		return line->place.whole ? damaged(line, "it is too long") : RESULTS_CUT;
	line->object =
		json_loadb(line->place.text, line->place.len, JSON_REJECT_DUPLICATES, &error);
	if (line->object && json_is_object(line->object))
		return kind_of(line);
	if (!line->place.whole)
		return RESULTS_CUT;
	return damaged(line, line->object ? "it is no JSON object" : error.text);
}

int results_reader_next(struct results_reader *reader, struct results_line *ret_line)
{
	struct results_line line = { 0 };
	int r;

	json_decref(reader->object);
	reader->object = NULL;
	r = lines_next(&reader->lines, &line.place);
	if (r <= 0)
		return r;
	if (line.place.number > RESULTS_LINES_MAX)
		return -E2BIG;
	line.kind = parse(&line);
	reader->object = line.object;
	*ret_line = line;
	return 1;
}

static int check_ids(const char *key, const json_t *list, struct ktstr_error *err)
{
	json_t *id;
	size_t i;

	if (!json_is_array(list))
		return ktstr_error_set(err, -EINVAL, "\"%s\" is not a list", key);
	if (json_array_size(list) > PLAN_ITEMS_MAX)
		return ktstr_error_set(err, -E2BIG, "\"%s\" has more than %d ids", key,
				       PLAN_ITEMS_MAX);
	json_array_foreach(list, i, id)
	{
		if (!result_is_id(json_string_value(id), json_string_length(id)))
			return ktstr_error_set(err, -EINVAL, "\"%s\" is not a list of ids", key);
	}
	return 0;
}

static int read_program(const json_t *object, struct results_run *run, struct ktstr_error *err)
{
	const json_t *program = json_object_get(object, "program");
	const char *text = json_string_value(program);

	if (!text || !*text || strlen(text) != json_string_length(program))
		return ktstr_error_set(err, -EINVAL, "\"program\" is not a text");
	if (strlen(text) > RESULTS_PROGRAM_MAX)
		return ktstr_error_set(err, -E2BIG, "\"program\" is longer than %d bytes",
				       RESULTS_PROGRAM_MAX);
	snprintf(run->program, sizeof(run->program), "%s", text);
	return 0;
}

static int read_partition(const json_t *object, struct results_run *run, struct ktstr_error *err)
{
	const json_t *partition = json_object_get(object, "partition");
	const char *text = json_string_value(partition);
	struct ktstr_error ignored;

	if (!partition)
		return 0;
	if (!text || strlen(text) >= sizeof(run->partition) ||
	    plan_parse_shard(text, &run->shard, &ignored) < 0)
		return ktstr_error_set(err, -EINVAL, "\"partition\" is not KIND:M/N");
	snprintf(run->partition, sizeof(run->partition), "%s", text);
	return 0;
}

int results_run_read(const json_t *object, struct results_run *ret_run, struct ktstr_error *err)
{
	struct results_run run = { .all = json_object_get(object, "all"),
				   .plan = json_object_get(object, "plan") };
	int r = read_program(object, &run, err);

	if (r == 0)
		r = read_partition(object, &run, err);
	if (r == 0)
		r = check_ids("all", run.all, err);
	if (r == 0 && run.plan)
		r = check_ids("plan", run.plan, err);
	if (r < 0)
		return r;
	if (!run.plan)
		run.plan = run.all;
	*ret_run = run;
	return 0;
}
