/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/forecast.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/text.h"

#define SCHEMA "headroom.report/1"
#define BYTES_MAX (256L << 20)
#define NAMES_BYTES 128

/* A number above 0; NAN: it is none. */
static double amount(const json_t *object, const char *key)
{
	double value = json_number_value(json_object_get(object, key));

	return value > 0 && isfinite(value) ? value : NAN;
}

static bool is_named(const json_t *prediction, const char *name)
{
	const char *change = json_string_value(json_object_get(prediction, "change"));

	return change && strcmp(change, name) == 0;
}

/* The changes that it predicts and we know, with commas between. */
static void list_changes(const json_t *predictions, char names[NAMES_BYTES])
{
	size_t length = 0;

	names[0] = '\0';
	for (int change = 0; change < HR_CHANGE_COUNT; change++)
		for (size_t i = 0; i < json_array_size(predictions); i++) {
			if (!is_named(json_array_get(predictions, i), hr_change_name(change)))
				continue;
			length += (size_t)snprintf(names + length, NAMES_BYTES - length, "%s%s", length ? ", " : "", hr_change_name(change));
			break;
		}
}

static const json_t *find(const json_t *predictions, const char *name)
{
	for (size_t i = 0; i < json_array_size(predictions); i++)
		if (is_named(json_array_get(predictions, i), name))
			return json_array_get(predictions, i);
	return NULL;
}

static int choose(const char *path, const json_t *predictions, const char *name, const json_t **ret, struct hr_err *err)
{
	char names[NAMES_BYTES];

	if (!json_array_size(predictions))
		return hr_err_set(err, -ENOENT, "'%s' predicts nothing", path);
	*ret = !name && json_array_size(predictions) == 1 ? json_array_get(predictions, 0) :
							    find(predictions, name ? name : hr_change_name(HR_CHANGE_CAUSE_REMOVED));
	if (*ret)
		return 0;
	list_changes(predictions, names);
	if (!names[0])
		return hr_err_set(err, -EINVAL, "'%s' predicts no change that is known here", path);
	if (name)
		return hr_err_set(err, -ENOENT, "'%s' does not predict %s; it predicts %s", path, name, names);
	return hr_err_set(err, -ENOENT, "'%s' predicts several changes: choose by --change one of %s", path, names);
}

static int take(const char *path, const json_t *root, const char *name, struct hr_forecast *ret_forecast, struct hr_err *err)
{
	const json_t *verdict = json_object_get(root, "verdict"), *prediction = NULL;
	const char *schema = json_string_value(json_object_get(root, "schema")), *change;
	struct hr_forecast forecast;
	int ret;

	if (!schema || strcmp(schema, SCHEMA))
		return hr_err_set(err, -EINVAL, "'%s' is no report of headroom: its schema is not \"" SCHEMA "\"", path);
	if (!json_is_object(verdict))
		return hr_err_set(err, -ENOENT, "'%s' has no verdict, so it predicts nothing", path);
	ret = choose(path, json_object_get(verdict, "prediction"), name, &prediction, err);
	if (ret)
		return ret;
	change = json_string_value(json_object_get(prediction, "change"));
	forecast = (struct hr_forecast){
		.change = change ? hr_change_find(change) : HR_CHANGE_COUNT,
		.throughput_rps = amount(prediction, "throughput_rps"),
		.range = { amount(prediction, "low_rps"), amount(prediction, "high_rps") },
		.base_throughput_rps = amount(verdict, "throughput_rps"),
		.base_load = amount(verdict, "load"),
	};
	if (forecast.change == HR_CHANGE_COUNT)
		return hr_err_set(err, -EINVAL, "'%s' predicts no change that is known here", path);
	if (isnan(forecast.throughput_rps) || !(forecast.range.low <= forecast.range.high))
		return hr_err_set(err, -EINVAL, "the prediction of %s in '%s' has no throughput or no interval", change, path);
	*ret_forecast = forecast;
	return 0;
}

static int read_json(const char *path, int fd, json_t **ret_root, struct hr_err *err)
{
	struct stat status;
	json_error_t error;
	char reason[JSON_ERROR_TEXT_LENGTH * 3];

	if (fstat(fd, &status))
		return hr_err_errno(err, -errno, "cannot read '%s'", path);
	if (!S_ISREG(status.st_mode))
		return hr_err_set(err, -EINVAL, "'%s' is no regular file", path);
	if (status.st_size > BYTES_MAX)
		return hr_err_set(err, -EFBIG, "'%s' is too large for a report", path);
	*ret_root = json_loadfd(fd, JSON_REJECT_DUPLICATES, &error);
	if (*ret_root)
		return 0;
	hr_text_clean(reason, sizeof(reason), error.text, sizeof(error.text));
	return hr_err_set(err, -EINVAL, "'%s' is no JSON (line %d: %s); `headroom report RUN.db --format json` writes such a report", path,
			  error.line, reason);
}

int hr_forecast_read(const char *path, const char *change_name, struct hr_forecast *ret_forecast, struct hr_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), ret;
	json_t *root = NULL;

	if (fd < 0)
		return hr_err_errno(err, -errno, "cannot read '%s'", path);
	ret = read_json(path, fd, &root, err);
	if (!ret)
		ret = take(path, root, change_name, ret_forecast, err);
	json_decref(root);
	close(fd);
	return ret;
}
