/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Boot options that the firmware makes by itself, as OVMF does: one for each disk, drive and
 * network card, so that whatever is started has a Boot####. They are marked in their optional
 * data, and go away with their device.
 */
#ifndef PRIVET_FIRMWARE_AUTOOPTION_H
#define PRIVET_FIRMWARE_AUTOOPTION_H

#include "firmware/boot/loadoption.h"

/* Brings Boot#### and BootOrder up to date with the devices. Nothing is written without need. */
void autooption_refresh(void);

/* Was it made by a firmware? Then its optional data is no LoadOptions. */
bool autooption_is(const struct load_option *option);

#endif
