# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The collector's BPF part: an object that fits any kernel, made into bytes that load themselves
# and embedded in the library (docs/decisions/0011-how-the-collector-loads.md), and one for older
# kernels that libbpf loads (docs/decisions/0013-the-collector-on-older-kernels.md).

BPF_CLANG ?= clang
BPF_CFLAGS := -target bpf -mcpu=v3 -std=gnu17 -O2 -fno-unroll-loops -g -I. -D__TARGET_ARCH_x86 \
	-Wall -Wextra -Wno-unused-parameter -Werror -ffile-prefix-map=$(CURDIR)=.

$(B)/obj/bpf/%.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(BPF_CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/obj/bpf/%.old.bpf.o: bpf/%.bpf.c
	@mkdir -p $(@D)
	$(BPF_CLANG) $(BPF_CFLAGS) -DCTPROF_OLD -MMD -MP -c -o $@ $<

# These run while building, so they are ordinary programs whatever the library is built with.
$(B)/bpf/lskel: bpf/helper/lskel.c bpf/blob.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu17 $(WARNINGS) -O2 -o $@ $< -lbpf

$(B)/bpf/%.lskel: $(B)/obj/bpf/%.bpf.o $(B)/bpf/lskel
	@mkdir -p $(@D)
	$(B)/bpf/lskel $< $@

$(B)/bpf/pack: bpf/helper/pack.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu17 $(WARNINGS) -O2 -o $@ $< -lbpf -lzstd

$(B)/bpf/%.packed: $(B)/obj/bpf/%.old.bpf.o $(B)/bpf/pack
	@mkdir -p $(@D)
	$(B)/bpf/pack $< $@

$(B)/obj/ctprof_bpf_blob.o: src/ctprof/bpf_blob.S $(B)/bpf/ctprof.lskel $(B)/bpf/ctprof.packed
	@mkdir -p $(@D)
	$(CC) -DBPF_FILE='"$(B)/bpf/ctprof.lskel"' -DBPF_OLD_FILE='"$(B)/bpf/ctprof.packed"' \
		-c -o $@ $<
