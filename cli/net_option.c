/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Parses --net. */
#include "cli/net_option.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "cli/options.h"
#include "cli/run_disk.h"

#define MAX_TEXT 1024u

static bool refuse(const char *part, const char *fact)
{
    fprintf(stderr, "privet: --net: '%s': %s\n", part, fact);
    return false;
}

/* "address:port", the address may be missing: it stays as it is. */
static bool parse_end(char *text, uint32_t *address, uint16_t *ret_port)
{
    char *colon = strchr(text, ':');
    struct in_addr parsed;
    uint64_t port;

    if (!colon || !number_parse(colon + 1, &port) || port == 0 || port > UINT16_MAX)
        return false;
    *colon = '\0';
    *ret_port = (uint16_t)port;
    if (!*text)
        return true;
    if (inet_pton(AF_INET, text, &parsed) != 1)
        return false;
    *address = ntohl(parsed.s_addr);
    return true;
}

/* hostfwd=tcp|udp:[address]:port-[address]:port */
static bool parse_forward(char *part, struct net_user_config *user)
{
    static const char form[] = "expected hostfwd=tcp|udp:[address]:port-[address]:port";
    struct net_forward *rule = &user->forward[user->forward_count];
    char whole[MAX_TEXT];
    char *text = part + sizeof("hostfwd=") - 1, *dash = strchr(text, '-');

    snprintf(whole, sizeof(whole), "%s", part);
    if (user->forward_count == NET_MAX_FORWARDS)
        return refuse(whole, "too many forwarded ports");
    *rule = (struct net_forward){ .udp = strncmp(text, "udp:", 4) == 0 };
    if ((!rule->udp && strncmp(text, "tcp:", 4) != 0) || !dash)
        return refuse(whole, form);
    *dash = '\0';
    if (!parse_end(text + 4, &rule->host_address, &rule->host_port) ||
        !parse_end(dash + 1, &rule->guest_address, &rule->guest_port))
        return refuse(whole, form);
    user->forward_count++;
    return true;
}

static bool parse_mac(const char *text, uint8_t mac[NET_MAC_SIZE])
{
    unsigned part[NET_MAC_SIZE];
    int end = 0;

    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &part[0], &part[1], &part[2], &part[3],
               &part[4], &part[5], &end) != NET_MAC_SIZE || text[end])
        return refuse(text, "expected mac=52:54:00:12:34:56");
    if (part[0] & 1)
        return refuse(text, "the address of a card is not a multicast one");
    for (unsigned i = 0; i < NET_MAC_SIZE; i++)
        mac[i] = (uint8_t)part[i];
    return true;
}

static bool parse_part(char *part, struct board_net *ret)
{
    if (strncmp(part, "hostfwd=", 8) == 0)
        return parse_forward(part, &ret->user);
    if (strncmp(part, "bootindex=", 10) == 0)
        return run_boot_rank("--net", part + 10, &ret->boot_rank);
    if (strncmp(part, "mac=", 4) == 0)
        return parse_mac(part + 4, ret->mac);
    if (strncmp(part, "tftp=", 5) == 0 && part[5]) {
        ret->user.tftp_folder = part + 5;
        return true;
    }
    if (strncmp(part, "bootfile=", 9) == 0 && part[9]) {
        ret->user.boot_file = part + 9;
        return true;
    }
    if (strcmp(part, "restrict=on") == 0 || strcmp(part, "restrict=off") == 0) {
        ret->user.restricted = strcmp(part, "restrict=on") == 0;
        return true;
    }
    return refuse(part, "expected mac=, restrict=on|off, tftp=, bootfile=, bootindex= or hostfwd=");
}

bool net_option_parse(char *text, struct board_net *ret, bool *ret_on)
{
    static const uint8_t mac[NET_MAC_SIZE] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
    char *rest = text, *part;

    memset(ret, 0, sizeof(*ret));
    memcpy(ret->mac, mac, sizeof(mac));
    *ret_on = strcmp(text, "none") != 0;
    if (!*ret_on)
        return true;
    if (strcmp(strsep(&rest, ","), "user") != 0)
        return refuse(text, "expected user[,...] or none");
    while ((part = strsep(&rest, ",")))
        if (!parse_part(part, ret))
            return false;
    return true;
}
