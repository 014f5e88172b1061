/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* The GUIDs of protocols, tables, event groups and variables that the firmware knows. */
#ifndef PRIVET_FIRMWARE_GUIDS_H
#define PRIVET_FIRMWARE_GUIDS_H

#include <stdbool.h>
#include <string.h>

#include "firmware/uefi/uefi.h"

/* protocols */
extern const struct guid guid_loaded_image, guid_loaded_image_device_path, guid_device_path,
    guid_device_path_to_text,
    guid_device_path_from_text, guid_device_path_utilities, guid_simple_file_system, guid_block_io,
    guid_disk_io, guid_load_file, guid_load_file2, guid_text_input, guid_text_input_ex,
    guid_text_output, guid_serial_io,
    guid_unicode_collation, guid_unicode_collation2, guid_rng, guid_memory_attribute,
    guid_driver_binding;
extern const struct guid guid_pci_root_bridge_io, guid_pci_io, guid_edkii_iommu,
    guid_simple_network, guid_graphics_output;
/* file information */
extern const struct guid guid_file_info, guid_file_system_info, guid_file_volume_label;
/* random algorithms (UEFI 2.10 37.5.2) */
extern const struct guid guid_rng_raw, guid_rng_hmac_256;
/* configuration tables */
extern const struct guid guid_acpi_20_table, guid_acpi_10_table, guid_smbios3_table,
    guid_memory_attributes_table, guid_rt_properties_table,
    guid_platform_driver_override, guid_driver_family_override, guid_bus_driver_override,
    guid_coco_secret_table, guid_linux_random_seed;
/* event groups (UEFI 2.10 7.1.2) */
extern const struct guid guid_group_exit, guid_group_before_exit, guid_group_virtual_address_change,
    guid_group_ready_to_boot, guid_group_memory_map_change;
/* variables and device paths */
extern const struct guid guid_global_variable, guid_kernel_media, guid_initrd_media;

static inline bool guid_equal(const struct guid *a, const struct guid *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

#endif
