# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The whole build: one object list per folder, no recursion.  `make help` lists the targets.

B ?= build
PREFIX ?= /usr/local
ifeq ($(origin CC),default)
CC := gcc
endif
VERSION := 0.1.0

include mk/warnings.mk

PKGS := jansson libzstd libelf libdw yaml-0.1 libmnl
# Headers only: nothing to link (docs/decisions/0005-xxhash.md).
HEADER_PKGS := libxxhash
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) $(HEADER_PKGS) 2>/dev/null)
PKG_LIBS := $(shell pkg-config --libs $(PKGS) 2>/dev/null)

CPPFLAGS += -D_GNU_SOURCE -DKTSTR_VERSION='"$(VERSION)"' -Iinclude -Isrc -I.
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu17 $(WARNINGS) -fvisibility=hidden -ffunction-sections -fdata-sections \
	$(PKG_CFLAGS) $(CFLAGS) $(SAN_CFLAGS)
LDLIBS = $(PKG_LIBS) -lpthread

ifeq ($(SAN),1)
SAN_CFLAGS := -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
endif
ifeq ($(FUZZ),1)
SAN_CFLAGS += -fsanitize=fuzzer-no-link
endif

LAYERS := base kernel vm cgroup work sched inspect ctprof scenario check run
LIB_SRC := $(foreach l,$(LAYERS),$(wildcard src/$(l)/*.c))
GUEST_SRC := $(wildcard guest/*.c)
CLI_SRC := $(wildcard cli/*.c)
PAYLOAD_SRC := $(wildcard payloads/*.c)
UNIT_SRC := $(wildcard tests/unit/test_*.c)
VMTEST_SRC := $(wildcard tests/vm/*.c)
SELF_SRC := $(wildcard tests/self/*.c)
EXAMPLE_SRC := $(wildcard examples/*.c)
FUZZ_SRC := $(wildcard tests/fuzz/fuzz_*.c)
TESTLIB_SRC := $(wildcard tests/lib/*.c)

obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
LIB_OBJ := $(call obj,$(LIB_SRC))
# What the guest agent may use (the include law, ARCHITECTURE.md).
GUESTLIB_OBJ := $(call obj,$(foreach l,base cgroup work sched ctprof,$(wildcard src/$(l)/*.c)) \
	$(wildcard src/run/protocol*.c))

.PHONY: all
all: $(B)/libktstr.a $(B)/ktstr payloads tests examples

$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Where installed payloads are looked for; rebuilt when PREFIX changes.
$(B)/prefix: FORCE
	@mkdir -p $(@D)
	@echo '$(abspath $(PREFIX))' | cmp -s - $@ || echo '$(abspath $(PREFIX))' >$@
.PHONY: FORCE
FORCE:

$(B)/obj/src/work/payload_find.o: $(B)/prefix
$(B)/obj/src/work/payload_find.o: CPPFLAGS += -DKTSTR_LIBEXEC_DIR='"$(abspath $(PREFIX))/libexec/ktstr"'

# --- guest agent: static, small, embedded in the library ------------------------------------
$(B)/libguest.a: $(GUESTLIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(B)/guest/ktstr-agent: $(call obj,$(GUEST_SRC)) $(B)/libguest.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -static -s -Wl,--gc-sections -o $@ $(call obj,$(GUEST_SRC)) $(B)/libguest.a \
		-ljansson -lpthread

ifeq ($(SAN),1)
# The agent is always an ordinary build: sanitizers do not link statically.
AGENT := build/guest/ktstr-agent
$(AGENT):
	+$(MAKE) SAN= B=build $(AGENT)
else
AGENT := $(B)/guest/ktstr-agent
endif

$(B)/obj/agent_blob.o: src/vm/agent_blob.S $(AGENT)
	@mkdir -p $(@D)
	$(CC) -DAGENT_FILE='"$(AGENT)"' -c -o $@ $<

# --- the helper that asks a jemalloc where its counters are, embedded as well ----------------
$(B)/ctprof/calibrate: src/ctprof/helper/calibrate.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu17 $(WARNINGS) -O2 -s -o $@ $< -ldl

$(B)/obj/calibrate_blob.o: src/ctprof/calibrate_blob.S $(B)/ctprof/calibrate
	@mkdir -p $(@D)
	$(CC) -DCALIBRATE_FILE='"$(B)/ctprof/calibrate"' -c -o $@ $<

# --- the library that is preloaded into QEMU for exact runs, embedded as well ------------------
$(B)/vm/exact-engine.so: src/vm/helper/exact_clock.c src/vm/helper/exact_turns.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu17 $(WARNINGS) -O2 -fPIC -fvisibility=hidden -shared -nostdlib -s -o $@ $^

$(B)/obj/exact_engine_blob.o: src/vm/exact_engine_blob.S $(B)/vm/exact-engine.so
	@mkdir -p $(@D)
	$(CC) -DEXACT_ENGINE_FILE='"$(B)/vm/exact-engine.so"' -c -o $@ $<

# --- what drives scenarios in guests: static, embedded as well ---------------------------------
$(B)/libparts.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^

$(B)/guest/ktstr-scenario: $(B)/obj/src/run/helper/scenario_main.o $(B)/libparts.a
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -static -s -Wl,--gc-sections,--no-warnings -o $@ $^ -ljansson -lpthread

ifeq ($(SAN),1)
SCENARIO := build/guest/ktstr-scenario
$(SCENARIO):
	+$(MAKE) SAN= B=build $(SCENARIO)
else
SCENARIO := $(B)/guest/ktstr-scenario
endif

$(B)/obj/scenario_blob.o: src/run/scenario_blob.S $(SCENARIO)
	@mkdir -p $(@D)
	$(CC) -DSCENARIO_FILE='"$(SCENARIO)"' -c -o $@ $<

# --- the catalogue of scenarios, embedded as well ----------------------------------------------
$(B)/obj/scenarios_blob.o: src/scenario/scenarios_blob.S $(wildcard scenarios/*.yaml)
	@mkdir -p $(@D)
	$(CC) -c -o $@ $<

# --- the page of ctprof compare and show, embedded as well ---------------------------------------
$(B)/obj/page_blob.o: src/ctprof/page_blob.S $(wildcard src/ctprof/page/*)
	@mkdir -p $(@D)
	$(CC) -c -o $@ $<

include mk/bpf.mk

# --- library and programs -------------------------------------------------------------------
$(B)/libktstr.a: $(LIB_OBJ) $(B)/obj/calibrate_blob.o $(B)/obj/ctprof_bpf_blob.o $(B)/obj/exact_engine_blob.o \
		$(B)/obj/page_blob.o $(B)/obj/scenario_blob.o $(B)/obj/scenarios_blob.o \
		$(if $(GUEST_SRC),$(B)/obj/agent_blob.o)
	@rm -f $@
	ar rcs $@ $^

$(B)/ktstr: $(call obj,$(CLI_SRC)) $(B)/libktstr.a
	$(CC) $(ALL_CFLAGS) -Wl,--gc-sections -o $@ $^ $(LDLIBS)

# Programs that go into guests bring their libraries where those can be had as archives: the fewer
# files and relocations, the sooner a guest is done with them.
CARRIED := dw elf jansson yaml zstd z lzma bz2
MISSING_ARCHIVES := $(foreach l,$(CARRIED),\
	$(if $(filter /%,$(shell $(CC) -print-file-name=lib$(l).a)),,$(l)))
CARRIED_LIBS := -Wl,-Bstatic $(CARRIED:%=-l%) -Wl,-Bdynamic -lpthread
ifeq ($(SAN)$(strip $(MISSING_ARCHIVES)),)
GUEST_LDLIBS = -static-libgcc -Wl,--gc-sections $(CARRIED_LIBS) -Wl,--as-needed -lmnl
else
GUEST_LDLIBS = $(LDLIBS)
endif

include mk/payloads.mk

# An archive: a test takes what it uses, and only some of that needs cmocka.
$(B)/libtests.a: $(call obj,$(TESTLIB_SRC))
	@rm -f $@
	ar rcs $@ $^

$(B)/tests/vm/%: $(B)/obj/tests/vm/%.o $(B)/libtests.a $(B)/libktstr.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(GUEST_LDLIBS)

$(B)/tests/self/%: $(B)/obj/tests/self/%.o $(B)/libtests.a $(B)/libktstr.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(GUEST_LDLIBS)

$(B)/examples/%: $(B)/obj/examples/%.o $(B)/libktstr.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(GUEST_LDLIBS)

$(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(B)/libtests.a $(B)/libktstr.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

# The agent's parts but its main(), for their own tests.
$(B)/tests/unit/test_guest_%: $(B)/obj/tests/unit/test_guest_%.o $(B)/libtests.a \
		$(call obj,$(filter-out guest/main.c,$(GUEST_SRC))) $(B)/libktstr.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDLIBS) -lcmocka

$(B)/tests/fuzz/%: $(B)/obj/tests/fuzz/%.o $(B)/libtests.a $(B)/libktstr.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS) -lcmocka

# The kernel's own schedulers, where tools/check-upstream.sh has built them.
$(B)/obj/tests/upstream/%.o: CPPFLAGS += -DUPSTREAM_DIR='"$(abspath build/upstream/bin)"'
$(B)/tests/upstream/%: $(B)/obj/tests/upstream/%.o $(B)/libtests.a $(B)/libktstr.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(GUEST_LDLIBS)

VMTESTS := $(VMTEST_SRC:%.c=$(B)/%)
SELFTESTS := $(SELF_SRC:%.c=$(B)/%)
EXAMPLES := $(EXAMPLE_SRC:%.c=$(B)/%)
UNITTESTS := $(UNIT_SRC:%.c=$(B)/%)
FUZZERS := $(FUZZ_SRC:%.c=$(B)/%)

.PHONY: tests examples unit-build fuzz-build
tests: $(VMTESTS) $(SELFTESTS)
examples: $(EXAMPLES)
unit-build: $(UNITTESTS) payloads
fuzz-build: $(FUZZERS)

.SECONDARY:
-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)

include mk/check.mk
include mk/bench.mk
