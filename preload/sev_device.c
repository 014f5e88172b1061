/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* /dev/sev: SEV_ISSUE_CMD and its commands, by the chip. */
#include "preload/sev_device.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

/* The kernel numbers the same commands differently, under the same names. */
#define SEV_PLATFORM_STATUS DEVICE_PLATFORM_STATUS
#define SEV_PEK_GEN         DEVICE_PEK_GEN
#define SEV_PEK_CSR         DEVICE_PEK_CSR
#define SEV_PDH_GEN         DEVICE_PDH_GEN
#define SEV_PDH_CERT_EXPORT DEVICE_PDH_CERT_EXPORT
#define SEV_PEK_CERT_IMPORT DEVICE_PEK_CERT_IMPORT
#define SEV_GET_ID          DEVICE_GET_ID
#include <linux/psp-sev.h>
#undef SEV_PLATFORM_STATUS
#undef SEV_PEK_GEN
#undef SEV_PEK_CSR
#undef SEV_PDH_GEN
#undef SEV_PDH_CERT_EXPORT
#undef SEV_PEK_CERT_IMPORT
#undef SEV_GET_ID

#include "preload/kvm.h"
#include "preload/sev_chip.h"
#include "sev/command.h"

static int platform_status(void *data)
{
    struct sev_platform_status status = { 0 };
    int result = sev_chip_command(SEV_PLATFORM_STATUS, &status);
    *(struct sev_user_data_status *)data = (struct sev_user_data_status){
        .api_major = status.api_major,
        .api_minor = status.api_minor,
        .state = status.state,
        .flags = (status.owner & 1u) | (uint32_t)(status.config & 1) << 8,
        .build = status.build,
        .guest_count = status.guest_count,
    };
    return result;
}

/* The kernel initialises the platform again, by the next command that needs it; so does this. */
static int factory_reset(void *data)
{
    (void)data;
    struct sev_init init = { 0 };
    int result = sev_chip_command(SEV_SHUTDOWN, NULL);
    if (result == 0)
        result = sev_chip_command(SEV_PLATFORM_RESET, NULL);
    return result == 0 ? sev_chip_command(SEV_INIT, &init) : result;
}

static int pek_gen(void *data)
{
    (void)data;
    return sev_chip_command(SEV_PEK_GEN, NULL);
}

static int pdh_gen(void *data)
{
    (void)data;
    return sev_chip_command(SEV_PDH_GEN, NULL);
}

static int pek_csr(void *data)
{
    struct sev_user_data_pek_csr *user = data;
    struct sev_pek_csr csr = { .csr_paddr = sev_chip_map(user->address, user->length),
                               .csr_len = user->length };
    int result = sev_chip_command(SEV_PEK_CSR, &csr);
    sev_chip_unmap(csr.csr_paddr);
    user->length = csr.csr_len;
    return result;
}

static int pek_cert_import(void *data)
{
    const struct sev_user_data_pek_cert_import *user = data;
    struct sev_pek_cert_import import = {
        .pek_paddr = sev_chip_map(user->pek_cert_address, user->pek_cert_len),
        .pek_len = user->pek_cert_len,
        .oca_paddr = sev_chip_map(user->oca_cert_address, user->oca_cert_len),
        .oca_len = user->oca_cert_len,
    };
    int result = sev_chip_command(SEV_PEK_CERT_IMPORT, &import);
    sev_chip_unmap(import.pek_paddr);
    sev_chip_unmap(import.oca_paddr);
    return result;
}

static int pdh_cert_export(void *data)
{
    struct sev_user_data_pdh_cert_export *user = data;
    struct sev_pdh_cert_export export = {
        .pdh_paddr = sev_chip_map(user->pdh_cert_address, user->pdh_cert_len),
        .pdh_len = user->pdh_cert_len,
        .certs_paddr = sev_chip_map(user->cert_chain_address, user->cert_chain_len),
        .certs_len = user->cert_chain_len,
    };
    int result = sev_chip_command(SEV_PDH_CERT_EXPORT, &export);
    sev_chip_unmap(export.pdh_paddr);
    sev_chip_unmap(export.certs_paddr);
    user->pdh_cert_len = export.pdh_len;
    user->cert_chain_len = export.certs_len;
    return result;
}

static int get_id2(void *data)
{
    struct sev_user_data_get_id2 *user = data;
    struct sev_get_id id = { .id_paddr = sev_chip_map(user->address, user->length),
                             .id_len = user->length };
    int result = sev_chip_command(SEV_GET_ID, &id);
    sev_chip_unmap(id.id_paddr);
    user->length = id.id_len;
    return result;
}

static const struct command {
    uint32_t number;
    int (*run)(void *data); /* the chip's status, or -errno */
} commands[] = {
    { SEV_FACTORY_RESET, factory_reset },
    { DEVICE_PLATFORM_STATUS, platform_status },
    { DEVICE_PEK_GEN, pek_gen },
    { DEVICE_PEK_CSR, pek_csr },
    { DEVICE_PDH_GEN, pdh_gen },
    { DEVICE_PDH_CERT_EXPORT, pdh_cert_export },
    { DEVICE_PEK_CERT_IMPORT, pek_cert_import },
    { SEV_GET_ID2, get_id2 },
};

int sev_device_ioctl(void *object, unsigned long request, void *argument)
{
    struct sev_issue_cmd *issue = argument;
    (void)object;
    if ((uint32_t)request != SEV_ISSUE_CMD)
        return kvm_unknown("/dev/sev", (uint32_t)request);
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (commands[i].number != issue->cmd)
            continue;
        int status = commands[i].run((void *)(uintptr_t)issue->data);
        if (status < 0)
            return kvm_error(-status);
        issue->error = (uint32_t)status;
        return status == 0 ? 0 : kvm_error(EIO);
    }
    return kvm_error(EINVAL);
}
