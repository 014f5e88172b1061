/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* What a verification found, link by link and field by field. */
#ifndef PRIVET_OWNER_CHECK_H
#define PRIVET_OWNER_CHECK_H

enum owner_link_state { OWNER_LINK_GOOD, OWNER_LINK_BAD, OWNER_LINK_ABSENT };

struct owner_check {
    const char *name; /* "ARK signs ASK"; static */
    enum owner_link_state state;
    char reason[192]; /* why it is bad or absent, as a phrase; may be empty */
};

#define OWNER_CHECKS_MAX 40

struct owner_checks {
    struct owner_check items[OWNER_CHECKS_MAX];
    unsigned count;
};

/* Adds a check; `format` and the rest are the reason, NULL: none. */
__attribute__((format(printf, 4, 5))) void owner_check_add(struct owner_checks *checks,
                                                           const char *name,
                                                           enum owner_link_state state,
                                                           const char *format, ...);

/* The first check that is not good, or NULL. */
const struct owner_check *owner_check_failed(const struct owner_checks *checks);

#endif
