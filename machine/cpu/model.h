/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Which features a processor has, by model and host; private to machine/cpu and its tests. */
#ifndef PRIVET_MACHINE_CPU_MODEL_H
#define PRIVET_MACHINE_CPU_MODEL_H

#include "machine/cpu/form.h"

/* A bit for each feature that a processor of this model lacks on this host. */
uint64_t model_missing(const struct cpu_model *model);

/* The feature's name as the kernel has it; NULL for FEATURE_BASE. */
const char *model_feature_name(enum cpu_feature feature);

#endif
