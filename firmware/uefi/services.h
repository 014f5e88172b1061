/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * What the files of this folder offer each other: the boot and runtime services by their own
 * names (bs_ and rt_), and the internal calls around them. The services follow UEFI 2.10 7 and 8.
 */
#ifndef PRIVET_FIRMWARE_SERVICES_H
#define PRIVET_FIRMWARE_SERVICES_H

#include "firmware/uefi/efi.h"
#include "firmware/uefi/guids.h"

/* boottables.c */
extern EFI_SYSTEM_TABLE *system_table;      /* in RuntimeServicesData */
extern EFI_RUNTIME_SERVICES *runtime_table; /* in RuntimeServicesData */
extern EFI_BOOT_SERVICES *boot_table;
void tables_init(void);
void tables_seal(void); /* recomputes the CRCs of system and boot services table */
void tables_exit(void); /* removes what ends with boot services */
EFI_STATUS EFIAPI bs_install_configuration_table(EFI_GUID *guid, VOID *table);
EFI_STATUS EFIAPI bs_calculate_crc32(VOID *data, UINTN size, UINT32 *ret_crc);
VOID EFIAPI bs_copy_mem(VOID *destination, VOID *source, UINTN length);
VOID EFIAPI bs_set_mem(VOID *buffer, UINTN size, UINT8 value);
uint32_t crc32(uint32_t seed, const void *data, size_t length); /* seed 0 to start */

/* monotonic.c */
EFI_STATUS EFIAPI bs_get_next_monotonic_count(UINT64 *ret_count);
EFI_STATUS EFIAPI rt_get_next_high_monotonic_count(UINT32 *ret_high);

/* memory.c; memory_take is AllocatePages without the notice that the map has changed */
EFI_STATUS memory_take(EFI_ALLOCATE_TYPE how, uint32_t type, uint64_t pages, uint64_t *memory);
bool memory_type_allocatable(uint32_t type);
EFI_STATUS EFIAPI bs_allocate_pages(EFI_ALLOCATE_TYPE how, UINT32 type, UINTN pages,
                                    EFI_PHYSICAL_ADDRESS *memory);
EFI_STATUS EFIAPI bs_free_pages(EFI_PHYSICAL_ADDRESS memory, UINTN pages);
EFI_STATUS EFIAPI bs_get_memory_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *ret_key,
                                    UINTN *ret_descriptor_size, UINT32 *ret_version);
/* pool.c */
EFI_STATUS EFIAPI bs_allocate_pool(UINT32 type, UINTN size, VOID **ret_buffer);
EFI_STATUS EFIAPI bs_free_pool(VOID *buffer);

/* handles.c: the protocol database */
EFI_STATUS EFIAPI bs_install_protocol_interface(EFI_HANDLE *handle, EFI_GUID *protocol, UINT32 type,
                                                VOID *interface);
EFI_STATUS EFIAPI bs_reinstall_protocol_interface(EFI_HANDLE handle, EFI_GUID *protocol, VOID *old,
                                                  VOID *new);
EFI_STATUS EFIAPI bs_uninstall_protocol_interface(EFI_HANDLE handle, EFI_GUID *protocol,
                                                  VOID *interface);
EFI_STATUS EFIAPI bs_install_multiple(EFI_HANDLE *handle, ...);
EFI_STATUS EFIAPI bs_uninstall_multiple(EFI_HANDLE handle, ...);
/* open.c: who uses what */
EFI_STATUS EFIAPI bs_handle_protocol(EFI_HANDLE handle, EFI_GUID *protocol, VOID **ret_interface);
EFI_STATUS EFIAPI bs_open_protocol(EFI_HANDLE handle, EFI_GUID *protocol, VOID **ret_interface,
                                   EFI_HANDLE agent, EFI_HANDLE controller, UINT32 attributes);
EFI_STATUS EFIAPI bs_close_protocol(EFI_HANDLE handle, EFI_GUID *protocol, EFI_HANDLE agent,
                                    EFI_HANDLE controller);
EFI_STATUS EFIAPI bs_open_protocol_information(EFI_HANDLE handle, EFI_GUID *protocol,
                                               EFI_OPEN_PROTOCOL_INFORMATION_ENTRY **ret_entries,
                                               UINTN *ret_count);
/* An image is gone: it has nothing open any more. */
void open_forget_agent(EFI_HANDLE agent);
/* A handle of the firmware's own goes: nobody has its interfaces open any more. */
void open_forget_interfaces(EFI_HANDLE handle);
EFI_STATUS EFIAPI bs_protocols_per_handle(EFI_HANDLE handle, EFI_GUID ***ret_protocols,
                                          UINTN *ret_count);
EFI_STATUS EFIAPI bs_register_protocol_notify(EFI_GUID *protocol, EFI_EVENT event,
                                              VOID **ret_registration);
bool handle_valid(EFI_HANDLE handle);
/* The interface of a protocol on a handle, or NULL. */
void *handle_interface(EFI_HANDLE handle, const EFI_GUID *protocol);
/* For our own protocols: panics when there is no memory for it. */
void handle_install(EFI_HANDLE *handle, const EFI_GUID *protocol, void *interface);

/* locate.c: searches in the database */
EFI_STATUS EFIAPI bs_locate_handle(EFI_LOCATE_SEARCH_TYPE how, EFI_GUID *protocol, VOID *key,
                                   UINTN *size, EFI_HANDLE *buffer);
EFI_STATUS EFIAPI bs_locate_handle_buffer(EFI_LOCATE_SEARCH_TYPE how, EFI_GUID *protocol, VOID *key,
                                          UINTN *ret_count, EFI_HANDLE **ret_buffer);
EFI_STATUS EFIAPI bs_locate_protocol(EFI_GUID *protocol, VOID *registration, VOID **ret_interface);
EFI_STATUS EFIAPI bs_locate_device_path(EFI_GUID *protocol, EFI_DEVICE_PATH_PROTOCOL **path,
                                        EFI_HANDLE *ret_device);
/* The handle that has this very device path; NULL: there is none. */
EFI_HANDLE handle_of_path(EFI_DEVICE_PATH_PROTOCOL *path);
/* connect.c: drivers that loaders bring along */
EFI_STATUS EFIAPI bs_connect_controller(EFI_HANDLE controller, EFI_HANDLE *drivers,
                                        EFI_DEVICE_PATH_PROTOCOL *remaining, BOOLEAN recursive);
EFI_STATUS EFIAPI bs_disconnect_controller(EFI_HANDLE controller, EFI_HANDLE driver,
                                           EFI_HANDLE child);

/* events.c */
void events_init(void);
void events_exit(void); /* no more timers, no more notifications */
/* Signals every event of a group, in TPL order, before it returns (at TPL_APPLICATION). */
void events_signal_group(const EFI_GUID *group);
/* Runtime events of SetVirtualAddressMap: called directly, boot services being gone. */
void events_signal_address_change(void);
EFI_TPL EFIAPI bs_raise_tpl(EFI_TPL tpl);
VOID EFIAPI bs_restore_tpl(EFI_TPL tpl);
EFI_STATUS EFIAPI bs_create_event(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY function,
                                  VOID *context, EFI_EVENT *ret_event);
EFI_STATUS EFIAPI bs_create_event_ex(UINT32 type, EFI_TPL tpl, EFI_EVENT_NOTIFY function,
                                     const VOID *context, const EFI_GUID *group,
                                     EFI_EVENT *ret_event);
EFI_STATUS EFIAPI bs_close_event(EFI_EVENT event);
EFI_STATUS EFIAPI bs_signal_event(EFI_EVENT event);
EFI_STATUS EFIAPI bs_check_event(EFI_EVENT event);
EFI_STATUS EFIAPI bs_wait_for_event(UINTN count, EFI_EVENT *events, UINTN *ret_index);
EFI_STATUS EFIAPI bs_set_timer(EFI_EVENT event, EFI_TIMER_DELAY how, UINT64 time);
EFI_STATUS EFIAPI bs_stall(UINTN microseconds);
EFI_STATUS EFIAPI bs_set_watchdog_timer(UINTN timeout, UINT64 code, UINTN size, CHAR16 *data);

/* images.c */
EFI_STATUS EFIAPI bs_load_image(BOOLEAN policy, EFI_HANDLE parent, EFI_DEVICE_PATH_PROTOCOL *path,
                                VOID *source, UINTN size, EFI_HANDLE *ret_image);
EFI_STATUS EFIAPI bs_start_image(EFI_HANDLE image, UINTN *ret_size, CHAR16 **ret_data);
EFI_STATUS EFIAPI bs_exit(EFI_HANDLE image, EFI_STATUS status, UINTN size, CHAR16 *data);
EFI_STATUS EFIAPI bs_unload_image(EFI_HANDLE image);
/*
 * LoadImage from a file that was read to the beginning of allocated pages. They are the caller's
 * no more, whatever it returns: an application whose sections lie in the file as in memory is run
 * where it is, without a copy; else they are freed.
 */
EFI_STATUS image_load_pages(EFI_HANDLE parent, EFI_DEVICE_PATH_PROTOCOL *path, void *file,
                            size_t size, uint64_t pages, EFI_HANDLE *ret_image);
extern EFI_HANDLE firmware_image; /* the parent of what the boot manager starts */
void images_init(void);

/* file.c: files for LoadImage. NULL: *ret_status says why. The caller frees the pool buffer. */
void *file_load(EFI_DEVICE_PATH_PROTOCOL *path, bool boot_policy, size_t *ret_size,
                EFI_HANDLE *ret_device, EFI_DEVICE_PATH_PROTOCOL **ret_file_path,
                EFI_STATUS *ret_status);

/* exit.c */
EFI_STATUS EFIAPI bs_exit_boot_services(EFI_HANDLE image, UINTN key);
extern bool boot_services_ended; /* also read at runtime */

/* runtime.c */
void runtime_properties_init(void); /* publishes which services the system finds */
EFI_STATUS EFIAPI rt_get_time(EFI_TIME *ret_time, EFI_TIME_CAPABILITIES *ret_capabilities);
EFI_STATUS EFIAPI rt_set_time(EFI_TIME *time);
EFI_STATUS EFIAPI rt_get_wakeup_time(BOOLEAN *enabled, BOOLEAN *pending, EFI_TIME *time);
EFI_STATUS EFIAPI rt_set_wakeup_time(BOOLEAN enable, EFI_TIME *time);
EFI_STATUS EFIAPI rt_set_virtual_address_map(UINTN size, UINTN descriptor_size, UINT32 version,
                                             EFI_MEMORY_DESCRIPTOR *map);
EFI_STATUS EFIAPI rt_convert_pointer(UINTN disposition, VOID **address);
VOID EFIAPI rt_reset_system(EFI_RESET_TYPE type, EFI_STATUS status, UINTN size, VOID *data);
EFI_STATUS EFIAPI rt_update_capsule(VOID **headers, UINTN count, EFI_PHYSICAL_ADDRESS list);
EFI_STATUS EFIAPI rt_query_capsule_capabilities(VOID **headers, UINTN count, UINT64 *maximum,
                                                EFI_RESET_TYPE *reset);

/* variables.c */
EFI_STATUS EFIAPI rt_get_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 *ret_attributes,
                                  UINTN *size, VOID *data);
EFI_STATUS EFIAPI rt_get_next_variable_name(UINTN *size, CHAR16 *name, EFI_GUID *vendor);
EFI_STATUS EFIAPI rt_set_variable(CHAR16 *name, EFI_GUID *vendor, UINT32 attributes, UINTN size,
                                  VOID *data);
EFI_STATUS EFIAPI rt_query_variable_info(UINT32 attributes, UINT64 *ret_maximum,
                                         UINT64 *ret_remaining, UINT64 *ret_maximum_size);
/* Opens the flash store, unless the boot is measured; creates what describes the firmware. */
void variables_init(void);

/* console.c, keys.c, serial_io.c, collation.c, rng.c, memory_attribute.c, devicepath_utilities.c */
void console_init(void);
void keys_init(EFI_HANDLE handle); /* input on the console's handle */
void serial_io_init(void); /* on the console's handle */
void collation_init(void);
/* The protocol, if there are random numbers; again when a device may have brought some. */
void rng_init(void);
void rng_publish_seed(void); /* Linux's table; says so if there can be none */
void memory_attribute_init(void);
void devicepath_init(void);

/* devicepath.c; paths are walked with a limit, a malformed one has size 0 */
size_t devicepath_size(const EFI_DEVICE_PATH_PROTOCOL *path); /* with its end node */
bool devicepath_is_end(const EFI_DEVICE_PATH_PROTOCOL *node);
size_t devicepath_node_length(const EFI_DEVICE_PATH_PROTOCOL *node);
EFI_DEVICE_PATH_PROTOCOL *devicepath_next(const EFI_DEVICE_PATH_PROTOCOL *node);
EFI_DEVICE_PATH_PROTOCOL *devicepath_copy(const EFI_DEVICE_PATH_PROTOCOL *path); /* pool */
/* path + node + end, in pool memory; either may be NULL */
EFI_DEVICE_PATH_PROTOCOL *devicepath_append(const EFI_DEVICE_PATH_PROTOCOL *path,
                                            const EFI_DEVICE_PATH_PROTOCOL *node);
/* path + \name as a file node, in pool memory */
EFI_DEVICE_PATH_PROTOCOL *devicepath_file(const EFI_DEVICE_PATH_PROTOCOL *path, const CHAR16 *name);

/* devicepath_pci.c: PciRoot(0x0)/Pci(..)/.., a node for each bridge on the way; pool */
EFI_DEVICE_PATH_PROTOCOL *devicepath_of_pci(uint16_t address);
EFI_DEVICE_PATH_PROTOCOL *devicepath_of_pci_root(void);

/* Interrupt flag; context.S. restore sets IF only if it was set when saved. */
#define INTERRUPTS_ON 0x200u /* in what interrupts_save returns */
uint64_t interrupts_save(void);
void interrupts_restore(uint64_t flags);
void interrupts_wait(void); /* with IF=0: sleeps until an interrupt was taken, returns with IF=1 */

/* UTF-16 helpers, text.c */
size_t utf16_length(const CHAR16 *text);
CHAR16 *utf16_from_ascii(const char *text); /* pool; bytes above 0x7f become '?' */

#endif
