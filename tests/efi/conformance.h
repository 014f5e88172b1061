/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The conformance application: what its files share. Each check is one line on the first serial
 * port, `check SECTION.NAME: VALUE`, that is the same on every run of a firmware, so that two
 * firmwares can be compared: statuses by name, numbers only where they may not differ.
 */
#ifndef PRIVET_CONFORMANCE_H
#define PRIVET_CONFORMANCE_H

#include "firmware/uefi/efi.h"

extern EFI_HANDLE self;
extern EFI_SYSTEM_TABLE *st;
extern EFI_BOOT_SERVICES *bs;
extern EFI_RUNTIME_SERVICES *rt;

#define MEMORY_TYPE_BOOT_DATA 4u
#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* report.c */
void report_section(const char *name); /* in front of the names that follow */
void report_end(void);
void check_status(const char *name, EFI_STATUS status);
void check_value(const char *name, uint64_t value);
void check_true(const char *name, bool value);
void check_text(const char *name, const char *value);
void check_wide(const char *name, const CHAR16 *value); /* NULL is told from "" */
void check_bytes(const char *name, const void *data, size_t length);
/* The same with an index or a second word behind the name. */
const char *name_of(const char *name, const char *detail); /* valid until the next call but one */
const char *name_number(const char *name, uint64_t number);

/* lib.c */
void *memcpy(void *to, const void *from, size_t length);
void *memmove(void *to, const void *from, size_t length);
void *memset(void *to, int value, size_t length);
int memcmp(const void *a, const void *b, size_t length);
size_t strlen(const char *text);
size_t wide_length(const CHAR16 *text);
bool wide_equal(const CHAR16 *a, const CHAR16 *b);
bool guid_same(const EFI_GUID *a, const EFI_GUID *b);
void *take(size_t size);  /* pool memory, zeroed; never NULL */
void give(void *pointer); /* NULL is fine */
/* The first interface of a protocol in the system, or NULL. */
void *find_protocol(EFI_GUID *guid);
/* The page table entry that translates an address; one that is not present ends the walk. */
uint64_t page_entry(uint64_t address);
uint64_t processor_flags(void);
void processor_interrupts_off(void);
#define FLAG_INTERRUPTS 0x200u

/* guids.c: read from the specification, not from the firmware's list */
extern EFI_GUID loaded_image_guid, loaded_image_path_guid, device_path_guid, path_to_text_guid,
    path_from_text_guid, path_utilities_guid, file_system_guid, block_io_guid, disk_io_guid,
    load_file_guid, load_file2_guid, text_input_guid, text_input_ex_guid, text_output_guid,
    serial_io_guid, rng_guid, rng_raw_guid, collation_guid, collation2_guid, driver_binding_guid,
    memory_attribute_guid, pci_root_bridge_guid, pci_io_guid, simple_network_guid,
    iommu_guid;
extern EFI_GUID file_info_guid, file_system_info_guid, volume_label_guid;
extern EFI_GUID exit_group_guid, before_exit_group_guid, address_change_group_guid,
    memory_change_group_guid, ready_group_guid;
extern EFI_GUID platform_override_guid, family_override_guid, bus_override_guid;
extern EFI_GUID acpi_guid, rt_properties_guid, global_variable_guid;
/* of nobody else */
extern EFI_GUID test_guid_1, test_guid_2, test_guid_3, test_table_guid, test_vendor_guid;

/* The subjects, in the order in which they run. */
void test_tables(void);
void test_tpl(void);
void test_events(void);
void test_timers(void);
void test_groups(void);
void test_pages(void);
void test_memory_map(void);
void test_pool(void);
void test_memory_attributes(void);
void test_handles(void);
void test_locate(void);
void test_multiple(void);
void test_open(void);
void test_binding(void);
void test_misc(void);
void test_blocks(void);
void test_time(void);
void test_variables(void);
void test_capsules(void);
void test_rng(void);
void test_collation(void);
void test_paths(void);
void test_path_text(void);
void test_locate_path(void);
void test_images(void);
void test_files(void);
void test_output(void);
void test_input(void);
void test_serial(void);
void test_pci_root(void);
void test_pci_io(void);
void test_network(void);
void test_exit(void); /* does not come back to boot services */
void test_runtime(void);
void test_runtime_variables(void); /* part of it */
void test_virtual(void);

#endif
