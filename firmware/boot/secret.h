/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The launch secret, for the operating system. */
#ifndef PRIVET_FIRMWARE_SECRET_H
#define PRIVET_FIRMWARE_SECRET_H

/* Under SEV: publishes where the guest owner's secret lies, whether one was injected or not. */
void secret_publish(void);

#endif
