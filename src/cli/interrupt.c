/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/interrupt.h"

static void fill(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGHUP);
}

void hr_interrupt_hold(struct hr_interrupt *interrupt)
{
	sigset_t ends;

	fill(&ends);
	interrupt->held = sigprocmask(SIG_BLOCK, &ends, &interrupt->before) == 0;
}

bool hr_interrupt_waits(void)
{
	sigset_t waiting;

	return sigpending(&waiting) == 0 &&
	       (sigismember(&waiting, SIGINT) || sigismember(&waiting, SIGTERM) || sigismember(&waiting, SIGHUP));
}

void hr_interrupt_release(struct hr_interrupt *interrupt)
{
	if (interrupt->held)
		sigprocmask(SIG_SETMASK, &interrupt->before, NULL);
	interrupt->held = false;
}
