// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#include "kernel/version.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static bool is_digit(char c)
{
	return isdigit((unsigned char)c);
}

/* Where a pre-release mark, the end and other characters stand relative to each other. */
static int rank(const char *p)
{
	if (*p == '~' || !strncmp(p, "-rc", 3))
		return -1;
	return (unsigned char)*p;
}

static int compare_numbers(const char **a, const char **b)
{
	const char *start_a, *start_b;
	size_t len_a, len_b;
	int r;

	*a += strspn(*a, "0");
	*b += strspn(*b, "0");
	start_a = *a;
	start_b = *b;
	while (is_digit(**a))
		(*a)++;
	while (is_digit(**b))
		(*b)++;
	len_a = (size_t)(*a - start_a);
	len_b = (size_t)(*b - start_b);
	if (len_a != len_b)
		return len_a < len_b ? -1 : 1;
	r = memcmp(start_a, start_b, len_a);
	return r < 0 ? -1 : r > 0;
}

/* "7.3" and "7.3.0" are one version: a part that one side lacks counts as 0. */
static const char *skip_zero_parts(const char *p)
{
	while (p[0] == '.' && p[1] == '0' && !is_digit(p[2]))
		p += 2;
	return p;
}

int kernel_version_compare(const char *a, const char *b)
{
	for (;;) {
		int r;

		if (is_digit(*a) && is_digit(*b)) {
			r = compare_numbers(&a, &b);
			if (r)
				return r;
			continue;
		}
		if (*a != '.' || *b != '.') {
			a = skip_zero_parts(a);
			b = skip_zero_parts(b);
		}
		/* A further numbered part outranks any suffix: 6.1.5 is after 6.1-custom. */
		if ((*a == '.') != (*b == '.') && rank(a) >= 0 && rank(b) >= 0)
			return *a == '.' ? 1 : -1;
		r = rank(a) - rank(b);
		if (r)
			return r < 0 ? -1 : 1;
		if (!*a)
			return 0;
		a++;
		b++;
	}
}

bool kernel_version_matches(const char *version, const char *prefix)
{
	size_t len = strlen(prefix);

	if (!len || strncmp(version, prefix, len) != 0)
		return false;
	return !is_digit(version[len]) || !is_digit(prefix[len - 1]);
}

bool kernel_version_valid(const char *text)
{
	if (!is_digit(*text))
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("._+-~", *text))
			return false;
	return true;
}

void kernel_version_upstream(const char *text, char *buf, size_t size)
{
	const char *p = strchr(text, ':');
	size_t len;

	if (p)
		text = p + 1;
	len = strspn(text, "0123456789.");
	if (!strncmp(text + len, "~rc", 3))
		len += 3 + strspn(text + len + 3, "0123456789");
	snprintf(buf, size, "%.*s", (int)(len < size ? len : size), text);
}
