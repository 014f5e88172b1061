/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "ghcb_model.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "firmware/arch/cpu.h"
#include "firmware/arch/layout.h"

#define CHECK(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

enum { PAGE = 4096 };

struct ghcb_model ghcb_model;
static uint8_t *page;

void ghcb_model_reset(void)
{
    if (!page) {
        page = mmap((void *)GHCB_PAGE, PAGE, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        CHECK(page == (void *)GHCB_PAGE);
    }
    memset(page, 0xA5, PAGE);
    memset(&ghcb_model, 0, sizeof(ghcb_model));
    ghcb_model.msr = GHCB_PAGE;
    ghcb_model.interrupts = true;
}

uint8_t *ghcb_model_page(void)
{
    return page;
}

uint64_t msr_read(uint32_t index)
{
    CHECK(index == 0xC0010130);
    return ghcb_model.msr;
}

void msr_write(uint32_t index, uint64_t value)
{
    CHECK(index == 0xC0010130);
    ghcb_model.msr = value;
}

static uint64_t load(const uint8_t *from, unsigned offset)
{
    uint64_t value;
    memcpy(&value, from + offset, sizeof(value));
    return value;
}

static void store(uint8_t *to, unsigned offset, uint64_t value)
{
    memcpy(to + offset, &value, sizeof(value));
}

static const unsigned offsets[GHCB_MODEL_REGISTERS] = { 0x1F8, 0x308, 0x310, 0x318 };

static void look(const uint8_t *at)
{
    ghcb_model.code = load(at, 0x390);
    ghcb_model.info_1 = load(at, 0x398);
    ghcb_model.info_2 = load(at, 0x3A0);
    ghcb_model.scratch = load(at, 0x3A8);
    ghcb_model.xcr0 = load(at, 0x3E8);
    ghcb_model.valid[0] = load(at, 0x3F0);
    ghcb_model.valid[1] = load(at, 0x3F8);
    ghcb_model.data = load(at, 0x800);
    ghcb_model.cpl = at[0xCB];
    for (unsigned i = 0; i < GHCB_MODEL_REGISTERS; i++)
        ghcb_model.registers[i] = load(at, offsets[i]);
    memcpy(&ghcb_model.version, at + 0xFFA, 2);
    memcpy(&ghcb_model.usage, at + 0xFFC, 4);
}

static void answer(uint8_t *at)
{
    store(at, 0x398, ghcb_model.result);
    store(at, 0x3A0, ghcb_model.event);
    store(at, 0x3F0, 0);
    store(at, 0x3F8, 0);
    for (unsigned i = 0; i < GHCB_MODEL_REGISTERS; i++) {
        store(at, offsets[i], ghcb_model.gives[i]);
        if (!ghcb_model.withholds[i])
            at[0x3F0 + offsets[i] / 64] |= (uint8_t)(1u << (offsets[i] / 8 % 8));
    }
    store(at, 0x800, ghcb_model.gives_data);
}

void vmgexit(void)
{
    if (ghcb_model.msr == 2) {
        ghcb_model.msr = ghcb_model.sev_info ? ghcb_model.sev_info : 0x0002000133000001;
        return;
    }
    if ((ghcb_model.msr & 0xFFF) == 0x100) {
        ghcb_model.terminated = ghcb_model.msr;
        return;
    }
    CHECK(ghcb_model.msr != 0 && (ghcb_model.msr & 0xFFF) == 0 && !ghcb_model.interrupts);
    uint8_t *at = (uint8_t *)(uintptr_t)ghcb_model.msr;
    ghcb_model.requests++;
    look(at);
    if (ghcb_model.serve)
        ghcb_model.serve();
    answer(at);
}

uint64_t cr4_read(void)
{
    return ghcb_model.osxsave ? 0x40000 : 0;
}

uint64_t xcr0_read(void)
{
    CHECK(ghcb_model.osxsave);
    return 0x207;
}

bool segment_is_64bit(uint64_t selector)
{
    (void)selector;
    return !ghcb_model.code32;
}

bool interrupts_disable(void)
{
    bool before = ghcb_model.interrupts;
    ghcb_model.interrupts = false;
    return before;
}

void interrupts_set(bool enabled)
{
    ghcb_model.interrupts |= enabled;
}

void cpu_stop(void)
{
    longjmp(ghcb_model.end, 1);
}
