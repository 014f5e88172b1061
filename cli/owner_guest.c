/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Options and files of a guest to measure; names as other tools of the field have them. */
#include "cli/owner_guest.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/error.h"
#include "machine/chip/chip.h"
#include "sev/guid_table.h"
#include "sev/session.h"

#define FLASH_LIMIT (8u << 20)
#define BLOB_LIMIT  (1024u << 20)

/* Naming a kernel means that its hash is measured, as with every tool of the field. */
enum hashes { HASHES_AUTO, HASHES_ON, HASHES_OFF };
enum mode { MODE_OF_POLICY, MODE_SEV, MODE_SEV_ES, MODE_SEV_SNP };

struct owner_guest_options {
    const char *firmware, *kernel, *initrd, *append, *tik, *tek, *tk, *vmsa_first, *vmsa_others;
    const char *cpu;
    uint64_t policy, api_major, api_minor, build, processors;
    uint64_t signature, family, model, stepping, features;
    bool fpu;
    unsigned hashes; /* of enum hashes */
    unsigned mode;   /* of enum mode */
    unsigned vmm;    /* of enum sev_vmm */
};

/* Names of virt-qemu-sev-validate and sev-snp-measure; those of options that there are, are aliases. */
static const struct option_foreign foreign[] = {
    { "domain o connect c insecure i ignore-config g",
      "libvirt is not asked; give what 'virsh domlaunchsecinfo' tells and the guest's files" },
    { "inject-secret s secret-payload secret-header",
      "'privet owner secret' makes the packet after the measurement was verified" },
    { "debug d verbose v", "there is no more to tell" },
    { "quiet q", "nothing but the result is printed" },
    { "version", "'privet --version' tells it" },
    { "snp-ovmf-hash", "the firmware's part is computed from --firmware" },
    { "svsm vars-size vars-file", "launch digests of guests with an SVSM are not computed" },
    { "dump-vmsa", "the processors' pages are not written" },
    { .names = NULL },
};

#define GUEST_ROWS 24u
#define OWN_ROWS   8u

/* Sets the defaults and writes GUEST_ROWS rows. */
static void make_rows(struct owner_guest_options *o, struct option_row *rows)
{
    static const char *const hash_modes[] = { "auto", "on", "off", NULL };
    static const char *const modes[] = { "auto", "sev", "seves", "snp", NULL };
    static const char *const vmms[] = { [SEV_VMM_QEMU] = "QEMU", [SEV_VMM_EC2] = "ec2",
                                        [SEV_VMM_GCE] = "gce", NULL };
    *o = (struct owner_guest_options){ .policy = SEV_POLICY_NODBG,
                                       .api_major = CHIP_API_MAJOR,
                                       .api_minor = CHIP_API_MINOR,
                                       .build = CHIP_BUILD,
                                       .fpu = true };
    const struct option_row all[GUEST_ROWS] = {
        { "firmware", OPTION_TEXT, &o->firmware, "FILE", "flash image", .aliases = "ovmf f" },
        { "policy", OPTION_POLICY, &o->policy, "POLICY",
          "guest policy, a number or words such as nodbg,noks; default nodbg" },
        { "api-major", OPTION_NUMBER, &o->api_major, "N", "of the platform; default 0", 0, 255 },
        { "api-minor", OPTION_NUMBER, &o->api_minor, "N", "of the platform; default 24", 0, 255 },
        { "build-id", OPTION_NUMBER, &o->build, "N", "of the platform; default 15", 0, 255 },
        { "kernel-hashes", OPTION_CHOICE, &o->hashes, "auto|on|off",
          "hashes of the next three are measured; auto: if --kernel is given", 0, 0, hash_modes },
        { "kernel", OPTION_TEXT, &o->kernel, "FILE", "kernel", .aliases = "k" },
        { "initrd", OPTION_TEXT, &o->initrd, "FILE", "initial ram disk", .aliases = "r" },
        { "append", OPTION_TEXT, &o->append, "TEXT", "kernel command line",
          .aliases = "cmdline e" },
        { "tik", OPTION_TEXT, &o->tik, "FILE", "transport integrity key, 16 raw bytes" },
        { "tek", OPTION_TEXT, &o->tek, "FILE", "transport encryption key, to find a swap" },
        { "tk", OPTION_TEXT, &o->tk, "FILE", "both keys in one file, TEK then TIK" },
        { "mode", OPTION_CHOICE, &o->mode, "auto|sev|seves|snp",
          "auto: SEV-ES if the policy has es, else SEV", 0, 0, modes,
          .note = "launch digests of guests with an SVSM, or from a firmware's hash, are not computed" },
        { "num-cpus", OPTION_NUMBER, &o->processors, "N", "processors of a SEV-ES or SNP guest", 1,
          OWNER_PROCESSORS, .aliases = "vcpus n" },
        { "vmsa-cpu0", OPTION_TEXT, &o->vmsa_first, "FILE",
          "SEV-ES, SNP: page of the first processor's state, 4096 bytes", .aliases = "0" },
        { "vmsa-cpu1", OPTION_TEXT, &o->vmsa_others, "FILE",
          "the same of each other processor", .aliases = "1" },
        { "cpu", OPTION_TEXT, &o->cpu, "MODEL",
          "instead of the pages: QEMU's processor model, such as EPYC-Milan",
          .aliases = "vcpu-type" },
        { "cpu-family", OPTION_NUMBER, &o->family, "N",
          "or the processor's family, such as 25, with the next two", 1, 270,
          .aliases = "vcpu-family" },
        { "cpu-model", OPTION_NUMBER, &o->model, "N", "its model; default 0", 0, 255,
          .aliases = "vcpu-model" },
        { "cpu-stepping", OPTION_NUMBER, &o->stepping, "N", "its stepping; default 0", 0, 15,
          .aliases = "vcpu-stepping" },
        { "cpu-signature", OPTION_NUMBER, &o->signature, "N",
          "or its signature: EAX of CPUID leaf 1", 1, UINT32_MAX, .aliases = "vcpu-sig" },
        { "guest-features", OPTION_NUMBER, &o->features, "N",
          "SEV_FEATURES in the pages; default 0, or 1 for SNP", 0, UINT64_MAX },
        { "fpu-state", OPTION_SWITCH, &o->fpu, "on|off",
          "default on: the host begins guests by KVM_SEV_INIT2; off: by KVM_SEV_ES_INIT" },
        { "vmm-type", OPTION_CHOICE, &o->vmm, "QEMU|ec2|gce",
          "who launches the SEV-ES or SNP guest; default QEMU; others hide the model", 0, 0, vmms,
          .note = "the state that other VMMs give processors is not known" },
    };
    memcpy(rows, all, sizeof(all));
}

static bool complain(const char *text)
{
    error_say("%s", text);
    return false;
}

static bool check_size(const char *name, const char *what, size_t size, const struct file *file)
{
    if (file->size != size)
        error_say("%s: %zu bytes, %s has %zu", name, file->size, what, size);
    return file->size == size;
}

/* Raw bytes that may look like text: never decoded. */
static bool load_raw(const char *path, const char *what, size_t size, struct file *ret)
{
    return !path || (file_read(path, what, 2 * size, ret) && check_size(path, what, size, ret));
}

bool owner_value_load(const char *text, const char *what, size_t size, struct file *ret)
{
    if (text_value(text, strlen(text), size, ret)) {
        if (ret->size == size)
            return true;
        file_free(ret);
    }
    return file_read_value(text, what, 2 * size, ret) && check_size(text, what, size, ret);
}

/* sev-tool's form: TEK, then TIK. */
static bool load_both_keys(const struct owner_guest_options *o, struct owner_guest_files *files)
{
    if (!o->tk)
        return load_raw(o->tik, "a transport integrity key", OWNER_KEY_SIZE, &files->tik) &&
               load_raw(o->tek, "a transport encryption key", OWNER_KEY_SIZE, &files->tek);
    if (o->tik || o->tek)
        return complain("--tk holds both keys; it does not go with --tik and --tek");
    if (!load_raw(o->tk, "a file of TEK and TIK", 2 * OWNER_KEY_SIZE, &files->tek))
        return false;
    files->tik.data = malloc(OWNER_KEY_SIZE);
    if (!files->tik.data)
        return complain("out of memory");
    memcpy(files->tik.data, files->tek.data + OWNER_KEY_SIZE, OWNER_KEY_SIZE);
    OPENSSL_cleanse(files->tek.data + OWNER_KEY_SIZE, OWNER_KEY_SIZE);
    files->tik.size = files->tek.size = OWNER_KEY_SIZE;
    return true;
}

static bool hashes_wanted(const struct owner_guest_options *o)
{
    return o->hashes == HASHES_ON || (o->hashes == HASHES_AUTO && o->kernel);
}

static bool is_snp(const struct owner_guest_options *o)
{
    return o->mode == MODE_SEV_SNP;
}

static bool is_es(const struct owner_guest_options *o)
{
    return o->mode == MODE_SEV_ES || (o->policy & SEV_POLICY_ES);
}

static bool has_pages(const struct owner_guest_options *o)
{
    return is_es(o) || is_snp(o);
}

static unsigned models_given(const struct owner_guest_options *o)
{
    return !!o->cpu + !!o->signature + !!o->family;
}

/* The state is known without a file: the VMM makes it from the model, or the same for all. */
static bool can_build(const struct owner_guest_options *o)
{
    return models_given(o) || o->vmm != SEV_VMM_QEMU;
}

/* Processors of SEV-ES and SNP guests are measured: pages from files, or built for a model. */
static bool processors_check(const struct owner_guest_options *o)
{
    bool pages = o->vmsa_first || o->vmsa_others;
    if (!has_pages(o))
        return !(pages || can_build(o)) ||
               complain("--vmsa-cpu0, --vmsa-cpu1, --cpu and its like, --vmm-type are for SEV-ES: "
                        "--policy with es, or --mode snp");
    if (!o->processors && can_build(o))
        return complain("a SEV-ES or SNP guest needs --num-cpus: its processors' state is measured");
    if (!o->processors || (!o->vmsa_first && !can_build(o)))
        return complain("a SEV-ES or SNP guest needs --num-cpus, and --cpu MODEL or --vmsa-cpu0: "
                        "its processors' state is measured");
    if (models_given(o) > 1 || (pages && models_given(o)))
        return complain("--cpu, --cpu-family, --cpu-signature and --vmsa-cpu0: one of them says "
                        "what the processors are");
    if ((o->model || o->stepping) && !o->family)
        return complain("--cpu-model and --cpu-stepping go with --cpu-family alone");
    if (pages && o->processors > 1 && !o->vmsa_others)
        return complain("more than one processor needs --vmsa-cpu1");
    return true;
}

static bool signature_of(const struct owner_guest_options *o, uint32_t *ret)
{
    *ret = o->signature ? (uint32_t)o->signature
                        : sev_cpu_signature((unsigned)o->family, (unsigned)o->model,
                                            (unsigned)o->stepping);
    if (!o->cpu || sev_cpu_model_signature(o->cpu, ret))
        return true;
    error_say("--cpu: '%s' is not a model of AMD's server processors such as EPYC, EPYC-Rome or "
              "EPYC-Milan-v2; give --cpu-family, --cpu-model and --cpu-stepping", o->cpu);
    return false;
}

static bool build_page(const struct sev_vmsa_config *config, uint32_t reset, struct file *ret)
{
    ret->data = malloc(SEV_VMSA_PAGE_SIZE);
    if (!ret->data)
        return complain("out of memory");
    ret->size = SEV_VMSA_PAGE_SIZE;
    sev_vmsa_build(config, reset, ret->data);
    return true;
}

/* The others begin where the firmware says, the first one at the reset vector. */
static bool build_pages(const struct owner_guest_options *o, struct owner_guest_files *files,
                        struct owner_guest *guest)
{
    files->built = (struct sev_vmsa_config){
        .vmm = (enum sev_vmm)o->vmm,
        .features = o->features | (is_snp(o) ? SEV_FEATURE_SNP : 0), /* every SNP guest has it */
        .fpu = o->fpu,
    };
    if (!signature_of(o, &files->built.signature) ||
        !build_page(&files->built, SEV_VMSA_RESET, &files->vmsa_first))
        return false;
    guest->vmsa_first = files->vmsa_first.data;
    guest->built = &files->built;
    bool told = sev_guid_table_reset_address(files->firmware.data, files->firmware.size,
                                             &guest->reset);
    if (!told && o->processors < 2)
        return true;
    if (!told) {
        error_say("%s: tells no address where further processors begin (SEV-ES reset block); it "
                  "cannot start them under SEV-ES or SNP", o->firmware);
        return false;
    }
    if (!build_page(&files->built, guest->reset, &files->vmsa_others))
        return false;
    guest->vmsa_others = files->vmsa_others.data;
    return true;
}

static bool options_check(const struct owner_guest_options *o)
{
    if (!o->firmware)
        return complain("--firmware is needed: the flash image that the guest starts");
    if (hashes_wanted(o) && !o->kernel)
        return complain("--kernel-hashes on needs --kernel");
    if ((o->initrd || o->append) && !o->kernel)
        return complain("--initrd and --append need --kernel");
    if (o->mode == MODE_SEV && (o->policy & SEV_POLICY_ES))
        return complain("--mode sev: the policy has es");
    return processors_check(o);
}

static bool files_load(const struct owner_guest_options *o, struct owner_guest_files *files)
{
    return file_read(o->firmware, "firmware image", FLASH_LIMIT, &files->firmware) &&
           (!o->kernel || file_read(o->kernel, "kernel", BLOB_LIMIT, &files->kernel)) &&
           (!o->initrd || file_read(o->initrd, "initrd", BLOB_LIMIT, &files->initrd)) &&
           load_raw(o->vmsa_first, "a processor's page", OWNER_VMSA_SIZE, &files->vmsa_first) &&
           load_raw(o->vmsa_others, "a processor's page", OWNER_VMSA_SIZE, &files->vmsa_others) &&
           load_both_keys(o, files);
}

static bool guest_load(const struct owner_guest_options *o, struct owner_guest_files *files,
                       struct owner_guest *guest)
{
    memset(files, 0, sizeof(*files));
    if (!options_check(o) || !files_load(o, files))
        return false;
    *guest = (struct owner_guest){
        .firmware = { files->firmware.data, files->firmware.size },
        .kernel_hashes = hashes_wanted(o),
        .kernel = { files->kernel.data, files->kernel.size },
        .initrd = { files->initrd.data, files->initrd.size },
        .command_line = o->append,
        .policy = (uint32_t)o->policy | (is_es(o) ? SEV_POLICY_ES : 0),
        .api_major = (uint8_t)o->api_major,
        .api_minor = (uint8_t)o->api_minor,
        .build = (uint8_t)o->build,
        .vmsa_first = files->vmsa_first.data,
        .vmsa_others = files->vmsa_others.data,
        .vmm = (enum sev_vmm)o->vmm,
        .processors = has_pages(o) ? (unsigned)o->processors : 0,
    };
    files->snp = is_snp(o);
    return !has_pages(o) || o->vmsa_first || build_pages(o, files, guest);
}

static void files_free(struct owner_guest_files *files)
{
    OPENSSL_cleanse(files->tik.data, files->tik.size);
    OPENSSL_cleanse(files->tek.data, files->tek.size);
    struct file *const all[] = { &files->firmware, &files->kernel, &files->initrd,
                                 &files->vmsa_first, &files->vmsa_others, &files->tik,
                                 &files->tek };
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        file_free(all[i]);
}

int owner_guest_command(const struct owner_guest_verb *v, int argc, char **argv)
{
    struct owner_guest_options o;
    struct option_row rows[GUEST_ROWS + OWN_ROWS + 1] = { 0 };
    struct option_verb verb = v->verb;
    struct owner_guest_files files;
    struct owner_guest guest;
    make_rows(&o, rows);
    for (unsigned i = 0; i < OWN_ROWS && v->verb.rows[i].name; i++)
        rows[GUEST_ROWS + i] = v->verb.rows[i];
    verb.rows = rows;
    verb.foreign = foreign;
    enum option_result result = options_parse(&verb, argc, argv, NULL);
    if (result != OPTIONS_RUN)
        return result == OPTIONS_HELP ? 0 : 1;
    int code = guest_load(&o, &files, &guest) ? v->run(v->own, &guest, &files) : 1;
    files_free(&files);
    return code;
}
