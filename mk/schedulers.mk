# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Our own sched_ext scheduler: a BPF object, built without any kernel's files and moved to the
# guest's kernel when it is loaded (CO-RE), inside a loader that is a payload like any other.

PAYLOADS += $(B)/payloads/ktstr-sched

$(B)/obj/schedulers/%.bpf.o: schedulers/%.bpf.c
	@mkdir -p $(@D)
	$(BPF_CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/schedulers/sched_blob.o: schedulers/sched_blob.S $(B)/obj/schedulers/sched.bpf.o
	@mkdir -p $(@D)
	$(CC) -DSCHED_FILE='"$(B)/obj/schedulers/sched.bpf.o"' -c -o $@ $<

SCHED_SRC := $(filter-out %.bpf.c,$(wildcard schedulers/*.c))

# Of the library it takes the reading of sysfs.  libbpf is static: names.c comes between its files.
$(B)/payloads/ktstr-sched: $(call obj,$(SCHED_SRC)) $(B)/obj/schedulers/sched_blob.o $(B)/libktstr.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -Wl,--gc-sections -Wl,--wrap=btf__find_by_name_kind -o $@ $^ \
		-Wl,-Bstatic -lbpf -lelf -lz -Wl,-Bdynamic
