/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * A guest leaves: SEND_START to SEND_FINISH, or SEND_CANCEL (SEV API chapter 6). Its memory goes to
 * the platform whose PDH it is given, under keys that only that platform can unwrap.
 */
#include <string.h>

#include "machine/chip/internal.h"

static uint16_t start(struct chip *chip, struct chip_guest *guest,
                      const struct sev_send_start *command, const struct sev_certificate *peer)
{
    uint8_t tek_tik[2 * SEV_KEY_SIZE];
    struct sev_session session;
    chip_random(chip, tek_tik, sizeof(tek_tik));
    uint16_t status = session_make(chip, peer, guest->policy, tek_tik, &session);
    if (status == SEV_SUCCESS &&
        !chip_write(chip, command->session_paddr, &session, sizeof(session)))
        status = SEV_INVALID_ADDRESS;
    if (status == SEV_SUCCESS) {
        memcpy(guest->tek, tek_tik, SEV_KEY_SIZE);
        memcpy(guest->tik, tek_tik + SEV_KEY_SIZE, SEV_KEY_SIZE);
        guest->state = SEV_GUEST_SUPDATE;
    }
    OPENSSL_cleanse(tek_tik, sizeof(tek_tik));
    return status;
}

uint16_t send_start(struct chip *chip, void *buffer)
{
    struct sev_send_start *command = buffer;
    struct chip_guest *guest;
    struct sev_certificate peer;
    uint16_t status = guest_find(chip, SEV_SEND_START, command->handle, &guest);
    if (status != SEV_SUCCESS)
        return status;
    if (guest->policy & SEV_POLICY_NOSEND)
        return SEV_POLICY_FAILURE;
    if (command->session_len != SEV_SESSION_SIZE) {
        command->session_len = SEV_SESSION_SIZE;
        return SEV_INVALID_LENGTH;
    }
    status = receiver_check(chip, command, guest->policy, &peer);
    if (status == SEV_SUCCESS)
        status = start(chip, guest, command, &peer);
    command->policy = guest->policy;
    return status;
}

/* `data`, of the guest's memory, into a packet under its transport keys; no plaintext is left. */
static uint16_t seal(struct chip *chip, const struct chip_guest *guest,
                     const struct sev_launch_secret *command, uint8_t *data)
{
    struct sev_packet_header header = { 0 };
    chip_random(chip, header.iv, sizeof(header.iv));
    bool sealed = crypt_ctr(guest->tek, header.iv, data, command->guest_len) &&
                  packet_mac(guest, SEV_PACKET_MIGRATION, &header, data, command->guest_len, NULL,
                             header.mac);
    if (!sealed) {
        OPENSSL_cleanse(data, command->guest_len);
        return SEV_HWERROR_PLATFORM;
    }
    return chip_write(chip, command->hdr_paddr, &header, sizeof(header)) &&
                   chip_write(chip, command->trans_paddr, data, command->guest_len)
               ? SEV_SUCCESS : SEV_INVALID_ADDRESS;
}

/* Do `length` bytes fit? What is needed for them goes into the buffer: nothing is compressed. */
static bool check_lengths(struct sev_launch_secret *command, uint32_t length)
{
    bool fit = command->hdr_len >= SEV_PACKET_HEADER_SIZE && command->guest_len == length &&
               packet_length_is_possible(length) && command->trans_len >= length;
    command->hdr_len = SEV_PACKET_HEADER_SIZE;
    command->trans_len = length;
    return fit;
}

uint16_t send_update_data(struct chip *chip, void *buffer)
{
    struct sev_launch_secret *command = buffer;
    struct chip_guest *guest;
    uint8_t data[CHIP_PACKET_MAX];
    uint16_t status = guest_find(chip, SEV_SEND_UPDATE_DATA, command->handle, &guest);
    if (status != SEV_SUCCESS)
        return status;
    if (!guest->asid) /* in this state no activation is pending */
        return SEV_INACTIVE;
    if (command->guest_paddr % 16 || command->guest_paddr >= CHIP_HOST_WINDOW)
        return SEV_INVALID_ADDRESS;
    if (!check_lengths(command, command->guest_len))
        return SEV_INVALID_LENGTH;
    if (!chip_read_as(chip, (memory_view)guest->asid, command->guest_paddr, data,
                      command->guest_len)) {
        OPENSSL_cleanse(data, sizeof(data)); /* some of it may have been there */
        return SEV_INVALID_ADDRESS;
    }
    return seal(chip, guest, command, data);
}

/* A page as it is after a processor's exit: its checksum is looked at, as VMRUN does. */
uint16_t send_update_vmsa(struct chip *chip, void *buffer)
{
    struct sev_launch_secret *command = buffer;
    struct chip_guest *guest;
    uint8_t page[SEV_VMSA_SIZE];
    uint16_t status = vmsa_find(chip, SEV_SEND_UPDATE_VMSA, command->handle, &guest);
    if (status != SEV_SUCCESS)
        return status;
    if (command->guest_paddr % 16)
        return SEV_INVALID_ADDRESS;
    if (!check_lengths(command, SEV_VMSA_SIZE))
        return SEV_INVALID_LENGTH;
    status = vmsa_read(chip, guest, command->guest_paddr, page);
    return status == SEV_SUCCESS ? seal(chip, guest, command, page) : status;
}

uint16_t send_finish(struct chip *chip, void *buffer)
{
    const struct sev_handle *command = buffer;
    struct chip_guest *guest;
    uint16_t status = guest_find(chip, SEV_SEND_FINISH, command->handle, &guest);
    if (status != SEV_SUCCESS)
        return status;
    guest_forget_transport(guest);
    guest->state = SEV_GUEST_SENT;
    return SEV_SUCCESS;
}

uint16_t send_cancel(struct chip *chip, void *buffer)
{
    const struct sev_handle *command = buffer;
    return guest_resume(chip, SEV_SEND_CANCEL, command->handle);
}
