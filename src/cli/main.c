/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/cli.h"
#include "cli/verb.h"

int main(int argc, char **argv)
{
	return hr_cli_main(hr_verbs, argc, argv);
}
