/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The table of commands (SEV API): what each needs of the platform's state and of its guest's. */
#include "machine/chip/internal.h"

#include <string.h>

/* Of the platform. */
#define UNINIT  (1u << SEV_PLATFORM_UNINIT)
#define INITED  (1u << SEV_PLATFORM_INIT)
#define WORKING (1u << SEV_PLATFORM_WORKING)
#define ANY     (UNINIT | INITED | WORKING)

/* Of the guest. NO_STATE: the command has no guest, or serves one that is not there too. */
#define NO_STATE 0u
#define LUPDATE  (1u << SEV_GUEST_LUPDATE)
#define LSECRET  (1u << SEV_GUEST_LSECRET)
#define RUNNING  (1u << SEV_GUEST_RUNNING)
#define SUPDATE  (1u << SEV_GUEST_SUPDATE)
#define RUPDATE  (1u << SEV_GUEST_RUPDATE)
#define SENT     (1u << SEV_GUEST_SENT)
#define UNSENT   (LUPDATE | LSECRET | RUNNING | SUPDATE | RUPDATE)
#define A_GUEST  (UNSENT | SENT)

#define NEVER  CHIP_NO_WRITE_BACK
#define DONE   CHIP_WRITE_BACK
#define LENGTH CHIP_WRITE_BACK_LENGTH

#define COMMAND(name) SEV_##name, #name

static const struct chip_command commands[] = {
    { COMMAND(INIT), UNINIT, NO_STATE, sizeof(struct sev_init), NEVER, platform_init },
    { COMMAND(SHUTDOWN), ANY, NO_STATE, 0, NEVER, platform_shutdown },
    { COMMAND(PLATFORM_RESET), UNINIT, NO_STATE, 0, NEVER, platform_reset },
    { COMMAND(PLATFORM_STATUS), ANY, NO_STATE, sizeof(struct sev_platform_status), DONE,
      platform_status },
    { COMMAND(PEK_GEN), INITED, NO_STATE, 0, NEVER, platform_pek_gen },
    { COMMAND(PEK_CSR), INITED | WORKING, NO_STATE, sizeof(struct sev_pek_csr), LENGTH,
      platform_pek_csr },
    { COMMAND(PEK_CERT_IMPORT), INITED, NO_STATE, sizeof(struct sev_pek_cert_import), NEVER,
      platform_pek_cert_import },
    { COMMAND(PDH_CERT_EXPORT), INITED | WORKING, NO_STATE,
      sizeof(struct sev_pdh_cert_export), LENGTH, platform_pdh_cert_export },
    { COMMAND(PDH_GEN), INITED | WORKING, NO_STATE, 0, NEVER, platform_pdh_gen },
    { COMMAND(DF_FLUSH), ANY, NO_STATE, 0, NEVER, platform_df_flush },
    { COMMAND(DOWNLOAD_FIRMWARE), UNINIT, NO_STATE, sizeof(struct sev_download_firmware), NEVER,
      platform_download_firmware },
    { COMMAND(GET_ID), ANY, NO_STATE, sizeof(struct sev_get_id), LENGTH, platform_get_id },
    { COMMAND(INIT_EX), UNINIT, NO_STATE, sizeof(struct sev_init_ex), NEVER, platform_init_ex },
    { COMMAND(NOP), ANY, NO_STATE, 0, NEVER, platform_nop },
    { COMMAND(RING_BUFFER), INITED | WORKING, NO_STATE, sizeof(struct sev_ring_buffer), NEVER,
      platform_ring_buffer },
    { COMMAND(DECOMMISSION), WORKING, A_GUEST, sizeof(struct sev_handle), NEVER,
      guest_decommission_command },
    { COMMAND(ACTIVATE), WORKING, UNSENT, sizeof(struct sev_activate), NEVER, guest_activate },
    { COMMAND(DEACTIVATE), WORKING, A_GUEST, sizeof(struct sev_handle), NEVER, guest_deactivate },
    { COMMAND(GUEST_STATUS), INITED | WORKING, NO_STATE, sizeof(struct sev_guest_status), DONE,
      guest_status },
    { COMMAND(COPY), WORKING, A_GUEST, sizeof(struct sev_copy), NEVER, guest_copy },
    { COMMAND(ACTIVATE_EX), WORKING, UNSENT, sizeof(struct sev_activate_ex), NEVER,
      guest_activate_ex },
    { COMMAND(LAUNCH_START), INITED | WORKING, NO_STATE, sizeof(struct sev_launch_start), DONE,
      launch_start },
    { COMMAND(LAUNCH_UPDATE_DATA), WORKING, LUPDATE, sizeof(struct sev_launch_update_data), NEVER,
      launch_update_data },
    { COMMAND(LAUNCH_UPDATE_VMSA), WORKING, LUPDATE, sizeof(struct sev_launch_update_data), NEVER,
      launch_update_vmsa },
    { COMMAND(LAUNCH_MEASURE), WORKING, LUPDATE, sizeof(struct sev_launch_measure), LENGTH,
      launch_measure },
    { COMMAND(LAUNCH_SECRET), WORKING, LSECRET, sizeof(struct sev_launch_secret), NEVER,
      launch_secret },
    { COMMAND(LAUNCH_FINISH), WORKING, LSECRET, sizeof(struct sev_handle), NEVER, launch_finish },
    { COMMAND(ATTESTATION), WORKING, LSECRET | RUNNING | SUPDATE | SENT,
      sizeof(struct sev_attestation), LENGTH, attestation },
    { COMMAND(SEND_START), WORKING, RUNNING, sizeof(struct sev_send_start), LENGTH, send_start },
    { COMMAND(SEND_UPDATE_DATA), WORKING, SUPDATE, sizeof(struct sev_launch_secret), LENGTH,
      send_update_data },
    { COMMAND(SEND_UPDATE_VMSA), WORKING, SUPDATE, sizeof(struct sev_launch_secret), LENGTH,
      send_update_vmsa },
    { COMMAND(SEND_FINISH), WORKING, SUPDATE, sizeof(struct sev_handle), NEVER, send_finish },
    { COMMAND(SEND_CANCEL), WORKING, SUPDATE, sizeof(struct sev_handle), NEVER, send_cancel },
    { COMMAND(RECEIVE_START), INITED | WORKING, NO_STATE, sizeof(struct sev_launch_start), DONE,
      receive_start },
    { COMMAND(RECEIVE_UPDATE_DATA), WORKING, RUPDATE, sizeof(struct sev_launch_secret), NEVER,
      receive_update_data },
    { COMMAND(RECEIVE_UPDATE_VMSA), WORKING, RUPDATE, sizeof(struct sev_launch_secret), NEVER,
      receive_update_vmsa },
    { COMMAND(RECEIVE_FINISH), WORKING, RUPDATE, sizeof(struct sev_handle), NEVER, receive_finish },
    { COMMAND(DBG_DECRYPT), WORKING, A_GUEST, sizeof(struct sev_dbg), NEVER, debug_decrypt },
    { COMMAND(DBG_ENCRYPT), WORKING, A_GUEST, sizeof(struct sev_dbg), NEVER, debug_encrypt },
    { COMMAND(SWAP_OUT), WORKING, A_GUEST, sizeof(struct sev_swap_out), LENGTH, swap_out },
    { COMMAND(SWAP_IN), WORKING, A_GUEST, sizeof(struct sev_swap_in), NEVER, swap_in },
};

const struct chip_command *chip_command_find(unsigned id)
{
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].id == id)
            return &commands[i];
    }
    return NULL;
}

bool chip_requirement(unsigned id, struct chip_requirement *ret)
{
    const struct chip_command *command = chip_command_find(id);
    if (!command)
        return false;
    *ret = (struct chip_requirement){ command->name, command->platform_states,
                                      command->guest_states };
    return true;
}

struct chip_states chip_states(struct chip *chip, uint32_t handle)
{
    const struct chip_guest *guest = guest_by_handle(chip, handle);
    return (struct chip_states){
        .platform = (int)chip->state,
        .guest = guest ? (int)guest->state : handle ? SEV_GUEST_UNINIT : -1,
    };
}

uint16_t guest_check_state(enum sev_command id, const struct chip_guest *guest)
{
    return chip_command_find(id)->guest_states >> guest->state & 1 ? SEV_SUCCESS
                                                                   : SEV_INVALID_GUEST_STATE;
}

uint16_t guest_find(struct chip *chip, enum sev_command id, uint32_t handle, struct chip_guest **ret)
{
    *ret = guest_by_handle(chip, handle);
    return *ret ? guest_check_state(id, *ret) : SEV_INVALID_GUEST;
}
