/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/open_waits.h"

#include "base/states.h"
#include "base/waits.h"

uint64_t hr_open_wait_ns(const struct hr_drain_thread *thread, uint64_t base_ns)
{
	const struct hr_thread *record = thread->record;

	if (!record || record->mode != HR_MODE_BLOCKED || record->wake_ns)
		return 0;
	return hr_drain_growth(thread->read_ns, record->since_ns > base_ns ? record->since_ns : base_ns);
}

/*
 * Is this the wait that the thread was in when its accounts were read? It may have gone on since: then the wait is closed, and still
 * the last that it was in, or it is another one that began later.
 */
static bool is_of_record(const struct hr_open_wait *wait, const struct hr_thread *record, uint64_t read_ns)
{
	if (wait->born_ns != record->born_ns || wait->key.state != record->state)
		return false;
	return wait->out_ns ? wait->out_ns <= read_ns : wait->key.subject != HR_SUBJECT_NONE;
}

/* What it waits for; a wait from before the recording has no subject, unless the accounts say that it is a kernel lock. */
static struct hr_edge open_edge(struct hr_drain *drain, uint32_t slot, const struct hr_drain_thread *thread)
{
	const struct hr_thread *record = thread->record;
	struct hr_open_wait wait;
	struct hr_edge edge = { .key.subject = HR_SUBJECT_NONE };

	if (!hr_probes_open_wait(drain->probes, slot, &wait) && is_of_record(&wait, record, thread->read_ns)) {
		edge.key = wait.key;
	} else if (record->state == HR_STATE_KLOCK && record->kernel_lock != HR_KERNEL_LOCK_NONE) {
		edge.key.subject = HR_SUBJECT_KLOCK;
		if (record->kernel_lock != HR_KERNEL_LOCK_MMAP) {
			edge.key.value = (uint64_t)record->kernel_lock_high << 32 | record->kernel_lock_low;
			edge.key.address[0] = record->kernel_lock_caller;
		}
	}
	return edge;
}

int hr_open_wait_add(struct hr_drain *drain, struct hr_subjects *subjects, const struct hr_open_wait_row *row, struct hr_err *err)
{
	const struct hr_drain_thread *thread = hr_drain_thread(drain, row->slot);
	struct hr_row_edges edge = {
		.edge_id = row->edge_id,
		.thread_id = thread->id,
		.state = hr_state_name(thread->record->state),
		.source = HR_SOURCE_OPEN_NAME,
		.waker_thread_id = HR_NULL,
	};
	struct hr_edge open = open_edge(drain, row->slot, thread);
	char subject[HR_SUBJECT_BYTES];
	int ret;

	edge.subject_kind = hr_subject_name(open.key.subject);
	edge.subject = hr_subjects_text(subjects, &open, subject);
	ret = hr_writer_add(drain->writer, HR_TABLE_edges, &edge, err);
	hr_drain_add(drain, HR_TABLE_waits,
		     &(struct hr_row_waits){
			     .interval_id = drain->interval_id - 1, /* the last */
			     .edge_id = edge.edge_id,
			     .count = 1,
			     .time_ns = row->time_ns,
			     .handover_ns = HR_NULL,
			     .window_ns = 0,
		     });
	return ret;
}
