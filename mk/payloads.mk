# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Programs that run in guests.  They do not link the library: size and start-up stay their own.

PAYLOADS := $(patsubst payloads/%.c,$(B)/payloads/ktstr-%,$(PAYLOAD_SRC))
PAYLOAD_CC = $(CC) $(CPPFLAGS) -std=gnu17 $(WARNINGS) $(CFLAGS) -MMD -MF $@.d -o $@ $<

$(B)/payloads/ktstr-%: payloads/%.c
	@mkdir -p $(@D)
	$(PAYLOAD_CC) -lpthread

# The worker carries its allocator: a guest needs no library, and symbols stay in place.
JEMALLOC_STATIC := -static -ljemalloc -lm -lpthread

$(B)/payloads/ktstr-jemalloc-alloc-worker: payloads/jemalloc-alloc-worker.c
	@mkdir -p $(@D)
	$(PAYLOAD_CC) $(JEMALLOC_STATIC)

# The same worker in the other shapes that programs with jemalloc have in the wild.
VARIANTS := $(addprefix $(B)/payloads/,jemalloc-worker-stripped jemalloc-worker-shared \
	jemalloc-worker-pie jemalloc-dwarf-tsd jemalloc-dwarf-tsd-old \
	jemalloc-dwarf-tsd-stripped jemalloc-storm jemalloc-crowd \
	libodd-dynamic-tls.so libodd-no-trace.so odd-sched)

$(B)/payloads/jemalloc-worker-stripped: payloads/jemalloc-alloc-worker.c
	@mkdir -p $(@D)
	$(PAYLOAD_CC) -s $(JEMALLOC_STATIC)

$(B)/payloads/jemalloc-worker-shared: payloads/jemalloc-alloc-worker.c
	@mkdir -p $(@D)
	$(PAYLOAD_CC) -s -ljemalloc -lpthread

# jemalloc inside a dynamic executable, as Rust programs have it.
$(B)/payloads/jemalloc-worker-pie: payloads/jemalloc-alloc-worker.c
	@mkdir -p $(@D)
	$(PAYLOAD_CC) -pie -fPIE -Wl,-Bstatic -ljemalloc_pic -Wl,-Bdynamic -lm -lpthread

$(B)/payloads/jemalloc-storm: payloads/fixtures/storm.c
	@mkdir -p $(@D)
	$(PAYLOAD_CC) -ljemalloc -lpthread

$(B)/payloads/jemalloc-crowd: payloads/fixtures/crowd.c
	@mkdir -p $(@D)
	$(PAYLOAD_CC) -ljemalloc -lpthread

$(B)/payloads/jemalloc-dwarf-tsd: payloads/fixtures/dwarf-tsd.c
	@mkdir -p $(@D)
	$(PAYLOAD_CC) -g -lpthread

$(B)/payloads/jemalloc-dwarf-tsd-old: payloads/fixtures/dwarf-tsd.c
	@mkdir -p $(@D)
	$(PAYLOAD_CC) -g -DOLD_NAMES -lpthread

$(B)/payloads/jemalloc-dwarf-tsd-stripped: payloads/fixtures/dwarf-tsd.c
	@mkdir -p $(@D)
	$(PAYLOAD_CC) -g0 -lpthread

$(B)/payloads/libodd-dynamic-tls.so: payloads/fixtures/odd-jemalloc.c
	@mkdir -p $(@D)
	$(PAYLOAD_CC) -shared -fPIC -ftls-model=global-dynamic -s

$(B)/payloads/libodd-no-trace.so: payloads/fixtures/odd-jemalloc.c
	@mkdir -p $(@D)
	$(PAYLOAD_CC) -DNO_TRACE -shared -fPIC -s

include mk/schedulers.mk

# A scheduler, and its loader, that go wrong as they are told to.
$(B)/obj/payloads/fixtures/%.bpf.o: payloads/fixtures/%.bpf.c
	@mkdir -p $(@D)
	$(BPF_CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/payloads/fixtures/odd_sched_blob.o: payloads/fixtures/odd_sched_blob.S \
		$(B)/obj/payloads/fixtures/odd-sched.bpf.o
	@mkdir -p $(@D)
	$(CC) -DODD_FILE='"$(B)/obj/payloads/fixtures/odd-sched.bpf.o"' -c -o $@ $<

$(B)/payloads/odd-sched: payloads/fixtures/odd-sched.c $(B)/obj/payloads/fixtures/odd_sched_blob.o
	@mkdir -p $(@D)
	$(PAYLOAD_CC) $(B)/obj/payloads/fixtures/odd_sched_blob.o -lbpf -lelf

.PHONY: payloads
payloads: $(PAYLOADS) $(VARIANTS)
