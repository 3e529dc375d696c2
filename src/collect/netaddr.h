/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_COLLECT_NETADDR_H
#define HR_COLLECT_NETADDR_H

#include <stddef.h>
#include <stdint.h>

#include "headroom/net.h"

/* Endpoints as people write them, in valid UTF-8: what a socket is bound to is other people's text. */

#define HR_ENDPOINT_BYTES (3 * HR_UNIX_PATH_BYTES + 1) /* a byte of a path becomes up to three */

/* "127.0.0.1:5432", "[::1]:80": address is one of IPv6, or of IPv4 mapped into IPv6; port in host order. Returns text. */
const char *hr_netaddr_inet(char text[HR_ENDPOINT_BYTES], const uint8_t address[16], uint16_t port);

/*
 * A path as in sun_path, of that many bytes: up to its first NUL. An abstract name begins with NUL: that and those within are
 * shown as '@', as in /proc/net/unix, and those behind it are left out. NULL: it has no name.
 */
const char *hr_netaddr_unix(char text[HR_ENDPOINT_BYTES], const char *path, size_t path_bytes);

/*
 * What a flow leads to: ":8000" (server), "10.0.0.7:5432" (downstream), a path, "unnamed" for a unix socket without one. NULL
 * for a flow that is no connection, whose function only the caller knows.
 */
const char *hr_netaddr_flow(char text[HR_ENDPOINT_BYTES], const struct hr_flow *flow);

#endif
