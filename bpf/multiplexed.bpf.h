/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_MULTIPLEXED_BPF_H
#define HR_MULTIPLEXED_BPF_H

/*
 * Connections whose requests reads and writes do not tell apart: a pipeline is read and answered in one go, and streams of
 * HTTP/2 answer in any order. A look at the first bytes of a few reads shows them. Nothing of what is read is kept.
 */
#include "registers.bpf.h"
#include "socket.bpf.h"

#define LOOK_BYTES 256
#define LOOK_FIRST 8	 /* requests of a connection whose first read is looked at, */
#define LOOK_EVERY 64	 /* and then each so many; a power of two */
#define LIKENESSES 4	 /* looks that must agree, and be half of all */
#define HTTP2_PREFACE 0x5448202a20495250ULL /* "PRI * HT", RFC 9113, 3.4; as a little-endian word */
#define HTTP1_STATUS 0x312e312f50545448ULL  /* "HTTP/1.1" */
#define SWITCHING 0x31303120		    /* " 101", RFC 9110, 15.2.2 */
#define CONTINUE 0x30303120		    /* " 100" */
#define CONTINUE_BYTES 25		    /* "HTTP/1.1 100 Continue" and two line ends */
#define HTTP2_FRAME_HEAD 9
#define HTTP2_HEADERS 1
#define HTTP2_HEADERS_FLAGS 0x2d

/* Native syscall row -> enum hr_call_buffer. */
const volatile __u8 call_buffers[HR_CALL_NRS] __weak = {};

struct look {
	__u8 bytes[LOOK_BYTES];
};

/* One per CPU: a program is done with it before another comes. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct look);
} looked_at __weak SEC(".maps");

struct iovec_head {
	__u64 base, bytes;
};

/* Where the call that the thread is in keeps its bytes; 0: it is none of those that are known. */
static __always_inline __u64 call_bytes(const struct hr_thread *thread)
{
	__u64 row = whole(thread->call_row), registers = thread->registers, vector, at = 0;

	if (!thread->in_call || row >= HR_CALL_NRS || call_buffers[row] == HR_BUFFER_NONE)
		return 0;
	vector = BPF_CORE_READ((struct pt_regs *)registers, REGISTERS_ARG1);
	if (call_buffers[row] == HR_BUFFER_BYTES)
		return vector;
	/* struct msghdr: name, its length and padding, then the vector */
	if (call_buffers[row] == HR_BUFFER_MESSAGE && bpf_probe_read_user(&vector, sizeof(vector), (void *)(vector + 16)))
		return 0;
	bpf_probe_read_user(&at, sizeof(at), (void *)vector);
	return at;
}

/* The first bytes of it, as many as fit; NULL: they cannot be read. */
static __noinline __maybe_unused struct look *look_at(const struct hr_thread *thread, __u64 bytes)
{
	__u32 zero = 0;
	struct look *look = bpf_map_lookup_elem(&looked_at, &zero);
	__u64 at;

	if (!thread || !look)
		return NULL;
	at = call_bytes(thread);
	if (bytes > LOOK_BYTES)
		bytes = LOOK_BYTES;
	return at && bytes >= 8 && !bpf_probe_read_user(look->bytes, bytes, (void *)at) ? look : NULL;
}

static __always_inline bool ends_message(__u8 byte)
{
	return byte == '\n' || byte == 0;
}

/*
 * What it begins with comes again behind the end of a line or string: several messages in one. Filling (one byte over and over)
 * says nothing.
 */
VERIFIED_ONCE bool looks_like_batch(const struct look *look, __u64 bytes)
{
	__u64 first;

	if (!look)
		return false;
	first = *(const __u64 *)look->bytes;
	if ((__u32)first == first >> 32)
		return false;
	for (__u32 at = 8; at <= LOOK_BYTES - 8; at++) {
		if (at + 8 > bytes)
			break;
		if (*(const __u64 *)(look->bytes + at) == first && ends_message(look->bytes[at - 1]))
			return true;
	}
	return false;
}

/* A frame that opens a stream from the client: RFC 9113, 4.1 and 6.2. */
static __always_inline bool looks_like_http2(const __u8 *head, __u64 bytes)
{
	__u32 length = (__u32)head[0] << 16 | (__u32)head[1] << 8 | head[2];

	return length && HTTP2_FRAME_HEAD + length <= bytes && head[3] == HTTP2_HEADERS && !(head[4] & ~HTTP2_HEADERS_FLAGS) &&
	       !(head[5] & 0x80) && head[8] & 1;
}

static __always_inline void saturate(__u8 *count)
{
	if (*count < 255)
		(*count)++;
}

/*
 * A read of that many bytes has just returned, and begins a request: enum hr_multiplexed bits that it tells, mostly 0. What is
 * read later of a request may be anything: rows of a table that is uploaded begin alike.
 */
VERIFIED_ONCE __u32 look_at_read(struct socket_state *state, const struct hr_thread *thread, __u64 bytes)
{
	struct look *look;

	if (!state || !thread || state->multiplexed)
		return 0;
	if (state->requests >= LOOK_FIRST && state->requests & (LOOK_EVERY - 1))
		return 0;
	look = look_at(thread, bytes);
	if (!look)
		return 0;
	if (*(__u64 *)look->bytes == HTTP2_PREFACE)
		return HR_MULTIPLEXED_HTTP2;
	saturate(&state->looks);
	if (looks_like_http2(look->bytes, bytes))
		saturate(&state->frames);
	else if (looks_like_batch(look, bytes))
		saturate(&state->batches);
	if (state->frames >= LIKENESSES && 2 * state->frames >= state->looks)
		return HR_MULTIPLEXED_HTTP2;
	if (state->batches >= LIKENESSES && 2 * state->batches >= state->looks)
		return HR_MULTIPLEXED_BATCH;
	return 0;
}

/* "100 Continue" and nothing else: the answer is yet to come (RFC 9110, 15.2.1). It has no headers. */
VERIFIED_ONCE bool is_continue(const struct hr_thread *thread, __u64 bytes)
{
	struct look *look = thread && bytes == CONTINUE_BYTES ? look_at(thread, bytes) : NULL;

	return look && *(__u64 *)look->bytes == HTTP1_STATUS && *(__u32 *)(look->bytes + 8) == CONTINUE;
}

/* Likewise a write. Only the first answers of a connection can change its protocol. */
VERIFIED_ONCE __u32 look_at_write(struct socket_state *state, const struct hr_thread *thread)
{
	struct look *look;

	if (!state || !thread || state->multiplexed || state->writes > 2)
		return 0;
	look = look_at(thread, 12);
	if (!look || *(__u64 *)look->bytes != HTTP1_STATUS || *(__u32 *)(look->bytes + 8) != SWITCHING)
		return 0;
	return HR_MULTIPLEXED_UPGRADED;
}

#endif
