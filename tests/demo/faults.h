/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DEMO_FAULTS_H
#define DEMO_FAULTS_H

#include "base/err.h"
#include "options.h"

/* What the faults hold that are in a request beside its forward pass. Shared by all workers. */
struct faults;

/* Open what the options ask for; they must outlive the result. -errno, with err. */
int faults_open(struct faults **ret, const struct options *options, struct hr_err *err);
void faults_close(struct faults *faults); /* takes NULL */

/* Around the forward pass: take and give back the lock, the spin lock or the token. */
void faults_enter(struct faults *faults);
void faults_leave(struct faults *faults);

/* All that comes after it. Returns an HTTP status: 200; 500, the log cannot be written; 502, the backend does not answer. */
int faults_commit(struct faults *faults);

#endif
