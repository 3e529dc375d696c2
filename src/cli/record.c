/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "analyse/summary.h"
#include "base/caller.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/recorder.h"
#include "cli/request_probe.h"
#include "cli/verb.h"
#include "collect/features.h"

static const char verb[] = "record";

#define MS 1000000ULL
#define HOUR (3600 * 1000 * MS)
#define DURATION_MAX (30 * 24 * HOUR)
#define COMMAND_GRACE_NS (3000 * MS) /* for a command to end after the signal that it was passed */

struct values {
	const char *pids, *comm, *cgroup, *output, *control, *request_probe, *textfile;
	int64_t port, ready_fd, stacks_hz;
	uint64_t duration_ns, interval_ns;
	bool no_stacks, force, strict, quiet;
};

/* All that one recording holds, so that one function lets it go. */
struct recording {
	const struct values *values;
	char *const *argv; /* of the command, or NULL */
	char output[64];   /* the name that it gives itself */
	const char *path;
	struct hr_target target;
	bool has_target; /* besides the command */
	struct hr_command command;
	struct hr_request_probe request_probe;
	struct hr_control *control;
	struct hr_writer *writer;
	struct hr_session *session;
	struct hr_progress progress;
	struct hr_textfile *textfile;
	int signal_fd;
};

static int usage(const char *sentence)
{
	return hr_cli_failf(verb, HR_EXIT_USAGE, "%s", sentence);
}

/* What can be said before anything is touched. */
static int check_values(const struct values *values, char *const *argv)
{
	char interval[16], duration[16];
	int targets = !!values->pids + !!values->comm + !!values->cgroup + (values->port != 0);

	if (targets > 1)
		return usage("give one target: -p, --port, --comm or --cgroup");
	if (argv && !argv[0])
		return usage("no command after '--'");
	if (!targets && !argv)
		return usage("what is to be recorded? give -p PID, --port PORT, --comm NAME, --cgroup PATH or -- COMMAND");
	if (values->duration_ns && values->interval_ns > values->duration_ns)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "the interval (-i %s) is longer than the recording (-d %s): give a shorter -i",
				    hr_text_duration(values->interval_ns, interval), hr_text_duration(values->duration_ns, duration));
	if (values->ready_fd >= 0 && fcntl(values->ready_fd, F_GETFD) < 0)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "--ready-fd %" PRId64 " is not open: open it for writing, as with %" PRId64 ">FILE",
				    values->ready_fd, values->ready_fd);
	return HR_EXIT_DONE;
}

static int check_system(struct hr_err *err)
{
	struct hr_features features;
	int ret = hr_features_probe("", &features, err);

	return ret ? ret : hr_features_check(&features, err);
}

/* A signal is a way to end a recording, not an accident. */
static int take_signals(struct recording *recording, struct hr_err *err)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	signal(SIGPIPE, SIG_IGN);
	recording->signal_fd = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	return recording->signal_fd < 0 ? hr_err_errno(err, -errno, "cannot wait for signals") : 0;
}

static int find_target(struct recording *recording, struct hr_err *err)
{
	const struct values *values = recording->values;
	struct hr_target_spec spec = {
		.pids = values->pids,
		.port = values->port,
		.comm = values->comm,
		.cgroup = values->cgroup,
	};
	int ret;

	if (!spec.pids && !spec.port && !spec.comm && !spec.cgroup)
		return 0;
	ret = hr_target_resolve(&spec, &recording->target, err);
	recording->has_target = !ret;
	return ret;
}

static int create_file(struct recording *recording, struct hr_err *err)
{
	time_t now = time(NULL);
	struct tm local;
	uid_t uid;
	gid_t gid;

	hr_caller(&uid, &gid);
	recording->path = recording->values->output;
	if (!recording->path) {
		localtime_r(&now, &local);
		strftime(recording->output, sizeof(recording->output), "headroom-%Y%m%d-%H%M%S.db", &local);
		recording->path = recording->output;
	}
	return hr_writer_create(recording->path, recording->values->force, uid, gid, &recording->writer, err);
}

static void describe(const struct recording *recording, char *text, size_t size)
{
	char command[200] = "";
	size_t used = 0;

	if (recording->has_target) {
		snprintf(text, size, "%s", hr_target_describe(&recording->target));
		return;
	}
	for (char *const *word = recording->argv; *word && used < sizeof(command) - 1; word++)
		used += snprintf(command + used, sizeof(command) - used, "%s%s", used ? " " : "", *word);
	hr_text_clean(text, size, command, sizeof(command));
}

/* What was asked for, which stays the same from run to run, so that it makes a label. */
static void label(const struct recording *recording, char *text, size_t size)
{
	const struct values *values = recording->values;
	char port[8];
	const struct {
		const char *kind, *name;
	} asked[] = {
		{ "port", values->port ? port : NULL }, { "comm", values->comm }, { "cgroup", values->cgroup },
		{ "pid", values->pids }, { "command", recording->argv ? basename(recording->argv[0]) : NULL },
	};
	char words[256];

	snprintf(port, sizeof(port), "%" PRId64, values->port);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		if (asked[i].name) {
			snprintf(words, sizeof(words), "%s %s", asked[i].kind, asked[i].name);
			break;
		}
	hr_text_clean(text, size, words, sizeof(words));
}

static int open_textfile(struct recording *recording, struct hr_err *err)
{
	char target[256];

	if (!recording->values->textfile)
		return 0;
	label(recording, target, sizeof(target));
	return hr_textfile_open(recording->values->textfile, target, &recording->textfile, err);
}

/* The first version says that the run begins; what cannot be written now will not be later. */
static int start_textfile(struct recording *recording, struct hr_err *err)
{
	if (!recording->textfile)
		return 0;
	hr_textfile_start(recording->textfile);
	return hr_textfile_write(recording->textfile, hr_session_live(recording->session), true, err);
}

static void end_textfile(struct recording *recording)
{
	struct hr_err err;

	if (recording->textfile && hr_textfile_write(recording->textfile, hr_session_live(recording->session), false, &err))
		hr_cli_say(verb, "%s", err.text);
}

/* Children that the target made between the look at it and the attach: nobody watched for births then. */
static int add_forked(struct recording *recording, struct hr_err *err)
{
	pid_t *pids = NULL;
	size_t count = 0;
	int ret = 0;

	if (recording->has_target)
		ret = hr_target_more(&recording->target, &pids, &count, err);
	if (!ret)
		ret = hr_session_add(recording->session, pids, count, err);
	free(pids);
	return ret;
}

static int open_session(struct recording *recording, struct hr_err *err)
{
	struct hr_session_options options = {
		.interval_ns = recording->values->interval_ns,
		.sample_hz = recording->values->no_stacks ? 0 : (uint32_t)recording->values->stacks_hz,
		.request_binary = recording->request_probe.binary,
		.request_symbol = recording->request_probe.symbol,
		.request_probe = recording->request_probe.binary ? recording->request_probe.text : NULL,
	};
	pid_t *pids = calloc(recording->target.count + 1, sizeof(*pids));
	char about[256];
	int ret;

	if (!pids)
		return hr_err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < recording->target.count; i++)
		pids[options.pid_count++] = recording->target.pids[i];
	if (!recording->has_target)
		pids[options.pid_count++] = recording->command.pid;
	describe(recording, about, sizeof(about));
	options.pids = pids;
	options.target = about;
	ret = hr_session_open(&options, recording->writer, &recording->session, err);
	if (!ret && !hr_session_alive(recording->session))
		ret = hr_err_set(err, -ESRCH, "%s ended before it could be recorded", about);
	free(pids);
	return ret ? ret : add_forked(recording, err);
}

/* What was asked for and cannot be understood is a matter of usage; all the rest is a failure. */
static enum hr_exit prepare(struct recording *recording, struct hr_err *err)
{
	const struct values *values = recording->values;
	int ret;

	if (values->ready_fd > STDERR_FILENO) /* its end of file is ours to give, and not the command's */
		fcntl(values->ready_fd, F_SETFD, FD_CLOEXEC);
	if (take_signals(recording, err)) /* first: what is made from here on is taken away again */
		return HR_EXIT_FAILED;
	ret = find_target(recording, err);
	if (!ret && values->request_probe)
		ret = hr_request_probe_parse(values->request_probe, &recording->request_probe, err);
	if (!ret && values->control)
		ret = hr_control_open(values->control, &recording->control, err);
	if (!ret)
		ret = open_textfile(recording, err);
	if (ret)
		return ret == -EINVAL ? HR_EXIT_USAGE : HR_EXIT_FAILED;
	if (check_system(err) || create_file(recording, err))
		return HR_EXIT_FAILED;
	if (recording->argv && hr_command_start(recording->argv, &recording->command, err))
		return HR_EXIT_FAILED;
	return open_session(recording, err) || start_textfile(recording, err) ? HR_EXIT_FAILED : HR_EXIT_DONE;
}

static void say_ready(const struct values *values)
{
	if (values->ready_fd < 0)
		return;
	if (write(values->ready_fd, "ready\n", 6) != 6)
		hr_cli_say(verb, "nobody reads --ready-fd");
	if (values->ready_fd > STDERR_FILENO)
		close(values->ready_fd);
}

/* The command gets the signal too: it was started for this recording. */
static void end_command(struct recording *recording)
{
	uint64_t until_ns = hr_clock_mono_ns() + COMMAND_GRACE_NS;

	hr_command_signal(&recording->command, SIGTERM);
	while (recording->command.pid && !hr_command_poll(&recording->command) && hr_clock_mono_ns() < until_ns)
		usleep(10000);
}

static void say_done(struct recording *recording, const struct hr_recorder *recorder, enum hr_end end)
{
	static const char *const why[] = {
		[HR_END_DURATION] = "",
		[HR_END_SIGNAL] = " (interrupted)",
		[HR_END_STOP] = " (stopped)",
		[HR_END_COMMAND] = " (the command ended)",
		[HR_END_TARGET] = " (the target ended)",
		[HR_END_FAILURE] = "",
	};
	char elapsed[16];

	if (recording->values->quiet)
		return;
	hr_cli_say(verb, "%s%s in %s; see headroom report %s",
		   hr_text_duration(hr_clock_mono_ns() - recorder->started_ns, elapsed), why[end], recording->path,
		   recording->path);
	if (recording->command.pid && !hr_command_poll(&recording->command))
		hr_cli_say(verb, "the command goes on as process %d", recording->command.pid);
}

/* Under --strict: the same judgement as the report's. */
static int check_losses(const struct recording *recording)
{
	struct hr_summary *summary = NULL;
	struct hr_reader *reader;
	struct hr_err err;
	int ret = hr_reader_open(recording->path, &reader, &err);

	if (!ret) {
		ret = hr_summary_load(reader, &summary, &err);
		hr_reader_close(reader);
	}
	if (ret)
		return hr_cli_fail(verb, HR_EXIT_FAILED, &err);
	ret = summary->lossy ? hr_cli_failf(verb, HR_EXIT_LOSSY, "data was lost; headroom report %s says what", recording->path) :
			       HR_EXIT_DONE;
	hr_summary_free(summary);
	return ret;
}

static int record(struct recording *recording, struct hr_err *err)
{
	const struct values *values = recording->values;
	struct hr_recorder recorder = {
		.session = recording->session,
		.target = recording->has_target ? &recording->target : NULL,
		.command = recording->argv ? &recording->command : NULL,
		.control = recording->control,
		.progress = &recording->progress,
		.textfile = recording->textfile,
		.signal_fd = recording->signal_fd,
		.duration_ns = values->duration_ns,
		.interval_ns = values->interval_ns,
	};
	int64_t status = HR_NULL;
	enum hr_end end;
	int ret;

	say_ready(values);
	end = hr_recorder_run(&recorder, err);
	hr_progress_clear(&recording->progress);
	if (end == HR_END_FAILURE) {
		end_textfile(recording);
		return hr_cli_fail(verb, HR_EXIT_FAILED, err);
	}
	if (end == HR_END_SIGNAL || end == HR_END_STOP)
		end_command(recording);
	if (hr_command_poll(&recording->command))
		status = recording->command.status;
	ret = hr_session_finish(recording->session, status, err);
	end_textfile(recording);
	if (recording->control && end == HR_END_STOP)
		hr_control_answer(recording->control, ret ? err->text : NULL);
	if (ret)
		return hr_cli_fail(verb, HR_EXIT_FAILED, err);
	say_done(recording, &recorder, end);
	ret = values->strict ? check_losses(recording) : HR_EXIT_DONE;
	if (ret == HR_EXIT_DONE && status != HR_NULL && end != HR_END_SIGNAL && end != HR_END_STOP)
		ret = status;
	return ret;
}

static void let_go(struct recording *recording)
{
	hr_session_close(recording->session);
	hr_writer_close(recording->writer);
	hr_control_close(recording->control);
	hr_command_fini(&recording->command);
	hr_request_probe_fini(&recording->request_probe);
	hr_textfile_close(recording->textfile);
	hr_target_fini(&recording->target);
	if (recording->signal_fd >= 0)
		close(recording->signal_fd);
}

/* A run that never began leaves no file. */
static int give_up(struct recording *recording, int exit_code, const struct hr_err *err)
{
	hr_session_close(recording->session);
	recording->session = NULL;
	hr_writer_discard(recording->writer);
	recording->writer = NULL;
	return hr_cli_fail(verb, exit_code, err);
}

static int run(const void *options, const struct hr_arguments *arguments)
{
	struct recording recording = { .values = options, .argv = arguments->command, .signal_fd = -1 };
	struct hr_err err = { "" };
	int ret = check_values(recording.values, recording.argv);

	if (ret)
		return ret;
	if (!getenv("HEADROOM_LIBBPF_LOG"))
		libbpf_set_print(NULL);
	hr_progress_init(&recording.progress, stderr);
	if (recording.values->quiet)
		recording.progress.on = false;
	ret = prepare(&recording, &err);
	if (ret)
		ret = give_up(&recording, ret, &err);
	else if (recording.command.pid && hr_command_release(&recording.command, &err))
		ret = give_up(&recording, recording.command.status, &err);
	else
		ret = record(&recording, &err);
	let_go(&recording);
	return ret;
}

static const struct hr_option options[] = {
	HR_OPTION_TEXT(struct values, pids, "pid", 'p', "PID[,PID]", "record these processes and their descendants"),
	HR_OPTION_INT(struct values, port, "port", 0, "PORT", "record who listens on this TCP port", 1, 65535),
	HR_OPTION_TEXT(struct values, comm, "comm", 0, "NAME", "record the process of this name"),
	HR_OPTION_TEXT(struct values, cgroup, "cgroup", 0, "PATH", "record the processes of this cgroup (v1 or v2)"),
	HR_OPTION_DURATION(struct values, duration_ns, "duration", 'd', "DURATION",
			   "end after this long: 500ms, 10s, 2m\n(default: until the target or the command ends, or Ctrl-C)", 10 * MS,
			   DURATION_MAX),
	HR_OPTION_DURATION(struct values, interval_ns, "interval", 'i', "DURATION", "length of an interval (default 1s)", 10 * MS,
			   24 * HOUR),
	HR_OPTION_TEXT(struct values, output, "output", 'o', "RUN.db", "run file to write (default headroom-DATE-TIME.db)"),
	HR_OPTION_FLAG(struct values, force, "force", 0, "replace the run file if it exists"),
	HR_OPTION_TEXT(struct values, control, "control", 0, "fifo:CTL[,ACK]",
		       "take commands, a line each, from the FIFO CTL:\nenable, disable, ping, stop; answer \"ack\" on ACK"),
	HR_OPTION_TEXT(struct values, request_probe, "request-probe", 0, "BINARY:SYMBOL",
		       "a call of this function is a request, from its entry to its return:\nfor protocols whose requests sockets do not show"),
	HR_OPTION_INT(struct values, stacks_hz, "stacks", 0, "HZ", "samples of stacks per second and CPU (default 99)", 1, 999),
	HR_OPTION_FLAG(struct values, no_stacks, "no-stacks", 0, "sample no stacks"),
	HR_OPTION_INT(struct values, ready_fd, "ready-fd", 0, "N", "write a line to this descriptor when the probes are in", 0, 1 << 20),
	HR_OPTION_TEXT(struct values, textfile, "textfile", 0, "FILE.prom",
		       "write what was counted so far at each interval's end, for the textfile\ncollector of Prometheus' node_exporter"),
	HR_OPTION_FLAG(struct values, strict, "strict", 0, "end with status 3 if more data was lost than the numbers can bear"),
	HR_OPTION_FLAG(struct values, quiet, "quiet", 'q', "say nothing but what fails"),
	HR_OPTIONS_END,
};

const struct hr_verb hr_verb_record = {
	.name = verb,
	.summary = "record where the time of a server's threads goes",
	.usage = "[-p PID | --port PORT | --comm NAME | --cgroup PATH] [-d DURATION] [-o RUN.db] [-- COMMAND ...]",
	.notes = "Without a target the command itself is recorded; with one, the recording lasts as long as the command, a load\n"
		 "generator say. The command runs as the user who called sudo, and its status is passed on. Needs root.\n",
	.examples = "  headroom record --port 8000 -d 10s -o run.db\n"
		    "  headroom record --comm nginx -o run.db -- wrk -c16 -d10s http://127.0.0.1/\n"
		    "  headroom record -o run.db -- ./server --threads 4\n"
		    "  headroom record --port 8000 -i 15s --textfile /var/lib/prometheus/node-exporter/headroom.prom\n",
	.options = options,
	.values_bytes = sizeof(struct values),
	.defaults = &(const struct values){ .interval_ns = 1000 * MS, .ready_fd = -1, .stacks_hz = 99 },
	.takes_command = true,
	.run = run,
};
