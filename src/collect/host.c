/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/host.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "collect/files.h"

#define NS_PER_S 1000000000ULL
#define CPU_COUNT_MAX 8192

/* gzip's reader also reads what is not compressed. */
static gzFile open_config(const char *root)
{
	char path[PATH_MAX];
	struct utsname name;
	gzFile file = NULL;

	if (!hr_path(path, "%s/proc/config.gz", root))
		file = gzopen(path, "re");
	if (!file && !uname(&name) && !hr_path(path, "%s/boot/config-%s", root, name.release))
		file = gzopen(path, "re");
	return file;
}

enum hr_config hr_host_config(const char *root, const char *option)
{
	enum hr_config found = HR_CONFIG_OFF; /* an option that cannot be chosen has no line */
	size_t length = strlen(option), lines = 0;
	gzFile config = open_config(root);
	char line[512];

	if (!config)
		return HR_CONFIG_UNKNOWN;
	while (found == HR_CONFIG_OFF && gzgets(config, line, sizeof(line))) {
		lines++;
		if (!strncmp(line, option, length) && line[length] == '=')
			found = line[length + 1] == 'y' || line[length + 1] == 'm' ? HR_CONFIG_ON : HR_CONFIG_OFF;
	}
	gzclose(config);
	return lines ? found : HR_CONFIG_UNKNOWN;
}

static int make_room(struct hr_host *host, size_t cpu)
{
	struct hr_host_cpu *cpus;

	if (cpu < host->cpu_count)
		return 0;
	cpus = realloc(host->cpus, (cpu + 1) * sizeof(*cpus));
	if (!cpus)
		return -ENOMEM;
	memset(cpus + host->cpu_count, 0, (cpu + 1 - host->cpu_count) * sizeof(*cpus));
	host->cpus = cpus;
	host->cpu_count = cpu + 1;
	return 0;
}

/*
 * Take in a line "cpu3 user nice system idle iowait irq softirq steal ...". The first one, "cpu ", is the sum of all.
 */
static int read_line(struct hr_host *host, const char *line, bool *hard_irq_seen)
{
	uint64_t irq, softirq, steal, tick_ns = NS_PER_S / host->ticks_hz;
	unsigned int cpu;

	if (line[3] == ' ')
		return 0;
	if (sscanf(line, "cpu%u %*u %*u %*u %*u %*u %" SCNu64 " %" SCNu64 " %" SCNu64, &cpu, &irq, &softirq,
		   &steal) != 4)
		return 0;
	if (cpu >= CPU_COUNT_MAX)
		return 0;
	if (make_room(host, cpu))
		return -ENOMEM;
	host->cpus[cpu] = (struct hr_host_cpu){
		.online = true,
		.steal_ns = steal * tick_ns,
		.irq_ns = (irq + softirq) * tick_ns,
	};
	*hard_irq_seen |= irq != 0;
	host->steal_known |= steal != 0;
	return 0;
}

static int read_stat(struct hr_host *host, bool *hard_irq_seen, struct hr_err *err)
{
	char path[PATH_MAX], *line = NULL;
	size_t room = 0;
	FILE *stat;
	int rc = 0;

	*hard_irq_seen = false;
	stat = hr_path(path, "%s/proc/stat", host->root) ? NULL : fopen(path, "re");
	if (!stat)
		return hr_err_errno(err, -errno, "cannot read '%s/proc/stat'", host->root);
	for (size_t i = 0; i < host->cpu_count; i++)
		host->cpus[i].online = false;
	while (!rc && getline(&line, &room, stat) > 0 && !strncmp(line, "cpu", 3))
		rc = read_line(host, line, hard_irq_seen);
	free(line);
	fclose(stat);
	return rc ? hr_err_errno(err, rc, "cannot read '%s'", path) : 0;
}

/* x86 says in the flags whether it is a guest. Elsewhere nothing says so: then only a steal that was seen is known. */
static bool is_no_guest(const char *root)
{
	char text[8192];

	return hr_file_readf(text, sizeof(text), "%s/proc/cpuinfo", root) > 0 && strstr(text, "\nflags") &&
	       !strstr(text, " hypervisor");
}

/*
 * Without accounting, ticks sample what they interrupt, and no tick can interrupt a hard interrupt: time in those means
 * that the kernel keeps accounts. CONFIG_VIRT_CPU_ACCOUNTING_GEN does so on CPUs without ticks only.
 */
static bool accounts_for_irqs(const char *root, bool hard_irq_seen)
{
	static const char *const options[] = { "CONFIG_IRQ_TIME_ACCOUNTING", "CONFIG_VIRT_CPU_ACCOUNTING_NATIVE" };

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (hr_host_config(root, options[i]) == HR_CONFIG_ON)
			return true;
	return hard_irq_seen;
}

int hr_host_init(struct hr_host *host, const char *root, struct hr_err *err)
{
	bool hard_irq_seen;
	int rc;

	*host = (struct hr_host){ .ticks_hz = sysconf(_SC_CLK_TCK) };
	if (host->ticks_hz <= 0)
		host->ticks_hz = 100;
	if ((size_t)snprintf(host->root, sizeof(host->root), "%s", root) >= sizeof(host->root))
		return hr_err_errno(err, -ENAMETOOLONG, "cannot read below '%s'", root);
	rc = read_stat(host, &hard_irq_seen, err);
	if (rc) {
		hr_host_fini(host);
		return rc;
	}
	host->steal_known |= is_no_guest(root);
	host->irq_known = accounts_for_irqs(root, hard_irq_seen);
	return 0;
}

int hr_host_read(struct hr_host *host, struct hr_err *err)
{
	bool hard_irq_seen;

	return read_stat(host, &hard_irq_seen, err);
}

void hr_host_fini(struct hr_host *host)
{
	free(host->cpus);
	*host = (struct hr_host){ 0 };
}
