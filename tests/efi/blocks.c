/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Block I/O and disk I/O of the disk that the application came from (UEFI 2.10 13.7, 13.9). */
#include "tests/efi/conformance.h"

#define BUFFER 0x2000u

static EFI_BLOCK_IO_PROTOCOL *block;
static EFI_DISK_IO_PROTOCOL *disk;
static UINT8 *one, *two;

static void test_media(void)
{
    const EFI_BLOCK_IO_MEDIA *media = block->Media;
    check_true("media.removable", media->RemovableMedia);
    check_true("media.present", media->MediaPresent);
    check_true("media.partition", media->LogicalPartition);
    check_true("media.read-only", media->ReadOnly);
    check_value("media.block-size", media->BlockSize);
    check_true("media.align", media->IoAlign <= 4);
    check_value("media.last-block", media->LastBlock);
}

static void test_block_io(void)
{
    UINT32 id = block->Media->MediaId, size = block->Media->BlockSize;
    EFI_LBA last = block->Media->LastBlock;
    check_status("reset", block->Reset(block, false));
    check_status("read", block->ReadBlocks(block, id, 0, 2 * size, one));
    check_value("read.signature", one[510] | one[511] << 8);
    check_status("read.last", block->ReadBlocks(block, id, last, size, two));
    check_status("read.nothing", block->ReadBlocks(block, id, 0, 0, two));
    check_status("read.part", block->ReadBlocks(block, id, 0, size + 1, two));
    check_status("read.beyond", block->ReadBlocks(block, id, last + 1, size, two));
    check_status("read.across", block->ReadBlocks(block, id, last, 2 * size, two));
    check_status("read.far", block->ReadBlocks(block, id, ~0ull, size, two));
    check_status("read.no-buffer", block->ReadBlocks(block, id, 0, size, NULL));
    check_status("write", block->WriteBlocks(block, id, 0, 2 * size, one));
    check_status("write.part", block->WriteBlocks(block, id, 0, size + 1, one));
    check_status("write.beyond", block->WriteBlocks(block, id, last, 2 * size, one));
    check_status("flush", block->FlushBlocks(block));
}

static void test_disk_io(void)
{
    UINT32 id = block->Media->MediaId, size = block->Media->BlockSize;
    UINT64 end = (block->Media->LastBlock + 1) * size;
    check_status("bytes", disk->ReadDisk(disk, id, 3, size, two));
    check_true("bytes.same", memcmp(one + 3, two, size) == 0);
    check_status("bytes.nothing", disk->ReadDisk(disk, id, 3, 0, two));
    check_status("bytes.end", disk->ReadDisk(disk, id, end - 3, 3, two));
    check_status("bytes.beyond", disk->ReadDisk(disk, id, end - 3, 4, two));
    check_status("bytes.media", disk->ReadDisk(disk, id + 1, 3, size, two));
    /* What one protocol writes the other reads. */
    disk->ReadDisk(disk, id, end - 600, 600, one);
    memset(two, 0x5A, 600);
    check_status("bytes.write", disk->WriteDisk(disk, id, end - 600, 600, two));
    block->ReadBlocks(block, id, block->Media->LastBlock, size, two);
    check_value("bytes.coherent", two[size - 1]);
    check_status("bytes.write.back", disk->WriteDisk(disk, id, end - 600, 600, one));
    check_status("bytes.write.beyond", disk->WriteDisk(disk, id, end - 3, 4, one));
    check_status("bytes.write.media", disk->WriteDisk(disk, id + 1, 3, size, one));
}

void test_blocks(void)
{
    EFI_LOADED_IMAGE_PROTOCOL *image;
    bs->HandleProtocol(self, &loaded_image_guid, (VOID **)&image);
    check_status("block", bs->HandleProtocol(image->DeviceHandle, &block_io_guid,
                                             (VOID **)&block));
    check_status("disk", bs->HandleProtocol(image->DeviceHandle, &disk_io_guid, (VOID **)&disk));
    one = take(BUFFER);
    two = take(BUFFER);
    check_true("revision", block->Revision >= 0x00020001);
    check_value("disk.revision", disk->Revision & 0xFFFF0000u);
    test_media();
    test_block_io();
    test_disk_io();
    give(one);
    give(two);
}
