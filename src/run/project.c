// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "run/project.h"

#include <errno.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/strbuf.h"

int project_read(struct project *ret_project, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(KTSTR_CATALOGUE_FILE_BYTES);
	_cleanup_project_ struct project project = { 0 };
	int r;

	if (access(PROJECT_FILE, F_OK) < 0 && errno == ENOENT) {
		*ret_project = project;
		return 0;
	}
	r = io_read_file(PROJECT_FILE, &text, err);
	if (r < 0)
		return r;
	project.arena = model_arena_create();
	if (!project.arena)
		return ktstr_error_nomem(err);
	r = file_read_project(PROJECT_FILE, strbuf_str(&text), text.len, project.arena,
			      project.rows, &project.nr, err);
	if (r < 0)
		return r;
	*ret_project = project;
	project.arena = NULL;
	return 0;
}

void project_deinit(struct project *project)
{
	model_arena_destroy(project->arena);
	*project = (struct project){ 0 };
}
