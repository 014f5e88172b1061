/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Every combination of page rights with CR0.WP, SMEP, SMAP, EFER.NXE, CPL and kind of access: APM 2
 * 5.6 and 8.4.2, computed here from the text and compared with what the processor does. The 64-bit
 * guest does it in 4-level paging, the 32-bit guest in legacy PAE and in 32-bit paging.
 */
#include "guest.h"

enum { P = 1, RW = 2, US = 4, A = 0x20, D = 0x40, PS = 0x80 };
enum { READ, STORE, FETCH };

#define CR0_WP   (1u << 16)
#define CR4_SMEP (1u << 20)
#define CR4_SMAP (1u << 21)
#define EFLAGS_AC 0x40000u

/* 128 MiB: an address that only this test maps. */
#define LINEAR 0x08000000u

static uint8_t target[4096] __attribute__((aligned(4096)));
static uint64_t table[512] __attribute__((aligned(4096)));
static bool wide; /* entries of 8 bytes, with NX */
static void *directory_entry;

static void put_entry(void *at, unsigned index, uint64_t value)
{
    if (wide)
        ((volatile uint64_t *)at)[index] = value;
    else
        ((volatile uint32_t *)at)[index] = (uint32_t)value;
}

static uint64_t get_entry(void *at)
{
    return wide ? *(volatile uint64_t *)at : *(volatile uint32_t *)at;
}

USER static void user_read(word at)
{
    (void)*(volatile uint8_t *)at;
    USER_END;
}
USER static void user_store(word at)
{
    *(volatile uint8_t *)at = 0xC3;
    USER_END;
}
USER static void user_fetch(word at)
{
    asm volatile("call *%0" : : "r"(at) : "memory");
    USER_END;
}

/* One combination. */
struct trial {
    uint64_t entry, directory; /* attributes */
    bool write_protect, smep, smap, nxe, ac, user;
    unsigned access;
};

/* NONE, or the error code of the #PF that the APM demands. */
static long expected(const struct trial *t)
{
    const uint64_t nx = 1ull << 63;
    uint64_t both = t->entry & t->directory;
    bool user_page = both & US, writable = both & RW;
    bool no_execute = t->nxe && (t->entry | t->directory) & nx;
    bool reserved = (!t->nxe && t->directory & nx) || (t->entry & P && t->entry & 1ull << 51) ||
                    (!t->nxe && t->entry & P && t->entry & nx);
    bool reports_fetch = t->access == FETCH && (t->smep || (wide && t->nxe));
    long code = (t->access == STORE ? 2 : 0) | (t->user ? 4 : 0) | (reports_fetch ? 16 : 0);
    if (reserved && (!t->nxe && t->directory & nx))
        return code | 8 | 1;
    if (!(t->entry & P))
        return code;
    if (reserved)
        return code | 8 | 1;
    bool good = user_page || !t->user;
    if (t->access == FETCH)
        good = good && !no_execute && !(t->smep && user_page && !t->user);
    else if (t->smap && user_page && !t->user && !t->ac)
        good = false;
    if (t->access == STORE && !writable && (t->user || t->write_protect))
        good = false;
    return good ? NONE : code | 1;
}

static void set_registers(const struct trial *t)
{
    word cr4 = read_cr4() & ~(word)(CR4_SMEP | CR4_SMAP);
    write_cr4(cr4 | (t->smep ? CR4_SMEP : 0) | (t->smap ? CR4_SMAP : 0));
    write_cr0((read_cr0() & ~(word)CR0_WP) | (t->write_protect ? CR0_WP : 0));
}

static void set_nxe(bool on)
{
    wrmsr(0xC0000080, (rdmsr(0xC0000080) & ~0x800ull) | (on ? 0x800 : 0));
}

static void access_as_kernel(const struct trial *t)
{
    word at = LINEAR;
    if (t->ac)
        asm volatile("stac");
    switch (t->access) {
    case READ:
#ifdef __x86_64__
        TRY("movb (%%rbx), %%al", "b"(at));
        break;
    case STORE:
        TRY("movb $0xC3, (%%rbx)", "b"(at));
        break;
    case FETCH:
        TRY("call *%%rbx", "b"(at));
#else
        TRY("movb (%%ebx), %%al", "b"(at));
        break;
    case STORE:
        TRY("movb $0xC3, (%%ebx)", "b"(at));
        break;
    case FETCH:
        TRY("call *%%ebx", "b"(at));
#endif
        break;
    }
    if (t->ac)
        asm volatile("clac");
}

static bool run_trial(const struct trial *t)
{
    static void (*const user[])(word) = {user_read, user_store, user_fetch};
    put_entry(table, 0, (word)target | t->entry);
    put_entry(directory_entry, 0, (word)table | P | t->directory);
    write_cr3(read_cr3());
    if (t->user)
        run_user(user[t->access], LINEAR, t->ac ? EFLAGS_AC : 0);
    else
        access_as_kernel(t);
    long want = expected(t);
    uint64_t entry = get_entry(table);
    bool good = want == NONE ? trap.vector == NONE && entry & A &&
                                   !(entry & D) == (t->access != STORE)
                             : trap.vector == PF && (long)trap.error == want && trap.cr2 == LINEAR &&
                                   !(entry & D);
    static unsigned told;
    if (!good && told++ < 8)
        say("entry %x %x directory %x %x wp %d smep %d smap %d nxe %d ac %d user %d access %d: "
            "vector %x error %x cr2 %x, wanted %x\n",
            (word)(t->entry >> 32), (word)t->entry, (word)(t->directory >> 32),
            (word)t->directory, (word)t->write_protect, (word)t->smep, (word)t->smap, (word)t->nxe,
            (word)t->ac, (word)t->user, (word)t->access, (word)trap.vector, trap.error, trap.cr2,
            (word)want);
    return good;
}

/* Leaf: P RW US, and where entries are wide NX and a reserved bit; directory: RW US NX. */
static uint64_t leaf_bits(unsigned n)
{
    return (n & 7) | (n & 8 ? 1ull << 63 : 0) | (n & 16 ? 1ull << 51 : 0);
}

static bool all_accesses(struct trial t)
{
    bool good = true;
    set_registers(&t);
    for (unsigned leaf = 0; leaf < (wide ? 32 : 8); leaf++) {
        for (unsigned above = 0; above < (wide ? 8 : 4); above++) {
            t.entry = leaf_bits(leaf);
            t.directory = above << 1 & (RW | US);
            t.directory |= above & 4 ? 1ull << 63 : 0;
            for (unsigned k = 0; k < 12; k++) {
                t.user = k & 1;
                t.ac = k & 2;
                t.access = k / 4;
                good = run_trial(&t) && good;
            }
        }
    }
    return good;
}

static bool has(unsigned bit)
{
    uint32_t ret[4];
    cpuid(7, 0, ret);
    return ret[1] >> bit & 1;
}

static void every_mode(const char *name)
{
    target[0] = 0xC3;
    for (unsigned mode = 0; mode < 16; mode++) {
        struct trial t = {.write_protect = mode & 1, .smep = mode & 2, .smap = mode & 4,
                          .nxe = mode & 8};
        if ((t.smep && !has(7)) || (t.smap && !has(20)) || (t.nxe && !wide))
            continue;
        set_nxe(t.nxe);
        check(all_accesses(t), name);
    }
    set_nxe(true);
    struct trial plain = {.write_protect = true};
    set_registers(&plain);
}

#ifdef __x86_64__

static void set_up(void)
{
    wide = true;
    uint64_t *directory = (uint64_t *)(word)((((uint64_t *)(word)(PML4[0] & ~0xFFFull))[0]) &
                                             ~0xFFFull);
    directory_entry = &directory[LINEAR >> 21];
}

/* A reserved bit in a large page's entry, and an address beyond the tables. */
static void large_pages(void)
{
    uint64_t *entry = directory_entry;
    *entry = 0x200000 | PS | US | RW | P;
    write_cr3(read_cr3());
    WORKS("2 MiB page", "movb (%%rbx), %%al", "b"((word)LINEAR + 0x100123));
    check(*entry & A && !(*entry & D), "its accessed bit");
    *entry = 0x200000 | 1u << 20 | PS | US | RW | P;
    write_cr3(read_cr3());
    TRAPS(PF, 9, "2 MiB page: reserved address bit", "movb (%%rbx), %%al", "b"((word)LINEAR));
    *entry = 0x200000 | PS | US | RW | P;
    write_cr3(read_cr3());
    TRAPS(GP, 0, "non-canonical address", "movb (%%rbx), %%al", "b"(1ull << 47));
}

static void translations(void)
{
    uint64_t *entry = directory_entry;
    volatile uint64_t *leaf = table;
    static uint8_t other[4096] __attribute__((aligned(4096)));
    volatile uint8_t *at = (uint8_t *)(word)LINEAR;
    target[1] = 1;
    other[1] = 2;
    *entry = (word)table | US | RW | P;
    leaf[0] = (word)target | RW | P;
    write_cr3(read_cr3());
    check(at[1] == 1, "a page");
    leaf[0] = (word)other | RW | P;
    asm volatile("invlpg %0" : : "m"(*at));
    check(at[1] == 2, "INVLPG drops its translation");
    write_cr4(read_cr4() | 0x80); /* PGE */
    leaf[0] = (word)target | RW | P | 0x100;
    write_cr3(read_cr3());
    check(at[1] == 1, "a global page");
    leaf[0] = (word)other | RW | P | 0x100;
    write_cr4(read_cr4() & ~(word)0x80);
    check(at[1] == 2, "clearing CR4.PGE drops global translations");
    leaf[0] = (word)target | RW | P;
    write_cr3(read_cr3());
    check(at[1] == 1, "and the next one");
    leaf[0] = (word)target | P;
    write_cr3(read_cr3());
    leaf[1] = 0;
    leaf[0] = (word)target | RW | P;
    write_cr3(read_cr3());
    *(volatile uint32_t *)(target + 0xFFC) = 7;
    TRAPS(PF, 2, "a write across pages: the second is absent", "movq $1, (%%rbx)",
          "b"((word)LINEAR + 0xFFC));
    check(trap.cr2 == LINEAR + 0x1000, "CR2 names the second page");
    check(*(volatile uint32_t *)(target + 0xFFC) == 7, "and nothing was written to the first");
    leaf[0] = (word)target | P;
    write_cr3(read_cr3());
    TRAPS(PF, 3, "INC of a read-only page is a write", "incb (%%rbx)", "b"((word)LINEAR));
    TRAPS(PF, 3, "CMPXCHG that does not match writes as well", "lock; cmpxchgb %%cl, 1(%%rbx)",
          "b"((word)LINEAR));
}

static void control_registers(void)
{
    TRAPS(GP, 0, "CR3: bits beyond the address", "mov %%rbx, %%cr3", "b"(read_cr3() | 1ull << 52));
    TRAPS(GP, 0, "CR4: reserved bit", "mov %%rbx, %%cr4", "b"(read_cr4() | 1ull << 31));
    TRAPS(GP, 0, "CR4.PAE cannot go in long mode", "mov %%rbx, %%cr4", "b"(read_cr4() & ~0x20ull));
    TRAPS(GP, 0, "CR0: PG without PE", "mov %%rbx, %%cr0", "b"(read_cr0() & ~1ull));
    TRAPS(GP, 0, "CR0.PG cannot go in 64-bit code", "mov %%rbx, %%cr0",
          "b"(read_cr0() & ~(1ull << 31)));
    TRAPS(GP, 0, "CR0: NW without CD", "mov %%rbx, %%cr0", "b"(read_cr0() | 1u << 29));
    TRAPS(GP, 0, "CR0: upper half", "mov %%rbx, %%cr0", "b"(read_cr0() | 1ull << 32));
    check(try_wrmsr(0xC0000080, rdmsr(0xC0000080) & ~0x100ull) == GP, "EFER.LME while paging");
    check(try_wrmsr(0xC0000080, rdmsr(0xC0000080) | 2) == GP, "EFER: reserved bit");
}

void test(void)
{
    set_up();
    every_mode("rights in 4-level paging");
    large_pages();
    translations();
    control_registers();
}

#else

static uint64_t pae_directories[4][512] __attribute__((aligned(4096)));
static uint64_t pae_pointers[4] __attribute__((aligned(4096)));
static uint32_t narrow_directory[1024] __attribute__((aligned(4096)));

static void paging_off(void)
{
    write_cr0(read_cr0() & ~(1u << 31));
}

static void pae_on(void)
{
    wide = true;
    for (unsigned n = 0; n < 2048; n++)
        pae_directories[n / 512][n % 512] =
            (uint64_t)n << 21 | PS | RW | P | (n == 4 ? (unsigned)US : 0);
    for (unsigned n = 0; n < 4; n++)
        pae_pointers[n] = (word)pae_directories[n] | P;
    directory_entry = &pae_directories[0][LINEAR >> 21];
    write_cr4((read_cr4() & ~0x10u) | 0x20);
    write_cr3((word)pae_pointers);
    write_cr0(read_cr0() | 1u << 31);
}

static void narrow_on(void)
{
    wide = false;
    for (unsigned n = 0; n < 1024; n++)
        narrow_directory[n] = n << 22 | PS | RW | P | (n == 2 ? (unsigned)US : 0);
    directory_entry = &narrow_directory[LINEAR >> 22];
    write_cr4((read_cr4() & ~0x20u) | 0x10);
    write_cr3((word)narrow_directory);
    write_cr0(read_cr0() | 1u << 31);
}

static void pae_pointers_are_checked(void)
{
    static uint64_t bad[4] __attribute__((aligned(4096)));
    for (unsigned n = 0; n < 4; n++)
        bad[n] = pae_pointers[n];
    bad[3] |= 2; /* RW is reserved in a PDPTE */
    TRAPS(GP, 0, "MOV to CR3 with a reserved bit in a PDPTE", "mov %%ebx, %%cr3", "b"(bad));
    bad[3] = 0;
    WORKS("an absent PDPTE may have any bit", "mov %%ebx, %%cr3; mov %%esi, %%cr3", "b"(bad),
          "S"(read_cr3()));
    /* Changed in memory, not loaded: APM 2 5.2.3. */
    uint64_t kept = pae_pointers[3];
    pae_pointers[3] = 0;
    WORKS("PDPTEs are loaded with CR3 only", "movb 0xC0000000, %%al; invlpg 0xC0000000; "
          "movb 0xC0000000, %%al", "b"(0));
    pae_pointers[3] = kept;
}

static void narrow_large_pages(void)
{
    uint32_t *entry = directory_entry;
    *entry = 0x400000 | PS | US | RW | P;
    write_cr3(read_cr3());
    WORKS("4 MiB page", "movb (%%ebx), %%al", "b"(LINEAR + 0x300123));
    *entry = 0x400000 | 1u << 21 | PS | US | RW | P;
    write_cr3(read_cr3());
    TRAPS(PF, 9, "4 MiB page: reserved bit 21", "movb (%%ebx), %%al", "b"(LINEAR));
    *entry = 0x400000 | RW | P | US | PS;
    write_cr3(read_cr3());
}

void test(void)
{
    pae_on();
    every_mode("rights in PAE paging");
    pae_pointers_are_checked();
    paging_off();
    narrow_on();
    every_mode("rights in 32-bit paging");
    narrow_large_pages();
    paging_off();
}

#endif
