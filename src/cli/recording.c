/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/libbpf.h>

#include "analyse/summary.h"
#include "base/caller.h"
#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/priority.h"
#include "store/reader.h"
#include "store/results.h"

enum hr_exit hr_recording_check(const char *verb, const struct hr_recording_values *values, bool *ret_has_target)
{
	int targets = !!values->pids + !!values->comm + !!values->cgroup + (values->port != 0);

	if (targets > 1)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "give one target: -p, --port, --comm or --cgroup");
	if (values->ready_fd >= 0 && fcntl(values->ready_fd, F_GETFD) < 0)
		return hr_cli_failf(verb, HR_EXIT_USAGE, "--ready-fd %" PRId64 " is not open: open it for writing, as with %" PRId64 ">FILE",
				    values->ready_fd, values->ready_fd);
	*ret_has_target = targets;
	return HR_EXIT_DONE;
}

void hr_recording_init(struct hr_recording *recording, const char *verb, const struct hr_recording_values *values)
{
	*recording = (struct hr_recording){ .verb = verb, .values = values, .signal_fd = -1 };
	if (!getenv("HEADROOM_LIBBPF_LOG"))
		libbpf_set_print(NULL);
	hr_progress_init(&recording->progress, stderr);
	if (values->quiet)
		recording->progress.on = false;
}

/* A signal is a way to end a recording, not an accident. */
static int take_signals(struct hr_recording *recording, struct hr_err *err)
{
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	recording->signal_fd = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
	return recording->signal_fd < 0 ? hr_err_errno(err, -errno, "cannot wait for signals") : 0;
}

static int find_target(struct hr_recording *recording, struct hr_err *err)
{
	const struct hr_recording_values *values = recording->values;
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

/* What was asked for, which stays the same from run to run, so that it makes a label. */
static void label(const struct hr_recording *recording, char *text, size_t size)
{
	const struct hr_recording_values *values = recording->values;
	char port[8], words[256] = "";
	const struct {
		const char *kind, *name;
	} asked[] = {
		{ "port", values->port ? port : NULL }, { "comm", values->comm }, { "cgroup", values->cgroup },
		{ "pid", values->pids }, { "command", recording->command ? basename(recording->command) : NULL },
	};

	snprintf(port, sizeof(port), "%" PRId64, values->port);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		if (asked[i].name) {
			snprintf(words, sizeof(words), "%s %s", asked[i].kind, asked[i].name);
			break;
		}
	hr_text_clean(text, size, words, sizeof(words));
}

static int open_textfile(struct hr_recording *recording, struct hr_err *err)
{
	char target[256];

	if (!recording->values->textfile)
		return 0;
	label(recording, target, sizeof(target));
	return hr_textfile_open(recording->values->textfile, target, &recording->textfile, err);
}

static int parse_activation(struct hr_recording *recording, struct hr_err *err)
{
	const char *text = recording->values->activate;

	return text ? hr_activation_parse(text, hr_clock_real_ns(), &recording->activation, err) : 0;
}

/* What was asked for and cannot be understood is a matter of usage; all the rest is a failure. */
enum hr_exit hr_recording_prepare(struct hr_recording *recording, struct hr_err *err)
{
	const struct hr_recording_values *values = recording->values;
	int ret;

	if (values->ready_fd > STDERR_FILENO) /* its end of file is ours to give, and not the command's */
		fcntl(values->ready_fd, F_SETFD, FD_CLOEXEC);
	if (take_signals(recording, err)) /* first: what is made from here on is taken away again */
		return HR_EXIT_FAILED;
	ret = parse_activation(recording, err);
	if (!ret)
		ret = find_target(recording, err);
	if (!ret)
		ret = open_textfile(recording, err);
	if (!ret && values->request_probe)
		ret = hr_request_probe_parse(values->request_probe, &recording->request_probe, err);
	if (ret)
		return ret == -EINVAL || ret == -ERANGE ? HR_EXIT_USAGE : HR_EXIT_FAILED;
	return HR_EXIT_DONE;
}

static int check_system(struct hr_recording *recording, struct hr_err *err)
{
	int ret = hr_features_probe("", &recording->features, err);

	return ret ? ret : hr_features_check(&recording->features, err);
}

enum hr_exit hr_recording_create(struct hr_recording *recording, struct hr_err *err)
{
	struct tm local;
	uid_t uid;
	gid_t gid;

	if (check_system(recording, err))
		return HR_EXIT_FAILED;
	hr_caller(&uid, &gid);
	recording->created = time(NULL);
	recording->path = recording->values->output;
	if (!recording->path) {
		localtime_r(&recording->created, &local);
		strftime(recording->name, sizeof(recording->name), "headroom-%Y%m%d-%H%M%S.db", &local);
		recording->path = recording->name;
	}
	return hr_writer_create(recording->path, recording->values->force, uid, gid, &recording->writer, err) ? HR_EXIT_FAILED :
														 HR_EXIT_DONE;
}

/* A moment that is far away: the probes cost something, and are not needed until it is near. */
static int wait_until_near(const struct hr_recording *recording, struct hr_err *err)
{
	const uint64_t at_ns = recording->activation.at_ns;

	return at_ns > HR_ACTIVATION_NEAR_NS ? hr_activation_wait(at_ns - HR_ACTIVATION_NEAR_NS, recording->signal_fd, err) : 0;
}

/* Children that the target made between the look at it and the attach: nobody watched for births then. */
static int add_forked(struct hr_recording *recording, struct hr_err *err)
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

static int check_alive(const struct hr_recording *recording, struct hr_err *err)
{
	return hr_session_alive(recording->session) ? 0 :
	       hr_err_set(err, -ESRCH, "%s ended before it could be recorded", hr_session_target(recording->session));
}

enum hr_exit hr_recording_open(struct hr_recording *recording, pid_t pid, const char *about, struct hr_err *err)
{
	struct hr_session_options options = {
		.interval_ns = recording->values->interval_ns,
		.sample_hz = recording->values->no_stacks ? 0 : (uint32_t)recording->values->stacks_hz,
		.request_binary = recording->request_probe.binary,
		.request_symbol = recording->request_probe.symbol,
		.request_probe = recording->request_probe.binary ? recording->request_probe.text : NULL,
		.target = about ? about : hr_target_describe(&recording->target),
		.waits = recording->activation.at_ns != 0,
		.features = &recording->features,
	};
	pid_t *pids = calloc(recording->target.count + 1, sizeof(*pids));
	int ret;

	if (!pids) {
		hr_err_set(err, -ENOMEM, "out of memory");
		return HR_EXIT_FAILED;
	}
	for (size_t i = 0; i < recording->target.count; i++)
		pids[options.pid_count++] = recording->target.pids[i];
	if (pid)
		pids[options.pid_count++] = pid;
	options.pids = pids;
	ret = wait_until_near(recording, err);
	recording->goes_first = hr_priority_raise(); /* loading too, which beside threads that spin takes ten times as long without */
	if (!ret)
		ret = hr_session_open(&options, recording->writer, &recording->session, err);
	if (!ret && !options.waits)
		ret = check_alive(recording, err);
	free(pids);
	if (!ret)
		ret = add_forked(recording, err);
	return ret ? HR_EXIT_FAILED : HR_EXIT_DONE;
}

/* How far from the moment that was asked for the run began. */
static void say_offset(const struct hr_recording *recording, uint64_t at_ns)
{
	const uint64_t began_ns = hr_session_started_unix_ns(recording->session);
	char clock[32];

	if (!recording->values->quiet)
		hr_cli_say(recording->verb, "began at %s, %.3f ms %s", hr_activation_clock(at_ns, clock),
			   fabs((double)began_ns - (double)at_ns) / 1e6, began_ns < at_ns ? "before it" : "after it");
}

static int begin_at_moment(struct hr_recording *recording, struct hr_err *err)
{
	const uint64_t at_ns = hr_activation_at_ns(&recording->activation, hr_clock_real_ns());
	int ret;

	hr_recording_say_ready(recording);
	ret = hr_activation_wait(at_ns, recording->signal_fd, err);
	if (!ret)
		ret = hr_session_begin(recording->session, at_ns, err);
	if (!ret)
		ret = check_alive(recording, err);
	if (!ret)
		say_offset(recording, at_ns);
	return ret;
}

/* The first version of the textfile says that the run begins; what cannot be written now will not be later. */
enum hr_exit hr_recording_begin(struct hr_recording *recording, struct hr_err *err)
{
	if (recording->activation.at_ns && begin_at_moment(recording, err))
		return HR_EXIT_FAILED;
	if (!recording->textfile)
		return HR_EXIT_DONE;
	hr_textfile_start(recording->textfile);
	return hr_textfile_write(recording->textfile, hr_session_live(recording->session), true, err) ? HR_EXIT_FAILED : HR_EXIT_DONE;
}

void hr_recording_end_textfile(struct hr_recording *recording)
{
	struct hr_err err;

	if (recording->textfile && hr_textfile_write(recording->textfile, hr_session_live(recording->session), false, &err))
		hr_cli_say(recording->verb, "%s", err.text);
}

void hr_recording_say_ready(struct hr_recording *recording)
{
	const int fd = recording->values->ready_fd;

	if (fd < 0 || recording->is_ready)
		return;
	recording->is_ready = true;
	if (write(fd, "ready\n", 6) != 6)
		hr_cli_say(recording->verb, "nobody reads --ready-fd");
	if (fd > STDERR_FILENO)
		close(fd);
}

/* A file that an earlier run left is easily taken for this one's. */
static void doubt_results(const struct hr_recording *recording, const struct hr_results *results)
{
	const char *path = recording->values->results, *surplus = hr_results_surplus(results);
	struct stat info;

	if (recording->values->quiet)
		return;
	if (surplus)
		hr_cli_say(recording->verb, "%s: the column '%s' is not known, and was left out", path, surplus);
	if (!stat(path, &info) && info.st_mtime < recording->created)
		hr_cli_say(recording->verb, "%s: was written before this run: are these its results?", path);
}

static int take_results(struct hr_recording *recording, struct hr_err *err)
{
	struct hr_results *results;
	int ret = hr_results_load(recording->values->results, &results, err);

	if (ret)
		return ret;
	doubt_results(recording, results);
	ret = hr_results_write(results, recording->writer, err);
	hr_results_free(results);
	return ret;
}

int hr_recording_finish(struct hr_recording *recording, int64_t status, struct hr_err *err)
{
	int ret;

	recording->results_failed = recording->values->results && take_results(recording, err);
	if (recording->results_failed)
		hr_cli_say(recording->verb, "%s", err->text);
	ret = hr_session_finish(recording->session, status, err);
	if (recording->goes_first)
		hr_priority_restore();
	return ret;
}

/* Results of a level that the run does not have are of no use to anybody. */
static void say_strange_results(const struct hr_recording *recording)
{
	struct hr_reader *reader;
	struct hr_query *query;
	struct hr_err err;

	if (!recording->values->results || recording->values->quiet || hr_reader_open(recording->path, &reader, &err))
		return;
	if (!hr_query_open(reader, &query, &err, "SELECT level FROM load_results WHERE level NOT IN (SELECT level FROM levels) LIMIT 1", "")) {
		if (hr_query_next(query) > 0)
			hr_cli_say(recording->verb, "%s: the run has no level '%s'", recording->values->results, hr_query_text(query, 0));
		hr_query_close(query);
	}
	hr_reader_close(reader);
}

/* The same judgement as the report's. */
enum hr_exit hr_recording_judge(const struct hr_recording *recording)
{
	struct hr_summary *summary = NULL;
	struct hr_reader *reader;
	struct hr_err err;
	bool lossy;
	int ret;

	say_strange_results(recording);
	if (recording->results_failed || !recording->values->strict)
		return recording->results_failed ? HR_EXIT_FAILED : HR_EXIT_DONE;
	ret = hr_reader_open(recording->path, &reader, &err);
	if (!ret) {
		ret = hr_summary_load(reader, &summary, &err);
		hr_reader_close(reader);
	}
	if (ret)
		return hr_cli_fail(recording->verb, HR_EXIT_FAILED, &err);
	lossy = summary->lossy;
	hr_summary_free(summary);
	if (!lossy)
		return HR_EXIT_DONE;
	return hr_cli_failf(recording->verb, HR_EXIT_LOSSY, "data was lost; headroom report %s says what", recording->path);
}

int hr_recording_give_up(struct hr_recording *recording, int code, const struct hr_err *err)
{
	hr_session_close(recording->session);
	recording->session = NULL;
	hr_writer_discard(recording->writer);
	recording->writer = NULL;
	return hr_cli_fail(recording->verb, code, err);
}

void hr_recording_fini(struct hr_recording *recording)
{
	hr_session_close(recording->session);
	hr_writer_close(recording->writer);
	hr_request_probe_fini(&recording->request_probe);
	hr_textfile_close(recording->textfile);
	hr_target_fini(&recording->target);
	if (recording->signal_fd >= 0)
		close(recording->signal_fd);
}
