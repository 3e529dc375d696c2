/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_STORE_VIEWS_H
#define HR_STORE_VIEWS_H

#include "store/tables.h"

/*
 * The flows whose requests are the run's: calls of the function of --request-probe if there is one, else what servers of the
 * target are asked from outside. A server that another process of the target asks is a step on the way of a request that is
 * counted in front of it. It is known by the port, if that is asked for at this host: at the loopback address, or at an address
 * at which some server of the target was seen to answer.
 */
#define HR_SQL_FRONT_FLOWS \
	"SELECT flow_id FROM flows AS server WHERE CASE WHEN EXISTS (SELECT 1 FROM flows WHERE role = 'probe')" \
	" THEN role = 'probe' ELSE role = 'server' AND NOT EXISTS (SELECT 1 FROM flows AS asked WHERE asked.role = 'downstream'" \
	" AND asked.transport = server.transport AND CASE WHEN server.transport = 'tcp'" \
	" THEN substr(asked.endpoint, -length(server.endpoint)) = server.endpoint AND (asked.endpoint LIKE '127.%'" \
	" OR asked.endpoint LIKE '[::1]:%' OR asked.endpoint IN (SELECT c.local FROM connections AS c JOIN flows AS f" \
	" ON f.flow_id = c.flow_id WHERE f.role = 'server')) ELSE asked.endpoint = server.endpoint END) END"

/* A question that people ask of a run, answered by a view in the run file. Its columns are in the dictionary too. */
struct hr_view {
	const char *name, *meaning;
	const struct hr_column *columns;
	int column_count;
	const char *select;
};

extern const struct hr_view hr_views[];
extern const int hr_view_count;

#endif
