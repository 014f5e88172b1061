/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* SEV_ISSUE_CMD: what Linux' ccp driver does on the program's side of the call. */
#include "preload/sev_device.h"

#include <errno.h>
#include <linux/psp-sev.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>

#include "preload/client.h"

#define BLOB_MAX 0x4000u

static void *user(uint64_t address)
{
    return (void *)(uintptr_t)address; // NOLINT: the ABI has pointers as numbers
}

static int fail(int error)
{
    errno = error;
    return -1;
}

static int simple(int fd, struct wire *wire, struct sev_issue_cmd *call)
{
    (void)call;
    return client_request(fd, wire, NULL, NULL, NULL);
}

static int status(int fd, struct wire *wire, struct sev_issue_cmd *call)
{
    void *const out[WIRE_PARTS] = { user(call->data) };
    const uint32_t capacity[WIRE_PARTS] = { sizeof(struct sev_user_data_status) };
    return call->data ? client_request(fd, wire, NULL, out, capacity) : fail(EFAULT);
}

/* One blob out, its length in and out: PEK_CSR and GET_ID2 have the same structure. */
static int blob(int fd, struct wire *wire, struct sev_issue_cmd *call)
{
    struct sev_user_data_pek_csr *data = user(call->data);
    if (!data)
        return fail(EFAULT);
    void *const out[WIRE_PARTS] = { user(data->address) };
    const uint32_t capacity[WIRE_PARTS] = { data->address ? data->length : 0 };
    wire->room[0] = data->address ? data->length : 0;
    int result = client_request(fd, wire, NULL, out, capacity);
    data->length = wire->room[0];
    return result;
}

static int export_pdh(int fd, struct wire *wire, struct sev_issue_cmd *call)
{
    struct sev_user_data_pdh_cert_export *data = user(call->data);
    if (!data)
        return fail(EFAULT);
    bool query = !data->pdh_cert_address || !data->cert_chain_address;
    void *const out[WIRE_PARTS] = { user(data->pdh_cert_address), user(data->cert_chain_address) };
    const uint32_t capacity[WIRE_PARTS] = { data->pdh_cert_len, data->cert_chain_len };
    wire->room[0] = query ? 0 : data->pdh_cert_len;
    wire->room[1] = query ? 0 : data->cert_chain_len;
    int result = client_request(fd, wire, NULL, out, capacity);
    data->pdh_cert_len = wire->room[0];
    data->cert_chain_len = wire->room[1];
    return result;
}

static int import_pek(int fd, struct wire *wire, struct sev_issue_cmd *call)
{
    const struct sev_user_data_pek_cert_import *data = user(call->data);
    if (!data || !data->pek_cert_address || !data->oca_cert_address)
        return fail(EFAULT);
    if (data->pek_cert_len > BLOB_MAX || data->oca_cert_len > BLOB_MAX)
        return fail(EINVAL);
    const void *const in[WIRE_PARTS] = { user(data->pek_cert_address),
                                         user(data->oca_cert_address) };
    wire->size[0] = data->pek_cert_len;
    wire->size[1] = data->oca_cert_len;
    return client_request(fd, wire, in, NULL, NULL);
}

/* The old form: two sockets' identifiers; this platform has one socket. */
static int id_pair(int fd, struct wire *wire, struct sev_issue_cmd *call)
{
    struct sev_user_data_get_id *data = user(call->data);
    if (!data)
        return fail(EFAULT);
    void *const out[WIRE_PARTS] = { data->socket1 };
    const uint32_t capacity[WIRE_PARTS] = { sizeof(data->socket1) };
    wire->room[0] = sizeof(data->socket1);
    memset(data, 0, sizeof(*data));
    return client_request(fd, wire, NULL, out, capacity);
}

static const struct request {
    int (*run)(int fd, struct wire *wire, struct sev_issue_cmd *call);
    bool writes;
} requests[] = {
    [SEV_FACTORY_RESET] = { simple, true },   [SEV_PLATFORM_STATUS] = { status, false },
    [SEV_PEK_GEN] = { simple, true },         [SEV_PEK_CSR] = { blob, true },
    [SEV_PDH_GEN] = { simple, true },         [SEV_PDH_CERT_EXPORT] = { export_pdh, false },
    [SEV_PEK_CERT_IMPORT] = { import_pek, true }, [SEV_GET_ID] = { id_pair, false },
    [SEV_GET_ID2] = { blob, false },
};

int sev_device_ioctl(int fd, bool writable, unsigned long number, void *argument)
{
    struct sev_issue_cmd *call = argument;
    if (number != SEV_ISSUE_CMD || !call)
        return fail(number == SEV_ISSUE_CMD ? EFAULT : EINVAL);
    if (call->cmd >= sizeof(requests) / sizeof(requests[0]) || !requests[call->cmd].run)
        return fail(EINVAL);
    if (requests[call->cmd].writes && !writable)
        return fail(EPERM);
    struct wire wire = { .request = call->cmd };
    int result = requests[call->cmd].run(fd, &wire, call);
    int error = errno;
    call->error = wire.status;
    errno = error;
    return result;
}
