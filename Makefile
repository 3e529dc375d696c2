# SPDX-License-Identifier: BSD-2-Clause
# make              the program, build/headroom
# make install      PREFIX=/usr/local DESTDIR=
# make check        every test, as root (scripts/test installs what they need first)
# make unit         tests that need no root, under ASan and UBSan
# make charts       bundle the charts of the HTML report again, and fail if that cannot be (`make` goes on without them)
# make demo         the demo inference server, build/demo/server
# make bench        cost tables, as root
# Options: V=1 shows commands, WERROR=1 makes warnings errors.

VERSION := 0.1.0
BUILD   := build
PREFIX  ?= /usr/local

CC        ?= cc
CLANG     ?= clang
BPFTOOL   ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKGCONFIG ?= pkg-config
ARCH      := $(shell uname -m | sed 's/x86_64/x86/;s/aarch64/arm64/')

ifeq ($(V),1)
Q :=
else
Q := @
endif
say = $(if $(Q),@printf '  %-8s %s\n' $(1) $(2))

LIBRARIES := libbpf libelf zlib sqlite3 jansson cminpack
# everything but the packages themselves and these goals needs the libraries
ifneq ($(filter-out clean distclean,$(or $(MAKECMDGOALS),all)),)
MISSING := $(strip $(foreach tool,$(CC) $(CLANG) $(BPFTOOL) $(PKGCONFIG),$(if $(shell command -v $(tool)),,$(tool))) \
	$(if $(shell command -v $(PKGCONFIG)),$(foreach library,$(LIBRARIES),$(shell $(PKGCONFIG) --exists $(library) || echo $(library)))))
ifneq ($(MISSING),)
$(error missing: $(MISSING). `scripts/setup build` installs what the build needs)
endif
LIBRARY_CFLAGS := $(shell $(PKGCONFIG) --cflags $(LIBRARIES))
# supc++ has the demangler: from the C++ library that clang brings, linked in, so none is needed at run time
LDLIBS         := $(shell $(PKGCONFIG) --libs $(LIBRARIES)) -lsupc++ -lm
endif

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 -Wundef -Wvla $(if $(WERROR),-Werror)
CPPFLAGS += -Iinclude -Isrc -I$(BUILD)/generated -D_GNU_SOURCE -DHR_VERSION='"$(VERSION)"' $(LIBRARY_CFLAGS)
CFLAGS   ?= -O2 -g
CFLAGS   += -std=gnu11 $(WARNINGS)
SANITIZE := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -D__TARGET_ARCH_$(ARCH) -Wall -Wextra -Wno-unused-parameter $(if $(WERROR),-Werror) -Iinclude -Ibpf

SOURCES   := $(filter-out src/cli/main.c,$(wildcard src/*/*.c src/*/*/*.c))
OBJECTS   := $(SOURCES:%.c=$(BUILD)/obj/%.o)
SANITIZED := $(SOURCES:%.c=$(BUILD)/san/%.o)
PROBES    := $(patsubst bpf/%.bpf.c,$(BUILD)/bpf/%.bpf.o,$(wildcard bpf/*.bpf.c))
UNIT      := $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(wildcard tests/unit/*_test.c))
WORKLOADS := $(patsubst tests/workloads/%.c,$(BUILD)/workloads/%,$(wildcard tests/workloads/*.c))
DEMO      := $(patsubst %.c,$(BUILD)/demo/%.o,$(wildcard tests/demo/*.c src/base/*.c))
GENERATED := $(BUILD)/generated/headroom.skel.h $(BUILD)/generated/syscall_names.inc
PAGE      := $(BUILD)/generated/report.csp

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all charts install check unit workloads demo test-programs bench bench-long clean

all: $(BUILD)/headroom

$(BUILD)/headroom: $(BUILD)/obj/src/cli/main.o $(BUILD)/libheadroom.a
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/libheadroom.a: $(OBJECTS)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/libheadroom-san.a: $(SANITIZED)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/obj/%.o: %.c | $(GENERATED)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/san/%.o: %.c | $(GENERATED)
	$(call say,CC-SAN,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -MMD -MP -c -o $@ $<

# BPF: one object per probe family, linked into one, with one skeleton
$(BUILD)/bpf/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c -o $@ $<

$(BUILD)/bpf/headroom.o: $(PROBES)
	$(call say,BPF-LINK,$@)
	$(Q)$(BPFTOOL) gen object $@ $^

$(BUILD)/generated/headroom.skel.h: $(BUILD)/bpf/headroom.o
	$(call say,SKELETON,$@)
	$(Q)mkdir -p $(@D) && $(BPFTOOL) gen skeleton $< name headroom_bpf > $@

$(BUILD)/generated/syscall_names.inc: scripts/gen-syscall-names
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D) && CC='$(CC)' scripts/gen-syscall-names > $@

# the script, the style and the policy of the HTML report; the policy is written last
$(PAGE): scripts/gen-report-page $(wildcard src/report/html/*)
	$(call say,PAGE,$@)
	$(Q)scripts/gen-report-page $(@D)

charts:
	$(Q)rm -f $(PAGE)
	$(Q)scripts/gen-report-page $(dir $(PAGE)) --required
	$(Q)$(MAKE) --no-print-directory all

$(BUILD)/obj/src/report/html_assets.o $(BUILD)/san/src/report/html_assets.o: $(PAGE)

# tests
$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/libheadroom-san.a
	$(call say,TEST,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) $(SANITIZE) -MMD -MP -MF $@.d -o $@ $< $(BUILD)/libheadroom-san.a $(LDLIBS) -lcmocka

unit: $(UNIT)
	$(Q)status=0; for test in $(abspath $^); do $$test || status=1; done; exit $$status

$(BUILD)/workloads/%: tests/workloads/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) -Iinclude -D_GNU_SOURCE $(CFLAGS) -MMD -MP -MF $@.d -o $@ $< -pthread

workloads: $(WORKLOADS)

demo: $(BUILD)/demo/server

# the demo server: of base alone, without libraries
$(BUILD)/demo/%.o: %.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) -Iinclude -Isrc -D_GNU_SOURCE $(CFLAGS) -pthread -MMD -MP -c -o $@ $<

$(BUILD)/demo/server: $(DEMO)
	$(call say,LINK,$@)
	$(Q)$(CC) $(CFLAGS) -pthread $(LDFLAGS) -o $@ $^ -lm

test-programs: all workloads demo $(UNIT)

check: test-programs
	$(Q)BUILD='$(BUILD)' scripts/test --built

# what a long run takes
bench: bench-long
bench-long: all $(BUILD)/bench/long_run
	$(Q)tests/bench/long --build $(BUILD)

# cost: empty programs on headroom's hooks, and the loops that are timed; BENCH='--rounds 9' passes options
$(BUILD)/bench/%: tests/bench/%.c
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) -D_GNU_SOURCE $(CFLAGS) -o $@ $< $(LDLIBS) -pthread

$(BUILD)/bench/long_run: tests/bench/long_run.c tests/bench/long_run.h $(BUILD)/libheadroom.a
	$(call say,CC,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(CPPFLAGS) $(CFLAGS) -o $@ $< $(BUILD)/libheadroom.a $(LDLIBS)

bench: all demo $(BUILD)/bench/floor $(BUILD)/bench/loops
	$(Q)tests/bench/run --build $(BUILD) $(BENCH)
	$(Q)tests/bench/stacks --build $(BUILD)

# completion of command lines, by the program itself
$(BUILD)/completion/%: $(BUILD)/headroom
	$(call say,GEN,$@)
	$(Q)mkdir -p $(@D) && $< completion $* > $@

install: all $(BUILD)/completion/bash $(BUILD)/completion/zsh
	install -D -m 0755 $(BUILD)/headroom $(DESTDIR)$(PREFIX)/bin/headroom
	install -D -m 0644 docs/headroom.1 $(DESTDIR)$(PREFIX)/share/man/man1/headroom.1
	install -D -m 0644 $(BUILD)/completion/bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/headroom
	install -D -m 0644 $(BUILD)/completion/zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_headroom

clean:
	rm -rf $(BUILD)

-include $(OBJECTS:.o=.d) $(BUILD)/obj/src/cli/main.d $(SANITIZED:.o=.d) $(PROBES:.o=.d) $(DEMO:.o=.d) $(wildcard $(BUILD)/unit/*.d $(BUILD)/workloads/*.d)
