/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Requests to the hypervisor. Nothing between the first field and the answer may raise #VC, which would
 * use the same page: the registers and the buffer are private copies, interrupts are off. The MSR is
 * left as it was: a loader may be in the middle of the MSR protocol when the tick comes.
 */
#include "firmware/sev/ghcb.h"

#include "firmware/arch/cpu.h"
#include "firmware/arch/layout.h"
#include "firmware/lib/string.h"

#define MSR_GHCB 0xC0010130u

enum {
    MSR_INFO = 0xFFF, MSR_SEV_INFO = 1, MSR_SEV_INFO_ASK = 2, MSR_TERMINATE = 0x100,
    VERSION_LOWEST = 1, VERSION_HIGHEST = 2, PAGE = 4096,
    RESULT_DONE = 0, RESULT_EXCEPTION = 1,
    VECTOR_UD = 6, VECTOR_GP = 13, EVENT_TYPE = 0x700, EVENT_TYPE_EXCEPTION = 0x300,
};
#define EVENT_VALID 0x80000000u

/* GHCB 2.03 2.6, table 3: offsets in units of 8 bytes, which are also bits of the valid bitmap. */
enum {
    FIELD_CODE = 0x390 / 8, FIELD_INFO_1 = 0x398 / 8, FIELD_INFO_2 = 0x3A0 / 8,
    FIELD_SCRATCH = 0x3A8 / 8, FIELD_VALID = 0x3F0 / 8, FIELD_BUFFER = 0x800 / 8,
    FIELD_VERSION = 0xFF8 / 8, /* version in bytes 2 and 3, usage, which is 0, in the last four */
};
static const uint8_t fields[GHCB_FIELDS] = { 0x1F8 / 8, 0x308 / 8, 0x310 / 8, 0x318 / 8,
                                            0x3E8 / 8, 0x0C8 / 8 };

static uint64_t version;
static bool left;

void ghcb_terminate(uint32_t reason)
{
    msr_write(MSR_GHCB, MSR_TERMINATE | reason);
    vmgexit();
    cpu_stop();
}

void ghcb_init(void)
{
    msr_write(MSR_GHCB, MSR_SEV_INFO_ASK);
    vmgexit();
    uint64_t info = msr_read(MSR_GHCB);
    uint64_t lowest = info >> 32 & 0xFFFF, highest = info >> 48;

    if ((info & MSR_INFO) != MSR_SEV_INFO || lowest > highest || lowest > VERSION_HIGHEST
        || highest < VERSION_LOWEST) {
        ghcb_terminate(TERMINATE_PROTOCOL);
    }
    version = highest < VERSION_HIGHEST ? highest : VERSION_HIGHEST;
    memset((void *)GHCB_PAGE, 0, PAGE);
    msr_write(MSR_GHCB, GHCB_PAGE);
}

static void put(volatile uint64_t *page, unsigned field, uint64_t value)
{
    page[field] = value;
    page[FIELD_VALID + field / 64] |= 1ull << field % 64;
}

static void ask(volatile uint64_t *page, const struct ghcb_request *request)
{
    page[FIELD_VALID] = page[FIELD_VALID + 1] = 0;
    for (unsigned i = 0; i < GHCB_FIELDS; i++) {
        if ((request->sends >> i & 1) != 0) {
            put(page, fields[i], request->fields[i]);
        }
    }
    if (request->buffer) {
        page[FIELD_BUFFER] = request->data;
        put(page, FIELD_SCRATCH, (uintptr_t)(page + FIELD_BUFFER));
    }
    put(page, FIELD_CODE, request->code);
    put(page, FIELD_INFO_1, request->info_1);
    put(page, FIELD_INFO_2, request->info_2);
    page[FIELD_VERSION] = version << 16;
}

/* GHCB 2.03 4.1.4. Of events only those that the instruction itself may raise are passed on. */
static enum ghcb_result failure(uint64_t result, uint64_t event, struct ghcb_request *request)
{
    uint8_t vector = (uint8_t)event;

    if ((uint32_t)result != RESULT_EXCEPTION || (event & EVENT_VALID) == 0
        || (event & EVENT_TYPE) != EVENT_TYPE_EXCEPTION
        || (vector != VECTOR_UD && vector != VECTOR_GP)) {
        return GHCB_REFUSED;
    }
    request->exception = vector;
    return GHCB_EXCEPTION;
}

static enum ghcb_result take(const volatile uint64_t *page, struct ghcb_request *request)
{
    uint64_t result = page[FIELD_INFO_1];

    if ((uint32_t)result != RESULT_DONE) {
        return failure(result, page[FIELD_INFO_2], request);
    }
    for (unsigned i = 0; i < GHCB_FIELDS; i++) {
        if ((request->wants >> i & 1) == 0) {
            continue;
        }
        if ((page[FIELD_VALID + fields[i] / 64] >> fields[i] % 64 & 1) == 0) {
            return GHCB_REFUSED;
        }
        request->fields[i] = page[fields[i]];
    }
    if (request->buffer) {
        request->data = page[FIELD_BUFFER];
    }
    return GHCB_DONE;
}

enum ghcb_result ghcb_call(struct ghcb_request *request)
{
    bool enabled = interrupts_disable();
    uint64_t before = msr_read(MSR_GHCB), address = left ? before : GHCB_PAGE;
    enum ghcb_result result = GHCB_REFUSED;

    if (address != 0 && (address & MSR_INFO) == 0) {
        volatile uint64_t *page = (volatile uint64_t *)(uintptr_t)address;
        ask(page, request);
        msr_write(MSR_GHCB, address);
        vmgexit();
        result = take(page, request);
        msr_write(MSR_GHCB, before);
    }
    interrupts_set(enabled);
    return result;
}

bool ghcb_mmio_write(uint64_t address, unsigned size, uint64_t value)
{
    struct ghcb_request request = { .code = EXIT_MMIO_WRITE, .info_1 = address, .info_2 = size,
                                    .buffer = true, .data = value };

    return ghcb_call(&request) == GHCB_DONE;
}

void ghcb_leave(void)
{
    left = true;
}
