/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/netstat.h"

#include <ctype.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "collect/files.h"

#define FILE_BYTES 32768 /* netstat has some 130 counters of up to 20 digits */

static const struct {
	const char *protocol, *name;
} counters[HR_NETSTAT_COUNTERS] = {
	{ "Tcp:", "RetransSegs" },
	{ "Tcp:", "OutRsts" },
	{ "Tcp:", "InErrs" },
	{ "Tcp:", "AttemptFails" },
	{ "Tcp:", "EstabResets" },
	{ "TcpExt:", "ListenOverflows" },
	{ "TcpExt:", "ListenDrops" },
	{ "TcpExt:", "TCPTimeouts" },
	{ "TcpExt:", "TCPSynRetrans" },
	{ "TcpExt:", "TCPLostRetransmit" },
	{ "TcpExt:", "TCPFastRetrans" },
	{ "TcpExt:", "TCPSlowStartRetrans" },
	{ "TcpExt:", "TCPBacklogDrop" },
	{ "TcpExt:", "TCPRcvQDrop" },
	{ "TcpExt:", "TCPZeroWindowDrop" },
	{ "TcpExt:", "TCPFromZeroWindowAdv" },
	{ "TcpExt:", "TCPToZeroWindowAdv" },
	{ "TcpExt:", "TCPWantZeroWindowAdv" },
	{ "TcpExt:", "TCPReqQFullDrop" },
	{ "TcpExt:", "TCPAbortOnData" },
	{ "TcpExt:", "TCPAbortOnClose" },
	{ "TcpExt:", "TCPMemoryPressures" },
	{ "TcpExt:", "TCPLossProbes" },
};

const char *hr_netstat_name(int counter)
{
	return counters[counter].name;
}

/* A line of words, which ends with '\n'. */
struct line {
	const char *at, *end;
};

/* The next word. False: there is none. */
static bool next_word(struct line *line, const char **ret_word, size_t *ret_length)
{
	while (line->at < line->end && *line->at == ' ')
		line->at++;
	*ret_word = line->at;
	while (line->at < line->end && *line->at != ' ')
		line->at++;
	*ret_length = line->at - *ret_word;
	return *ret_length > 0;
}

/* A whole number. Some counters of these files are signed (MaxConn is -1), but none of those that are taken. */
static bool read_number(const char *word, size_t length, bool *ret_negative, uint64_t *ret)
{
	char *end;

	*ret_negative = *word == '-';
	if (!isdigit((unsigned char)word[*ret_negative]))
		return false;
	errno = 0;
	*ret = strtoull(word + *ret_negative, &end, 10);
	return !errno && end == word + length;
}

static int find_counter(const char *protocol, size_t protocol_length, const char *name, size_t length)
{
	for (int i = 0; i < HR_NETSTAT_COUNTERS; i++)
		if (strlen(counters[i].name) == length && !memcmp(counters[i].name, name, length) &&
		    strlen(counters[i].protocol) == protocol_length && !memcmp(counters[i].protocol, protocol, protocol_length))
			return i;
	return -1;
}

static bool is_looked_at(const char *protocol, size_t length)
{
	for (int i = 0; i < HR_NETSTAT_COUNTERS; i++)
		if (strlen(counters[i].protocol) == length && !memcmp(counters[i].protocol, protocol, length))
			return true;
	return false;
}

/* Both lines of a protocol. Taken as a whole or not at all. */
static int parse_protocol(struct line names, struct line numbers, struct hr_netstat *netstat)
{
	const char *protocol, *other, *name, *number;
	size_t protocol_length, other_length, name_length, number_length;
	struct hr_netstat found = *netstat;
	bool has_name, has_number, negative;
	uint64_t count;
	int counter;

	next_word(&names, &protocol, &protocol_length);
	next_word(&numbers, &other, &other_length);
	if (protocol_length != other_length || memcmp(protocol, other, protocol_length) != 0)
		return -EINVAL;
	for (;;) {
		has_name = next_word(&names, &name, &name_length);
		has_number = next_word(&numbers, &number, &number_length);
		if (!has_name && !has_number)
			break;
		if (!has_name || !has_number || !read_number(number, number_length, &negative, &count))
			return -EINVAL;
		counter = find_counter(protocol, protocol_length, name, name_length);
		if (counter < 0)
			continue;
		if (negative)
			return -EINVAL;
		found.counts[counter] = count;
		found.known[counter] = true;
	}
	*netstat = found;
	return 0;
}

/* The line that begins at *text, which goes on to the next one. False: none does that ends. */
static bool next_line(const char **text, struct line *ret)
{
	const char *end = strchr(*text, '\n');

	if (!end)
		return false;
	*ret = (struct line){ *text, end };
	*text = end + 1;
	return true;
}

int hr_netstat_parse(const char *text, struct hr_netstat *netstat)
{
	struct line names, numbers, look;
	const char *protocol;
	size_t length;
	int ret = 0;

	while (next_line(&text, &names)) {
		look = names;
		if (!next_word(&look, &protocol, &length) || !is_looked_at(protocol, length))
			continue;
		if (!next_line(&text, &numbers) || parse_protocol(names, numbers, netstat))
			ret = -EINVAL;
	}
	return *text ? -EINVAL : ret;
}

void hr_netstat_read(const char *root, const char *who, struct hr_netstat *ret)
{
	static const char *const files[] = { "snmp", "netstat" };
	char *text = malloc(FILE_BYTES);

	*ret = (struct hr_netstat){ 0 };
	for (int i = 0; text && i < 2; i++)
		if (hr_file_readf(text, FILE_BYTES, "%s/proc/%s/net/%s", root, who, files[i]) > 0)
			hr_netstat_parse(text, ret);
	free(text);
}
