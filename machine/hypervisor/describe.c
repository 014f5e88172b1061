/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A guest's state as lines of text. */
#include "machine/hypervisor/describe.h"

#include <inttypes.h>
#include <string.h>

#include "sev/command.h"
#include "sev/session.h"
#include "sev/status.h"

const char *describe_view(memory_view view, char text[32])
{
    if (view == MEMORY_RAW)
        snprintf(text, 32, "raw");
    else
        snprintf(text, 32, "ASID %u (private)", view);
    return text;
}

const char *describe_vmgexit(const struct ghcb_told *told, char text[DESCRIBE_VMGEXIT_SIZE])
{
    char code[24], registers[48] = "";
    snprintf(code, sizeof(code), "%" PRIx64, told->code);
    if (told->of_registers)
        snprintf(registers, sizeof(registers), " rax %" PRIx64 " rcx %" PRIx64, told->rax, told->rcx);
    const char *name = told->name ? told->name : code;
    if (told->by_msr)
        snprintf(text, DESCRIBE_VMGEXIT_SIZE, "msr %s value %" PRIx64 " answer %" PRIx64, name,
                 told->info1, told->result1);
    else if (!told->in_memory && !told->page)
        snprintf(text, DESCRIBE_VMGEXIT_SIZE, "without a page: the GHCB MSR is 0");
    else if (!told->in_memory)
        snprintf(text, DESCRIBE_VMGEXIT_SIZE, "page %010" PRIx64 " is no memory", told->page);
    else
        snprintf(text, DESCRIBE_VMGEXIT_SIZE,
                 "%s%s info %" PRIx64 " %" PRIx64 " answer %" PRIx64 " %" PRIx64 "%s", name,
                 registers, told->info1, told->info2, told->result1, told->result2,
                 told->page_private ? " private page" : "");
    return text;
}

static void describe_segments(FILE *out, const struct cpu_registers *r)
{
    static const char names[][3] = { "ES", "CS", "SS", "DS", "FS", "GS" };
    for (unsigned n = 0; n < CPU_SEGMENTS; n++)
        fprintf(out, "%s  %04x base %016" PRIx64 " limit %08x attributes %03x\n", names[n],
                r->seg[n].selector, r->seg[n].base, r->seg[n].limit, r->seg[n].attributes);
    fprintf(out, "LDT %04x base %016" PRIx64 " limit %08x attributes %03x\n", r->ldtr.selector,
            r->ldtr.base, r->ldtr.limit, r->ldtr.attributes);
    fprintf(out, "TR  %04x base %016" PRIx64 " limit %08x attributes %03x\n", r->tr.selector,
            r->tr.base, r->tr.limit, r->tr.attributes);
    fprintf(out, "GDT base %016" PRIx64 " limit %04x  IDT base %016" PRIx64 " limit %04x\n",
            r->gdt_base, r->gdt_limit, r->idt_base, r->idt_limit);
}

static void describe_general(FILE *out, const struct cpu_registers *r)
{
    static const char names[16][4] = { "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
                                       "R8",  "R9",  "R10", "R11", "R12", "R13", "R14", "R15" };
    for (unsigned n = 0; n < 16; n++)
        fprintf(out, "%-3s %016" PRIx64 "%s", names[n], r->gpr[n], n % 4 == 3 ? "\n" : " ");
    fprintf(out, "RIP %016" PRIx64 " linear %016" PRIx64 " RFLAGS %08" PRIx64
            " CPL %u %u-bit code%s\n", r->rip, r->linear_rip, r->rflags, r->cpl, r->code_bits,
            r->halted ? " halted" : "");
    fprintf(out, "CR0 %08" PRIx64 " CR2 %016" PRIx64 " CR3 %016" PRIx64 " CR4 %08" PRIx64
            " CR8 %" PRIx64 "\n", r->cr0, r->cr2, r->cr3, r->cr4, r->cr8);
}

void describe_general_registers(FILE *out, struct cpu *cpu)
{
    struct cpu_registers r;
    cpu_get_registers(cpu, &r);
    describe_general(out, &r);
}

void describe_registers(FILE *out, struct cpu *cpu)
{
    struct cpu_registers r;
    cpu_get_registers(cpu, &r);
    describe_general(out, &r);
    describe_segments(out, &r);
    fprintf(out, "DR0 %016" PRIx64 " DR1 %016" PRIx64 " DR2 %016" PRIx64 " DR3 %016" PRIx64 "\n",
            r.dr[0], r.dr[1], r.dr[2], r.dr[3]);
    fprintf(out, "DR6 %08" PRIx64 " DR7 %08" PRIx64 " EFER %04" PRIx64 " XCR0 %" PRIx64
            " PAT %016" PRIx64 "\n", r.dr[6], r.dr[7], r.efer, r.xcr0, r.pat);
    fprintf(out, "STAR %016" PRIx64 " LSTAR %016" PRIx64 " CSTAR %016" PRIx64 " SFMASK %08" PRIx64
            "\n", r.star, r.lstar, r.cstar, r.sfmask);
    fprintf(out, "KERNEL_GS_BASE %016" PRIx64 " TSC_AUX %08" PRIx64 " SYSENTER %04" PRIx64
            ":%016" PRIx64 " ESP %016" PRIx64 "\n", r.kernel_gs_base, r.tsc_aux, r.sysenter_cs,
            r.sysenter_eip, r.sysenter_esp);
}

static const char *stored_as(struct guest *guest, uint64_t gpa, char text[32])
{
    if (memory_page_kind(guest->memory, gpa) == MEMORY_NONE)
        return "no memory";
    return describe_view(memory_current_view(guest->memory, gpa), text);
}

static void describe_entry(FILE *out, struct guest *guest, struct cpu *cpu,
                           const struct cpu_walk_level *level)
{
    uint64_t v = level->value;
    char view[32];
    if (!level->memory) {
        fprintf(out, "  %-5s at %010" PRIx64 ": no memory there\n", level->name, level->gpa);
        return;
    }
    fprintf(out, "  %-5s at %010" PRIx64 ": %016" PRIx64, level->name, level->gpa, v);
    if (v & 1)
        fprintf(out, " P%s%s%s%s%s%s%s", v & 2 ? " W" : "", v & 4 ? " U" : "",
                v & 0x20 ? " A" : "", v & 0x40 ? " D" : "", v & 0x80 ? " PS" : "",
                v & 0x100 ? " G" : "", v >> 63 ? " NX" : "");
    else
        fprintf(out, " not present");
    if (cpu_c_mask(cpu) && v & 1)
        fprintf(out, " C=%d", !!(v & cpu_c_mask(cpu)));
    fprintf(out, "; table page is stored as %s\n", stored_as(guest, level->gpa, view));
}

void describe_walk(FILE *out, struct guest *guest, struct cpu *cpu, uint64_t linear)
{
    struct cpu_walk walk;
    struct cpu_registers r;
    char view[32], stored[32];
    cpu_walk(cpu, linear, &walk);
    cpu_get_registers(cpu, &r);
    fprintf(out, "linear %016" PRIx64 ", CR3 %016" PRIx64 "%s\n", linear, r.cr3,
            walk.paging ? "" : ", paging is off");
    for (unsigned k = 0; k < walk.levels; k++)
        describe_entry(out, guest, cpu, &walk.level[k]);
    if (!walk.mapped) {
        fprintf(out, "  not mapped%s\n", walk.reserved ? ": a reserved bit is set" : "");
        return;
    }
    fprintf(out, "  physical %010" PRIx64 ", page of %u KiB, %s%s%s; data accesses are %s\n",
            walk.gpa, 1u << (walk.page_shift - 10), walk.user ? "user" : "supervisor",
            walk.writable ? ", writable" : "", walk.no_execute ? ", no execution" : "",
            describe_view(walk.view, view));
    fprintf(out, "  the page is stored as %s\n", stored_as(guest, walk.gpa, stored));
}

void describe_page(FILE *out, struct guest *guest, uint64_t gpa)
{
    static const char *const kinds[] = { [MEMORY_NONE] = "no memory (a device, or nothing)",
                                         [MEMORY_RAM] = "RAM", [MEMORY_ROM] = "ROM" };
    enum memory_kind kind = memory_page_kind(guest->memory, gpa);
    struct memory_statistics statistics;
    char view[32];
    fprintf(out, "page %010" PRIx64 ": %s\n", gpa & ~(uint64_t)(MEMORY_PAGE_SIZE - 1),
            kinds[kind]);
    if (kind != MEMORY_NONE)
        fprintf(out, "  stored as %s, %s%s\n",
                describe_view(memory_current_view(guest->memory, gpa), view),
                memory_touched(guest->memory, gpa) ? "was used" : "was never used",
                memory_has_code(guest->memory, gpa) ? ", holds decoded code" : "");
    memory_get_statistics(guest->memory, &statistics);
    fprintf(out, "  of all pages: %" PRIu64 " private, %" PRIu64 " shared, %" PRIu64
            " changes of view, %" PRIu64 " bytes through the engine\n", statistics.private_pages,
            statistics.shared_pages, statistics.conversions, statistics.encrypted_bytes);
}

struct tlb_listing {
    FILE *out;
    struct guest *guest;
    const uint64_t *linear;
    unsigned count;
};

static void describe_tlb_line(void *context, const struct cpu_tlb_line *line)
{
    struct tlb_listing *listing = context;
    char view[32];
    if (listing->linear && (line->linear ^ *listing->linear) >> 12)
        return;
    listing->count++;
    fprintf(listing->out, "%-13s %016" PRIx64 " -> %010" PRIx64 " %c%c%s %s%s\n", line->bank,
            line->linear, line->gpa, line->read ? 'r' : 'x', line->write ? 'w' : '-',
            line->page_shift == 12 ? " 4K" : line->page_shift == 30 ? " 1G" : " 2M",
            line->device ? "device" : stored_as(listing->guest, line->gpa, view),
            line->watched ? ", code" : "");
}

void describe_tlb(FILE *out, struct guest *guest, struct cpu *cpu, const uint64_t *linear)
{
    struct tlb_listing listing = { out, guest, linear, 0 };
    cpu_tlb_visit(cpu, describe_tlb_line, &listing);
    fprintf(out, "%u entries\n", listing.count);
}

void describe_chip(FILE *out, struct guest *guest)
{
    static const char *const platform_states[] = { "UNINIT", "INIT", "WORKING" };
    static const char *const guest_states[] = { "UNINIT", "LUPDATE", "LSECRET", "RUNNING",
                                                "SUPDATE", "RUPDATE", "SENT" };
    struct sev_platform_status platform = { 0 };
    struct sev_guest_status status = { .handle = guest->handle };
    if (!guest->chip) {
        fprintf(out, "no chip: the guest runs without SEV\n");
        return;
    }
    uint16_t code = chip_command(guest->chip, SEV_PLATFORM_STATUS, &platform);
    if (code != SEV_SUCCESS)
        fprintf(out, "PLATFORM_STATUS: %s\n", sev_status_name(code));
    else
        fprintf(out, "%s, API %u.%u build %u, state %s, %u guests, owner %s\n",
                chip_model(guest->chip), platform.api_major, platform.api_minor, platform.build,
                platform.state < 3 ? platform_states[platform.state] : "?", platform.guest_count,
                platform.owner & 1 ? "external" : "self");
    code = chip_command(guest->chip, SEV_GUEST_STATUS, &status);
    if (code != SEV_SUCCESS)
        fprintf(out, "GUEST_STATUS: %s\n", sev_status_name(code));
    else
        fprintf(out, "guest handle %u, policy 0x%x (debugging %s), ASID %u, state %s\n",
                status.handle, status.policy,
                status.policy & SEV_POLICY_NODBG ? "forbidden" : "allowed", status.asid,
                status.state < 7 ? guest_states[status.state] : "?");
}

void describe_processors(FILE *out, struct guest *guest)
{
    struct cpu_registers r;
    for (unsigned n = 0; n < guest->cpu_count; n++) {
        cpu_get_registers(guest->cpus[n], &r);
        fprintf(out, "%c%u: RIP %04x:%016" PRIx64 " CPL %u %u-bit, %" PRIu64 " instructions%s\n",
                n == guest->current ? '*' : ' ', n, r.seg[CPU_CS].selector, r.rip, r.cpl,
                r.code_bits, cpu_instructions(guest->cpus[n]), r.halted ? ", halted" : "");
    }
}
