/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that wait for others through the kernel: pipes, local sockets, queues, file locks, signals. */
#include "waits.h"

#include <mqueue.h>
#include <pty.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

/* fd[0] waits, fd[1] wakes */

static int pipe_setup(struct wait *wait)
{
	return pipe2(wait->fd, O_CLOEXEC) ? errno : 0;
}

static int unix_setup(struct wait *wait)
{
	return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, wait->fd) ? errno : 0;
}

static int event_setup(struct wait *wait)
{
	wait->fd[0] = wait->fd[1] = eventfd(0, EFD_CLOEXEC);
	return wait->fd[0] < 0 ? errno : 0;
}

static void read_block(struct wait *wait)
{
	char bytes[256];

	if (read(wait->fd[0], bytes, sizeof(bytes)) < 1)
		die("cannot read");
}

static void byte_write(struct wait *wait)
{
	if (write(wait->fd[1], "\n", 1) != 1)
		die("cannot write");
}

static void event_wake(struct wait *wait)
{
	eventfd_write(wait->fd[1], 1);
}

static int full_pipe_setup(struct wait *wait)
{
	int fd[2];

	if (pipe2(fd, O_CLOEXEC))
		return errno;
	wait->fd[0] = fd[1]; /* here the writer waits */
	wait->fd[1] = fd[0];
	return 0;
}

static void full_prepare(struct wait *wait)
{
	static const char page[4096];
	int flags = fcntl(wait->fd[0], F_GETFL);

	fcntl(wait->fd[0], F_SETFL, flags | O_NONBLOCK);
	while (write(wait->fd[0], page, sizeof(page)) > 0)
		;
	fcntl(wait->fd[0], F_SETFL, flags);
}

static void write_block(struct wait *wait)
{
	static const char page[4096];

	if (write(wait->fd[0], page, sizeof(page)) != sizeof(page))
		die("cannot write");
}

static void drain(struct wait *wait)
{
	static char sink[1 << 20];

	if (read(wait->fd[1], sink, sizeof(sink)) < 1)
		die("cannot read");
}

static void splice_block(struct wait *wait)
{
	static int nowhere = -1;

	if (nowhere < 0)
		nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (splice(wait->fd[0], NULL, nowhere, NULL, 1, 0) != 1)
		die("cannot splice");
}

static int terminal_setup(struct wait *wait)
{
	if (openpty(&wait->fd[1], &wait->fd[0], NULL, NULL, NULL))
		return errno;
	return 0;
}

static int inotify_setup(struct wait *wait)
{
	char path[] = "/tmp/headroom-test-XXXXXX";
	int error;

	wait->fd[1] = mkostemp(path, O_CLOEXEC);
	if (wait->fd[1] < 0)
		return errno;
	wait->fd[0] = inotify_init1(IN_CLOEXEC);
	error = inotify_add_watch(wait->fd[0], path, IN_MODIFY) < 0 ? errno : 0;
	unlink(path);
	return error;
}

static int unix_door_setup(struct wait *wait)
{
	struct sockaddr_un *address = calloc(1, sizeof(*address));
	socklen_t size = sizeof(address->sun_family);

	wait->object = address;
	address->sun_family = AF_UNIX;
	wait->fd[0] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* the kernel chooses a name */
	if (bind(wait->fd[0], (struct sockaddr *)address, size) || listen(wait->fd[0], 4))
		return errno;
	size = sizeof(*address);
	getsockname(wait->fd[0], (struct sockaddr *)address, &size);
	wait->word = size;
	return 0;
}

static void unix_accept_block(struct wait *wait)
{
	close(accept(wait->fd[0], NULL, NULL));
}

static void unix_connect_wake(struct wait *wait)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, wait->object, wait->word))
		die("cannot connect");
	close(fd);
}

static int queue_setup(struct wait *wait)
{
	wait->fd[0] = msgget(IPC_PRIVATE, 0600);
	return wait->fd[0] < 0 ? errno : 0;
}

struct message {
	long type;
	char text[1];
};

static void queue_block(struct wait *wait)
{
	struct message message;

	if (msgrcv(wait->fd[0], &message, sizeof(message.text), 0, 0) < 0)
		die("cannot receive");
	if (wait->entered == wait->rounds)
		msgctl(wait->fd[0], IPC_RMID, NULL);
}

static void queue_wake(struct wait *wait)
{
	struct message message = { 1, "x" };

	msgsnd(wait->fd[0], &message, sizeof(message.text), 0);
}

static int posix_queue_setup(struct wait *wait)
{
	struct mq_attr attributes = { .mq_maxmsg = 1, .mq_msgsize = 1 };
	char name[64];

	snprintf(name, sizeof(name), "/headroom-test-%d", getpid());
	wait->fd[0] = mq_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600, &attributes);
	if (wait->fd[0] < 0)
		return errno;
	mq_unlink(name);
	return 0;
}

static void posix_queue_block(struct wait *wait)
{
	char byte;

	if (mq_receive(wait->fd[0], &byte, 1, NULL) != 1)
		die("cannot receive");
}

static void posix_queue_wake(struct wait *wait)
{
	mq_send(wait->fd[0], "x", 1, 0);
}

static int semaphores_setup(struct wait *wait)
{
	wait->fd[0] = semget(IPC_PRIVATE, 1, 0600);
	return wait->fd[0] < 0 ? errno : 0;
}

static void semaphores_change(struct wait *wait, short by)
{
	struct sembuf change = { 0, by, 0 };

	semop(wait->fd[0], &change, 1);
}

static void semaphores_block(struct wait *wait)
{
	semaphores_change(wait, -1);
	if (wait->entered == wait->rounds)
		semctl(wait->fd[0], 0, IPC_RMID);
}

static void semaphores_wake(struct wait *wait)
{
	semaphores_change(wait, 1);
}

/* Two open files of one path: locks of either kind are between those. */
static int lock_setup(struct wait *wait)
{
	char path[] = "/tmp/headroom-test-XXXXXX", self[64];

	wait->fd[0] = mkostemp(path, O_CLOEXEC);
	if (wait->fd[0] < 0)
		return errno;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", wait->fd[0]);
	wait->fd[1] = open(self, O_RDWR | O_CLOEXEC);
	unlink(path);
	return wait->fd[1] < 0 ? errno : 0;
}

static void flock_hold(struct wait *wait)
{
	flock(wait->fd[1], LOCK_EX);
}

static void flock_block(struct wait *wait)
{
	flock(wait->fd[0], LOCK_EX);
	flock(wait->fd[0], LOCK_UN);
}

static void flock_give(struct wait *wait)
{
	flock(wait->fd[1], LOCK_UN);
}

static void range_lock(int fd, int command, short type)
{
	struct flock range = { .l_type = type, .l_whence = SEEK_SET, .l_len = 1 };

	if (fcntl(fd, command, &range))
		die("cannot lock");
}

static void range_hold(struct wait *wait)
{
	range_lock(wait->fd[1], F_OFD_SETLKW, F_WRLCK);
}

static void range_block(struct wait *wait)
{
	range_lock(wait->fd[0], F_OFD_SETLKW, F_WRLCK);
	range_lock(wait->fd[0], F_OFD_SETLKW, F_UNLCK);
}

static void range_give(struct wait *wait)
{
	range_lock(wait->fd[1], F_OFD_SETLKW, F_UNLCK);
}

static sigset_t one_signal(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	return set;
}

static void on_signal(int number)
{
	(void)number;
}

static int signal_setup(struct wait *wait)
{
	sigset_t set = one_signal(SIGUSR1);

	(void)wait;
	return pthread_sigmask(SIG_BLOCK, &set, NULL); /* all threads inherit it */
}

static void sigwait_block(struct wait *wait)
{
	sigset_t set = one_signal(SIGUSR1);

	(void)wait;
	sigwaitinfo(&set, NULL);
}

static void signal_wake(struct wait *wait)
{
	pthread_kill(wait->waiter, SIGUSR1);
}

static int pause_setup(struct wait *wait)
{
	(void)wait;
	return signal(SIGUSR2, on_signal) == SIG_ERR ? errno : 0;
}

static void pause_block(struct wait *wait)
{
	(void)wait;
	pause();
}

static void pause_wake(struct wait *wait)
{
	pthread_kill(wait->waiter, SIGUSR2);
}

static int signalfd_setup(struct wait *wait)
{
	sigset_t set = one_signal(SIGALRM);

	pthread_sigmask(SIG_BLOCK, &set, NULL);
	wait->fd[0] = signalfd(-1, &set, SFD_CLOEXEC);
	return wait->fd[0] < 0 ? errno : 0;
}

static void signalfd_wake(struct wait *wait)
{
	pthread_kill(wait->waiter, SIGALRM);
}

static const struct wait_kind kinds[] = {
	{ "pipe_read", "ipc", pipe_setup, NULL, read_block, byte_write, false },
	{ "pipe_write", "ipc", full_pipe_setup, full_prepare, write_block, drain, false },
	{ "pipe_splice", "ipc", pipe_setup, NULL, splice_block, byte_write, false },
	{ "unix_read", "ipc", unix_setup, NULL, read_block, byte_write, false },
	{ "unix_write", "ipc", unix_setup, full_prepare, write_block, drain, false },
	{ "unix_accept", "ipc", unix_door_setup, NULL, unix_accept_block, unix_connect_wake, false },
	{ "eventfd", "ipc", event_setup, NULL, read_block, event_wake, false },
	{ "inotify", "ipc", inotify_setup, NULL, read_block, byte_write, false },
	{ "terminal", "ipc", terminal_setup, NULL, read_block, byte_write, false },
	{ "msgrcv", "ipc", queue_setup, NULL, queue_block, queue_wake, false },
	{ "mq_receive", "ipc", posix_queue_setup, NULL, posix_queue_block, posix_queue_wake, false },
	{ "semop", "ipc", semaphores_setup, NULL, semaphores_block, semaphores_wake, false },
	{ "flock", "ipc", lock_setup, flock_hold, flock_block, flock_give, false },
	{ "fcntl_lock", "ipc", lock_setup, range_hold, range_block, range_give, false },
	{ "sigwait", "ipc", signal_setup, NULL, sigwait_block, signal_wake, false },
	{ "pause", "ipc", pause_setup, NULL, pause_block, pause_wake, false },
	{ "signalfd", "ipc", signalfd_setup, NULL, read_block, signalfd_wake, false },
};

WAITS_MAIN(kinds)
