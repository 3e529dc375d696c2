/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HEADROOM_NET_H
#define HEADROOM_NET_H

#include "headroom/hist.h"
#include "headroom/states.h"
#include "headroom/types.h"

/*
 * Requests, as they are seen from outside: by what goes through a socket, without parsing. What the programs in bpf/net.bpf.c
 * fill and src/collect/ reads.
 *
 * A *flow* is everything between one process and one endpoint: its own listening port (role server), a peer that it connects to
 * (role downstream), or a function that delimits requests (role probe). Flows have records as syscalls have: claimed from a
 * stack of free ones at first use, sharded, read through a mapping. Each *stage* of a request has a histogram, claimed likewise.
 */

#define HR_FLOWS 1024	       /* ids, of which 0 is never used */
#define HR_FLOWS_OWN 128       /* those below are not for peers, of which a crawler meets thousands */
#define HR_STAGE_RECORDS 2048  /* likewise, at most: they take 8 MiB at most, over all shards */
#define HR_FLOW_SHARDS_MAX 4
#define HR_STAGE_BITS 5	       /* 32 parts: the middle of a slot is within 1/64 of the value */
#define HR_STAGE_SLOTS 1152    /* up to 2^40 ns */
#define HR_ENDED_SOCKETS_BYTES (1U << 20) /* ring of sockets that ended within an interval; beyond it only their flow knows them */
#define HR_UNIX_PATH_BYTES 108

/* In the run file by name (src/base/requests.c): append only. */
enum hr_role { HR_ROLE_NONE = 0, HR_ROLE_SERVER = 1, HR_ROLE_DOWNSTREAM = 2, HR_ROLE_PROBE = 3, HR_ROLE_LISTENER = 4, HR_ROLES = 5 };

enum hr_transport { HR_TRANSPORT_NONE = 0, HR_TRANSPORT_TCP = 1, HR_TRANSPORT_UNIX = 2, HR_TRANSPORT_FUNCTION = 3, HR_TRANSPORTS = 4 };

enum hr_stage {
	HR_STAGE_ACCEPT = 0,  /* server: connection established -> accept returns it */
	HR_STAGE_QUEUE = 1,   /* server, downstream: data arrives -> first read of it */
	HR_STAGE_SERVICE = 2, /* server: first read -> first write of the answer. probe: entry -> return */
	HR_STAGE_STREAM = 3,  /* server: first -> last write */
	HR_STAGE_TOTAL = 4,   /* server: data arrives -> last write. probe: entry -> return */
	HR_STAGE_CONNECT = 5, /* downstream: SYN sent -> established */
	HR_STAGE_WAIT = 6,    /* downstream: last write of the question -> first read of the answer */
	HR_STAGES = 7
};

/* Why the requests of a socket cannot be told apart from outside. Bits. */
enum hr_multiplexed {
	HR_MULTIPLEXED_OVERLAP = 1,  /* data keeps coming before the answer to what came earlier is complete */
	HR_MULTIPLEXED_BATCH = 2,    /* one read holds several messages that begin alike: a pipeline */
	HR_MULTIPLEXED_HTTP2 = 4,    /* begins with the preface of HTTP/2 */
	HR_MULTIPLEXED_UPGRADED = 8, /* HTTP changed to another protocol (101): a websocket */
};

/* How a connection ended, as far as it has. In the run file by name. */
enum hr_ending {
	HR_ENDING_OPEN = 0,
	HR_ENDING_LOCAL = 1,	 /* the target closed it first */
	HR_ENDING_PEER = 2,	 /* the peer closed it first */
	HR_ENDING_RESET_IN = 3,	 /* by the peer's reset */
	HR_ENDING_RESET_OUT = 4, /* by our host's reset */
	HR_ENDING_FAILED = 5,	 /* never established, or given up after retransmits */
	HR_ENDINGS = 6
};

/* What the request at hand of a socket is in. */
enum hr_phase {
	HR_PHASE_IDLE = 0,
	HR_PHASE_SERVING = 1, /* server: read, not answered yet. downstream: asked, no answer yet */
	HR_PHASE_SENDING = 2  /* server: answered, and further writes belong to the answer. downstream: the answer is coming */
};

struct hr_flow_key {
	__u32 process;	      /* slot */
	__u16 port;	      /* server: the local one; downstream: the peer's. Host order */
	__u8 role;	      /* enum hr_role */
	__u8 transport;	      /* enum hr_transport */
	__u8 address[16];     /* downstream: of the peer, IPv4 mapped into IPv6. unix: a hash of the path, and 0 */
};

/*
 * One flow and shard. The key and what stands with it are in shard 0 only; the rest grows only, and a reader adds the shards.
 *
 * In flight without a counter that two CPUs fight over: the integral of "requests in flight" up to a moment t is
 * t * (arrivals - departures) - (arrived_ns - departed_ns), all modulo 2^64.
 */
struct hr_flow {
	struct hr_flow_key key; /* role NONE: free */
	__u32 generation;     /* grows when user space takes the record back: what remembers the flow by its id checks it */
	__u32 stage_record[HR_STAGES]; /* in `stages`, before it is sharded; 0: none yet */
	char path[HR_UNIX_PATH_BYTES]; /* unix: of the listening end, as in sun_path: an abstract name begins with NUL */
	__u32 path_bytes;

	__u64 arrivals, arrived_ns;	/* requests, and the sum of when they arrived */
	__u64 departures, departed_ns;	/* likewise left: by the last write so far, or their connection's end */
	__u64 requests;	      /* answered: server: first write after a read; downstream: first read after a write */
	__u64 unanswered;     /* read, and then the connection ended */
	__u64 unread_requests;/* arrived, and never read */
	__u64 multiplexed_reads; /* reads on multiplexed sockets: no requests are counted on those */
	__u64 multiplexed;    /* sockets found to be multiplexed */
	__u64 reads, writes, bytes_in, bytes_out;
	__u64 opened, closed; /* connections */
	__u64 connect_failures;
	__u64 resets_in, resets_out;
	__u64 retransmits;    /* segments */
	__u64 send_full_ns;   /* it wanted to write and the send buffer was full: blocked, or between EAGAIN and the next write */
	__u64 send_full;      /* times */
	__u64 budgeted;	      /* requests whose service time is in the following */
	__u64 handoff_ns;     /* read by one thread, not taken up yet by the one that answered */
	__u64 state_ns[HR_STATES]; /* of the threads that served, between first read and first write */
	__u64 pad_end[8];
};

/* The histogram of one stage of one flow; likewise sharded. */
struct hr_stage_hist {
	__u64 count, total_ns;
	__u32 slots[HR_STAGE_SLOTS];
	__u64 pad[6];
};

/* What is known of one socket: a row of the iterator at an interval's end, or of the ring when it ended. */
struct hr_socket_row {
	__u64 id;	      /* counts from 1 over all sockets of the run */
	__u64 at_ns;	      /* now */
	__u64 first_ns;	      /* established or first seen */
	__u32 process;	      /* slot; 0: nobody has used it yet */
	__u32 flow;	      /* 0: none yet */
	__u16 local_port, peer_port;
	__u8 role;	      /* enum hr_role */
	__u8 family;	      /* AF_INET, AF_INET6, AF_UNIX */
	__u8 tcp_state;	      /* as the kernel numbers them: 1 established, 10 listening */
	__u8 ending;	      /* enum hr_ending */
	__u8 multiplexed;     /* enum hr_multiplexed */
	__u8 phase;	      /* enum hr_phase */
	__u8 ended;	      /* from the ring */
	__u8 has_tcp;	      /* the members of TCP below are filled */
	__u8 local[16], peer[16]; /* addresses, IPv4 mapped into IPv6 */
	__u64 reads, writes, requests, bytes_in, bytes_out;
	__u64 send_full_ns;
	__u64 state_changes;
	/* TCP */
	__u64 zero_window_jiffies, send_limited_jiffies; /* time limited by the peer's window, by our send buffer */
	__u64 sending_jiffies; /* with data that was not acknowledged, those two included */
	__u64 jiffies;	      /* now: with at_ns, how long one is */
	__u32 srtt_us, min_rtt_us;
	__u32 retransmits, lost, reordered; /* segments retransmitted; thought lost now; reordering events seen */
	__u32 segments_in, segments_out;
	/* listening sockets */
	__u32 backlog, backlog_max, backlog_highest; /* waiting for accept now, the limit, the highest since the last row */
	__u32 drops;	      /* connection attempts dropped, since it began to listen */
	__u32 path_bytes;
	char path[HR_UNIX_PATH_BYTES]; /* unix: its own, or its peer's */
	__u32 pad;
};

HR_SIZE_IS(struct hr_flow_key, 24);
HR_SIZE_IS(struct hr_flow, 9 * 64);
HR_SIZE_IS(struct hr_stage_hist, 73 * 64);
HR_SIZE_IS(struct hr_socket_row, 328);

#endif
