# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Set-up, demo, gates, tests, installation.

.PHONY: storm help setup demo check check-upstream gates unit fuzz-smoke self vm install install-check clean

help:
	@echo 'make             build everything into build/'
	@echo 'make demo        install what is missing, build, run the first tests in VMs'
	@echo 'make check       install what is missing, then gates and every test (tools/check.sh)'
	@echo
	@echo 'make setup       install what is missing (Debian), or name it (elsewhere)'
	@echo 'make gates       style by numbers: include law, lengths, comments, headers, format'
	@echo 'make unit        unit tests: gcc and clang, plain and ASan+UBSan'
	@echo 'make fuzz-smoke  each fuzz target, FUZZ_SECONDS=10 seconds'
	@echo 'make self        tests of the harness itself'
	@echo 'make vm          tests that boot a kernel'
	@echo 'make check-upstream  the kernel'"'"'s own schedulers, fetched and built (250 MB)'
	@echo 'make storm       captures beside threads that come and go, 30 s of each collector'
	@echo 'make bench       figures, on screen and in build/bench.json'
	@echo 'make install     PREFIX=$(PREFIX) DESTDIR='
	@echo 'make clean       remove build/'
	@echo
	@echo 'variables: B=build CC=gcc CFLAGS="-O2 -g" SAN=1 (ASan+UBSan; give it its own B=)'

setup:
	@tools/setup.sh

# Packages may be missing while this file is read, so these run in scripts that set up first and
# then start make afresh.
demo:
	+@tools/demo.sh

check:
	+@tools/check.sh

gates unit fuzz-smoke self vm install-check:
	+@tools/check.sh $@

storm: $(B)/tests/unit/test_ctprof_storm payloads
	$< 30

check-upstream: $(B)/ktstr $(B)/tests/upstream/sched_upstream
	tools/check-upstream.sh $(UPSTREAM)

# --- installation ---------------------------------------------------------------------------
# The library is static only, so its own needs stand in Requires and every program links them.
define PKG_CONFIG_FILE
prefix=$(abspath $(PREFIX))
includedir=$${prefix}/include
libdir=$${prefix}/lib
libexecdir=$${prefix}/libexec/ktstr

Name: ktstr
Description: tests for Linux process schedulers, run in virtual machines
Version: $(VERSION)
Requires: $(PKGS)
Cflags: -I$${includedir}
Libs: -L$${libdir} -lktstr -lpthread
endef
export PKG_CONFIG_FILE

install: $(B)/ktstr $(B)/libktstr.a payloads
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include/ktstr \
		$(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/libexec/ktstr \
		$(DESTDIR)$(PREFIX)/share/doc/ktstr
	install -m 755 $(B)/ktstr $(DESTDIR)$(PREFIX)/bin/
	install -m 644 include/ktstr/* $(DESTDIR)$(PREFIX)/include/ktstr/
	install -m 644 $(B)/libktstr.a $(DESTDIR)$(PREFIX)/lib/
	@printf '%s\n' "$$PKG_CONFIG_FILE" >$(B)/ktstr.pc
	install -m 644 $(B)/ktstr.pc $(DESTDIR)$(PREFIX)/lib/pkgconfig/
	set -e; for p in $(PAYLOADS); do \
		install -m 755 $$p $(DESTDIR)$(PREFIX)/libexec/ktstr/; done
	install -m 644 README.md LICENSE LICENSES/* $(DESTDIR)$(PREFIX)/share/doc/ktstr/

clean:
	rm -rf $(B)
