/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Requests of /dev/sev (linux: drivers/crypto/ccp/sev-dev.c). */
#include <errno.h>
#include <string.h>

#include "machine/driver/internal.h"
#include "sev/certificate.h"

static void device_reset(struct driver *d)
{
    uint8_t state = driver_platform_state(d);
    if (state == SEV_PLATFORM_WORKING) {
        driver_refuse(d, EBUSY);
        return;
    }
    if (state == SEV_PLATFORM_INIT)
        driver_command(d, SEV_SHUTDOWN, NULL);
    if (!d->wire->error)
        driver_command(d, SEV_PLATFORM_RESET, NULL);
}

static void device_status(struct driver *d)
{
    struct sev_platform_status status = { .state = 0 };
    driver_command(d, SEV_PLATFORM_STATUS, &status);
    memcpy(d->part[0], &status, sizeof(status));
    d->wire->size[0] = sizeof(status);
}

static void device_pek_gen(struct driver *d)
{
    if (driver_initialise(d))
        driver_command(d, SEV_PEK_GEN, NULL);
}

static void device_pdh_gen(struct driver *d)
{
    if (driver_initialise(d))
        driver_command(d, SEV_PDH_GEN, NULL);
}

static void device_csr(struct driver *d)
{
    uint64_t place = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    struct sev_pek_csr csr = { .csr_paddr = place, .csr_len = d->wire->room[0] };
    if (d->wire->room[0] > DRIVER_CERTIFICATE_MAX)
        driver_refuse(d, EFAULT);
    else if (driver_initialise(d))
        driver_command(d, SEV_PEK_CSR, &csr);
    d->wire->room[0] = csr.csr_len;
    d->wire->size[0] = d->wire->error ? 0 : csr.csr_len;
    chip_unmap(d->chip, place);
}

static void device_export(struct driver *d)
{
    uint64_t pdh = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    uint64_t chain = chip_map(d->chip, d->part[1], WIRE_PART_MAX);
    struct sev_pdh_cert_export export = { .pdh_paddr = pdh, .pdh_len = d->wire->room[0],
                                          .certs_paddr = chain, .certs_len = d->wire->room[1] };
    if (d->wire->room[0] > DRIVER_CERTIFICATE_MAX || d->wire->room[1] > DRIVER_CERTIFICATE_MAX)
        driver_refuse(d, EFAULT);
    else if (driver_initialise(d))
        driver_command(d, SEV_PDH_CERT_EXPORT, &export);
    d->wire->room[0] = export.pdh_len;
    d->wire->room[1] = export.certs_len;
    d->wire->size[0] = d->wire->error ? 0 : export.pdh_len;
    d->wire->size[1] = d->wire->error ? 0 : export.certs_len;
    chip_unmap(d->chip, pdh);
    chip_unmap(d->chip, chain);
}

static void device_import(struct driver *d, const uint32_t size[WIRE_PARTS])
{
    uint64_t pek = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    uint64_t oca = chip_map(d->chip, d->part[1], WIRE_PART_MAX);
    struct sev_pek_cert_import import = { .pek_paddr = pek, .pek_len = size[0],
                                          .oca_paddr = oca, .oca_len = size[1] };
    if (driver_initialise(d))
        driver_command(d, SEV_PEK_CERT_IMPORT, &import);
    chip_unmap(d->chip, pek);
    chip_unmap(d->chip, oca);
}

static void device_id(struct driver *d)
{
    uint64_t place = chip_map(d->chip, d->part[0], WIRE_PART_MAX);
    struct sev_get_id get = { .id_paddr = place, .id_len = d->wire->room[0] };
    if (d->wire->room[0] > DRIVER_CERTIFICATE_MAX)
        driver_refuse(d, EFAULT);
    else
        driver_command(d, SEV_GET_ID, &get);
    d->wire->room[0] = get.id_len;
    d->wire->size[0] = d->wire->error ? 0 : SEV_ID_SIZE;
    chip_unmap(d->chip, place);
}

/* Numbers of SEV_ISSUE_CMD (linux: include/uapi/linux/psp-sev.h). */
enum {
    DEVICE_RESET, DEVICE_STATUS, DEVICE_PEK_GEN, DEVICE_CSR, DEVICE_PDH_GEN, DEVICE_EXPORT,
    DEVICE_IMPORT, DEVICE_ID, DEVICE_ID2,
};

void driver_device_request(struct driver *d, const uint32_t size[WIRE_PARTS])
{
    static void (*const requests[])(struct driver *d) = {
        [DEVICE_RESET] = device_reset,     [DEVICE_STATUS] = device_status,
        [DEVICE_PEK_GEN] = device_pek_gen, [DEVICE_CSR] = device_csr,
        [DEVICE_PDH_GEN] = device_pdh_gen, [DEVICE_EXPORT] = device_export,
        [DEVICE_ID] = device_id,           [DEVICE_ID2] = device_id,
    };
    uint32_t id = d->wire->request;
    if (id == DEVICE_IMPORT)
        device_import(d, size);
    else if (id < sizeof(requests) / sizeof(requests[0]) && requests[id])
        requests[id](d);
    else
        driver_refuse(d, EINVAL);
}
