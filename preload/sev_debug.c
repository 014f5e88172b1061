/* SPDX-License-Identifier: BSD-2-Clause-Patent */
#include "preload/sev_debug.h"

#include <errno.h>
#include <linux/kvm.h>
#include <string.h>

#include "preload/kvm.h"
#include "preload/user_memory.h"

#define PAGE  4096u
#define BLOCK 16u

/* The blocks of a page that a piece of it touches. */
struct span {
    uint64_t first; /* address of the first block */
    uint32_t offset, size; /* the piece within them */
    uint32_t blocks_size;
};

static struct span span_of(uint64_t address, uint32_t size)
{
    uint32_t offset = address % BLOCK;
    return (struct span){ address - offset, offset, size,
                          (offset + size + BLOCK - 1) / BLOCK * BLOCK };
}

/* Plaintext of the blocks is in part 0 afterwards. */
static int decrypt_blocks(struct exchange *x, const struct span *span)
{
    exchange_again(x);
    x->wire.request = WIRE_GUEST + KVM_SEV_DBG_DECRYPT;
    x->wire.address = span->first;
    if (exchange_memory(x, 0, span->first, span->blocks_size) != 0)
        return -1;
    return exchange_run(x);
}

static int decrypt_piece(struct exchange *x, uint64_t source, uint64_t target, uint32_t size)
{
    struct span span = span_of(source, size);
    if (decrypt_blocks(x, &span) != 0)
        return -1;
    return user_write(target, x->part[0] + span.offset, size) ? 0 : kvm_error(ENOMEM);
}

/*
 * Blocks that are not replaced whole are decrypted first. Linux encrypts one block less where offset
 * and length end in a block that the length alone does not reach; here the bytes all arrive.
 */
static int encrypt_piece(struct exchange *x, uint64_t source, uint64_t target, uint32_t size)
{
    struct span span = span_of(target, size);
    bool whole = span.offset == 0 && size == span.blocks_size;
    if (!whole && decrypt_blocks(x, &span) != 0)
        return -1;
    if (!user_read(x->part[0] + span.offset, source, size))
        return kvm_error(ENOMEM);
    exchange_again(x);
    x->wire.request = WIRE_GUEST + KVM_SEV_DBG_ENCRYPT;
    x->wire.address = span.first;
    x->wire.size[0] = span.blocks_size;
    if (exchange_run(x) != 0)
        return -1;
    return user_write(span.first, x->part[0], span.blocks_size) ? 0 : kvm_error(ENOMEM);
}

static uint32_t left_in_page(uint64_t address)
{
    return PAGE - (uint32_t)(address % PAGE);
}

/* Piece by piece: none leaves a page on either side. */
static int each_piece(struct exchange *x, int (*run)(struct exchange *x, uint64_t source,
                                                     uint64_t target, uint32_t size))
{
    struct kvm_sev_dbg data;
    if (exchange_get(x, &data, sizeof(data)) != 0)
        return -1;
    if (!data.len || data.src_uaddr + data.len < data.src_uaddr || !data.dst_uaddr)
        return kvm_error(EINVAL);
    for (uint32_t size; data.len; data.len -= size) {
        size = data.len;
        if (size > left_in_page(data.src_uaddr))
            size = left_in_page(data.src_uaddr);
        if (size > left_in_page(data.dst_uaddr))
            size = left_in_page(data.dst_uaddr);
        if (run(x, data.src_uaddr, data.dst_uaddr, size) != 0)
            return -1;
        data.src_uaddr += size;
        data.dst_uaddr += size;
    }
    return 0;
}

int sev_debug_decrypt(struct exchange *x)
{
    return each_piece(x, decrypt_piece);
}

int sev_debug_encrypt(struct exchange *x)
{
    return each_piece(x, encrypt_piece);
}
