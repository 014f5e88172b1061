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

/* The packet, authentic, into memory under the guest's new key. */
static uint16_t open_packet(struct chip *chip, const struct chip_guest *guest,
                            const struct sev_launch_secret *command)
{
    struct sev_packet_header header;
    uint8_t data[CHIP_PACKET_MAX];
    if (!chip_read(chip, command->hdr_paddr, &header, sizeof(header)) ||
        !chip_read(chip, command->trans_paddr, data, command->trans_len))
        return SEV_INVALID_ADDRESS;
    if (load_le32(header.flags) & SEV_PACKET_COMPRESSED)
        return SEV_UNSUPPORTED;
    if (!packet_is_authentic(guest, SEV_PACKET_MIGRATION, &header, data, command->trans_len, NULL))
        return SEV_BAD_MEASUREMENT;
    return packet_deliver(chip, guest, &header, data, command->trans_len, command->guest_paddr);
}

uint16_t receive_update_data(struct chip *chip, void *buffer)
{
    const struct sev_launch_secret *command = buffer;
    struct chip_guest *guest;
    uint16_t status = guest_find(chip, SEV_RECEIVE_UPDATE_DATA, command->handle, &guest);
    if (status != SEV_SUCCESS)
        return status;
    if (!guest->asid)
        return SEV_INACTIVE;
    if (command->guest_paddr % 16 || command->guest_paddr >= CHIP_HOST_WINDOW)
        return SEV_INVALID_ADDRESS;
    if (command->hdr_len < SEV_PACKET_HEADER_SIZE ||
        !packet_length_is_possible(command->guest_len) || command->trans_len != command->guest_len)
        return SEV_INVALID_LENGTH;
    return open_packet(chip, guest, command);
}

uint16_t receive_update_vmsa(struct chip *chip, void *buffer)
{
    const struct sev_launch_secret *command = buffer;
    return guest_refuse_vmsa(chip, SEV_RECEIVE_UPDATE_VMSA, command->handle);
}

uint16_t receive_finish(struct chip *chip, void *buffer)
{
    const struct sev_handle *command = buffer;
    return guest_resume(chip, SEV_RECEIVE_FINISH, command->handle);
}
