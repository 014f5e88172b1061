/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* SEV_ISSUE_CMD: what Linux' ccp driver (sev-dev.c) does on the program's side of the call. */
#include "preload/sev_device.h"

#include <errno.h>
#include <linux/psp-sev.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "preload/client.h"
#include "preload/exchange.h"
#include "preload/kvm.h"
#include "preload/user_memory.h"

static int status(struct exchange *x)
{
    if (exchange_run(x) != 0)
        return -1;
    return exchange_give(x, 0, x->data, sizeof(struct sev_user_data_status));
}

/* One blob out, its length in and out: PEK_CSR and GET_ID2 have the same structure. */
static int blob(struct exchange *x)
{
    struct sev_user_data_pek_csr data;
    if (exchange_get(x, &data, sizeof(data)) != 0)
        return -1;
    bool query = !data.address || !data.length;
    if (!query && data.length > EXCHANGE_BLOB_MAX)
        return kvm_error(EFAULT);
    x->wire.room[0] = query ? 0 : data.length;
    int result = exchange_run(x), error = errno;
    data.length = x->wire.room[0];
    if (exchange_put(x, &data, sizeof(data)) != 0)
        return -1;
    if (result != 0)
        return kvm_error(error);
    return exchange_give(x, 0, data.address, data.length);
}

static int export_pdh(struct exchange *x)
{
    struct sev_user_data_pdh_cert_export data;
    if (exchange_get(x, &data, sizeof(data)) != 0)
        return -1;
    bool query = !data.pdh_cert_address || !data.pdh_cert_len || !data.cert_chain_address;
    if (!query &&
        (data.pdh_cert_len > EXCHANGE_BLOB_MAX || data.cert_chain_len > EXCHANGE_BLOB_MAX))
        return kvm_error(EFAULT);
    x->wire.room[0] = query ? 0 : data.pdh_cert_len;
    x->wire.room[1] = query ? 0 : data.cert_chain_len;
    int result = exchange_run(x), error = errno;
    data.pdh_cert_len = x->wire.room[0];
    data.cert_chain_len = x->wire.room[1];
    if (exchange_put(x, &data, sizeof(data)) != 0)
        return -1;
    if (result != 0)
        return kvm_error(error);
    if (exchange_give(x, 0, data.pdh_cert_address, data.pdh_cert_len) != 0)
        return -1;
    return exchange_give(x, 1, data.cert_chain_address, data.cert_chain_len);
}

static int import_pek(struct exchange *x)
{
    struct sev_user_data_pek_cert_import data;
    if (exchange_get(x, &data, sizeof(data)) != 0 ||
        exchange_blob(x, 0, data.pek_cert_address, data.pek_cert_len) != 0 ||
        exchange_blob(x, 1, data.oca_cert_address, data.oca_cert_len) != 0)
        return -1;
    return exchange_run(x);
}

/* The old form: two sockets' identifiers; this platform has one socket. */
static int id_pair(struct exchange *x)
{
    struct sev_user_data_get_id *data = NULL;
    x->wire.room[0] = sizeof(data->socket1);
    if (exchange_run(x) != 0)
        return -1;
    return exchange_give(x, 0, x->data, sizeof(*data));
}

static const struct request {
    int (*run)(struct exchange *x);
    bool writes;
} requests[] = {
    [SEV_FACTORY_RESET] = { exchange_run, true },
    [SEV_PLATFORM_STATUS] = { status, false },
    [SEV_PEK_GEN] = { exchange_run, true },
    [SEV_PEK_CSR] = { blob, true },
    [SEV_PDH_GEN] = { exchange_run, true },
    [SEV_PDH_CERT_EXPORT] = { export_pdh, false },
    [SEV_PEK_CERT_IMPORT] = { import_pek, true },
    [SEV_GET_ID] = { id_pair, false },
    [SEV_GET_ID2] = { blob, false },
};

/* The status stays the program's own where the firmware was not reached. */
static int run(const struct request *request, struct sev_issue_cmd *call)
{
    int fd = client_connect();
    struct exchange *x = fd >= 0 ? exchange_new(fd, call->cmd, call->data) : NULL;
    int result = x ? request->run(x) : -1, error = errno;
    if (x && x->wire.status != WIRE_NO_FIRMWARE)
        call->error = x->wire.status;
    free(x);
    if (fd >= 0)
        close(fd);
    errno = error;
    return result;
}

int sev_device_ioctl(bool writable, unsigned long number, void *argument)
{
    struct sev_issue_cmd call;
    if (number != SEV_ISSUE_CMD)
        return kvm_error(EINVAL);
    if (!user_read(&call, (uintptr_t)argument, sizeof(call)))
        return -1;
    if (call.cmd >= sizeof(requests) / sizeof(requests[0]) || !requests[call.cmd].run)
        return kvm_error(EINVAL);
    int result = -1, error = EPERM;
    if (!requests[call.cmd].writes || writable) {
        result = run(&requests[call.cmd], &call);
        error = errno;
    }
    if (!user_write((uintptr_t)argument, &call, sizeof(call)))
        return -1;
    errno = error;
    return result;
}
