// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/merge.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/text.h"

static const char *const words[MERGE_KINDS] = {
	[MERGE_NOTE] = "note",
	[MERGE_MISSING] = "missing",
	[MERGE_CONFLICT] = "conflict",
	[MERGE_DAMAGE] = "damage",
};

const char *merge_notice_word(enum merge_notice_kind kind)
{
	return words[kind];
}

void merge_deinit(struct merge *merge)
{
	for (uint32_t i = 0; i < merge->nr_files; i++) {
		free(merge->files[i].dir);
		free(merge->files[i].path);
	}
	for (uint32_t i = 0; i < merge->nr_programs; i++)
		merge_program_deinit(&merge->programs[i]);
	for (uint32_t i = 0; i < merge->nr_notices; i++)
		free(merge->notices[i].text);
	for (uint32_t i = 0; i < merge->nr_remarks; i++)
		free(merge->remarks[i]);
	free(merge->files);
	free(merge->programs);
	free(merge->sections);
	free(merge->notices);
	free(merge->remarks);
	free(merge->same_example);
	free(merge->superseded_example);
	free(merge->kernel);
	free(merge->qemu);
	free(merge->accelerator);
	*merge = (struct merge){ 0 };
}

void merge_notice(struct merge *merge, enum merge_notice_kind kind, const char *fmt, ...)
{
	_cleanup_strbuf_ struct strbuf raw = STRBUF_INIT, flat = STRBUF_INIT;
	struct merge_notice *notices;
	char *text;
	va_list ap;

	if (merge->nr_kind[kind]++ >= MERGE_NOTICES_MAX)
		return;
	va_start(ap, fmt);
	strbuf_vaddf(&raw, fmt, ap);
	va_end(ap);
	text_add_flat(&flat, strbuf_str(&raw));
	text = text_clean(strbuf_str(&flat), TEXT_LONG_MAX);
	notices = reallocarray(merge->notices, merge->nr_notices + 1, sizeof(*notices));
	if (notices)
		merge->notices = notices;
	if (!notices || !text) {
		merge->out_of_memory = true;
		free(text);
		return;
	}
	notices[merge->nr_notices++] = (struct merge_notice){ kind, text };
}

static int add_file(struct merge *merge, const char *dir, const char *path, struct ktstr_error *err)
{
	struct merge_file *files;

	if (merge->nr_files == MERGE_FILES_MAX)
		return ktstr_error_set(err, -E2BIG, "more than %d folders", MERGE_FILES_MAX);
	files = reallocarray(merge->files, merge->nr_files + 1, sizeof(*files));
	if (!files)
		return ktstr_error_nomem(err);
	merge->files = files;
	files[merge->nr_files] = (struct merge_file){ strdup(dir), strdup(path) };
	merge->nr_files++;
	if (!files[merge->nr_files - 1].dir || !files[merge->nr_files - 1].path)
		return ktstr_error_nomem(err);
	return 0;
}

/* --- one file ---------------------------------------------------------------------------------*/

struct reading {
	struct merge *merge;
	uint32_t file;
	uint32_t first_section; /* of this file */
	uint64_t nr_lines;
	bool in_section, stop;
};

static void say_damage(struct reading *reading, const struct results_line *line, const char *why)
{
	merge_notice(reading->merge, MERGE_DAMAGE, "'%s' line %llu: %s",
		     reading->merge->files[reading->file].path,
		     (unsigned long long)line->place.number, why);
}

static void plan_ids(struct reading *reading, const struct results_line *line,
		     const struct results_run *run)
{
	struct merge *merge = reading->merge;
	struct merge_section *section = &merge->sections[merge->nr_sections - 1];
	struct merge_program *program = &merge->programs[section->program];
	json_t *id;
	size_t i;

	json_array_foreach(run->plan, i, id)
	{
		int64_t index = merge_find(program, json_string_value(id));

		if (index < 0) {
			say_damage(reading, line, "\"plan\" has an id that \"all\" has not");
			return;
		}
		if (!program->slots[index].section)
			program->slots[index].section = merge->nr_sections;
		section->nr_planned++;
	}
}

static int add_section(struct reading *reading, uint32_t program, const struct results_run *run,
		       struct ktstr_error *err)
{
	struct merge *merge = reading->merge;
	struct merge_section *sections =
		reallocarray(merge->sections, merge->nr_sections + 1, sizeof(*sections));

	if (!sections)
		return ktstr_error_nomem(err);
	merge->sections = sections;
	sections += merge->nr_sections++;
	*sections = (struct merge_section){ .file = reading->file, .program = program };
	memcpy(sections->partition, run->partition, sizeof(sections->partition));
	if (merge->programs[program].shard.partition == PLAN_WHOLE)
		merge->programs[program].shard = run->shard;
	reading->in_section = true;
	return 0;
}

static int on_run(struct reading *reading, const struct results_line *line, struct ktstr_error *err)
{
	struct merge *merge = reading->merge;
	struct results_run run;
	uint32_t program;
	int r = results_run_read(line->object, &run, err);

	reading->in_section = false;
	if (r == 0 && merge->nr_sections - reading->first_section == MERGE_PROGRAMS_MAX)
		r = ktstr_error_set(err, -EBADMSG, "more than %d run lines in one file",
				    MERGE_PROGRAMS_MAX);
	if (r < 0) {
		say_damage(reading, line, err->text);
		return 0;
	}
	r = merge_enter_program(merge, reading->file, &run, &program, err);
	if (r == -EBADMSG) {
		say_damage(reading, line, err->text);
		return 0;
	}
	if (r == 0)
		r = add_section(reading, program, &run, err);
	if (r < 0)
		return r;
	plan_ids(reading, line, &run);
	merge_facts_of_run(merge, &merge->sections[merge->nr_sections - 1], line->object);
	return 0;
}

static void on_result(struct reading *reading, const struct results_line *line)
{
	struct merge *merge = reading->merge;
	struct result result = { 0 };
	struct ktstr_error err;

	if (!reading->in_section) {
		say_damage(reading, line, "a result without a run line before it");
		return;
	}
	if (result_from_json(line->object, &result, &err) < 0) {
		say_damage(reading, line, err.text);
		return;
	}
	if (!result.id)
		say_damage(reading, line, "a result without \"id\"");
	else if (merge_find(&merge->programs[merge->sections[merge->nr_sections - 1].program],
			    result.id) < 0)
		say_damage(reading, line, "a result of an id that \"all\" has not");
	else
		merge_take(merge, &merge->sections[merge->nr_sections - 1], &result, &line->place);
	result_deinit(&result);
}

/* Return: do they agree so far? */
static bool keep_same(char **slot, const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text)
		return true;
	if (!*slot)
		*slot = text_clean(text, TEXT_MAX);
	return *slot && !strcmp(*slot, text);
}

static void on_summary(struct reading *reading, const json_t *object)
{
	struct merge *merge = reading->merge;
	bool same = keep_same(&merge->kernel, json_object_get(object, "kernel"));

	same &= keep_same(&merge->qemu, json_object_get(object, "qemu"));
	same &= keep_same(&merge->accelerator, json_object_get(object, "accelerator"));
	merge->machines_differ |= !same;
	for (uint32_t i = reading->first_section; i < merge->nr_sections; i++) {
		merge->sections[i].ended = true;
		merge->sections[i].interrupted =
			json_is_true(json_object_get(object, "interrupted"));
	}
}

static int on_line(struct reading *reading, const struct results_line *line,
		   struct ktstr_error *err)
{
	reading->nr_lines++;
	switch (line->kind) {
	case RESULTS_RUN:
		return on_run(reading, line, err);
	case RESULTS_RESULT:
		on_result(reading, line);
		break;
	case RESULTS_SUMMARY:
		on_summary(reading, line->object);
		break;
	case RESULTS_CUT:
		merge_notice(reading->merge, MERGE_NOTE,
			     "'%s': the last line is cut off, as its runner was killed or the disk "
			     "was full",
			     reading->merge->files[reading->file].dir);
		break;
	case RESULTS_NEWER:
		reading->stop = true;
		/* fall through */
	case RESULTS_DAMAGED:
		say_damage(reading, line, line->why.text);
		break;
	case RESULTS_OTHER:
		break;
	}
	return 0;
}

static int read_all(struct reading *reading, int fd, struct ktstr_error *err)
{
	_cleanup_results_reader_ struct results_reader reader;
	const char *path = reading->merge->files[reading->file].path;
	struct results_line line;
	int r;

	results_reader_init(&reader, fd);
	while ((r = results_reader_next(&reader, &line)) > 0 && !reading->stop) {
		r = on_line(reading, &line, err);
		if (r < 0)
			return r;
	}
	if (r == -ENOMEM)
		return ktstr_error_nomem(err);
	if (r < 0)
		merge_notice(reading->merge, MERGE_DAMAGE, "read '%s': %s", path,
			     r == -E2BIG ? "too many lines" : strerror(-r));
	else if (!reading->nr_lines)
		merge_notice(reading->merge, MERGE_NOTE,
			     "'%s' is empty: its runner was killed before it wrote its plan", path);
	return 0;
}

int merge_add(struct merge *merge, const char *dir, const char *path, struct ktstr_error *err)
{
	struct reading reading = { .merge = merge,
				   .file = merge->nr_files,
				   .first_section = merge->nr_sections };
	_cleanup_close_ int fd = -1;
	int r = add_file(merge, dir, path, err);
	struct stat st;

	if (r < 0)
		return r;
	/* Whatever else lies there must not make us wait. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		merge_notice(merge, MERGE_DAMAGE, "open '%s': %s%s", path, strerror(errno),
			     errno == ENOENT ? "; is that a run folder?" : "");
	else if (!S_ISREG(st.st_mode))
		merge_notice(merge, MERGE_DAMAGE, "'%s' is no regular file", path);
	else
		r = read_all(&reading, fd, err);
	if (r == 0 && merge->out_of_memory)
		r = ktstr_error_nomem(err);
	return r;
}
