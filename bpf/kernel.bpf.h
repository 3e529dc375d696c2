/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_KERNEL_BPF_H
#define HR_KERNEL_BPF_H

/*
 * The few kernel types that we read, declared by hand: only the members that are used, found in the running kernel by CO-RE.
 * Every difference between kernels that the programs must know lives here, with the release in which it came.
 */

typedef signed char __s8;
typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
#define true 1
#define false 0
#define NULL ((void *)0)

enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_STACK = 23,
	BPF_MAP_TYPE_SK_STORAGE = 24,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum { BPF_ANY = 0, BPF_NOEXIST = 1 };
enum { BPF_F_USER_STACK = 1U << 8 };
enum { BPF_F_NO_PREALLOC = 1, BPF_F_MMAPABLE = 1U << 10 };
enum { BPF_SK_STORAGE_GET_F_CREATE = 1, BPF_LOCAL_STORAGE_GET_F_CREATE = 1, BPF_RB_NO_WAKEUP = 1 };

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct thread_info {
	unsigned long flags;
	__u32 status; /* x86 */
	__u32 cpu;
};

struct hlist_node;

struct hlist_head {
	struct hlist_node *first;
};

struct cfs_rq {
	int throttle_count;
};

struct sched_entity {
	__u64 sum_exec_runtime;
	struct cfs_rq *cfs_rq; /* with CONFIG_FAIR_GROUP_SCHED */
};

struct rw_semaphore {
	int count;
};

struct mm_struct {
	struct rw_semaphore mmap_lock;
};

struct raw_spinlock {
	__u32 first_word; /* of whatever lock it is made of: 0 while it is free */
};

struct super_block {
	__u32 s_dev;
	unsigned long s_magic;
};

struct inode {
	unsigned short i_mode;
	unsigned long i_ino;
	__u32 i_rdev;
	struct super_block *i_sb;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct file {
	struct inode *f_inode;
	struct path f_path;
	void *private_data;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

/* Since 6.13 references are counted from 0 (commit 90ee6ed776c0), before that f_count has them, from 1. */
struct atomic_long {
	long counter;
};

struct file_reference {
	struct atomic_long refcnt;
};

struct file___referenced {
	struct file_reference f_ref;
};

struct file___counted {
	struct atomic_long f_count;
};

struct files_struct {
	struct fdtable *fdt;
};

struct in6_addr {
	__u8 bytes[16];
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num; /* local port, host order */
	unsigned short skc_family;
	volatile unsigned char skc_state;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct sk_buff_head {
	__u32 qlen;
};

typedef struct {
	int counter;
} atomic_t;

struct socket;

struct sock {
	struct sock_common __sk_common;
	struct socket *sk_socket; /* NULL: nobody has it open */
	struct sk_buff_head sk_receive_queue;
	atomic_t sk_drops;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
	int sk_wmem_queued;
	int sk_sndbuf;
	__u16 sk_type;
	__u16 sk_protocol;
	__u8 sk_shutdown;
};

struct minmax_sample {
	__u32 v;
};

struct minmax {
	struct minmax_sample s[3];
};

struct tcp_sock {
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 srtt_us; /* 8 times the mean */
	struct minmax rtt_min;
	__u32 total_retrans;
	__u32 lost_out;
	__u32 reord_seen;
	__u32 segs_in;
	__u32 segs_out;
	__u32 chrono_start;
	__u32 chrono_stat[3];
	__u8 chrono_type : 2; /* a byte of its own since 7.0 */
};

struct sockaddr_un {
	unsigned short sun_family;
	char sun_path[108];
};

struct unix_address {
	int len; /* of what is there of the name, its family included */
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
};

struct sk_buff;
struct msghdr;
struct page;

struct socket {
	unsigned long flags;
	struct sock *sk;
};

struct signal_struct {
	unsigned long long sum_sched_runtime;
};

struct task_struct {
	struct thread_info thread_info;
	unsigned int __state;
	unsigned int flags;
	int on_cpu; /* u8 since 7.2: read it only as a bit field */
	struct sched_entity se;
	struct raw_spinlock pi_lock; /* held by its waker */
	struct mm_struct *mm;
	unsigned int in_iowait : 1;
	int pid;
	int tgid;
	struct task_struct *real_parent;
	struct files_struct *files;
	struct signal_struct *signal;
	void *stack;
	unsigned long jobctl;
	char comm[16];
};

/* Since 6.18 the fair scheduler throttles tasks one by one (commit e1fad12dcb66). */
struct task_struct___throttled {
	bool throttled;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long bx, cx, ax, dx, si, di, orig_ax, ip, sp;
};
#elif defined(__TARGET_ARCH_arm64)
struct pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 orig_x0;
	__s32 syscallno;
};
#else
#error "syscall arguments of this architecture are not known here"
#endif

struct gendisk {
	int major;
	int first_minor;
	char disk_name[32];
};

struct request_queue {
	struct gendisk *disk; /* NULL: it is not of a disk */
};

enum mq_rq_state { MQ_RQ_IDLE = 0 }; /* otherwise the disk has it, or had */

struct request {
	struct request_queue *q;
	__u32 cmd_flags;
	__u32 __data_len; /* not finished yet */
	__u64 start_time_ns;
	enum mq_rq_state state;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
};

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

struct linux_binprm;

#pragma clang attribute pop

#define TASK_WAKING 0x200
#define TASK_NEW 0x800
#define TASK_DEAD 0x80
#define PF_EXITING 0x00000004
#define PF_KTHREAD 0x00200000
#define PF_IO_WORKER 0x00000010
#define JOBCTL_TRAP_FREEZE (1UL << 23)
#define LCB_F_SPIN 1 /* flags of contention_begin: the waiter does not sleep */
#define ERESTART_RESTARTBLOCK 516
#define EAGAIN 11
#define ENOSYS 38
#define MAX_ERRNO 4095

#define S_IFMT 0170000
#define S_IFSOCK 0140000
#define S_IFCHR 0020000
#define S_IFIFO 0010000
#define ANON_INODE_FS_MAGIC 0x09041934
#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define IPPROTO_TCP 6
#define SOCK_STREAM 1
#define SOCK_SEQPACKET 5
#define RCV_SHUTDOWN 1
#define SOCK_NOSPACE (1UL << 2) /* socket.flags: a write found no room, and who waits for it is to be told */
#define MSG_PEEK 2
#define MSG_ERRQUEUE 0x2000

/* struct request.cmd_flags */
#define REQ_OP_MASK 0xff
#define REQ_OP_READ 0
#define REQ_OP_WRITE 1
#define REQ_OP_FLUSH 2
#define REQ_OP_DISCARD 3
#define REQ_OP_SECURE_ERASE 5
#define REQ_OP_WRITE_ZEROES 9
#define REQ_OP_PASSTHROUGH 32 /* from here on commands that only the driver knows */

enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_FIN_WAIT1 = 4,
	TCP_CLOSE = 7,
	TCP_CLOSE_WAIT = 8,
	TCP_LISTEN = 10,
};

/* What a sender with data on its way does: struct tcp_sock.chrono_stat[kind - 1]. */
enum { TCP_CHRONO_BUSY = 1, TCP_CHRONO_RWND_LIMITED = 2, TCP_CHRONO_SNDBUF_LIMITED = 3 };

#endif
