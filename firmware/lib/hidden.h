/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Included before every firmware source: one image, so every symbol is local to it. The compiler
 * then reaches all of them relative to RIP, which is what lets the same code run at the virtual
 * addresses of SetVirtualAddressMap (UEFI 2.10 8.4).
 */
#pragma GCC visibility push(hidden)
