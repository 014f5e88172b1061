/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* A guest arrives: RECEIVE_START to RECEIVE_FINISH (SEV API chapter 6). */
#include "machine/chip/internal.h"
#include "sev/bytes.h"

/* Like LAUNCH_START, with a session that must be there: the sender's. */
uint16_t receive_start(struct chip *chip, void *buffer)
{
    struct sev_launch_start *command = buffer;
    uint8_t tek_tik[2 * SEV_KEY_SIZE];
    uint16_t status = session_open(chip, command, tek_tik);
    if (status == SEV_SUCCESS)
        status = guest_begin(chip, command, tek_tik, SEV_GUEST_RUPDATE);
    OPENSSL_cleanse(tek_tik, sizeof(tek_tik));
    return status;
}

/* The packet as it came, if it is authentic; lengths are possible and equal. */
static uint16_t read_packet(struct chip *chip, const struct chip_guest *guest,
                            const struct sev_launch_secret *command,
                            struct sev_packet_header *header, uint8_t *data)
{
    if (!chip_read(chip, command->hdr_paddr, header, sizeof(*header)) ||
        !chip_read(chip, command->trans_paddr, data, command->trans_len))
        return SEV_INVALID_ADDRESS;
    if (load_le32(header->flags) & SEV_PACKET_COMPRESSED)
        return SEV_UNSUPPORTED;
    return packet_is_authentic(guest, SEV_PACKET_MIGRATION, header, data, command->trans_len, NULL)
               ? SEV_SUCCESS : SEV_BAD_MEASUREMENT;
}

static bool check_lengths(const struct sev_launch_secret *command)
{
    return command->hdr_len >= SEV_PACKET_HEADER_SIZE &&
           packet_length_is_possible(command->guest_len) &&
           command->trans_len == command->guest_len;
}

uint16_t receive_update_data(struct chip *chip, void *buffer)
{
    const struct sev_launch_secret *command = buffer;
    struct chip_guest *guest;
    struct sev_packet_header header;
    uint8_t data[CHIP_PACKET_MAX];
    uint16_t status = guest_find(chip, SEV_RECEIVE_UPDATE_DATA, command->handle, &guest);
    if (status != SEV_SUCCESS)
        return status;
    if (!guest->asid)
        return SEV_INACTIVE;
    if (command->guest_paddr % 16 || command->guest_paddr >= CHIP_HOST_WINDOW)
        return SEV_INVALID_ADDRESS;
    if (!check_lengths(command))
        return SEV_INVALID_LENGTH;
    status = read_packet(chip, guest, command, &header, data);
    if (status != SEV_SUCCESS)
        return status;
    return packet_deliver(chip, guest, &header, data, command->guest_len, command->guest_paddr);
}

/* The checksum is this platform's. */
uint16_t receive_update_vmsa(struct chip *chip, void *buffer)
{
    const struct sev_launch_secret *command = buffer;
    struct chip_guest *guest;
    struct sev_packet_header header;
    uint8_t page[SEV_VMSA_SIZE];
    uint16_t status = vmsa_find(chip, SEV_RECEIVE_UPDATE_VMSA, command->handle, &guest);
    if (status != SEV_SUCCESS)
        return status;
    if (command->guest_paddr % 16)
        return SEV_INVALID_ADDRESS;
    if (!check_lengths(command) || command->guest_len != SEV_VMSA_SIZE)
        return SEV_INVALID_LENGTH;
    status = read_packet(chip, guest, command, &header, page);
    if (status != SEV_SUCCESS)
        return status;
    if (!crypt_ctr(guest->tek, header.iv, page, sizeof(page)))
        return SEV_HWERROR_PLATFORM;
    status = vmsa_make(chip, guest, command->guest_paddr, page);
    OPENSSL_cleanse(page, sizeof(page));
    return status;
}

uint16_t receive_finish(struct chip *chip, void *buffer)
{
    const struct sev_handle *command = buffer;
    return guest_resume(chip, SEV_RECEIVE_FINISH, command->handle);
}
