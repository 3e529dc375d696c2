/* SPDX-License-Identifier: BSD-2-Clause */
#include "collect/netaddr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define UNNAMED "unnamed"

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

const char *hr_netaddr_inet(char text[HR_ENDPOINT_BYTES], const uint8_t address[16], uint16_t port)
{
	char host[INET6_ADDRSTRLEN] = "";

	if (!memcmp(address, mapped_prefix, sizeof(mapped_prefix))) {
		inet_ntop(AF_INET, address + sizeof(mapped_prefix), host, sizeof(host));
		snprintf(text, HR_ENDPOINT_BYTES, "%s:%u", host, port);
	} else {
		inet_ntop(AF_INET6, address, host, sizeof(host));
		snprintf(text, HR_ENDPOINT_BYTES, "[%s]:%u", host, port);
	}
	return text;
}

const char *hr_netaddr_unix(char text[HR_ENDPOINT_BYTES], const char *path, size_t path_bytes)
{
	char name[HR_UNIX_PATH_BYTES];
	size_t length = path_bytes < sizeof(name) ? path_bytes : sizeof(name);

	while (length && !path[length - 1])
		length--;
	if (!length)
		return NULL;
	memcpy(name, path, length);
	for (size_t i = 0; !path[0] && i < length; i++)
		if (!name[i])
			name[i] = '@';
	hr_text_clean(text, HR_ENDPOINT_BYTES, name, length);
	return text;
}

const char *hr_netaddr_flow(char text[HR_ENDPOINT_BYTES], const struct hr_flow *flow)
{
	switch (flow->key.transport) {
	case HR_TRANSPORT_UNIX:
		return hr_netaddr_unix(text, flow->path, flow->path_bytes) ? text : UNNAMED;
	case HR_TRANSPORT_TCP:
		if (flow->key.role == HR_ROLE_DOWNSTREAM && !flow->key.port) /* see flow_find() in bpf/flow.bpf.h */
			return "other peers";
		if (flow->key.role == HR_ROLE_DOWNSTREAM)
			return hr_netaddr_inet(text, flow->key.address, flow->key.port);
		snprintf(text, HR_ENDPOINT_BYTES, ":%u", flow->key.port);
		return text;
	default:
		return NULL;
	}
}
