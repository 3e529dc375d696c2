/* SPDX-License-Identifier: BSD-2-Clause */
#include "report/html_assets.h"

/* The assembler finds the files in build/generated, by -I; make knows that this file is made of them. */
#define EMBED(name, file) \
	__asm__(".pushsection .rodata\n" \
		".hidden hr_html_" #name ", hr_html_" #name "_end\n" \
		".global hr_html_" #name ", hr_html_" #name "_end\n" \
		"hr_html_" #name ":\n" \
		".incbin \"" file "\"\n" \
		"hr_html_" #name "_end:\n" \
		".byte 0\n" \
		".popsection\n"); \
	extern const char hr_html_##name[], hr_html_##name##_end[];

EMBED(script, "report.js")
EMBED(style, "report.css")
EMBED(policy, "report.csp")

#define ASSET(name) { hr_html_##name, (size_t)(hr_html_##name##_end - hr_html_##name) }

bool hr_html_assets(struct hr_html_assets *ret_assets)
{
	*ret_assets = (struct hr_html_assets){ ASSET(script), ASSET(style), ASSET(policy) };
	return ret_assets->script.bytes > 0;
}
