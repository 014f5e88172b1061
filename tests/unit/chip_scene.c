/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Platforms and guests in every state, and a good buffer for every command. */
#include "tests/unit/chip_scene.h"

#include <openssl/ec.h>
#include <stdlib.h>

#include "owner/certs.h"

#define PAGE 0x1000u

int scene_setup(void **state)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    void *rig;
    if (!scene || setup(&rig) != 0)
        return -1;
    scene->rig = rig;
    scene->data = aligned_alloc(PAGE, sizeof(*scene->data));
    if (!scene->data)
        return -1;
    memset(scene->data, 0, sizeof(*scene->data));
    scene->window = chip_map(scene->rig->chip, scene->data, sizeof(*scene->data));
    *state = scene;
    return 0;
}

int scene_teardown(void **state)
{
    struct scene *scene = *state;
    void *rig = scene->rig;
    teardown(&rig);
    free(scene->data);
    free(scene);
    return 0;
}

static bool is_es(const struct scene *scene)
{
    return scene->policy & SEV_POLICY_ES;
}

/* ---- platforms ---- */

static void take_certificates(struct scene *scene)
{
    struct export export;
    export_certificates(scene->rig, &export);
    memcpy(scene->data->pdh, export.pdh, sizeof(export.pdh));
    memcpy(scene->data->chain, export.chain, sizeof(export.chain));
    assert_null(owner_session_make(export.pdh, sizeof(export.pdh), scene->policy, &scene->session));
    memcpy(scene->data->owner, scene->session.certificate, SEV_CERT_SIZE);
    scene->data->owner_session = scene->session.session;
}

void scene_platform(struct scene *scene, enum sev_platform_state state)
{
    struct rig *rig = scene->rig;
    if (rig->chip->ring_buffer)
        expect(rig, SEV_NOP, NULL, SEV_RING_BUFFER_EXIT);
    expect(rig, SEV_SHUTDOWN, NULL, SEV_SUCCESS);
    scene->handle = CHIP_MAX_GUESTS;
    memset(scene->data->nv, 0xFF, sizeof(scene->data->nv)); /* erased */
    if (state == SEV_PLATFORM_UNINIT)
        return;
    if (is_es(scene))
        init_es(rig);
    else
        init(rig);
    if (rig->chip->store.owned)
        expect(rig, SEV_PEK_GEN, NULL, SEV_SUCCESS);
    take_certificates(scene);
    if (state == SEV_PLATFORM_WORKING)
        launch_start_plain(rig, 0);
}

/* ---- guests ---- */

static void issue(struct scene *scene, unsigned command)
{
    uint8_t buffer[CHIP_BUFFER_MAX];
    scene_buffer(scene, command, buffer);
    expect(scene->rig, command, buffer, SEV_SUCCESS);
    if (command == SEV_LAUNCH_START || command == SEV_RECEIVE_START)
        memcpy(&scene->handle, buffer, sizeof(scene->handle));
}

/* A secret for a guest that was launched without a session: its transport keys are zero. */
static void seal_secret(struct scene *scene)
{
    const struct owner_keys keys = { { 0 }, { 0 } };
    static const uint8_t iv[16] = { 9 };
    uint8_t secret[sizeof(scene->data->secret)];
    fill_up(secret, sizeof(secret), 0x60);
    assert_true(owner_secret_seal(&keys, iv, secret, sizeof(secret), scene->data->out,
                                  &scene->data->secret_header, scene->data->secret));
}

/* Data under the transport keys of the session with which guests arrive here. */
static void seal_packet(struct scene *scene, struct sev_packet_header *header, uint8_t *data,
                        uint32_t length)
{
    struct chip_guest sender = { 0 };
    memcpy(sender.tek, scene->session.keys.tek, sizeof(sender.tek));
    memcpy(sender.tik, scene->session.keys.tik, sizeof(sender.tik));
    *header = (struct sev_packet_header){ .iv = { 3 } };
    fill_up(data, length, 0x11);
    assert_true(crypt_ctr(sender.tek, header->iv, data, length));
    assert_true(packet_mac(&sender, SEV_PACKET_MIGRATION, header, data, length, NULL, header->mac));
}

static void activate_guest(struct scene *scene)
{
    struct rig *rig = scene->rig;
    assert_int_equal(memory_write(rig->memory, FIRMWARE_BASE, rig->firmware, FIRMWARE_SIZE,
                                  MEMORY_RAW), 0);
    issue(scene, SEV_ACTIVATE);
}

static void arrive(struct scene *scene)
{
    issue(scene, SEV_RECEIVE_START);
    activate_guest(scene);
    seal_packet(scene, &scene->data->header, scene->data->packet, sizeof(scene->data->packet));
    seal_packet(scene, &scene->data->vmsa_header, scene->data->vmsa_packet,
                sizeof(scene->data->vmsa_packet));
}

static void launch(struct scene *scene, enum sev_guest_state state)
{
    scene->handle = launch_start_plain(scene->rig, scene->policy);
    activate_guest(scene);
    issue(scene, SEV_LAUNCH_UPDATE_DATA);
    fill_up(scene->data->vmsa, sizeof(scene->data->vmsa), 0x22);
    if (is_es(scene))
        issue(scene, SEV_LAUNCH_UPDATE_VMSA);
    if (state == SEV_GUEST_LUPDATE)
        return;
    issue(scene, SEV_LAUNCH_MEASURE);
    seal_secret(scene);
    if (state == SEV_GUEST_LSECRET)
        return;
    issue(scene, SEV_LAUNCH_FINISH);
    if (state == SEV_GUEST_SUPDATE || state == SEV_GUEST_SENT)
        issue(scene, SEV_SEND_START);
    if (state == SEV_GUEST_SENT)
        issue(scene, SEV_SEND_FINISH);
}

static void unbind(struct scene *scene)
{
    issue(scene, SEV_DEACTIVATE);
    chip_note_wbinvd(scene->rig->chip);
    expect(scene->rig, SEV_DF_FLUSH, NULL, SEV_SUCCESS);
}

void scene_guest(struct scene *scene, enum sev_guest_state state, bool bound)
{
    scene_platform(scene, SEV_PLATFORM_WORKING);
    if (state == SEV_GUEST_UNINIT) {
        scene->handle = launch_start_plain(scene->rig, scene->policy);
        issue(scene, SEV_DECOMMISSION);
        return;
    }
    if (state == SEV_GUEST_RUPDATE)
        arrive(scene);
    else
        launch(scene, state);
    issue(scene, SEV_SWAP_OUT); /* for those who want it back */
    if (!bound)
        unbind(scene);
    assert_int_equal(guest_state_of(scene->rig, scene->handle), state);
}

/* ---- buffers ---- */

/* The owner of the platform signs its PEK. */
static void sign_pek(struct scene *scene)
{
    struct scene_data *data = scene->data;
    struct sev_certificate pek, oca = { .usage = SEV_USAGE_OCA, .algorithm = SEV_ALGO_ECDSA_SHA256,
                                        .curve = SEV_CURVE_P384 };
    EVP_PKEY *key = EVP_EC_gen("P-384");
    assert_null(sev_certificate_decode(scene->rig->chip->store.certificate[CHIP_KEY_PEK],
                                       SEV_CERT_SIZE, &pek));
    assert_true(owner_key_point(key, oca.x, oca.y));
    for (int slot = 0; slot < 2; slot++) {
        sev_signature_clear(&pek.signature[slot]);
        sev_signature_clear(&oca.signature[slot]);
    }
    assert_true(owner_certificate_sign(key, SEV_USAGE_OCA, &oca, 0));
    assert_true(owner_certificate_sign(key, SEV_USAGE_OCA, &pek, 0));
    EVP_PKEY_free(key);
    sev_certificate_encode(&pek, data->signed_pek);
    sev_certificate_encode(&oca, data->oca);
}

#define FILL(type, ...)                                       \
    do {                                                      \
        const struct type filled = { __VA_ARGS__ };           \
        memcpy(buffer, &filled, sizeof(filled));              \
    } while (0)
#define AT(member) SCENE_ADDRESS(scene, member)

static void fill_platform(struct scene *scene, unsigned command, uint8_t *buffer)
{
    switch (command) {
    case SEV_INIT:
        FILL(sev_init, .tmr_paddr = tmr_of(scene->rig), .tmr_len = SEV_TMR_SIZE);
        break;
    case SEV_INIT_EX:
        FILL(sev_init_ex, .length = 0x24, .tmr_paddr = tmr_of(scene->rig), .tmr_len = SEV_TMR_SIZE,
             .nv_paddr = AT(nv), .nv_len = SEV_NV_SIZE);
        break;
    case SEV_PEK_CSR:
        FILL(sev_pek_csr, .csr_paddr = AT(csr), .csr_len = SEV_CERT_SIZE);
        break;
    case SEV_PEK_CERT_IMPORT:
        sign_pek(scene);
        FILL(sev_pek_cert_import, .pek_paddr = AT(signed_pek), .pek_len = SEV_CERT_SIZE,
             .oca_paddr = AT(oca), .oca_len = SEV_CERT_SIZE);
        break;
    case SEV_PDH_CERT_EXPORT:
        FILL(sev_pdh_cert_export, .pdh_paddr = AT(pdh), .pdh_len = SEV_CERT_SIZE,
             .certs_paddr = AT(chain), .certs_len = SEV_CHAIN_SIZE);
        break;
    case SEV_DOWNLOAD_FIRMWARE:
        FILL(sev_download_firmware, .fw_paddr = FIRMWARE_BASE, .fw_len = FIRMWARE_SIZE);
        break;
    case SEV_GET_ID:
        FILL(sev_get_id, .id_paddr = AT(id), .id_len = SEV_ID_SIZE);
        break;
    case SEV_RING_BUFFER:
        FILL(sev_ring_buffer, .low_command_paddr = AT(queues[0]), .low_status_paddr = AT(queues[1]),
             .high_command_paddr = AT(queues[2]), .high_status_paddr = AT(queues[3]),
             .low_size = 1, .high_size = 1);
        break;
    default:
        break;
    }
}

static void fill_launch(struct scene *scene, unsigned command, uint8_t *buffer)
{
    switch (command) {
    case SEV_ACTIVATE:
        FILL(sev_activate, .handle = scene->handle, .asid = is_es(scene) ? ES_ASID : ASID);
        break;
    case SEV_ACTIVATE_EX:
        scene->data->apic_ids[1] = CHIP_THREADS - 1;
        FILL(sev_activate_ex, .length = 0x18, .handle = scene->handle,
             .asid = is_es(scene) ? ES_ASID : ASID, .numids = 2, .ids_paddr = AT(apic_ids));
        break;
    case SEV_LAUNCH_START:
    case SEV_RECEIVE_START:
        FILL(sev_launch_start, .policy = scene->policy, .dh_cert_paddr = AT(owner),
             .dh_cert_len = SEV_CERT_SIZE, .session_paddr = AT(owner_session),
             .session_len = SEV_SESSION_SIZE);
        break;
    case SEV_LAUNCH_UPDATE_DATA:
        FILL(sev_launch_update_data, .handle = scene->handle, .paddr = FIRMWARE_BASE,
             .length = PAGE);
        break;
    case SEV_LAUNCH_UPDATE_VMSA:
        FILL(sev_launch_update_data, .handle = scene->handle, .paddr = AT(vmsa), .length = PAGE);
        break;
    case SEV_LAUNCH_MEASURE:
        FILL(sev_launch_measure, .handle = scene->handle, .measure_paddr = AT(out),
             .measure_len = 0x30);
        break;
    case SEV_LAUNCH_SECRET:
        FILL(sev_launch_secret, .handle = scene->handle, .hdr_paddr = AT(secret_header),
             .hdr_len = SEV_PACKET_HEADER_SIZE, .guest_paddr = SECRET_BASE,
             .guest_len = sizeof(scene->data->secret), .trans_paddr = AT(secret),
             .trans_len = sizeof(scene->data->secret));
        break;
    case SEV_ATTESTATION:
        FILL(sev_attestation, .handle = scene->handle, .paddr = AT(out), .length = 0xD0);
        break;
    default:
        break;
    }
}

static void fill_transfer(struct scene *scene, unsigned command, uint8_t *buffer)
{
    switch (command) {
    case SEV_SEND_START:
        FILL(sev_send_start, .handle = scene->handle, .pdh_cert_paddr = AT(pdh),
             .pdh_cert_len = SEV_CERT_SIZE, .plat_certs_paddr = AT(chain),
             .plat_certs_len = SEV_CHAIN_SIZE, .session_paddr = AT(session),
             .session_len = SEV_SESSION_SIZE);
        break;
    case SEV_SEND_UPDATE_DATA:
    case SEV_SEND_UPDATE_VMSA:
        FILL(sev_launch_secret, .handle = scene->handle, .hdr_paddr = AT(out),
             .hdr_len = SEV_PACKET_HEADER_SIZE,
             .guest_paddr = command == SEV_SEND_UPDATE_VMSA ? AT(vmsa) : FIRMWARE_BASE,
             .guest_len = PAGE, .trans_paddr = AT(out[PAGE]), .trans_len = PAGE);
        break;
    case SEV_RECEIVE_UPDATE_VMSA:
        FILL(sev_launch_secret, .handle = scene->handle, .hdr_paddr = AT(vmsa_header),
             .hdr_len = SEV_PACKET_HEADER_SIZE, .guest_paddr = AT(arrived), .guest_len = PAGE,
             .trans_paddr = AT(vmsa_packet), .trans_len = PAGE);
        break;
    case SEV_RECEIVE_UPDATE_DATA:
        FILL(sev_launch_secret, .handle = scene->handle, .hdr_paddr = AT(header),
             .hdr_len = SEV_PACKET_HEADER_SIZE, .guest_paddr = SCENE_TARGET,
             .guest_len = sizeof(scene->data->packet), .trans_paddr = AT(packet),
             .trans_len = sizeof(scene->data->packet));
        break;
    default:
        break;
    }
}

static void fill_memory(struct scene *scene, unsigned command, uint8_t *buffer)
{
    switch (command) {
    case SEV_COPY:
        FILL(sev_copy, .handle = scene->handle, .length = PAGE, .src_paddr = FIRMWARE_BASE,
             .dst_paddr = SCENE_TARGET);
        break;
    case SEV_DBG_DECRYPT:
        FILL(sev_dbg, .handle = scene->handle, .src_paddr = FIRMWARE_BASE, .dst_paddr = AT(out),
             .length = PAGE);
        break;
    case SEV_DBG_ENCRYPT:
        FILL(sev_dbg, .handle = scene->handle, .src_paddr = AT(out), .dst_paddr = SCENE_TARGET,
             .length = PAGE);
        break;
    case SEV_SWAP_OUT:
        FILL(sev_swap_out, .handle = scene->handle, .src_paddr = FIRMWARE_BASE,
             .dst_paddr = AT(page), .mdata_paddr = AT(entry), .software_data = 5);
        break;
    case SEV_SWAP_IN:
        FILL(sev_swap_in, .handle = scene->handle, .src_paddr = AT(page),
             .dst_paddr = SCENE_TARGET, .mdata_paddr = AT(entry));
        break;
    default:
        break;
    }
}

void scene_buffer(struct scene *scene, unsigned command, uint8_t buffer[CHIP_BUFFER_MAX])
{
    memset(buffer, 0, CHIP_BUFFER_MAX);
    if (command >= SEV_DECOMMISSION) /* most guest commands begin with it */
        FILL(sev_handle, scene->handle);
    fill_platform(scene, command, buffer);
    fill_launch(scene, command, buffer);
    fill_transfer(scene, command, buffer);
    fill_memory(scene, command, buffer);
}
