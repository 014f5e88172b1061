/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * #VC, the exception by which a SEV-ES guest learns that an instruction needs its hypervisor (APM 2
 * 15.35.5). Works until the operating system loads an interrupt table of its own.
 */
#ifndef PRIVET_FIRMWARE_VC_H
#define PRIVET_FIRMWARE_VC_H

#include <stdbool.h>

#include "firmware/arch/interrupts.h"

enum { VECTOR_VC = 29 };

/*
 * True: the instruction is done, or goes on. False: it raises another exception, which the frame names
 * now; or the guest cannot go on, for the reason that *ret_problem gets then.
 */
bool vc_handle(struct trap_frame *frame, const char **ret_problem);

#endif
