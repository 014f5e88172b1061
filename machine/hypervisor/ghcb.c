/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * VMGEXIT: see ghcb.h. The page is read once into a struct request, checked, carried out by the row
 * of its exit code, and the answer written back. Every access to it is raw and goes through
 * memory_read and memory_write, which refuse what is no memory.
 */
#include "machine/hypervisor/ghcb.h"

#include <string.h>

#include "machine/cpu/observer.h"
#include "sev/bytes.h"
#include "sev/ghcb.h"

/* KVM's limit for a scratch area outside of the page, and thereby for what one exit can take. */
#define SCRATCH_LIMIT (16 * MEMORY_PAGE_SIZE)

#define SAVE_AREA_SIZE 0x400u

/* What KVM answers to a hypercall, as its user interface numbers it. */
#define HYPERCALL_UNKNOWN (-1000ll)
#define HYPERCALL_DENIED  (-1ll)

enum needs {
    NEEDS_RAX = 1 << 0,
    NEEDS_RCX = 1 << 1,
    NEEDS_RDX = 1 << 2,
    NEEDS_CPL = 1 << 3,
    NEEDS_XCR0 = 1 << 4,
    NEEDS_SCRATCH = 1 << 5,
};

/* What the page said, and what it will say. */
struct request {
    struct ghcb *ghcb;
    uint64_t page;
    unsigned has; /* of enum needs: the fields that are marked valid */
    uint64_t rax, rbx, rcx, rdx, cpl;
    uint64_t code, info1, info2, scratch;
    uint64_t scratch_read; /* so many bytes of it the hypervisor has read */
    uint64_t result1, result2;
};

/* The answer to a request that is malformed; 0: carried out. */
typedef unsigned handler(struct request *r);

/*
 * Raw, and only to what is RAM at this moment: a request may have changed what the address is (the
 * chip set's routes below 1 MiB), and memory_write would write the ROM.
 */
static void put(const struct ghcb *ghcb, uint64_t gpa, uint64_t value, unsigned size)
{
    struct memory *memory = ghcb->common->memory;
    uint8_t bytes[8];
    store_le64(bytes, value);
    if (memory_page_kind(memory, gpa) == MEMORY_RAM &&
        memory_page_kind(memory, gpa + size - 1) == MEMORY_RAM)
        memory_write(memory, gpa, bytes, size, MEMORY_RAW);
}

/* --- answers -------------------------------------------------------------------------------- */

static unsigned inject(struct request *r, uint64_t event)
{
    r->result1 = SEV_GHCB_INJECT;
    r->result2 = event;
    return 0;
}

/* As KVM does it, without the error code. */
static unsigned inject_gp(struct request *r)
{
    return inject(r, SEV_EVENT_EXCEPTION(13));
}

/* --- the instructions ----------------------------------------------------------------------- */

static unsigned on_cpuid(struct request *r)
{
    uint32_t ret[4];
    if ((uint32_t)r->rax == 0xD && !(r->has & NEEDS_XCR0))
        return SEV_GHCB_ERROR_MISSING_INPUT;
    cpu_cpuid(r->ghcb->cpu, (uint32_t)r->rax, (uint32_t)r->rcx, ret);
    r->rax = ret[0];
    r->rbx = ret[1];
    r->rcx = ret[2];
    r->rdx = ret[3];
    return 0;
}

static unsigned read_msr(struct request *r)
{
    uint64_t value = 0;
    if (cpu_msr_intercepted((uint32_t)r->rcx) &&
        !cpu_msr_read(r->ghcb->cpu, (uint32_t)r->rcx, &value))
        return inject_gp(r);
    r->rax = (uint32_t)value;
    r->rdx = value >> 32;
    return 0;
}

/* Of the registers that the processor keeps to itself, the hypervisor has none: nothing is done. */
static unsigned on_msr(struct request *r)
{
    if (!r->info1)
        return read_msr(r);
    if (~r->has & (NEEDS_RAX | NEEDS_RDX))
        return SEV_GHCB_ERROR_MISSING_INPUT;
    if (cpu_msr_intercepted((uint32_t)r->rcx) &&
        !cpu_msr_write(r->ghcb->cpu, (uint32_t)r->rcx, (uint32_t)r->rax | r->rdx << 32))
        return inject_gp(r);
    return 0;
}

#define MSR_TSC     0x10u
#define MSR_TSC_AUX 0xC0000103u

static unsigned on_rdtsc(struct request *r)
{
    uint64_t value = 0;
    cpu_msr_read(r->ghcb->cpu, MSR_TSC, &value);
    r->rax = (uint32_t)value;
    r->rdx = value >> 32;
    return 0;
}

static unsigned on_rdtscp(struct request *r)
{
    uint64_t value = 0;
    cpu_msr_read(r->ghcb->cpu, MSR_TSC_AUX, &value);
    r->rcx = (uint32_t)value;
    return on_rdtsc(r);
}

/* There is no performance counter. */
static unsigned on_rdpmc(struct request *r)
{
    return inject_gp(r);
}

static unsigned on_flush(struct request *r)
{
    cpu_caches_flushed(r->ghcb->cpu);
    return 0;
}

static unsigned on_dr7_read(struct request *r)
{
    r->rax = r->ghcb->dr7;
    return 0;
}

#define DR7_KNOWN 0xFFFF2BFFu
#define DR7_SET   0x400u

static unsigned on_dr7_write(struct request *r)
{
    if (r->rax >> 32)
        return inject_gp(r);
    r->ghcb->dr7 = (r->rax & DR7_KNOWN) | DR7_SET;
    return 0;
}

static unsigned on_vmmcall(struct request *r)
{
    r->rax = (uint64_t)(r->cpl ? HYPERCALL_DENIED : HYPERCALL_UNKNOWN);
    return 0;
}

/* MONITOR and MWAIT: the guest goes on at once, which MWAIT allows. */
static unsigned on_nothing(struct request *r)
{
    (void)r;
    return 0;
}

/* --- the scratch area ------------------------------------------------------------------------ */

/* Inside the page it must be the shared buffer; outside, any memory that holds all of it. */
static bool scratch_holds(const struct request *r, uint64_t size)
{
    uint64_t start = r->page + SEV_GHCB_BUFFER, end = r->scratch + size;
    if (!r->scratch || end < r->scratch)
        return false;
    if ((r->scratch & ~(uint64_t)(SEV_GHCB_SIZE - 1)) == r->page)
        return r->scratch >= start && end <= start + SEV_GHCB_BUFFER_SIZE;
    if (size > SCRATCH_LIMIT)
        return false;
    for (uint64_t gpa = r->scratch; gpa < end; gpa = (gpa | (SEV_GHCB_SIZE - 1)) + 1) {
        if (memory_page_kind(r->ghcb->common->memory, gpa) != MEMORY_RAM)
            return false;
    }
    return true;
}

static uint64_t scratch_read(struct request *r, uint64_t offset, unsigned size)
{
    uint8_t bytes[8] = { 0 };
    r->scratch_read = offset + size;
    memory_read(r->ghcb->common->memory, r->scratch + offset, bytes, size, MEMORY_RAW);
    return load_le64(bytes);
}

/* --- ports ----------------------------------------------------------------------------------- */

static uint32_t port_read(const struct request *r, uint16_t port, unsigned size)
{
    const struct cpu_io *io = r->ghcb->io;
    uint32_t value = io->port_read(io->context, port, size);
    cpu_observe_port(r->ghcb->cpu, port, size, value, false);
    return value;
}

static void port_write(const struct request *r, uint16_t port, unsigned size, uint64_t value)
{
    const struct cpu_io *io = r->ghcb->io;
    io->port_write(io->context, port, (uint32_t)value, size);
    cpu_observe_port(r->ghcb->cpu, port, size, value, true);
}

static unsigned string_io(struct request *r, uint16_t port, unsigned size)
{
    uint64_t bytes;
    if (__builtin_mul_overflow(r->info2, (uint64_t)size, &bytes) || !scratch_holds(r, bytes))
        return SEV_GHCB_ERROR_SCRATCH;
    for (uint64_t at = 0; at < bytes; at += size) {
        if (r->info1 & SEV_IOIO_IN)
            put(r->ghcb, r->scratch + at, port_read(r, port, size), size);
        else
            port_write(r, port, size, scratch_read(r, at, size));
    }
    return 0;
}

static unsigned ioio_needs(uint64_t info1)
{
    if (info1 & SEV_IOIO_STRING)
        return NEEDS_SCRATCH;
    return info1 & SEV_IOIO_IN ? 0 : NEEDS_RAX;
}

static unsigned on_ioio(struct request *r)
{
    uint16_t port = (uint16_t)(r->info1 >> 16);
    unsigned size = r->info1 >> 4 & 7;
    uint64_t mask = (1ull << 8 * size) - 1;
    if (ioio_needs(r->info1) & ~r->has)
        return SEV_GHCB_ERROR_MISSING_INPUT;
    if (size != 1 && size != 2 && size != 4)
        return SEV_GHCB_ERROR_INPUT;
    if (r->info1 & SEV_IOIO_STRING)
        return string_io(r, port, size);
    if (r->info1 & SEV_IOIO_IN) {
        uint64_t kept = size == 4 ? 0 : r->rax & ~mask;
        r->rax = kept | (port_read(r, port, size) & mask);
        return 0;
    }
    port_write(r, port, size, r->rax & mask);
    return 0;
}

/* --- devices' memory -------------------------------------------------------------------------- */

/* What follows from `gpa` and is one access: no device sees one across its natural boundary. */
static unsigned piece(uint64_t gpa, uint64_t left)
{
    unsigned size = 8;
    while (size > left || gpa & (size - 1))
        size /= 2;
    return size;
}

/* What the address is, the host finds as it is: RAM as DRAM holds it, and flash. */
static uint64_t mmio_read(const struct request *r, uint64_t gpa, unsigned size)
{
    const struct ghcb *ghcb = r->ghcb;
    uint8_t bytes[8] = { 0 };
    /* Flash in command mode is no memory, although what it holds can be read. */
    if (memory_page_kind(ghcb->common->memory, gpa) != MEMORY_NONE &&
        memory_read(ghcb->common->memory, gpa, bytes, size, MEMORY_RAW) == 0)
        return load_le64(bytes);
    uint64_t value = ghcb->io->mmio_read(ghcb->io->context, gpa, size);
    cpu_observe_mmio(ghcb->cpu, gpa, size, value, false);
    return value;
}

static void mmio_write(const struct request *r, uint64_t gpa, unsigned size, uint64_t value)
{
    const struct ghcb *ghcb = r->ghcb;
    if (memory_page_kind(ghcb->common->memory, gpa) == MEMORY_RAM) {
        put(ghcb, gpa, value, size);
        return;
    }
    ghcb->io->mmio_write(ghcb->io->context, gpa, value, size);
    cpu_observe_mmio(ghcb->cpu, gpa, size, value, true);
}

static unsigned mmio(struct request *r, bool write)
{
    if (!scratch_holds(r, r->info2))
        return SEV_GHCB_ERROR_SCRATCH;
    for (uint64_t at = 0; at < r->info2;) {
        unsigned size = piece(r->info1 + at, r->info2 - at);
        if (write)
            mmio_write(r, r->info1 + at, size, scratch_read(r, at, size));
        else
            put(r->ghcb, r->scratch + at, mmio_read(r, r->info1 + at, size), size);
        at += size;
    }
    return 0;
}

static unsigned on_mmio_read(struct request *r)
{
    return mmio(r, false);
}

static unsigned on_mmio_write(struct request *r)
{
    return mmio(r, true);
}

/* --- processors ------------------------------------------------------------------------------- */

static unsigned on_nmi_complete(struct request *r)
{
    cpu_nmi_complete(r->ghcb->cpu);
    return 0;
}

static void hold(struct ghcb *ghcb, enum ghcb_hold how, uint64_t page)
{
    ghcb->hold = how;
    ghcb->hold_page = page;
    ghcb->held_at = cpu_instructions(ghcb->cpu);
    cpu_set_halted(ghcb->cpu, true);
}

static unsigned on_ap_reset_hold(struct request *r)
{
    hold(r->ghcb, GHCB_HOLD_BY_PAGE, r->page);
    return 0;
}

static unsigned on_ap_jump_table(struct request *r)
{
    if (r->info1 > 1)
        return SEV_GHCB_ERROR_INPUT;
    if (r->info1)
        r->result2 = r->ghcb->common->jump_table;
    else
        r->ghcb->common->jump_table = r->info2;
    return 0;
}

static unsigned on_hypervisor_features(struct request *r)
{
    r->result2 = 0; /* all there are belong to SEV-SNP: GHCB 4.1.11 */
    return 0;
}

static void end(struct ghcb *ghcb, enum ghcb_end how, uint64_t set, uint64_t reason)
{
    const struct ghcb_host *host = &ghcb->common->host;
    cpu_set_halted(ghcb->cpu, true);
    host->ended(host->context, ghcb->processor, how, set, reason);
}

static unsigned on_terminate(struct request *r)
{
    end(r->ghcb, GHCB_END_TERMINATE, r->info1 & 0xF, r->info2 & 0xFF);
    return 0;
}

static unsigned on_unsupported(struct request *r)
{
    end(r->ghcb, GHCB_END_UNSUPPORTED, 0, r->info1);
    return 0;
}

/* --- the page --------------------------------------------------------------------------------- */

static const struct exit_row {
    uint32_t code;
    unsigned needs;
    handler *handle;
    const char *name;
} exits[] = {
    { SEV_EXIT_DR7_READ, 0, on_dr7_read, "dr7-read" },
    { SEV_EXIT_DR7_WRITE, NEEDS_RAX, on_dr7_write, "dr7-write" },
    { SEV_EXIT_RDTSC, 0, on_rdtsc, "rdtsc" },
    { SEV_EXIT_RDPMC, NEEDS_RCX, on_rdpmc, "rdpmc" },
    { SEV_EXIT_CPUID, NEEDS_RAX | NEEDS_RCX, on_cpuid, "cpuid" },
    { SEV_EXIT_INVD, 0, on_flush, "invd" },
    { SEV_EXIT_IOIO, 0, on_ioio, "ioio" },
    { SEV_EXIT_MSR, NEEDS_RCX, on_msr, "msr" },
    { SEV_EXIT_VMMCALL, NEEDS_RAX | NEEDS_CPL, on_vmmcall, "vmmcall" },
    { SEV_EXIT_RDTSCP, 0, on_rdtscp, "rdtscp" },
    { SEV_EXIT_WBINVD, 0, on_flush, "wbinvd" },
    { SEV_EXIT_MONITOR, NEEDS_RAX | NEEDS_RCX | NEEDS_RDX, on_nothing, "monitor" },
    { SEV_EXIT_MWAIT, NEEDS_RAX | NEEDS_RCX, on_nothing, "mwait" },
    { SEV_EXIT_MMIO_READ, NEEDS_SCRATCH, on_mmio_read, "mmio-read" },
    { SEV_EXIT_MMIO_WRITE, NEEDS_SCRATCH, on_mmio_write, "mmio-write" },
    { SEV_EXIT_NMI_COMPLETE, 0, on_nmi_complete, "nmi-complete" },
    { SEV_EXIT_AP_RESET_HOLD, 0, on_ap_reset_hold, "ap-reset-hold" },
    { SEV_EXIT_AP_JUMP_TABLE, 0, on_ap_jump_table, "ap-jump-table" },
    { SEV_EXIT_HYPERVISOR_FEATURES, 0, on_hypervisor_features, "hypervisor-features" },
    { SEV_EXIT_TERMINATE, 0, on_terminate, "terminate" },
    { SEV_EXIT_UNSUPPORTED, 0, on_unsupported, "unsupported" },
};

static const struct exit_row *find_exit(uint64_t code)
{
    for (size_t k = 0; k < sizeof(exits) / sizeof(exits[0]); k++) {
        if (exits[k].code == code)
            return &exits[k];
    }
    return NULL;
}

static bool is_valid(const uint8_t *page, unsigned field)
{
    unsigned bit = field / 8;
    return page[SEV_GHCB_VALID + bit / 8] >> bit % 8 & 1;
}

/* A register that is not marked valid counts as 0. */
static uint64_t take(struct request *r, const uint8_t *page, unsigned field, enum needs bit)
{
    if (!is_valid(page, field))
        return 0;
    r->has |= bit;
    return field == SEV_GHCB_CPL ? page[field] : load_le64(page + field);
}

static void read_request(struct request *r, const uint8_t *page)
{
    r->rax = take(r, page, SEV_GHCB_RAX, NEEDS_RAX);
    r->rbx = take(r, page, SEV_GHCB_RBX, (enum needs)0);
    r->rcx = take(r, page, SEV_GHCB_RCX, NEEDS_RCX);
    r->rdx = take(r, page, SEV_GHCB_RDX, NEEDS_RDX);
    r->cpl = take(r, page, SEV_GHCB_CPL, NEEDS_CPL);
    r->scratch = take(r, page, SEV_GHCB_SCRATCH, NEEDS_SCRATCH);
    take(r, page, SEV_GHCB_XCR0, NEEDS_XCR0);
    r->code = load_le64(page + SEV_GHCB_EXIT_CODE);
    r->info1 = load_le64(page + SEV_GHCB_EXIT_INFO_1);
    r->info2 = load_le64(page + SEV_GHCB_EXIT_INFO_2);
}

/* In KVM's order. */
static unsigned carry_out(struct request *r, const struct exit_row *row, const uint8_t *page,
                          uint32_t usage)
{
    if (usage)
        return SEV_GHCB_ERROR_USAGE;
    if (!is_valid(page, SEV_GHCB_EXIT_CODE) || !is_valid(page, SEV_GHCB_EXIT_INFO_1) ||
        !is_valid(page, SEV_GHCB_EXIT_INFO_2))
        return SEV_GHCB_ERROR_MISSING_INPUT;
    if (!row)
        return SEV_GHCB_ERROR_EVENT;
    if (row->needs & ~r->has)
        return SEV_GHCB_ERROR_MISSING_INPUT;
    return row->handle(r);
}

/* KVM gives back RAX to RDX whatever the exit was. */
static void write_answer(const struct request *r)
{
    static const uint16_t fields[] = { SEV_GHCB_RAX, SEV_GHCB_RCX, SEV_GHCB_RDX, SEV_GHCB_RBX,
                                       SEV_GHCB_EXIT_INFO_1, SEV_GHCB_EXIT_INFO_2 };
    const uint64_t values[] = { r->rax, r->rcx, r->rdx, r->rbx, r->result1, r->result2 };
    uint64_t valid[2] = { 0 };
    for (size_t k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
        put(r->ghcb, r->page + fields[k], values[k], 8);
        valid[fields[k] / 512] |= 1ull << fields[k] / 8 % 64;
    }
    put(r->ghcb, r->page + SEV_GHCB_VALID, valid[0], 8);
    put(r->ghcb, r->page + SEV_GHCB_VALID + 8, valid[1], 8);
}

static void tell(const struct ghcb *ghcb, struct ghcb_told *told)
{
    const struct ghcb_host *host = &ghcb->common->host;
    told->rip = cpu_vmgexit_rip(ghcb->cpu);
    if (host->told)
        host->told(host->context, ghcb->processor, told);
}

static void page_exit(struct ghcb *ghcb, uint64_t gpa)
{
    struct memory *memory = ghcb->common->memory;
    struct request r = { .ghcb = ghcb, .page = gpa };
    uint8_t page[SAVE_AREA_SIZE], usage[4];
    struct ghcb_told told = { .page = gpa };
    /* KVM lets a guest without a page go on as if nothing had been; 0 is none, either. */
    if (!gpa || memory_page_kind(memory, gpa) != MEMORY_RAM) {
        tell(ghcb, &told);
        return;
    }
    told.in_memory = true;
    told.page_private = memory_current_view(memory, gpa) != MEMORY_RAW;
    memory_read(memory, gpa, page, sizeof(page), MEMORY_RAW);
    memory_read(memory, gpa + SEV_GHCB_USAGE, usage, sizeof(usage), MEMORY_RAW);
    read_request(&r, page);
    told.rax = r.rax;
    told.rcx = r.rcx;
    const struct exit_row *row = find_exit(r.code);
    unsigned error = carry_out(&r, row, page, load_le32(usage));
    if (error) {
        r.result1 = SEV_GHCB_MALFORMED;
        r.result2 = error;
    }
    write_answer(&r);
    told.name = row ? row->name : NULL;
    told.of_registers = row && row->needs & NEEDS_RCX;
    told.code = r.code;
    told.info1 = r.info1;
    told.info2 = r.info2;
    told.result1 = r.result1;
    told.result2 = r.result2;
    told.scratch = r.scratch;
    told.scratch_read = r.scratch_read;
    tell(ghcb, &told);
}

/* --- the MSR ---------------------------------------------------------------------------------- */

typedef uint64_t msr_handler(struct ghcb *ghcb, uint64_t msr);

uint64_t ghcb_sev_info(const struct ghcb *ghcb)
{
    return SEV_GHCB_MSR_SEV_INFO | (uint64_t)ghcb->common->c_bit << 24 |
           (uint64_t)SEV_GHCB_VERSION_MIN << 32 | (uint64_t)SEV_GHCB_VERSION_MAX << 48;
}

static uint64_t msr_sev_info(struct ghcb *ghcb, uint64_t msr)
{
    (void)msr;
    return ghcb_sev_info(ghcb);
}

static uint64_t msr_cpuid(struct ghcb *ghcb, uint64_t msr)
{
    uint32_t ret[4];
    cpu_cpuid(ghcb->cpu, (uint32_t)(msr >> 32), 0, ret);
    return SEV_GHCB_MSR_CPUID | (msr & 0xFFFFF000u) | (uint64_t)ret[msr >> 30 & 3] << 32;
}

/* The answer says that no startup came, until one does. */
static uint64_t msr_ap_hold(struct ghcb *ghcb, uint64_t msr)
{
    (void)msr;
    hold(ghcb, GHCB_HOLD_BY_MSR, 0);
    return SEV_GHCB_MSR_AP_HOLD;
}

static uint64_t msr_features(struct ghcb *ghcb, uint64_t msr)
{
    (void)ghcb;
    (void)msr;
    return SEV_GHCB_MSR_FEATURES;
}

static uint64_t msr_terminate(struct ghcb *ghcb, uint64_t msr)
{
    end(ghcb, GHCB_END_TERMINATE, msr >> 12 & 0xF, msr >> 16 & 0xFF);
    return msr;
}

/* KVM ends a guest that asks for this and has no SEV-SNP. */
static uint64_t msr_of_snp(struct ghcb *ghcb, uint64_t msr)
{
    end(ghcb, GHCB_END_UNSUPPORTED, 1, msr & SEV_GHCB_MSR_INFO);
    return msr;
}

static const struct {
    uint32_t info;
    msr_handler *handle;
    const char *name;
} msr_requests[] = {
    { SEV_GHCB_MSR_SEV_INFO_ASK, msr_sev_info, "sev-info" },
    { SEV_GHCB_MSR_CPUID_ASK, msr_cpuid, "cpuid" },
    { SEV_GHCB_MSR_AP_HOLD_ASK, msr_ap_hold, "ap-reset-hold" },
    { SEV_GHCB_MSR_PAGE_ASK, msr_of_snp, "preferred-page" },
    { SEV_GHCB_MSR_REGISTER_ASK, msr_of_snp, "register-page" },
    { SEV_GHCB_MSR_STATE_ASK, msr_of_snp, "page-state" },
    { SEV_GHCB_MSR_FEATURES_ASK, msr_features, "hypervisor-features" },
    { SEV_GHCB_MSR_TERMINATE, msr_terminate, "terminate" },
};

/* What is not known leaves the value as it was. */
static uint64_t msr_exit(struct ghcb *ghcb, uint64_t msr)
{
    struct ghcb_told told = { .by_msr = true, .in_memory = true, .code = msr & SEV_GHCB_MSR_INFO,
                              .info1 = msr, .result1 = msr };
    for (size_t k = 0; k < sizeof(msr_requests) / sizeof(msr_requests[0]); k++) {
        if (msr_requests[k].info != told.code)
            continue;
        told.name = msr_requests[k].name;
        told.result1 = msr_requests[k].handle(ghcb, msr);
    }
    tell(ghcb, &told);
    return told.result1;
}

/* --- the processor's door --------------------------------------------------------------------- */

void ghcb_init(struct ghcb *ghcb, struct ghcb_common *common, unsigned processor, struct cpu *cpu,
               const struct cpu_io *io)
{
    *ghcb = (struct ghcb){ .common = common, .cpu = cpu, .io = io, .processor = processor,
                           .dr7 = DR7_SET };
}

uint64_t ghcb_exit(struct ghcb *ghcb, uint64_t msr)
{
    ghcb->hold = GHCB_HOLD_NONE;
    if (msr & SEV_GHCB_MSR_INFO)
        return msr_exit(ghcb, msr);
    page_exit(ghcb, msr);
    return msr;
}

/* It has executed the VMGEXIT since, and nothing else. */
static bool is_held(const struct ghcb *ghcb, enum ghcb_hold how)
{
    return ghcb->hold == how && cpu_instructions(ghcb->cpu) - ghcb->held_at <= 1;
}

void ghcb_start(struct ghcb *ghcb)
{
    if (is_held(ghcb, GHCB_HOLD_BY_PAGE))
        put(ghcb, ghcb->hold_page + SEV_GHCB_EXIT_INFO_2, 1, 8);
    else if (is_held(ghcb, GHCB_HOLD_BY_MSR))
        cpu_msr_write(ghcb->cpu, SEV_MSR_GHCB, SEV_GHCB_MSR_AP_HOLD | 1u << 12);
    ghcb->hold = GHCB_HOLD_NONE;
    cpu_set_halted(ghcb->cpu, false);
}
