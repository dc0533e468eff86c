# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	-Wold-style-definition -Wvla -Wpointer-arith -Wwrite-strings -Wundef -Wformat=2 \
	-fno-common -Werror
