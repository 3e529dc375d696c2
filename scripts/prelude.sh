# SPDX-License-Identifier: BSD-2-Clause
# What the scripts here share; they source it, and it brings them from the caller's folder to the root of the checkout.
#
# BUILD names the build folder (build).
set -euo pipefail

from=$PWD
cd "$(dirname "${BASH_SOURCE[0]}")/.."
BUILD=${BUILD:-build}
export BUILD
name=scripts/${0##*/}

say()
{
	printf '==> %s\n' "$*"
}

die()
{
	printf '%s: %s\n' "$name" "$*" >&2
	exit 1
}

# as_root ARGUMENT...: run this script again as root, with these arguments, under sudo. Returns if this is root already.
as_root()
{
	[ "$(id -u)" -ne 0 ] || return 0
	command -v sudo >/dev/null || die "needs root, and there is no sudo: su -c '$PWD/$name${*:+ $*}'"
	say "$name needs root: asking sudo"
	exec sudo env BUILD="$BUILD" "$PWD/$name" "$@"
}

# The user to whom the checkout belongs, and what to put in front of a command to run it as him: root builds nothing in
# someone else's folder that he then cannot remove.
owner=$(stat -c %U .)
as_owner=()
if [ "$(id -u)" -eq 0 ] && [ "$owner" != root ] && id "$owner" >/dev/null 2>&1; then
	as_owner=(runuser -u "$owner" --)
fi

mount_tracefs()
{
	[ ! -e /sys/kernel/tracing/events ] || return 0
	say "mounting tracefs at /sys/kernel/tracing"
	mount -t tracefs tracefs /sys/kernel/tracing || die "cannot mount tracefs at /sys/kernel/tracing"
}

# usage FIRST LAST: these lines of this script, which are its help
usage()
{
	sed -n "$1,$2s/^# //p" "$name"
}
