/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A row for each way in which an Intel processor (family 6, model 207) was seen to differ from the
 * interpreter. The reasons beside them are readings of those cases, not quotations of a manual.
 */
#include "tests/cpu/vendor.h"

#include <cpuid.h>
#include <string.h>

#include "machine/cpu/form.h"
#include "machine/cpu/mmu.h"

#define ANY        0xFFFFFFFFu
#define XMM_OFFSET 160u /* in an FXSAVE image; the x87 registers lie before */
#define XMM_SIZE   256u
#define SPAN       64u /* bytes of the largest access */

bool vendor_is_other(void)
{
    unsigned a, name[3];
    if (!__get_cpuid(0, &a, &name[0], &name[2], &name[1]))
        return true;
    return memcmp(name, "AuthenticAMD", 12) != 0 && memcmp(name, "HygonGenuine", 12) != 0;
}

static bool has_prefix(const char *name, const char *prefix)
{
    return !strncmp(name, prefix, strlen(prefix));
}

static const struct {
    const char *prefix;
    bool only32;
    uint32_t native, ours;
} vectors[] = {
    /* Data behind the end of a flat 4 GiB segment: AMD's fault, others wrap around. */
    { "", true, VECTOR_PF, VECTOR_GP },
    { "", true, VECTOR_PF, VECTOR_SS },
    { "", true, VECTOR_AC, VECTOR_GP },
    { "", true, VECTOR_AC, VECTOR_SS },
    /* Operands of the SHA extensions in memory: only others want them aligned. */
    { "sha1", false, VECTOR_GP, ANY },
    { "sha256", false, VECTOR_GP, ANY },
    /* Alignment checks of 16-byte operands that need no alignment: only AMD's make them. */
    { "movdqu", false, ANY, VECTOR_AC },
    { "movup", false, ANY, VECTOR_AC },
    { "lddqu", false, ANY, VECTOR_AC },
    { "pcmpestr", false, ANY, VECTOR_AC },
    { "pcmpistr", false, ANY, VECTOR_AC },
    /* A store that an unmasked exception will not let happen: only AMD's look at the page. */
    { "fist", false, VECTOR_BP, VECTOR_PF },
    { "fst", false, VECTOR_BP, VECTOR_PF },
    { "fbstp", false, VECTOR_BP, VECTOR_PF },
    /* BOUND: the lower bound decides before the upper one is read. */
    { "bound", true, VECTOR_BR, VECTOR_PF },
};

bool vendor_leaves_vector(const struct test_case *test, const struct outcome *native,
                          const struct outcome *ours)
{
    for (size_t k = 0; k < sizeof(vectors) / sizeof(vectors[0]); k++)
        if (has_prefix(test->form->name, vectors[k].prefix) &&
            (test->code32 || !vectors[k].only32) && native->vector != ours->vector &&
            (vectors[k].native == ANY || vectors[k].native == native->vector) &&
            (vectors[k].ours == ANY || vectors[k].ours == ours->vector))
            return true;
    return false;
}

static void take_vectors(struct outcome *native, const struct outcome *ours)
{
    memcpy(native->state.fxsave + XMM_OFFSET, ours->state.fxsave + XMM_OFFSET, XMM_SIZE);
    memcpy(native->state.high, ours->state.high, sizeof(native->state.high));
}

static void take_x87(struct outcome *native, const struct outcome *ours)
{
    memcpy(native->state.fxsave, ours->state.fxsave, 24);
    memcpy(native->state.fxsave + 32, ours->state.fxsave + 32, XMM_OFFSET - 32);
}

static void take_memory(struct outcome *native, const struct outcome *ours)
{
    memcpy(native->data, ours->data, sizeof(native->data));
}

static void take_address(struct outcome *native, const struct outcome *ours)
{
    if (native->cr2 - ours->cr2 < SPAN || ours->cr2 - native->cr2 < SPAN)
        native->cr2 = ours->cr2;
}

static void take_flags(struct outcome *native, const struct outcome *ours)
{
    native->state.rflags = ours->state.rflags;
    take_address(native, ours);
}

/* What an instruction that faults has done before. */
static const struct {
    const char *name;
    bool prefix;
    void (*take)(struct outcome *native, const struct outcome *ours);
} after_fault[] = {
    { "vgather", true, take_vectors },     { "vpgather", true, take_vectors }, /* elements */
    { "vmaskmov", true, take_address },    { "vpmaskmov", true, take_address }, /* the first one */
    { "call", false, take_memory },        /* the return address */
    { "fbstp", false, take_memory },       /* digits on the first page */
    { "movd", false, take_x87 },           { "movq", false, take_x87 },
    { "movntq", false, take_x87 },         /* the switch to MMX */
    { "cmps", false, take_flags },         { "cmpsb", false, take_flags },
    { "scas", false, take_flags },         { "scasb", false, take_flags }, /* earlier rounds */
};

static bool is_nan(uint64_t value, size_t width)
{
    return width == 4 ? (value & 0x7FFFFFFF) > 0x7F800000
                      : (value & INT64_MAX) > 0x7FF0000000000000;
}

void vendor_take_nans(uint8_t *native, const uint8_t *ours, size_t size, size_t width)
{
    for (size_t at = 0; at < size; at += width) {
        uint64_t a = 0, b = 0;
        memcpy(&a, native + at, width);
        memcpy(&b, ours + at, width);
        if (is_nan(a, width) && is_nan(b, width))
            memcpy(native + at, &b, width);
    }
}

static void take_nans(struct outcome *native, const struct outcome *ours, size_t width)
{
    vendor_take_nans(native->state.fxsave + XMM_OFFSET, ours->state.fxsave + XMM_OFFSET, XMM_SIZE,
                     width);
    vendor_take_nans(native->state.high[0], ours->state.high[0], sizeof(native->state.high), width);
}

void vendor_adjust(const struct test_case *test, struct outcome *native, const struct outcome *ours)
{
    const char *name = test->form->name;
    for (size_t k = 0; native->vector != VECTOR_BP &&
                       k < sizeof(after_fault) / sizeof(after_fault[0]); k++)
        if (after_fault[k].prefix ? has_prefix(name, after_fault[k].name)
                                  : !strcmp(name, after_fault[k].name))
            after_fault[k].take(native, ours);
    if (!strcmp(name, "dpps") || !strcmp(name, "vdpps"))
        take_nans(native, ours, 4);
    if (!strcmp(name, "dppd") || !strcmp(name, "vdppd"))
        take_nans(native, ours, 8);
}
