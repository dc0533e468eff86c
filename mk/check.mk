# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Set-up, gates and tests.

.PHONY: clean
clean:
	rm -rf $(B)
