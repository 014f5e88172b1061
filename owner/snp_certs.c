/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * SEV-SNP's X.509 chains with OpenSSL. A certificate's kind is told by its subject, which its signer
 * vouches for; nothing is taken from a trust store or a network.
 */
#include "owner/snp_certs.h"

#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "owner/certs.h"

#define RSA_BITS 4096

static const struct kind {
    const char *name, *subject; /* the subject's common name begins so */
    bool exact;                 /* and is nothing else */
    enum owner_snp_kind signer;
    const char *link;
} kinds[OWNER_SNP_KINDS] = {
    [OWNER_SNP_ARK] = { "ARK", "ARK-", false, OWNER_SNP_ARK, "ARK signs itself" },
    [OWNER_SNP_ASK] = { "ASK", "SEV-", false, OWNER_SNP_ARK, "ARK signs ASK" },
    [OWNER_SNP_ASVK] = { "ASVK", "SEV-VLEK-", false, OWNER_SNP_ARK, "ARK signs ASVK" },
    [OWNER_SNP_VCEK] = { "VCEK", "SEV-VCEK", true, OWNER_SNP_ASK, "ASK signs VCEK" },
    [OWNER_SNP_VLEK] = { "VLEK", "SEV-VLEK", true, OWNER_SNP_ASVK, "ASVK signs VLEK" },
};

const char *owner_snp_kind_name(enum owner_snp_kind kind)
{
    return kinds[kind].name;
}

/* ---- reading ---- */

static void common_name(const X509_NAME *name, char *text, int size)
{
    if (X509_NAME_get_text_by_NID(name, NID_commonName, text, size) < 0)
        text[0] = '\0';
}

/* From the longest prefix to the shortest: "SEV-" alone is an ASK. */
static bool kind_of(const X509 *cert, enum owner_snp_kind *ret)
{
    static const enum owner_snp_kind order[] = { OWNER_SNP_VCEK, OWNER_SNP_VLEK, OWNER_SNP_ASVK,
                                                 OWNER_SNP_ASK, OWNER_SNP_ARK };
    char subject[64];
    common_name(X509_get_subject_name(cert), subject, sizeof(subject));
    for (size_t i = 0; i < sizeof(order) / sizeof(order[0]); i++) {
        const struct kind *kind = &kinds[order[i]];
        if (kind->exact ? strcmp(subject, kind->subject) == 0
                        : strncmp(subject, kind->subject, strlen(kind->subject)) == 0) {
            *ret = order[i];
            return true;
        }
    }
    return false;
}

const char *owner_snp_add(struct owner_snp_chain *chain, const uint8_t *der, size_t size,
                          enum owner_snp_kind *ret_kind)
{
    const uint8_t *at = der;
    X509 *cert = d2i_X509(NULL, &at, (long)size);
    const char *reason = NULL;
    if (!cert)
        return "it is not an X.509 certificate in DER";
    if (at != der + size)
        reason = "bytes follow the X.509 certificate";
    else if (!kind_of(cert, ret_kind))
        reason = "its subject is not one of AMD's: ARK-*, SEV-*, SEV-VLEK-*, SEV-VCEK, SEV-VLEK";
    else if (!chain->cert[*ret_kind])
        chain->cert[*ret_kind] = cert;
    else if (X509_cmp(chain->cert[*ret_kind], cert) != 0)
        reason = "another certificate of the same kind is already there";
    if (reason || chain->cert[*ret_kind] != cert)
        X509_free(cert);
    return reason;
}

void owner_snp_free(struct owner_snp_chain *chain)
{
    for (int i = 0; i < OWNER_SNP_KINDS; i++)
        X509_free(chain->cert[i]);
    memset(chain, 0, sizeof(*chain));
}

/* ---- links ---- */

static const char *key_fault(EVP_PKEY *key, bool authority)
{
    char group[32] = "";
    if (!key)
        return "its key cannot be read";
    if (authority)
        return EVP_PKEY_is_a(key, "RSA") && EVP_PKEY_get_bits(key) == RSA_BITS
                   ? NULL
                   : "its key is not RSA-4096";
    if (!EVP_PKEY_is_a(key, "EC") ||
        EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) != 1 ||
        (strcmp(group, "secp384r1") != 0 && strcmp(group, "P-384") != 0))
        return "its key is not on P-384";
    return NULL;
}

static const char *signature_fault(X509 *signer, X509 *cert)
{
    int hash, scheme;
    if (X509_get_signature_info(cert, &hash, &scheme, NULL, NULL) != 1 || hash != NID_sha384 ||
        scheme != NID_rsassaPss)
        return "its signature is not RSASSA-PSS with SHA-384";
    if (X509_NAME_cmp(X509_get_subject_name(signer), X509_get_issuer_name(cert)) != 0)
        return "it names another issuer: certificates of two products";
    if (X509_check_ca(signer) != 1 || X509_check_issued(signer, cert) != X509_V_OK)
        return "the signer is not an authority for it";
    if (X509_verify(cert, X509_get0_pubkey(signer)) != 1)
        return "the signature is not by this key, or the certificate was changed";
    return NULL;
}

static void time_text(const ASN1_TIME *time, char *text, size_t size)
{
    struct tm parts;
    if (ASN1_TIME_to_tm(time, &parts) != 1 ||
        strftime(text, size, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        snprintf(text, size, "an unreadable time");
}

/* False, with the check added, if the certificate is not valid at the time. */
static bool valid_at(const X509 *cert, time_t at, const char *name, const char *link,
                     struct owner_checks *checks)
{
    char text[32];
    int begun = X509_cmp_time(X509_get0_notBefore(cert), &at);
    int ends = X509_cmp_time(X509_get0_notAfter(cert), &at);
    if (begun == 0 || ends == 0) {
        owner_check_add(checks, link, OWNER_LINK_BAD, "the validity of the %s is malformed", name);
        return false;
    }
    if (begun > 0) {
        time_text(X509_get0_notBefore(cert), text, sizeof(text));
        owner_check_add(checks, link, OWNER_LINK_BAD, "the %s is valid from %s on only", name,
                        text);
        return false;
    }
    if (ends < 0) {
        time_text(X509_get0_notAfter(cert), text, sizeof(text));
        owner_check_add(checks, link, OWNER_LINK_BAD,
                        "the %s expired at %s; --at TIME judges it as of another time", name, text);
        return false;
    }
    return true;
}

static void check_link(const struct owner_snp_chain *chain, enum owner_snp_kind kind, time_t at,
                       struct owner_checks *checks)
{
    const struct kind *k = &kinds[kind];
    X509 *cert = chain->cert[kind], *signer = chain->cert[k->signer];
    if (!signer) {
        owner_check_add(checks, k->link, OWNER_LINK_ABSENT, "the %s was not given",
                        kinds[k->signer].name);
        return;
    }
    bool authority = kind != OWNER_SNP_VCEK && kind != OWNER_SNP_VLEK;
    const char *reason = key_fault(X509_get0_pubkey(signer), true);
    if (!reason)
        reason = key_fault(X509_get0_pubkey(cert), authority);
    if (!reason)
        reason = signature_fault(signer, cert);
    if (reason)
        owner_check_add(checks, k->link, OWNER_LINK_BAD, "%s", reason);
    else if (valid_at(cert, at, k->name, k->link, checks))
        owner_check_add(checks, k->link, OWNER_LINK_GOOD, NULL);
}

const char *owner_snp_verify(const struct owner_snp_chain *chain, time_t at,
                             struct owner_checks *checks)
{
    for (int i = 0; i < OWNER_SNP_KINDS; i++) {
        if (chain->cert[i])
            check_link(chain, (enum owner_snp_kind)i, at, checks);
    }
    EVP_PKEY *root = chain->cert[OWNER_SNP_ARK] ? X509_get0_pubkey(chain->cert[OWNER_SNP_ARK])
                                                : NULL;
    return root ? owner_root_product(root) : NULL;
}

/* ---- AMD's extensions: 1.3.6.1.4.1.3704.1.* ---- */

/* The bytes of the one extension with this number under AMD's arc; false: none, or several. */
static bool extension(const X509 *cert, const char *number, const uint8_t **ret, size_t *ret_size)
{
    char oid[64];
    snprintf(oid, sizeof(oid), "1.3.6.1.4.1.3704.1.%s", number);
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    int at = object ? X509_get_ext_by_OBJ(cert, object, -1) : -1;
    bool once = at >= 0 && X509_get_ext_by_OBJ(cert, object, at) < 0;
    ASN1_OBJECT_free(object);
    if (!once)
        return false;
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_get_ext(cert, at));
    *ret = ASN1_STRING_get0_data(value);
    *ret_size = (size_t)ASN1_STRING_length(value);
    return true;
}

/* A DER INTEGER from 0 to 255. */
static bool small_integer(const X509 *cert, const char *number, uint8_t *ret)
{
    const uint8_t *p;
    size_t size;
    if (!extension(cert, number, &p, &size) || size < 3 || p[0] != V_ASN1_INTEGER ||
        p[1] != size - 2)
        return false;
    if (size == 4 && p[2] == 0 && p[3] >= 0x80)
        *ret = p[3];
    else if (size == 3 && p[2] < 0x80)
        *ret = p[2];
    else
        return false;
    return true;
}

/* An IA5String of printable characters. */
static bool short_text(const X509 *cert, const char *number, char *text, size_t room)
{
    const uint8_t *p;
    size_t size;
    if (!extension(cert, number, &p, &size) || size < 2 || p[0] != V_ASN1_IA5STRING ||
        p[1] >= 0x80 || p[1] != size - 2 || size - 2 >= room)
        return false;
    for (size_t i = 2; i < size; i++) {
        if (p[i] < ' ' || p[i] > '~')
            return false;
    }
    memcpy(text, p + 2, size - 2);
    text[size - 2] = '\0';
    return true;
}

/* Bare bytes, or in some issues wrapped as an OCTET STRING: 64, on Turin 8. */
static bool hardware_id(const X509 *cert, size_t expected, struct owner_snp_endorsement *e)
{
    const uint8_t *p;
    size_t size;
    if (!extension(cert, "4", &p, &size))
        return false;
    if (size == expected + 2 && p[0] == V_ASN1_OCTET_STRING && p[1] == expected) {
        p += 2;
        size -= 2;
    }
    if (size != expected)
        return false;
    memcpy(e->hardware_id, p, size);
    e->hardware_id_size = size;
    return true;
}

/* Which extension each byte of a TCB_VERSION has; "spare" ones must agree as well. */
static const struct {
    const char *number, *part;
} tcb_bytes[2][OWNER_SNP_TCB_SIZE] = {
    { { "3.1", "boot-loader" },
      { "3.2", "tee" },
      { "3.4", NULL },
      { "3.5", NULL },
      { "3.6", NULL },
      { "3.7", NULL },
      { "3.3", "snp" },
      { "3.8", "microcode" } },
    { { "3.9", "fmc" },
      { "3.1", "boot-loader" },
      { "3.2", "tee" },
      { "3.3", "snp" },
      { "3.5", NULL },
      { "3.6", NULL },
      { "3.7", NULL },
      { "3.8", "microcode" } },
};

const char *owner_snp_tcb_part(bool turin, unsigned index)
{
    return tcb_bytes[turin][index].part;
}

const char *owner_snp_endorsement(const X509 *cert, struct owner_snp_endorsement *ret)
{
    struct owner_snp_endorsement e = { .provider = "" };
    enum owner_snp_kind kind;
    uint8_t version;
    if (!kind_of(cert, &kind) || (kind != OWNER_SNP_VCEK && kind != OWNER_SNP_VLEK))
        return "it is neither a VCEK nor a VLEK";
    if (!small_integer(cert, "1", &version))
        return "it lacks the version of AMD's extensions";
    if (version > 1)
        return "its extensions are of an unknown version; this Privet knows 0 and 1";
    e.turin = version == 1;
    if (!short_text(cert, "2", e.product, sizeof(e.product)))
        return "it lacks the product's name";
    for (unsigned i = 0; i < OWNER_SNP_TCB_SIZE; i++) {
        if (!small_integer(cert, tcb_bytes[e.turin][i].number, &e.tcb[i]))
            return "it lacks a version number of the TCB";
    }
    if (kind == OWNER_SNP_VCEK && !hardware_id(cert, e.turin ? 8 : sizeof(e.hardware_id), &e))
        return "it lacks the chip's hardware id";
    if (kind == OWNER_SNP_VLEK && !short_text(cert, "5", e.provider, sizeof(e.provider)))
        return "it lacks the provider's name";
    *ret = e;
    return NULL;
}
