# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Figures: tools/bench.py says what each one is.  BENCH="-n 9 cold" passes options on.

$(B)/tools/bench_ctprof: $(B)/obj/tools/bench_ctprof.o $(B)/libktstr.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDLIBS)

$(B)/tools/ctprof_population: tools/ctprof_population.c
	@mkdir -p $(@D)
	$(PAYLOAD_CC) -lpthread

$(B)/tools/ctprof_population_jemalloc: tools/ctprof_population.c
	@mkdir -p $(@D)
	$(PAYLOAD_CC) -ljemalloc -lpthread

.PHONY: bench bench-build
bench-build: $(B)/tools/bench_ctprof $(B)/tools/ctprof_population \
		$(B)/tools/ctprof_population_jemalloc $(B)/tests/vm/empty $(B)/tests/vm/ctprof_jemalloc \
		$(B)/tests/vm/exact_mix $(B)/tests/vm/sleeper $(B)/ktstr payloads

bench: bench-build
	tools/bench.py -b $(B) $(BENCH)
