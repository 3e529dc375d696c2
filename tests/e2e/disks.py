# SPDX-License-Identifier: BSD-2-Clause
"""Disks for tests: a loop device over a file, and a null device whose requests take a known time."""

import contextlib
import fcntl
import os
import subprocess

from harness import Skip, find_program, wait_until

LOOP_CTL_GET_FREE, LOOP_SET_FD, LOOP_CLR_FD = 0x4C82, 0x4C00, 0x4C01


def load_module(name, *parameters):
    if find_program("modprobe"):
        subprocess.run([find_program("modprobe"), "-q", name, *parameters], check=False)


@contextlib.contextmanager
def loop_disk(directory, size_bytes=32 << 20):
    """The path of a block device that is a file in that directory."""
    load_module("loop")
    backing = os.path.join(directory, "disk.image")
    with open(backing, "wb") as image:
        image.truncate(size_bytes)
    try:
        with open("/dev/loop-control", "rb") as control:
            path = f"/dev/loop{fcntl.ioctl(control, LOOP_CTL_GET_FREE)}"
        device = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise Skip(f"no loop device can be had: {error.strerror}") from None
    try:
        with open(backing, "r+b") as image:
            fcntl.ioctl(device, LOOP_SET_FD, image.fileno())
        yield path
    except OSError as error:
        raise Skip(f"no loop device can be had: {error.strerror}") from None
    finally:
        with contextlib.suppress(OSError):
            fcntl.ioctl(device, LOOP_CLR_FD)
        os.close(device)


@contextlib.contextmanager
def slow_disk(latency_ns):
    """The path of a block device that finishes each request after so long; it has no content."""
    if os.path.exists("/sys/module/null_blk"):
        raise Skip("the module null_blk is in use already")
    load_module("null_blk", "nr_devices=1", "queue_mode=2", "irqmode=2", "gb=1", f"completion_nsec={latency_ns}")
    if not os.path.exists("/sys/module/null_blk"):
        raise Skip("this kernel has no module null_blk")
    try:
        wait_until("its device is there", lambda: os.path.exists("/dev/nullb0"))
        yield "/dev/nullb0"
    finally:
        subprocess.run([find_program("modprobe"), "-r", "null_blk"], check=False)
