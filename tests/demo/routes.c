/* SPDX-License-Identifier: BSD-2-Clause */
#include "routes.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

int routes_refuse(int status, const char *why, char body[BODY_MAX_BYTES])
{
	snprintf(body, BODY_MAX_BYTES, "{\"error\":\"%s\"}\n", why);
	return status;
}

static int infer(struct work *work, struct scratch *scratch, const uint8_t image[MODEL_INPUTS], char body[BODY_MAX_BYTES])
{
	struct answer answer;
	int status = work_infer(work, scratch, image, &answer);
	int used;

	if (status == 500)
		return routes_refuse(status, "the log cannot be written", body);
	if (status == 502)
		return routes_refuse(status, "the backend does not answer", body);
	used = snprintf(body, BODY_MAX_BYTES, "{\"class\":%u,\"probabilities\":[", answer.class);
	for (int i = 0; i < MODEL_CLASSES; i++)
		used += snprintf(body + used, (size_t)(BODY_MAX_BYTES - used), "%s%.6f", i ? "," : "",
				 (double)answer.probabilities[i]);
	snprintf(body + used, (size_t)(BODY_MAX_BYTES - used), "]}\n");
	return status;
}

/* "seed=N" of the query, 0 when there is no query. */
static int parse_seed(const struct http_request *request, uint64_t *ret)
{
	static const char name[] = "seed=";
	const size_t name_bytes = sizeof(name) - 1;
	uint64_t seed = 0;

	*ret = 0;
	if (!request->query_bytes)
		return 0;
	if (request->query_bytes <= name_bytes || request->query_bytes > name_bytes + 18 ||
	    memcmp(request->query, name, name_bytes) != 0)
		return -1;
	for (size_t i = name_bytes; i < request->query_bytes; i++) {
		if (request->query[i] < '0' || request->query[i] > '9')
			return -1;
		seed = seed * 10 + (uint64_t)(request->query[i] - '0');
	}
	*ret = seed;
	return 0;
}

static int get_infer(struct work *work, struct scratch *scratch, const struct http_request *request, char body[BODY_MAX_BYTES])
{
	uint8_t image[MODEL_INPUTS];
	uint64_t seed;

	if (parse_seed(request, &seed) < 0)
		return routes_refuse(400, "the query must be seed=N", body);
	model_image(seed, image);
	return infer(work, scratch, image, body);
}

static int post_infer(struct work *work, struct scratch *scratch, const struct http_request *request, char body[BODY_MAX_BYTES])
{
	if (request->body_bytes != MODEL_INPUTS)
		return routes_refuse(400, "the body must be 784 bytes, the grey values of 28 rows of 28", body);
	return infer(work, scratch, (const uint8_t *)request->body, body);
}

static int get_health(struct work *work, struct scratch *scratch, const struct http_request *request, char body[BODY_MAX_BYTES])
{
	(void)work, (void)scratch, (void)request;
	snprintf(body, BODY_MAX_BYTES, "{\"status\":\"ok\"}\n");
	return 200;
}

int routes_serve(struct work *work, struct scratch *scratch, const struct http_request *request, char body[BODY_MAX_BYTES])
{
	static const struct {
		const char *method, *path;
		int (*serve)(struct work *, struct scratch *, const struct http_request *, char *);
	} routes[] = {
		{ "GET", "/infer", get_infer },
		{ "POST", "/infer", post_infer },
		{ "GET", "/health", get_health },
	};
	bool path_known = false;

	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
		if (!http_path_is(request, routes[i].path))
			continue;
		path_known = true;
		if (http_method_is(request, routes[i].method))
			return routes[i].serve(work, scratch, request, body);
	}
	return path_known ? routes_refuse(405, "this path does not take that method", body)
			  : routes_refuse(404, "there are /infer and /health", body);
}
