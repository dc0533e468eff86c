# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Programs that run in guests.  They do not link the library: size and start-up stay their own.

PAYLOADS := $(patsubst payloads/%.c,$(B)/payloads/ktstr-%,$(PAYLOAD_SRC))

$(B)/payloads/ktstr-%: payloads/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) -std=gnu17 $(WARNINGS) $(CFLAGS) -MMD -MF $@.d -o $@ $< -lpthread

.PHONY: payloads
payloads: $(PAYLOADS)
