/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/account.h"

#include <stdio.h>
#include <string.h>

#include "store/tables.h"

struct hr_account hr_account_none(void)
{
	return (struct hr_account){ .not_run_ns = HR_NULL };
}

int64_t hr_account_known_sum(int64_t a, int64_t b)
{
	if (a == HR_NULL || b == HR_NULL)
		return a == HR_NULL ? b : a;
	return (int64_t)((uint64_t)a + (uint64_t)b); /* wraps where a damaged file makes it */
}

void hr_account_add(struct hr_account *to, const struct hr_account *more)
{
	to->life_ns += more->life_ns;
	for (int i = 0; i < HR_STATES; i++)
		to->state_ns[i] += more->state_ns[i];
	for (int i = 0; i < HR_OWNERS; i++) {
		to->runq_owner_ns[i] += more->runq_owner_ns[i];
		to->preempted_owner_ns[i] += more->preempted_owner_ns[i];
	}
	to->syscalls += more->syscalls;
	to->voluntary += more->voluntary;
	to->involuntary += more->involuntary;
	to->migrations += more->migrations;
	to->mmap_lock_ns += more->mmap_lock_ns;
	to->estimated_ns += more->estimated_ns;
	to->not_run_ns = hr_account_known_sum(to->not_run_ns, more->not_run_ns);
}

uint64_t hr_account_total_ns(const struct hr_account *account)
{
	uint64_t total_ns = 0;

	for (int i = 0; i < HR_STATES; i++)
		total_ns += account->state_ns[i];
	return total_ns;
}

uint64_t hr_account_group_ns(const struct hr_account *account, enum hr_state_group group)
{
	uint64_t total_ns = 0;

	for (int i = 0; i < HR_STATES; i++)
		if (hr_state_group(i) == group)
			total_ns += account->state_ns[i];
	return total_ns;
}

size_t hr_account_rank(const struct hr_account *account, enum hr_state ranked[HR_STATES])
{
	size_t n = 0;

	for (int state = 0; state < HR_STATES; state++) {
		size_t at = n;

		if (!account->state_ns[state])
			continue;
		for (; at > 0 && account->state_ns[ranked[at - 1]] < account->state_ns[state]; at--)
			ranked[at] = ranked[at - 1];
		ranked[at] = state;
		n++;
	}
	return n;
}

void hr_thread_pattern(char *dst, size_t size, const char *name)
{
	const char *end = strstr(name, " ("), *begin;

	if (!end || end == name)
		end = name + strlen(name);
	for (begin = end; begin > name && begin[-1] >= '0' && begin[-1] <= '9'; begin--)
		;
	if (begin == end)
		snprintf(dst, size, "%s", name);
	else
		snprintf(dst, size, "%.*s*%s", (int)(begin - name), name, end);
}
