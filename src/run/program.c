// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/path.h"
#include "run/body.h"
#include "run/interrupt.h"
#include "run/registry.h"
#include "run/runner.h"
#include "run/scenario.h"
#include "run/settings.h"
#include <ktstr/log.h>

static void log_line(void *arg, enum ktstr_log_level level, const char *text)
{
	const struct settings *settings = arg;
	static const char *const words[] = { "error: ", "warning: ", "", "" };

	if (level <= KTSTR_LOG_WARN || settings->verbose)
		fprintf(stderr, "ktstr: %s%s\n", words[level], text);
}

static int complain(const char *program, int exit_code, const struct ktstr_error *err)
{
	fprintf(stderr, "%s: %s\n", path_base(program), err->text);
	return exit_code;
}

static void list_one(const struct ktstr_entry *entry, bool json)
{
	bool readable = entry->test_size == sizeof(struct ktstr_test);
	const char *about = readable && entry->test->about ? entry->test->about : "";
	char topology[KTSTR_TOPOLOGY_TEXT] = "";
	json_t *object;
	char *text;

	if (readable && !entry->test->host_only)
		ktstr_topology_format(&entry->test->topology, topology, sizeof(topology));
	if (!json) {
		printf("%s\n", entry->name);
		return;
	}
	object = json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:i}", "type", "test", "version", 1,
			   "test", entry->name, "about", about, "topology", topology, "file",
			   entry->file, "line", (int)entry->line);
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	if (text)
		puts(text);
	free(text);
	json_decref(object);
}

static int end_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return KTSTR_EXIT_PASS;
	fprintf(stderr, "ktstr: write to standard output: %s\n", strerror(errno));
	return KTSTR_EXIT_HARNESS;
}

static int list_tests(const struct registry *registry, const struct settings *settings)
{
	for (size_t i = 0; i < registry->nr; i++)
		if (registry->selected[i])
			list_one(registry->entries[i], settings->json);
	return end_output();
}

static int dump_tests(const char *command, const struct registry *registry)
{
	for (size_t i = 0; i < registry->nr; i++) {
		const struct ktstr_entry *entry = registry->entries[i];
		_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
		struct ktstr_error err;

		if (!registry->selected[i])
			continue;
		if (registry_check(entry, &err) < 0 || scenario_dump(entry, &text, &err) < 0) {
			fprintf(stderr, "%s: test '%s': %s\n", path_base(command), entry->name,
				err.text);
			return KTSTR_EXIT_USAGE;
		}
		fputs(strbuf_str(&text), stdout);
	}
	return end_output();
}

static int run_selected(const char *command, const struct settings *settings,
			const struct registry *registry)
{
	struct ktstr_error err = { 0 };
	int r;

	if (interrupt_catch(&err) < 0)
		return complain(command, KTSTR_EXIT_HARNESS, &err);
	r = runner_run(&(struct runner_opts){ .command = command,
					      .settings = settings,
					      .registry = registry },
		       &err);
	interrupt_release();
	return err.text[0] ? complain(command, r, &err) : r;
}

static int run_program(int argc, char **argv, struct registry *registry)
{
	struct settings settings = { 0 };
	struct ktstr_error err = { 0 };
	int r = settings_parse(argc, argv, &settings, &err);

	if (r < 0)
		return complain(argv[0], KTSTR_EXIT_USAGE, &err);
	if (settings.help || settings.version) {
		if (settings.help)
			settings_help(argv[0], stdout);
		else
			printf("%s (ktstr %s)\n", path_base(argv[0]), KTSTR_VERSION);
		return end_output();
	}
	ktstr_log_set(log_line, &settings);
	r = registry_select(registry, settings.patterns.items, settings.patterns.nr, &err);
	if (r == 0 && !settings.list)
		r = ktstr_error_set(&err, -ENOENT, "there are no tests in this program");
	if (r < 0)
		return complain(argv[0], KTSTR_EXIT_USAGE, &err);
	if (settings.dump)
		r = dump_tests(argv[0], registry);
	else
		r = settings.list ? list_tests(registry, &settings)
				  : run_selected(argv[0], &settings, registry);
	ktstr_log_set(NULL, NULL);
	return r;
}

int ktstr_main(int argc, char **argv, const struct ktstr_entry *const *first,
	       const struct ktstr_entry *const *end)
{
	_cleanup_registry_ struct registry registry = REGISTRY_INIT;
	struct ktstr_error err;

	ktstr_stdio_hold();
	if (argc < 1 || !argv[0])
		return KTSTR_EXIT_USAGE;
	if (registry_load(first, end, &registry, &err) < 0)
		return complain(argv[0],
				err.code == -EEXIST ? KTSTR_EXIT_USAGE : KTSTR_EXIT_HARNESS, &err);
	if (body_is_asked_for(argc, argv))
		return body_main(argv, &registry);
	/* A reader that went away must show up as a write error with a message. */
	signal(SIGPIPE, SIG_IGN);
	return run_program(argc, argv, &registry);
}
