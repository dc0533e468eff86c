# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Figures: tools/bench.py says what each one is.  BENCH="-n 9 cold" passes options on.

$(B)/tools/bench_capture: $(B)/obj/tools/bench_capture.o $(B)/libktstr.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CFLAGS) -o $@ $^ $(LDLIBS)

.PHONY: bench bench-build
bench-build: $(B)/tools/bench_capture $(B)/tests/vm/empty $(B)/tests/vm/ctprof_jemalloc \
		$(B)/tests/vm/exact_mix $(B)/tests/vm/sleeper $(B)/ktstr payloads

bench: bench-build
	tools/bench.py -b $(B) $(BENCH)
