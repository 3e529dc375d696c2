/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/command.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/caller.h"
#include "base/clock.h"

#define STATUS_NOT_FOUND 127
#define STATUS_NOT_RUN 126

/* sudo leaves root's names for these. */
static int set_home(const struct passwd *user)
{
	return setenv("HOME", user->pw_dir, 1) || setenv("USER", user->pw_name, 1) || setenv("LOGNAME", user->pw_name, 1) ? -errno : 0;
}

/* Root runs headroom; what it starts is the business of the user who called sudo. */
static int drop_privileges(void)
{
	const struct passwd *user;
	uid_t uid;
	gid_t gid;

	if (!hr_caller(&uid, &gid))
		return 0;
	user = getpwuid(uid);
	if (user ? initgroups(user->pw_name, gid) : setgroups(0, NULL))
		return -errno;
	if (setgid(gid) || setuid(uid))
		return -errno;
	return user ? set_home(user) : 0;
}

/* headroom's own wishes about signals are not the command's. One that came while it waited takes effect now. */
static void reset_signals(void)
{
	sigset_t none;

	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child: nothing to read, output_fd to write to. */
static int redirect(int output_fd)
{
	int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null_fd < 0 || dup2(null_fd, STDIN_FILENO) < 0 || dup2(output_fd, STDOUT_FILENO) < 0 || dup2(output_fd, STDERR_FILENO) < 0)
		return -errno;
	return 0;
}

/* In the child. The failure pipe closes by itself when exec succeeds. */
static void become(char *const argv[], int output_fd, int gate_fd, int failure_fd)
{
	char go;
	int code;

	if (output_fd >= 0)
		setpgid(0, 0);
	if (read(gate_fd, &go, 1) != 1)
		_exit(STATUS_NOT_RUN); /* headroom gave up */
	reset_signals();
	code = output_fd >= 0 ? redirect(output_fd) : 0;
	if (!code)
		code = drop_privileges();
	if (!code) {
		execvp(argv[0], argv);
		code = -errno;
	}
	if (write(failure_fd, &code, sizeof(code)) < 0)
		_exit(STATUS_NOT_RUN);
	_exit(code == -ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_RUN);
}

int hr_command_start(char *const argv[], int output_fd, struct hr_command *ret, struct hr_err *err)
{
	int gate[2] = { -1, -1 }, failure[2] = { -1, -1 }, code = 0;
	pid_t pid;

	if (pipe2(gate, O_CLOEXEC) || pipe2(failure, O_CLOEXEC)) {
		code = hr_err_errno(err, -errno, "cannot start '%s'", argv[0]);
		goto out;
	}
	pid = fork();
	if (pid < 0) {
		code = hr_err_errno(err, -errno, "cannot start '%s'", argv[0]);
		goto out;
	}
	if (pid == 0) {
		close(gate[1]);
		become(argv, output_fd, gate[0], failure[1]);
	}
	if (output_fd >= 0)
		setpgid(pid, pid); /* here too: whoever comes first */
	*ret = (struct hr_command){
		.pid = pid,
		.name = argv[0],
		.gate_fd = gate[1],
		.failure_fd = failure[0],
		.pid_fd = syscall(SYS_pidfd_open, pid, 0),
		.has_group = output_fd >= 0,
	};
	gate[1] = failure[0] = -1;
out:
	for (int i = 0; i < 2; i++) {
		if (gate[i] >= 0)
			close(gate[i]);
		if (failure[i] >= 0)
			close(failure[i]);
	}
	return code;
}

int hr_command_release(struct hr_command *command, struct hr_err *err)
{
	int code = 0;
	ssize_t n;

	if (write(command->gate_fd, "g", 1) != 1) { /* somebody ended it meanwhile */
		code = -errno;
		command->status = STATUS_NOT_RUN;
		return hr_err_errno(err, code, "cannot start '%s'", command->name);
	}
	do
		n = read(command->failure_fd, &code, sizeof(code));
	while (n < 0 && errno == EINTR);
	if (n != sizeof(code))
		return 0;
	while (!hr_command_poll(command))
		usleep(1000);
	return hr_err_errno(err, code, "cannot run '%s'", command->name);
}

bool hr_command_poll(struct hr_command *command)
{
	int status;

	if (!command->pid || command->ended)
		return command->ended;
	if (waitpid(command->pid, &status, WNOHANG) != command->pid)
		return false;
	command->ended = true;
	command->status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
	return true;
}

void hr_command_signal(struct hr_command *command, int signal)
{
	if (!command->pid)
		return;
	if (command->has_group)
		kill(-command->pid, signal);
	else if (!hr_command_poll(command))
		kill(command->pid, signal);
}

void hr_command_end(struct hr_command *command, uint64_t grace_ns)
{
	uint64_t until_ns = hr_clock_mono_ns() + grace_ns;

	if (!command->pid)
		return;
	hr_command_signal(command, SIGTERM);
	while (!hr_command_poll(command) && hr_clock_mono_ns() < until_ns)
		usleep(10000);
	if (command->has_group) /* also what a shell left behind that did heed */
		hr_command_signal(command, SIGKILL);
	while (command->has_group && !hr_command_poll(command))
		usleep(1000);
}

void hr_command_fini(struct hr_command *command)
{
	if (!command->pid)
		return;
	close(command->gate_fd); /* ends one that still waits for it */
	close(command->failure_fd);
	if (command->pid_fd >= 0)
		close(command->pid_fd);
	hr_command_poll(command);
}
