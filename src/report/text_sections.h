/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_REPORT_TEXT_SECTIONS_H
#define HR_REPORT_TEXT_SECTIONS_H

#include "analyse/summary.h"
#include "report/page.h"

/* The sections of the text report, in their order. Each writes nothing if the run has nothing to say about it. */

/* text.c */
void hr_text_head(const struct hr_page *page, const struct hr_summary *summary);
void hr_text_answer(const struct hr_page *page, const struct hr_summary *summary);

/* text_requests.c */
void hr_text_requests_answer(const struct hr_page *page, const struct hr_summary *summary); /* a paragraph of the answer */
void hr_text_requests(const struct hr_page *page, const struct hr_summary *summary);
void hr_text_budgets(const struct hr_page *page, const struct hr_summary *summary);
void hr_text_connections(const struct hr_page *page, const struct hr_summary *summary);
void hr_text_listeners(const struct hr_page *page, const struct hr_summary *summary);

/* text_resources.c */
void hr_text_disks(const struct hr_page *page, const struct hr_summary *summary);
void hr_text_memory(const struct hr_page *page, const struct hr_summary *summary);
void hr_text_pressure(const struct hr_page *page, const struct hr_summary *summary);

/* text_threads.c */
void hr_text_states(const struct hr_page *page, const struct hr_summary *summary);
void hr_text_groups(const struct hr_page *page, const struct hr_summary *summary);
void hr_text_parallelism(const struct hr_page *page, const struct hr_summary *summary);
void hr_text_syscalls(const struct hr_page *page, const struct hr_summary *summary);

/* text_code.c */
void hr_text_code(const struct hr_page *page, const struct hr_summary *summary);

/* text_waits.c */
void hr_text_waits(const struct hr_page *page, const struct hr_summary *summary);
void hr_text_locks(const struct hr_page *page, const struct hr_summary *summary);

/* text_host.c */
void hr_text_cpus(const struct hr_page *page, const struct hr_summary *summary);
void hr_text_cpu_waits(const struct hr_page *page, const struct hr_summary *summary);
void hr_text_quotas(const struct hr_page *page, const struct hr_summary *summary);
void hr_text_health(const struct hr_page *page, const struct hr_summary *summary);

#endif
