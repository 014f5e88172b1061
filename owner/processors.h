/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Finds the processors whose pages give a reported measurement; private to owner. */
#ifndef PRIVET_OWNER_PROCESSORS_H
#define PRIVET_OWNER_PROCESSORS_H

#include <stddef.h>

#include "owner/mismatch.h"

/*
 * Tries each stepping of the models near the expected one and of AMD's server processors, on either
 * kind of host, with all else as expected. True: `phrase` says how they differ. Only for pages that
 * were built, as QEMU has them: other VMMs' do not tell the model.
 */
bool processors_find(const struct owner_claim *claim, const struct sev_kernel_hashes *hashes,
                     char *phrase, size_t size);

#endif
