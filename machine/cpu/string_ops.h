/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* String operations by element size; private to machine/cpu. */
#ifndef PRIVET_MACHINE_CPU_STRING_OPS_H
#define PRIVET_MACHINE_CPU_STRING_OPS_H

#include "machine/cpu/insn.h"

operation op_movs_8, op_movs_16, op_movs_32, op_movs_64;
operation op_stos_8, op_stos_16, op_stos_32, op_stos_64;
operation op_lods_8, op_lods_16, op_lods_32, op_lods_64;
operation op_cmps_8, op_cmps_16, op_cmps_32, op_cmps_64;
operation op_scas_8, op_scas_16, op_scas_32, op_scas_64;

#endif
