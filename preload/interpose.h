/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The function that ours stands in front of: libc's, or that of a library that was preloaded too. */
#ifndef PRIVET_PRELOAD_INTERPOSE_H
#define PRIVET_PRELOAD_INTERPOSE_H

#include <dlfcn.h>

/* `next` of the type of the function `name`, found once; needs _GNU_SOURCE. */
#define NEXT(name)                                              \
    static __typeof__(&(name)) next;                            \
    if (!next)                                                  \
        next = (__typeof__(&(name)))dlsym(RTLD_NEXT, #name)

#endif
