// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "kernel/apt.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "kernel/program.h"

/* Of a folder and a suite: what apt leaves if it is killed, thrown away by the next update. */
#define APT_TMP "%s/%s/tmp"

static const struct apt_suite known_suites[] = {
	{ .name = "sid", .leading = true },
	{ .name = "trixie-backports", .leading = true },
	{ .name = "bookworm-backports", .leading = true },
	{ .name = "trixie" },
	{ .name = "bookworm" },
};

/* Kernels for virtual machines: everything the transport needs is built in or few modules. */
static const char package_pattern[] =
	"^linux-(binary|image|base|modules)-[0-9].*-cloud-amd64(-unsigned)?$";

void progress_say(const struct progress *progress, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	if (!progress->fn)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	progress->fn(progress->arg, line);
}

static void add_suite(struct apt *apt, const struct apt_suite *suite)
{
	for (unsigned int i = 0; i < apt->nr_suites; i++)
		if (!strcmp(apt->suites[i].name, suite->name))
			return;
	if (apt->nr_suites < APT_MAX_SUITES)
		apt->suites[apt->nr_suites++] = *suite;
}

/* The host's own release may be one that is not known here. */
static void add_host_suites(struct apt *apt)
{
	for (size_t i = 0; i < apt->mirror->nr_suites; i++) {
		const char *name = apt->mirror->suites[i];
		struct apt_suite suite = { .leading = !!strstr(name, "-backports") };

		if (strchr(name, '/') || (strchr(name, '-') && !suite.leading) ||
		    strlen(name) >= sizeof(suite.name))
			continue;
		snprintf(suite.name, sizeof(suite.name), "%s", name);
		add_suite(apt, &suite);
	}
}

int apt_init(struct apt *apt, const struct progress *progress, struct ktstr_error *err)
{
	_cleanup_free_ char *cache = path_cache_dir(err);
	int r;

	*apt = (struct apt){ .progress = progress };
	if (!cache)
		return -ENOENT;
	apt->dir = path_format("%s/apt", cache);
	if (!apt->dir)
		return ktstr_error_nomem(err);
	if (strpbrk(apt->dir, "\"\n;"))
		return ktstr_error_set(err, -EINVAL,
				       "apt cannot work in '%s' because of a quote or semicolon in "
				       "its name; set XDG_CACHE_HOME to another folder",
				       apt->dir);
	r = sources_read_host(&apt->sources, err);
	if (r < 0)
		return r;
	apt->mirror = sources_debian_mirror(&apt->sources);
	if (!apt->mirror)
		return ktstr_error_set(
			err, -ENOTSUP,
			"none of this machine's apt sources is a Debian archive, "
			"where kernels are fetched from; give one with --kernel FILE");
	for (size_t i = 0; i < ARRAY_SIZE(known_suites); i++)
		add_suite(apt, &known_suites[i]);
	add_host_suites(apt);
	return 0;
}

void apt_deinit(struct apt *apt)
{
	sources_deinit(&apt->sources);
	free(apt->packages);
	free(apt->dir);
	*apt = (struct apt){ 0 };
}

static int write_config(const struct apt *apt, const char *dir, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(1 << 16);
	_cleanup_free_ char *path = path_format("%s/apt.conf", dir);

	(void)apt;
	if (!path)
		return ktstr_error_nomem(err);
	strbuf_addf(&text,
		    "Dir::Etc::sourcelist \"%s/kernels.sources\";\n"
		    "Dir::Etc::sourceparts \"/dev/null\";\n"
		    "Dir::Etc::preferences \"/dev/null\";\n"
		    "Dir::Etc::preferencesparts \"/dev/null\";\n"
		    "Dir::State::lists \"%s/lists\";\n"
		    "Dir::State::status \"/dev/null\";\n"
		    "Dir::Cache \"%s\";\n",
		    dir, dir, dir);
	strbuf_addstr(&text, "Dir::Cache::archives \"archives\";\n"
			     "Dir::Cache::pkgcache \"\";\n"
			     "Dir::Cache::srcpkgcache \"\";\n"
			     "APT::Sandbox::User \"root\";\n"
			     "APT::Architecture \"amd64\";\n"
			     "#clear APT::Architectures;\n"
			     "APT::Architectures { \"amd64\"; };\n"
			     "#clear APT::Default-Release;\n"
			     "#clear APT::Update::Pre-Invoke;\n"
			     "#clear APT::Update::Post-Invoke;\n"
			     "#clear APT::Update::Post-Invoke-Success;\n"
			     "APT::Update::Error-Mode \"any\";\n"
			     "#clear Acquire::Languages;\n"
			     "Acquire::Languages { \"none\"; };\n"
			     "Acquire::PDiffs \"false\";\n"
			     "Acquire::GzipIndexes \"true\";\n"
			     "Acquire::Retries \"2\";\n"
			     "Acquire::http::Timeout \"20\";\n"
			     "Acquire::https::Timeout \"20\";\n"
			     "quiet \"2\";\n");
	if (text.error)
		return ktstr_error_nomem(err);
	return io_write_file(path, text.data, text.len, 0644, err);
}

/* Not world-readable: an address may carry a password. */
static int write_sources(const struct apt *apt, const char *dir, const char *suite,
			 struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(1 << 17);
	_cleanup_free_ char *path = path_format("%s/kernels.sources", dir);
	const struct source *mirror = apt->mirror;

	if (!path)
		return ktstr_error_nomem(err);
	strbuf_addf(&text, "Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n", mirror->uri,
		    suite);
	strbuf_addstr(&text, "Targets: Packages\n");
	if (mirror->signed_by)
		strbuf_addf(&text, "Signed-By: %s\n", mirror->signed_by);
	if (mirror->trusted)
		strbuf_addstr(&text, "Trusted: yes\n");
	if (text.error)
		return ktstr_error_nomem(err);
	return io_write_file(path, text.data, text.len, 0600, err);
}

static int prepare_suite(const struct apt *apt, const char *suite, struct ktstr_error *err)
{
	_cleanup_free_ char *dir = path_format("%s/%s", apt->dir, suite);
	_cleanup_free_ char *partial = path_format("%s/%s/lists/partial", apt->dir, suite);
	_cleanup_free_ char *archives = path_format("%s/%s/archives/partial", apt->dir, suite);
	_cleanup_free_ char *tmp = path_format(APT_TMP, apt->dir, suite);
	int r;

	if (!dir || !partial || !archives || !tmp)
		return ktstr_error_nomem(err);
	r = path_remove_tree(tmp, err);
	if (r == 0)
		r = path_mkdir_all(tmp, err);
	if (r == 0)
		r = path_mkdir_all(partial, err);
	if (r == 0)
		r = path_mkdir_all(archives, err);
	if (r == 0)
		r = write_config(apt, dir, err);
	if (r == 0)
		r = write_sources(apt, dir, suite, err);
	return cache_explain(r, err);
}

/* From another mirror, or older than a day, lists do not count. */
static bool is_fresh(const struct apt *apt, const char *suite)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(1 << 17);
	_cleanup_free_ char *packages = path_format("%s/%s/packages", apt->dir, suite);
	_cleanup_free_ char *sources = path_format("%s/%s/kernels.sources", apt->dir, suite);
	size_t len = strlen(apt->mirror->uri);
	const char *uri;
	struct stat st;
	time_t now = time(NULL);

	if (!packages || !sources || stat(packages, &st) < 0 ||
	    io_read_file(sources, &text, NULL) < 0)
		return false;
	uri = strstr(strbuf_str(&text), "URIs: ");
	return uri && !strncmp(uri + 6, apt->mirror->uri, len) && uri[6 + len] == '\n' &&
	       st.st_mtime <= now && now - st.st_mtime < APT_FRESH_S;
}

static int start_update(const struct apt *apt, const char *suite, struct program *program,
			struct ktstr_error *err)
{
	_cleanup_free_ char *conf = path_format("%s/%s/apt.conf", apt->dir, suite);
	_cleanup_free_ char *tmp = path_format(APT_TMP, apt->dir, suite);
	const char *const argv[] = { "apt-get", "-c", conf, "update", NULL };
	int r = conf && tmp ? prepare_suite(apt, suite, err) : ktstr_error_nomem(err);

	return r < 0 ? r
		     : program_start(&(struct program_opts){ .argv = argv,
							     .package = "apt",
							     .tmp_dir = tmp },
				     program, err);
}

void apt_format_packages(const char *shown, struct strbuf *out)
{
	char name[KTSTR_KERNEL_NAME] = "", version[KTSTR_KERNEL_NAME] = "";
	uint64_t bytes = 0;

	for (;;) {
		size_t len = strcspn(shown, "\n");
		char line[256];

		snprintf(line, sizeof(line), "%.*s", len < 255 ? (int)len : 255, shown);
		if (!len && *name && *version)
			strbuf_addf(out, "%s %s %llu\n", name, version, (unsigned long long)bytes);
		if (!len) {
			*name = *version = '\0';
			bytes = 0;
		}
		if (!strncmp(line, "Package: ", 9))
			snprintf(name, sizeof(name), "%.127s", line + 9);
		if (!strncmp(line, "Version: ", 9))
			snprintf(version, sizeof(version), "%.127s", line + 9);
		if (!strncmp(line, "Size: ", 6) && parse_u64(line + 6, &bytes) < 0)
			bytes = 0;
		if (!shown[len] && !len)
			return;
		shown += len + (shown[len] == '\n');
	}
}

static int add_package(struct apt *apt, const struct apt_package *package)
{
	struct apt_package *grown;

	if (apt->nr_packages == APT_MAX_PACKAGES)
		return -E2BIG;
	grown = realloc(apt->packages, (apt->nr_packages + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	grown[apt->nr_packages++] = *package;
	apt->packages = grown;
	return 0;
}

int apt_parse_packages(const char *text, unsigned int suite, struct apt *apt)
{
	int r = 0;

	while (r == 0 && *text) {
		struct apt_package p = { .suite = suite };
		char bytes[24];
		int end = 0;

		if (sscanf(text, "%127[^ \n] %127[^ \n] %23[0-9]%n", p.name, p.version, bytes,
			   &end) == 3 &&
		    text[end] == '\n' && parse_u64(bytes, &p.bytes) == 0)
			r = add_package(apt, &p);
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return r;
}

/* The first words of the lines of apt-cache search, as arguments after @argv's @at. */
static size_t split_names(char *found, const char **argv, size_t at, size_t max)
{
	for (char *line = found; *line && at < max;) {
		size_t len = strcspn(line, "\n");
		bool last = !line[len];

		line[len] = '\0';
		line[strcspn(line, " ")] = '\0';
		if (*line)
			argv[at++] = line;
		line += len + !last;
	}
	return at;
}

/* Asks apt which kernels the suite has; writes and reads "packages". */
static int search_suite(const struct apt *apt, const char *suite, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf found = STRBUF_INIT, shown = STRBUF_INIT, text = STRBUF_INIT;
	_cleanup_free_ char *conf = path_format("%s/%s/apt.conf", apt->dir, suite);
	_cleanup_free_ char *path = path_format("%s/%s/packages", apt->dir, suite);
	const char *search[] = { "apt-cache",	  "-c", conf, "search", "--names-only",
				 package_pattern, NULL };
	const char *show[PROGRAM_MAX_ARGS] = { "apt-cache", "-c", conf, "show",
					       "--no-all-versions" };
	int r = 0;

	if (!conf || !path)
		return ktstr_error_nomem(err);
	r = program_run(&(struct program_opts){ .argv = search, .package = "apt" }, &found, err);
	if (r == 0 && found.len && split_names(found.data, show, 5, ARRAY_SIZE(show) - 1) > 5)
		r = program_run(&(struct program_opts){ .argv = show, .package = "apt" }, &shown,
				err);
	if (r < 0)
		return r;
	apt_format_packages(strbuf_str(&shown), &text);
	return cache_explain(io_write_file(path, strbuf_str(&text), text.len, 0644, err), err);
}

static int read_packages(struct apt *apt, unsigned int index, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_free_ char *path =
		path_format("%s/%s/packages", apt->dir, apt->suites[index].name);
	int r = path ? io_read_file(path, &text, err) : ktstr_error_nomem(err);

	if (r < 0)
		return r;
	r = apt_parse_packages(strbuf_str(&text), index, apt);
	return r < 0 ? ktstr_error_set(err, r, "read '%s': %s", path, strerror(-r)) : 0;
}

static bool is_absence(const char *text)
{
	return strstr(text, "does not have a Release file") || strstr(text, "404 ") ||
	       strstr(text, "File not found");
}

/* A suite that is not there is no failure of the others. */
static int finish_update(struct apt *apt, unsigned int index, struct program *program,
			 struct ktstr_error *err)
{
	struct apt_suite *suite = &apt->suites[index];
	int r = program_wait(program, NULL, err);

	if (r == 0)
		r = search_suite(apt, suite->name, err);
	if (r == 0 || r == -EINTR || r == -ENOSPC)
		return cache_explain(r, err);
	suite->failed = true;
	suite->absent = is_absence(err->text);
	progress_say(apt->progress, "skipping suite %s: %s", suite->name,
		     suite->absent ? "the mirror does not have it" : err->text);
	return 0;
}

/* If the mirror answers at all, what it does not have need not be asked for again today. */
static int remember_absent(const struct apt *apt, struct ktstr_error *err)
{
	bool answers = false;
	int r = 0;

	for (unsigned int i = 0; i < apt->nr_suites; i++)
		answers |= apt->suites[i].wanted && !apt->suites[i].failed;
	for (unsigned int i = 0; r == 0 && answers && i < apt->nr_suites; i++) {
		_cleanup_free_ char *path =
			path_format("%s/%s/packages", apt->dir, apt->suites[i].name);

		if (!path)
			return ktstr_error_nomem(err);
		if (apt->suites[i].absent)
			r = cache_explain(io_write_file(path, "", 0, 0644, err), err);
	}
	return r;
}

static int update_wanted(struct apt *apt, struct program *programs, struct ktstr_error *err)
{
	unsigned int nr_wanted = 0;
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < apt->nr_suites; i++) {
		if (!apt->suites[i].wanted)
			continue;
		nr_wanted++;
		r = start_update(apt, apt->suites[i].name, &programs[i], err);
	}
	if (nr_wanted)
		progress_say(apt->progress, "reading package lists of %u suites", nr_wanted);
	for (unsigned int i = 0; r == 0 && i < apt->nr_suites; i++)
		if (apt->suites[i].wanted)
			r = finish_update(apt, i, &programs[i], err);
	return r < 0 ? r : remember_absent(apt, err);
}

static int update_locked(struct apt *apt, const struct apt_update_opts *opts,
			 struct ktstr_error *err)
{
	struct program programs[APT_MAX_SUITES];
	struct ktstr_error last = { 0 };
	unsigned int nr_read = 0;
	int r;

	apt->nr_packages = 0;
	apt->reused = false;
	for (unsigned int i = 0; i < apt->nr_suites; i++) {
		struct apt_suite *suite = &apt->suites[i];
		bool needed = suite->leading || !opts->leading_only;
		bool fresh = !opts->force && is_fresh(apt, suite->name);

		programs[i] = (struct program)PROGRAM_INIT;
		suite->failed = !needed && !fresh;
		suite->absent = false;
		suite->wanted = needed && !fresh;
		apt->reused |= fresh;
	}
	r = update_wanted(apt, programs, &last);
	for (unsigned int i = 0; i < apt->nr_suites; i++)
		program_deinit(&programs[i]);
	for (unsigned int i = 0; r == 0 && i < apt->nr_suites; i++) {
		if (apt->suites[i].failed)
			continue;
		nr_read++;
		r = read_packages(apt, i, &last);
	}
	if (r == 0 && !nr_read)
		r = last.code;
	return r < 0 ? ktstr_error_set(err, r, "%s", last.text) : 0;
}

int apt_update(struct apt *apt, const struct apt_update_opts *opts, struct ktstr_error *err)
{
	_cleanup_cache_lock_ struct cache_lock lock = CACHE_LOCK_INIT;
	_cleanup_free_ char *path = path_format("%s/.lock", apt->dir);
	int r;

	if (!path)
		return ktstr_error_nomem(err);
	r = path_mkdir_all(apt->dir, err);
	if (r == 0)
		r = cache_lock_take(&lock, path, true, err);
	if (r < 0)
		return cache_explain(r, err);
	return update_locked(apt, opts, err);
}

static int download(struct apt *apt, const struct apt_package *const *packages, size_t nr,
		    const char *dir, struct ktstr_error *err)
{
	_cleanup_free_ char *conf =
		path_format("%s/%s/apt.conf", apt->dir, apt->suites[packages[0]->suite].name);
	char wanted[APT_MAX_AT_ONCE][2 * KTSTR_KERNEL_NAME];
	const char *argv[APT_MAX_AT_ONCE + 5] = { "apt-get", "-c", conf, "download" };

	if (!conf)
		return ktstr_error_nomem(err);
	for (size_t i = 0; i < nr; i++) {
		snprintf(wanted[i], sizeof(wanted[i]), "%s=%s", packages[i]->name,
			 packages[i]->version);
		argv[4 + i] = wanted[i];
		progress_say(apt->progress, "downloading %s (%.1f MB)", packages[i]->name,
			     (double)packages[i]->bytes / 1e6);
	}
	return program_run(&(struct program_opts){ .argv = argv, .package = "apt", .cwd = dir },
			   NULL, err);
}

static bool is_deb(const char *name)
{
	size_t len = strlen(name);

	return len > 4 && !strcmp(name + len - 4, ".deb");
}

/* Unpacks and deletes every .deb in @dir. */
static int unpack_debs(const char *dir, const char *to, struct ktstr_error *err)
{
	_cleanup_closedir_ DIR *d = opendir(dir);
	struct dirent *de;
	int r = d ? 0 : ktstr_error_set(err, -errno, "open '%s': %s", dir, strerror(errno));

	while (r == 0 && (de = readdir(d))) {
		_cleanup_free_ char *deb = path_format("%s/%s", dir, de->d_name);
		const char *const argv[] = { "dpkg-deb", "-x", deb, to, NULL };

		if (!deb)
			return ktstr_error_nomem(err);
		if (!is_deb(de->d_name))
			continue;
		r = program_run(&(struct program_opts){ .argv = argv, .package = "dpkg" }, NULL,
				err);
		unlink(deb);
	}
	return r;
}

int apt_unpack(struct apt *apt, const struct apt_package *const *packages, size_t nr_packages,
	       const char *dir, struct ktstr_error *err)
{
	_cleanup_cache_lock_ struct cache_lock lock = CACHE_LOCK_INIT;
	_cleanup_free_ char *lock_path = path_format("%s/.lock", apt->dir);
	_cleanup_free_ char *debs = path_format("%s/debs", dir);
	int r;

	if (!lock_path || !debs)
		return ktstr_error_nomem(err);
	if (nr_packages > APT_MAX_AT_ONCE)
		return ktstr_error_set(err, -E2BIG, "too many packages for one kernel");
	r = path_mkdir_all(debs, err);
	if (r == 0)
		r = cache_lock_take(&lock, lock_path, true, err);
	if (r == 0)
		r = download(apt, packages, nr_packages, debs, err);
	cache_lock_release(&lock);
	if (r == 0)
		r = unpack_debs(debs, dir, err);
	return r < 0 ? cache_explain(ktstr_error_wrap(err, r, "get '%s'", packages[0]->name), err)
		     : 0;
}
