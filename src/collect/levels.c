/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/levels.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool opens(const struct hr_mark *mark)
{
	return mark->has_level && mark->label[0];
}

bool hr_levels_cuts(const struct hr_mark *mark)
{
	return mark->has_level || mark->has_warmup;
}

int hr_levels_check(const struct hr_levels *levels, const struct hr_mark *mark, struct hr_err *err)
{
	if (opens(mark) || levels->is_open) {
		if (!mark->has_level && strlen(levels->notes) + 1 + strlen(mark->notes) >= sizeof(levels->notes))
			return hr_err_set(err, -E2BIG, "the notes of a level have at most %zu bytes", sizeof(levels->notes) - 1);
		return 0;
	}
	if (mark->has_level)
		return hr_err_set(err, -EINVAL, "no level is open that could end");
	return hr_err_set(err, -EINVAL, "no level is open: begin one with level=LABEL");
}

/* The notes with more of them after a space. What does not fit is left out, which hr_levels_check() has refused. */
static void add_notes(struct hr_levels *levels, const char *notes)
{
	size_t used = strlen(levels->notes);

	if (*notes)
		snprintf(levels->notes + used, sizeof(levels->notes) - used, "%s%s", used ? " " : "", notes);
}

/* When the load ended, of a level that follows it; else now_ns. */
static int64_t load_end_ns(const struct hr_levels *levels, int64_t now_ns)
{
	if (!levels->busy_end_ns || !levels->is_idle)
		return now_ns;
	return levels->busy_start_ns > levels->measured_ns ? levels->busy_start_ns : levels->busy_end_ns;
}

static int close_level(struct hr_levels *levels, struct hr_writer *writer, int64_t now_ns, struct hr_err *err)
{
	if (!levels->is_open)
		return 0;
	now_ns = load_end_ns(levels, now_ns);
	levels->is_open = levels->is_warming = false;
	return hr_writer_exec(writer, err,
			      "UPDATE levels SET end_ns = ?1, measured_ns = min(measured_ns, ?1) WHERE level_id = ?2", "ii", now_ns,
			      levels->level_id);
}

static int open_level(struct hr_levels *levels, struct hr_writer *writer, const struct hr_mark *mark, int64_t now_ns,
		      struct hr_err *err)
{
	*levels = (struct hr_levels){
		.level_id = levels->level_id + 1,
		.start_ns = now_ns,
		.measured_ns = now_ns + (int64_t)mark->warmup_ns,
		.is_open = true,
		.is_warming = mark->warmup_ns > 0,
		.follows_load = mark->follows_load,
		.warmup_ns = (int64_t)mark->warmup_ns,
	};
	add_notes(levels, mark->notes);
	return hr_writer_add(writer, HR_TABLE_levels,
			     &(struct hr_row_levels){
				     .level_id = levels->level_id,
				     .level = mark->label,
				     .offered = hr_mark_number(mark->label),
				     .start_ns = levels->start_ns,
				     .measured_ns = levels->measured_ns,
				     .end_ns = HR_NULL,
				     .notes = levels->notes[0] ? levels->notes : NULL,
				     .command = mark->command,
				     .status = HR_NULL,
				     .settled_ns = HR_NULL,
			     },
			     err);
}

/* Something is said of the level that is open. */
static int annotate(struct hr_levels *levels, struct hr_writer *writer, const struct hr_mark *mark, int64_t now_ns, struct hr_err *err)
{
	if (mark->has_warmup) {
		levels->measured_ns = now_ns + (int64_t)mark->warmup_ns;
		levels->is_warming = mark->warmup_ns > 0;
	}
	add_notes(levels, mark->notes);
	return hr_writer_exec(writer, err, "UPDATE levels SET measured_ns = ?, notes = ? WHERE level_id = ?", "iti", levels->measured_ns,
			      levels->notes[0] ? levels->notes : NULL, levels->level_id);
}

int hr_levels_mark(struct hr_levels *levels, struct hr_writer *writer, const struct hr_mark *mark, int64_t now_ns, struct hr_err *err)
{
	int ret;

	if (!mark->has_level)
		return annotate(levels, writer, mark, now_ns, err);
	ret = close_level(levels, writer, now_ns, err);
	return ret || !opens(mark) ? ret : open_level(levels, writer, mark, now_ns, err);
}

/* The load begins: so does the warm-up. */
static int begin_load(struct hr_levels *levels, struct hr_writer *writer, int64_t start_ns, int64_t end_ns, struct hr_err *err)
{
	const int64_t warm_ns = start_ns + levels->warmup_ns;

	if (start_ns == levels->start_ns)
		return 0;
	levels->is_warming = warm_ns > end_ns;
	levels->measured_ns = warm_ns > start_ns && warm_ns < end_ns ? end_ns : warm_ns;
	return hr_writer_exec(writer, err, "UPDATE levels SET measured_ns = ? WHERE level_id = ?", "ii", levels->measured_ns,
			      levels->level_id);
}

int hr_levels_interval(struct hr_levels *levels, struct hr_writer *writer, int64_t start_ns, int64_t end_ns, bool idle,
		       struct hr_err *err)
{
	bool was_seen = levels->busy_end_ns != 0;

	if (!levels->is_open || !levels->follows_load)
		return 0;
	levels->is_idle = idle;
	if (idle)
		return 0;
	levels->busy_start_ns = start_ns;
	levels->busy_end_ns = end_ns;
	return was_seen ? 0 : begin_load(levels, writer, start_ns, end_ns, err);
}

int hr_levels_measure(struct hr_levels *levels, struct hr_writer *writer, int64_t now_ns, struct hr_err *err)
{
	levels->is_warming = false;
	levels->measured_ns = now_ns;
	return hr_writer_exec(writer, err, "UPDATE levels SET measured_ns = ? WHERE level_id = ?", "ii", now_ns, levels->level_id);
}

int hr_levels_end(struct hr_levels *levels, struct hr_writer *writer, int64_t now_ns, struct hr_err *err)
{
	/* one that was marked after the recording was switched off began after the last interval */
	return close_level(levels, writer, now_ns > levels->start_ns ? now_ns : levels->start_ns, err);
}

int hr_levels_result(struct hr_levels *levels, struct hr_writer *writer, const struct hr_level_result *result, struct hr_err *err)
{
	if (result->notes)
		add_notes(levels, result->notes);
	return hr_writer_exec(writer, err, "UPDATE levels SET status = ?, output = ?, notes = ? WHERE level_id = ?", "itti",
			      result->status, result->output, levels->notes[0] ? levels->notes : NULL, levels->level_id);
}

int hr_levels_settled(struct hr_levels *levels, struct hr_writer *writer, int64_t settled_ns, struct hr_err *err)
{
	return hr_writer_exec(writer, err, "UPDATE levels SET settled_ns = ? WHERE level_id = ?", "ii", settled_ns, levels->level_id);
}
