/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* See netboot.h. */
#include "firmware/net/netboot.h"

#include "firmware/lib/log.h"
#include "firmware/net/tftp.h"
#include "firmware/net/wire.h"

static bool reach(struct port *port, const struct dhcp_answer *answer, struct port_failure *ret)
{
    if (!answer->boot_server)
        return port_fail(ret, EFI_NOT_FOUND,
                         "DHCP names the server \"%s\": it must give an address",
                         answer->boot_server_name);
    port->address = answer->address;
    return port_reach(port, answer->boot_server, answer->mask, answer->router, ret);
}

static bool ask(struct netboot *netboot, struct port *port, struct port_failure *ret)
{
    struct dhcp_answer *answer = &netboot->answer;
    struct tftp_transfer transfer = { 0 };
    if (!dhcp_ask(port, answer, ret))
        return false;
    log_line("network boot: " IPV4_TEXT ", file \"%s\" from " IPV4_TEXT, IPV4_OF(answer->address),
             answer->boot_file, IPV4_OF(answer->boot_server));
    if (!reach(port, answer, ret) || !tftp_run(port, answer->boot_file, &transfer, ret))
        return false;
    netboot->size = transfer.size;
    return true;
}

bool netboot_ask(struct netboot *netboot, EFI_SIMPLE_NETWORK_PROTOCOL *snp,
                 struct port_failure *ret)
{
    struct port port;
    netboot->known = false;
    if (!port_open(&port, snp, ret))
        return false;
    log_line("network boot: asking DHCP on %02x:%02x:%02x:%02x:%02x:%02x", port.station[0],
             port.station[1], port.station[2], port.station[3], port.station[4], port.station[5]);
    netboot->known = ask(netboot, &port, ret);
    port_close(&port);
    return netboot->known;
}

bool netboot_fetch(struct netboot *netboot, EFI_SIMPLE_NETWORK_PROTOCOL *snp, void *buffer,
                   struct port_failure *ret)
{
    struct port port;
    struct tftp_transfer transfer = { .buffer = buffer,
                                      .size = netboot->size,
                                      .size_known = true };
    netboot->known = false; /* whoever comes next asks anew: the address may be somebody else's */
    if (!port_open(&port, snp, ret))
        return false;
    bool done = reach(&port, &netboot->answer, ret) &&
                tftp_run(&port, netboot->answer.boot_file, &transfer, ret);
    port_close(&port);
    if (done)
        log_line("network boot: %lu bytes", (unsigned long)transfer.size);
    return done;
}
