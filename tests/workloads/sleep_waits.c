/* SPDX-License-Identifier: BSD-2-Clause */
/* Threads that wait for time to pass, for a child, and for a character device. */
#include "waits.h"

#include <arpa/inet.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

static void nanosleep_block(struct wait *wait)
{
	sleep_ns(wait->wait_ns);
}

static void absolute_block(struct wait *wait)
{
	uint64_t end_ns = now_ns() + wait->wait_ns;
	struct timespec end = { (time_t)(end_ns / SECOND), (long)(end_ns % SECOND) };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL);
}

static int timer_setup(struct wait *wait)
{
	wait->fd[0] = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	return wait->fd[0] < 0 ? errno : 0;
}

static void timer_block(struct wait *wait)
{
	struct itimerspec once = { .it_value = { (time_t)(wait->wait_ns / SECOND), (long)(wait->wait_ns % SECOND) } };
	uint64_t expired;

	timerfd_settime(wait->fd[0], 0, &once, NULL);
	if (read(wait->fd[0], &expired, sizeof(expired)) != sizeof(expired))
		die("cannot read the timer");
}

/* A child that lives for the wait; it is made before the wait begins. */
static pid_t sleeping_child(uint64_t ns)
{
	pid_t pid = fork();

	if (pid == 0) {
		sleep_ns(ns);
		_exit(0);
	}
	return pid;
}

static void wait4_block(struct wait *wait)
{
	waitpid(sleeping_child(wait->wait_ns), NULL, 0);
}

static void waitid_block(struct wait *wait)
{
	siginfo_t info;

	waitid(P_PID, (id_t)sleeping_child(wait->wait_ns), &info, WEXITED);
}

static void vfork_block(struct wait *wait)
{
	struct timespec nap = { (time_t)(wait->wait_ns / SECOND), (long)(wait->wait_ns % SECOND) };
	pid_t pid = vfork();

	if (pid == 0) {
		nanosleep(&nap, NULL);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* A packet device in a network of its own: what is sent into that network can be read from the device. */
static int tun_setup(struct wait *wait)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr("10.99.0.1") };
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int control;

	if (unshare(CLONE_NEWNET))
		return errno;
	control = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	wait->fd[0] = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (wait->fd[0] < 0 || ioctl(wait->fd[0], TUNSETIFF, &request))
		return errno;
	memcpy(&request.ifr_addr, &address, sizeof(address));
	if (ioctl(control, SIOCSIFADDR, &request))
		return errno;
	address.sin_addr.s_addr = inet_addr("255.255.255.0");
	memcpy(&request.ifr_netmask, &address, sizeof(address));
	if (ioctl(control, SIOCSIFNETMASK, &request))
		return errno;
	request.ifr_flags = IFF_UP;
	if (ioctl(control, SIOCSIFFLAGS, &request))
		return errno;
	wait->fd[1] = control;
	sleep_ns(20 * MS);
	return 0;
}

static void tun_block(struct wait *wait)
{
	char packet[2048];

	/* the network also says things by itself: only UDP over IPv4 is from the waker */
	do {
		if (read(wait->fd[0], packet, sizeof(packet)) < 20)
			die("cannot read the packet device");
	} while (packet[0] >> 4 != 4 || packet[9] != IPPROTO_UDP);
}

static void tun_wake(struct wait *wait)
{
	struct sockaddr_in peer = {
		.sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = inet_addr("10.99.0.2"),
	};

	if (sendto(wait->fd[1], "x", 1, 0, (struct sockaddr *)&peer, sizeof(peer)) != 1)
		die("cannot send a packet");
}

static const struct wait_kind kinds[] = {
	{ "nanosleep", "sleep", NULL, NULL, nanosleep_block, NULL, false },
	{ "clock_nanosleep", "sleep", NULL, NULL, absolute_block, NULL, false },
	{ "timerfd", "sleep", timer_setup, NULL, timer_block, NULL, false },
	{ "wait4", "child", NULL, NULL, wait4_block, NULL, false },
	{ "waitid", "child", NULL, NULL, waitid_block, NULL, false },
	{ "vfork", "child", NULL, NULL, vfork_block, NULL, false },
	{ "tun_read", "device", tun_setup, NULL, tun_block, tun_wake, true },
};

WAITS_MAIN(kinds)
