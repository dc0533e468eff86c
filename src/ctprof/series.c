// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "ctprof/load.h"

static const unsigned char magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };

/* What is there of the magic number is right. */
static bool starts_frame(const char *bytes, size_t len)
{
	return memcmp(bytes, magic, len < sizeof(magic) ? len : sizeof(magic)) == 0;
}

static int damaged(const char *name, struct ktstr_error *err)
{
	return ktstr_error_set(err, -EBADMSG, "load '%s': damaged or cut short; capture it again",
			       name);
}

int ctprof_find_frames(const void *bytes, size_t len, const char *name,
		       struct ctprof_frames *ret_frames, struct ktstr_error *err)
{
	struct ctprof_frames f = { 0 };

	if (len < sizeof(magic) || !starts_frame(bytes, len))
		return ktstr_error_set(err, -EBADMSG, "'%s' is not a ctprof file", name);
	while (f.end < len) {
		const char *at = (const char *)bytes + f.end;
		size_t n = ZSTD_findFrameCompressedSize(at, len - f.end);

		if (ZSTD_isError(n) && starts_frame(at, len - f.end) &&
		    ZSTD_getErrorCode(n) == ZSTD_error_srcSize_wrong) {
			f.cut_short = true;
			break;
		}
		if (ZSTD_isError(n) || !starts_frame(at, len - f.end))
			return damaged(name, err);
		if (f.nr == KTSTR_CTPROF_MAX_SNAPSHOTS)
			return ktstr_error_set(err, -E2BIG, "load '%s': over %d snapshots", name,
					       KTSTR_CTPROF_MAX_SNAPSHOTS);
		f.last = f.end;
		f.end += n;
		f.nr++;
	}
	*ret_frames = f;
	return 0;
}

/* One frame, into an emptied @out.  Return: 0, -EBADMSG, -E2BIG, -ENOMEM. */
static int unpack(const void *bytes, size_t len, struct strbuf *out)
{
	ZSTD_DStream *stream = ZSTD_createDStream();
	size_t chunk_size = ZSTD_DStreamOutSize(), left = 1;
	ZSTD_inBuffer in = { bytes, len, 0 };
	int r = stream ? 0 : -ENOMEM;

	strbuf_clear(out);
	while (r == 0 && left) {
		ZSTD_outBuffer to = { 0 };
		size_t before = in.pos;

		strbuf_reserve(out, chunk_size);
		r = out->error;
		if (r < 0)
			break;
		to.dst = out->data + out->len;
		to.size = chunk_size;
		left = ZSTD_decompressStream(stream, &to, &in);
		if (ZSTD_isError(left) || (!to.pos && in.pos == before && left))
			r = -EBADMSG;
		else
			out->len += to.pos;
		out->data[out->len] = '\0';
	}
	ZSTD_freeDStream(stream);
	return r == 0 && in.pos != in.size ? -EBADMSG : r;
}

static int load_frame(const char *bytes, size_t len, const char *name, struct strbuf *text,
		      struct ktstr_error *err)
{
	int r = unpack(bytes, len, text);

	if (r == -E2BIG)
		return ktstr_error_set(err, r, "load '%s': more than %d MiB when unpacked", name,
				       KTSTR_CTPROF_MAX_FILE_BYTES >> 20);
	if (r == -EBADMSG)
		return damaged(name, err);
	return r < 0 ? ktstr_error_nomem(err) : 0;
}

static const char *cut_warning(const struct ctprof_frames *f)
{
	return f->cut_short ? "the snapshot at the end of the file is not whole and was passed over"
			    : NULL;
}

int ctprof_load_packed(const void *bytes, size_t len, const char *name,
		       struct ktstr_ctprof **ret_snapshot, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(KTSTR_CTPROF_MAX_FILE_BYTES);
	struct ctprof_frames f;
	int r = ctprof_find_frames(bytes, len, name, &f, err);

	if (r == 0 && !f.nr)
		r = damaged(name, err);
	if (r == 0)
		r = load_frame((const char *)bytes + f.last, f.end - f.last, name, &text, err);
	if (r < 0)
		return r;
	return ctprof_load_text(strbuf_str(&text), text.len, name, cut_warning(&f), ret_snapshot,
				err);
}

/* What ktstr_ctprof_series_destroy() gets back from the public head. */
struct series {
	struct ktstr_ctprof_series head;
	struct ktstr_ctprof **snapshots;
};

void ktstr_ctprof_series_destroy(struct ktstr_ctprof_series *series)
{
	struct series *s = (struct series *)series;

	if (!s)
		return;
	for (size_t i = 0; i < s->head.nr; i++)
		ktstr_ctprof_destroy(s->snapshots[i]);
	free(s->snapshots);
	free(s);
}

static int load_all(struct series *s, const char *bytes, const struct ctprof_frames *f,
		    const char *name, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT_LIMIT(KTSTR_CTPROF_MAX_FILE_BYTES);
	uint64_t total = 0;

	for (size_t at = 0; at < f->end;) {
		size_t n = ZSTD_findFrameCompressedSize(bytes + at, f->end - at);
		const char *warning = at == f->last ? cut_warning(f) : NULL;
		int r = load_frame(bytes + at, n, name, &text, err);

		total += text.len;
		if (r == 0 && total > KTSTR_CTPROF_MAX_SERIES_BYTES)
			r = ktstr_error_set(err, -E2BIG,
					    "load '%s': series of more than %d MiB when unpacked",
					    name, KTSTR_CTPROF_MAX_SERIES_BYTES >> 20);
		if (r == 0)
			r = ctprof_load_text(strbuf_str(&text), text.len, name, warning,
					     &s->snapshots[s->head.nr], err);
		if (r < 0)
			return r;
		s->head.nr++;
		at += n;
	}
	return 0;
}

int ctprof_load_packed_series(const void *bytes, size_t len, const char *name,
			      struct ktstr_ctprof_series **ret_series, struct ktstr_error *err)
{
	struct ctprof_frames f;
	struct series *s;
	int r = ctprof_find_frames(bytes, len, name, &f, err);

	if (r == 0 && !f.nr)
		r = damaged(name, err);
	if (r < 0)
		return r;
	s = calloc(1, sizeof(*s));
	if (!s)
		return ktstr_error_nomem(err);
	s->snapshots = calloc(f.nr, sizeof(*s->snapshots));
	s->head.snapshots = s->snapshots;
	s->head.cut_short = f.cut_short;
	r = s->snapshots ? load_all(s, bytes, &f, name, err) : ktstr_error_nomem(err);
	if (r < 0)
		ktstr_ctprof_series_destroy(&s->head);
	else
		*ret_series = &s->head;
	return r;
}

int ktstr_ctprof_load(const char *path, struct ktstr_ctprof **ret_snapshot, struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT_LIMIT(KTSTR_CTPROF_MAX_SERIES_BYTES);
	int r = io_read_file(path, &bytes, err);

	if (r < 0)
		return r;
	return ctprof_load_packed(strbuf_str(&bytes), bytes.len, path, ret_snapshot, err);
}

int ktstr_ctprof_series_load(const char *path, struct ktstr_ctprof_series **ret_series,
			     struct ktstr_error *err)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT_LIMIT(KTSTR_CTPROF_MAX_SERIES_BYTES);
	int r = io_read_file(path, &bytes, err);

	if (r < 0)
		return r;
	return ctprof_load_packed_series(strbuf_str(&bytes), bytes.len, path, ret_series, err);
}
