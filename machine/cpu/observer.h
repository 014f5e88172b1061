/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What somebody outside may watch a processor do: the checker of SEV rules, the trace.
 *
 * Every callback sits on a slow path: a processor without observer tests one pointer there and
 * nothing anywhere else. Callbacks must not change the processor, except by cpu_kick and what
 * they return; memory may be read. A member that is NULL is not called. Linear addresses are as
 * translated; physical ones never contain the C-bit.
 */
#ifndef PRIVET_MACHINE_CPU_OBSERVER_H
#define PRIVET_MACHINE_CPU_OBSERVER_H

#include "machine/cpu/cpu.h"

/* One access of data to memory, as far as it stays in one page. */
struct cpu_access {
    uint64_t rip; /* linear address of the instruction; between instructions, of the next one */
    uint64_t linear;
    uint64_t gpa;    /* of the first byte */
    size_t size;     /* bytes; 0: translated only (a write probe, CLFLUSH): nothing is touched */
    memory_view view;
    unsigned page_shift; /* log2 of the translation's page size: 12, 21, 22 or 30 */
    unsigned pcid;       /* CR3[11:0] with CR4.PCIDE, else 0 */
    bool write;
    bool paged;      /* the view comes from a leaf's C-bit, not from a mode that forces it */
    bool global;     /* the leaf's G bit, where CR4.PGE honours it */
    bool memory;     /* false: no memory there, the I/O interface is asked */
};

/* How the translation that was just made may be kept. */
enum cpu_keep {
    CPU_KEEP,       /* as always: later accesses are not seen */
    CPU_KEEP_READ,  /* reads are not seen any more, the next write is */
    CPU_KEEP_NEVER, /* every access to the page is seen */
};

enum cpu_flush_kind {
    CPU_FLUSH_PAGE, /* INVLPG: `value` is the linear address, `pcid` the current context */
    /* MOV to CR3, task switch: `value` as written, with bit 63; `pcid` is the new context. */
    CPU_FLUSH_CR3,
    /* CR0, CR4 and EFER changes, reset, INVPCID of all contexts: global entries, too. */
    CPU_FLUSH_ALL,
    CPU_FLUSH_PCID_PAGE,   /* INVPCID 0: `value` is the linear address, `pcid` the context */
    CPU_FLUSH_PCID,        /* INVPCID 1: all of `pcid` but global entries */
    CPU_FLUSH_NOT_GLOBAL,  /* INVPCID 3: all but global entries, every PCID */
};

/* An access that the I/O interface answered. */
struct cpu_mmio {
    uint64_t rip, linear, gpa, value;
    unsigned size;
    bool write;
    bool encrypted;       /* through a leaf with C set */
    bool implicit;        /* by the processor itself: descriptor, TSS, IDT */
    bool repeated;        /* REP or REPNE string instruction */
    bool by_request;      /* by the hypervisor, whom a SEV-ES guest asked: `linear` is not known */
    const char *mnemonic; /* of the form table; NULL with implicit ones and requests */
};

/* An instruction of a SEV-ES guest that raises #VC instead of being carried out. */
struct cpu_intercepted {
    uint64_t rip;         /* linear */
    uint64_t offset;      /* in CS */
    unsigned length;      /* bytes */
    const char *mnemonic; /* of the form table */
    uint32_t exit;        /* enum sev_exit: the error code */
    bool stores;          /* a move to memory, which changes no register */
    bool loads;           /* a move from memory to a general register, and then: */
    bool extends_sign;
    uint8_t bytes;        /* read */
    uint8_t width;        /* of the register's part that is written: 1, 2, 4 or 8 bytes */
    uint8_t place;        /* its first byte: 8 times the number of the register, 1 more for AH to BH */
};

struct cpu_observer {
    void *context;

    /*
     * A data access missed the software TLB, or its page is not kept. Called before memory changes
     * the page's view, so that what the page held is still there to be looked at.
     */
    enum cpu_keep (*accessed)(void *context, struct cpu *cpu, const struct cpu_access *access);
    /* A fetch missed: `leaf` is the view that the leaf's C-bit would give to data. */
    void (*fetched)(void *context, struct cpu *cpu, uint64_t linear, uint64_t gpa,
                    memory_view leaf);
    /* The walk for `linear` is about to read a table entry of `size` bytes at `gpa`. */
    void (*walked)(void *context, struct cpu *cpu, uint64_t rip, uint64_t linear, uint64_t gpa,
                   unsigned size);
    /*
     * A store changed bytes of a page that memory_mark_watched named: called after it, `old` is
     * what was there (size at most 8). Stores of block operations come as pieces.
     */
    void (*stored)(void *context, struct cpu *cpu, uint64_t gpa, const void *old, unsigned size);

    void (*tlb_flushed)(void *context, struct cpu *cpu, enum cpu_flush_kind kind, uint64_t value,
                        unsigned pcid);
    /* CLFLUSH, CLFLUSHOPT, CLWB of the line at `gpa`, reached through `view`. */
    void (*line_flushed)(void *context, struct cpu *cpu, uint64_t gpa, memory_view view);
    /* WBINVD, WBNOINVD, INVD. */
    void (*caches_flushed)(void *context, struct cpu *cpu);

    /* IN and OUT, after them; INS and OUTS by their pieces. A SEV-ES guest's: by its requests. */
    void (*port)(void *context, struct cpu *cpu, uint64_t rip, unsigned port, unsigned size,
                 uint64_t value, bool write);
    void (*mmio)(void *context, struct cpu *cpu, const struct cpu_mmio *mmio);
    /* INS or OUTS, before the processor does it or refuses it. */
    void (*string_io)(void *context, struct cpu *cpu, uint64_t rip, unsigned port, unsigned size,
                      bool write);

    /* Before #VC is delivered: the registers are still the instruction's. */
    void (*intercepted)(void *context, struct cpu *cpu, const struct cpu_intercepted *what);
    /* IRET is done, but for RIP, which will be `offset`. */
    void (*returned)(void *context, struct cpu *cpu, uint64_t offset);
};

/* `observer` stays with the caller and must outlive the processor; NULL: nobody watches. */
void cpu_set_observer(struct cpu *cpu, const struct cpu_observer *observer);

/* Shows stores to this page one by one (`stored`) until memory_mark_watched ends it. */
void cpu_watch_stores(struct cpu *cpu, uint64_t gpa);

/*
 * For the hypervisor of a SEV-ES guest, in cpu_io.vmgexit, after a port or a device's memory was
 * accessed because the guest asked for it: tells the observer. cpu_caches_flushed is their sister.
 */
void cpu_observe_port(struct cpu *cpu, unsigned port, unsigned size, uint64_t value, bool write);
void cpu_observe_mmio(struct cpu *cpu, uint64_t gpa, unsigned size, uint64_t value, bool write);
/* And there: the linear address of the VMGEXIT. */
uint64_t cpu_vmgexit_rip(const struct cpu *cpu);

/* Forgets every translation, which is always allowed: the next access walks again. */
void cpu_forget_translations(struct cpu *cpu);

#endif
