/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef HR_ANALYSE_STUDENT_H
#define HR_ANALYSE_STUDENT_H

#include <stddef.h>

/* Student's t that 95 % lie within, on both sides of 0; for 1 degree of freedom and more. 1.96 beyond 20: off by 6 % at most. */
static inline double hr_student_t(size_t freedom)
{
	static const double t[] = { 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228,
				    2.201,  2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086 };

	return freedom <= sizeof(t) / sizeof(t[0]) ? t[freedom - 1] : 1.96;
}

#endif
