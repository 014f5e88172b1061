/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Packets of a guest's memory under its transport keys: data encrypted with TEK, header and data
 * authenticated with TIK (SEV API, LAUNCH_SECRET, SEND_UPDATE_DATA, RECEIVE_UPDATE_DATA).
 */
#include <openssl/hmac.h>
#include <string.h>

#include "machine/chip/internal.h"
#include "sev/bytes.h"

bool packet_mac(const struct chip_guest *guest, enum sev_packet_kind kind,
                const struct sev_packet_header *header, const uint8_t *data, uint32_t length,
                const uint8_t *measure, uint8_t mac[SEV_MAC_SIZE])
{
    uint8_t message[SEV_PACKET_PREFIX_SIZE + CHIP_PACKET_MAX + SEV_MAC_SIZE];
    size_t size = SEV_PACKET_PREFIX_SIZE + length;
    sev_packet_prefix(kind, load_le32(header->flags), header->iv, length, length, message);
    memcpy(message + SEV_PACKET_PREFIX_SIZE, data, length);
    if (measure) {
        memcpy(message + size, measure, SEV_MAC_SIZE);
        size += SEV_MAC_SIZE;
    }
    return HMAC(EVP_sha256(), guest->tik, sizeof(guest->tik), message, size, mac, NULL) != NULL;
}

bool packet_is_authentic(const struct chip_guest *guest, enum sev_packet_kind kind,
                         const struct sev_packet_header *header, const uint8_t *data,
                         uint32_t length, const uint8_t *measure)
{
    uint8_t mac[SEV_MAC_SIZE];
    return packet_mac(guest, kind, header, data, length, measure, mac) &&
           CRYPTO_memcmp(mac, header->mac, sizeof(mac)) == 0;
}

bool packet_length_is_possible(uint32_t length)
{
    return length && length % 16 == 0 && length <= CHIP_PACKET_MAX;
}

uint16_t packet_deliver(struct chip *chip, const struct chip_guest *guest,
                        const struct sev_packet_header *header, uint8_t *data, uint32_t length,
                        uint64_t address)
{
    if (!crypt_ctr(guest->tek, header->iv, data, length))
        return SEV_HWERROR_PLATFORM;
    bool written = chip_write_as(chip, (memory_view)guest->asid, address, data, length);
    OPENSSL_cleanse(data, length);
    return written ? SEV_SUCCESS : SEV_INVALID_ADDRESS;
}
