/* SPDX-License-Identifier: BSD-2-Clause */
#include "analyse/model.h"

const char *hr_model_name(enum hr_model_kind kind)
{
	static const char *const names[HR_MODELS] = { "none", "linear", "hard_cap", "usl" };

	return names[kind];
}
