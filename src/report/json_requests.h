/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_JSON_REQUESTS_H
#define HR_REPORT_JSON_REQUESTS_H

#include <jansson.h>

#include "analyse/summary.h"

/* The parts of the JSON report about requests and the network. NULL: no memory. */

json_t *hr_json_connections(const struct hr_summary *summary);
json_t *hr_json_listeners(const struct hr_summary *summary);
json_t *hr_json_network_counters(const struct hr_summary *summary);

/* {mean, p50, p90, p99} of a stage; null if none was seen. */
json_t *hr_json_latency_ms(const struct hr_stage_summary *stage);

/* {stage: {mean, p50, p90, p99, count}, null if none was seen}. */
json_t *hr_json_stages_ms(const struct hr_request_summary *requests);

/* {connections, reads} that are left out of the numbers of requests. */
json_t *hr_json_multiplexed(const struct hr_request_summary *requests);

/* {state: us per request, handoff: us per request}; null if it is known of no request. */
json_t *hr_json_budget(const struct hr_summary *summary, const struct hr_budget *budget);

#endif
