/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_CLI_INTERRUPT_H
#define HR_CLI_INTERRUPT_H

#include <signal.h>
#include <stdbool.h>

/*
 * While something stands half-written, the signals that end a program (SIGINT, SIGTERM, SIGHUP) wait until it is gone or complete;
 * then they end it as ever, so that its status says so.
 */
struct hr_interrupt {
	sigset_t before; /* what was blocked */
	bool held;
};

/* From now on they wait. */
void hr_interrupt_hold(struct hr_interrupt *interrupt);

/* Does one wait? Long work asks, to be cut short. */
bool hr_interrupt_waits(void);

/* Let them through: does not return if one waited. Takes one that is all zero or released. */
void hr_interrupt_release(struct hr_interrupt *interrupt);

#endif
