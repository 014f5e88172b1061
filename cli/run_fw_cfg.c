/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Files of the user's in the guest's firmware configuration. */
#include "cli/run_fw_cfg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_LIMIT (256u * 1024 * 1024)

static bool refuse(const char *text, const char *fact)
{
    fprintf(stderr, "privet: --fw-cfg %s: %s\n", text, fact);
    return false;
}

static bool begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

bool run_fw_cfg_parse(const char *text, struct run_fw_cfg *ret)
{
    const char *name = begins(text, "name=") ? text + strlen("name=") : text;
    size_t length = strcspn(name, ",");
    const char *rest = name + length;
    memset(ret, 0, sizeof(*ret));
    ret->is_file = begins(rest, ",file=");
    if (!ret->is_file && !begins(rest, ",string="))
        return refuse(text, "must be name=NAME,file=FILE or name=NAME,string=TEXT");
    if (length == 0 || length >= sizeof(ret->name))
        return refuse(text, "a name has 1 to 55 characters");
    memcpy(ret->name, name, length);
    ret->value = strchr(rest, '=') + 1;
    if (!begins(ret->name, "opt/"))
        fprintf(stderr, "privet: --fw-cfg %s: names outside opt/ are between board and firmware\n",
                ret->name);
    return true;
}

bool run_fw_cfg_load(const struct run_fw_cfg *option, struct file *ret)
{
    if (option->is_file)
        return file_read(option->value, "fw_cfg file", FILE_LIMIT, ret);
    ret->data = (uint8_t *)strdup(option->value);
    ret->size = strlen(option->value);
    return ret->data || refuse(option->name, "out of memory");
}
