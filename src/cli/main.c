/* SPDX-License-Identifier: BSD-2-Clause */
#include <locale.h>
#include <signal.h>

#include "cli/cli.h"
#include "cli/verb.h"

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");  /* it says whether the terminal takes UTF-8 */
	signal(SIGPIPE, SIG_IGN); /* a reader that went away is a failed write of every verb, with a sentence and a status */
	return hr_cli_main(hr_verbs, argc, argv);
}
