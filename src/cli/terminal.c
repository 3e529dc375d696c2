/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/terminal.h"

#include <sys/ioctl.h>

#include "cli/cli.h"

int hr_terminal_columns(FILE *out, int otherwise)
{
	struct winsize window;

	return ioctl(fileno(out), TIOCGWINSZ, &window) == 0 && window.ws_col > 0 ? window.ws_col : otherwise;
}

void hr_terminal_hint(const char *verb, int page_columns)
{
	int columns = hr_terminal_columns(stdout, page_columns);

	if (columns < page_columns)
		hr_cli_say(verb, "the page has %d columns and this terminal %d: widen it, or add | less -S", page_columns, columns);
}
