/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The rules as callbacks of cpu/observer.h and of the bus; private to the checker. */
#ifndef PRIVET_MACHINE_CHECKER_RULES_H
#define PRIVET_MACHINE_CHECKER_RULES_H

#include "machine/hypervisor/checker.h"

/* checker_memory.c: DMA_PRIVATE, CIPHERTEXT_READ, CACHE_STALE, SHARED_CODE. */
enum cpu_keep rule_accessed(void *context, struct cpu *cpu, const struct cpu_access *access);
void rule_fetched(void *context, struct cpu *cpu, uint64_t linear, uint64_t gpa, memory_view leaf);
void rule_walked(void *context, struct cpu *cpu, uint64_t rip, uint64_t linear, uint64_t gpa,
                 unsigned size);
void rule_line_flushed(void *context, struct cpu *cpu, uint64_t gpa, memory_view view);
void rule_caches_flushed(void *context, struct cpu *cpu);
/* `context` is the checker. */
void rule_dma(void *context, const char *device, int queue, uint64_t gpa, size_t length,
              bool write);

/* checker_tlb.c: TLB_STALE. A table that a walk uses is watched from then on. */
void rule_tlb_flushed(void *context, struct cpu *cpu, enum cpu_flush_kind kind, uint64_t value,
                      unsigned pcid);
void rule_stored(void *context, struct cpu *cpu, uint64_t gpa, const void *old, unsigned size);
void checker_tlb_use(struct checker_cpu *watch, const struct cpu_access *access);
void checker_watch_table(struct checker *checker, uint64_t gpa);

/* checker_secret.c: SECRET_LEAK. */
void checker_secret_start(struct checker *checker); /* after the launch */
/* A device reads [gpa, gpa + length) of one page; `how` says so, `place` tells devices apart. */
void checker_secret_dma(struct checker *checker, const char *how, uint64_t place, uint64_t gpa,
                        size_t length);
/* A page is about to be used as private. */
void checker_secret_page(struct checker *checker, const struct checker_at *at, uint64_t gpa);
void checker_secret_mmio(struct checker_cpu *watch, const struct cpu_mmio *mmio);
void checker_secret_end(struct checker *checker);
void rule_port(void *context, struct cpu *cpu, uint64_t rip, unsigned port, unsigned size,
               uint64_t value, bool write);

/* checker_exit.c: SHARED_AT_EXIT. `instructions` of all processors. */
void checker_exit_reset(struct checker *checker);
void checker_exit_look(struct checker *checker, uint64_t instructions);

/* checker_emulation.c: MMIO_ENCRYPTED, EMULATION, GHCB_PRIVATE. */
void rule_mmio(void *context, struct cpu *cpu, const struct cpu_mmio *mmio);
void rule_string_io(void *context, struct cpu *cpu, uint64_t rip, unsigned port, unsigned size,
                    bool write);

/* checker_vc.c: VC_REGISTERS. */
void rule_intercepted(void *context, struct cpu *cpu, const struct cpu_intercepted *what);
void rule_returned(void *context, struct cpu *cpu, uint64_t offset);
/* The hypervisor read a device's memory for the guest. */
void checker_vc_mmio(struct checker_cpu *watch, const struct cpu_mmio *mmio);

#endif
