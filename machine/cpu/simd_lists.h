/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Families of vector instructions that differ only in the host instruction that does the work;
 * private to machine/cpu. Each list is expanded to operations (sse_*.c, mmx.c), prototypes (simd.h)
 * and table rows (forms_simd.c).
 */
#ifndef PRIVET_MACHINE_CPU_SIMD_LISTS_H
#define PRIVET_MACHINE_CPU_SIMD_LISTS_H

/*
 * X(name, code, operands, memory, range, feature); `range` says how the operation can overflow or
 * underflow (sse_float.c). First the four types of a basic operation.
 */
#define SSE_BASIC(X, name, opcode, range)                                                          \
    X(name##ps, "NP 0F " opcode " /r", "Vps,Wps", aligned, range##_ps, FEATURE_SSE)                \
    X(name##pd, "66 0F " opcode " /r", "Vpd,Wpd", aligned, range##_pd, FEATURE_SSE2)               \
    X(name##ss, "F3 0F " opcode " /r", "Vss,Wss", 32, range##_ss, FEATURE_SSE)                     \
    X(name##sd, "F2 0F " opcode " /r", "Vsd,Wsd", 64, range##_sd, FEATURE_SSE2)

#define SSE_FLOAT_LIST(X)                                                                          \
    SSE_BASIC(X, add, "58", add)                                                                   \
    SSE_BASIC(X, mul, "59", mul)                                                                   \
    SSE_BASIC(X, sub, "5C", sub)                                                                   \
    SSE_BASIC(X, min, "5D", none)                                                                  \
    SSE_BASIC(X, div, "5E", div)                                                                   \
    SSE_BASIC(X, max, "5F", none)                                                                  \
    SSE_BASIC(X, sqrt, "51", none)                                                                 \
    X(rsqrtps, "NP 0F 52 /r", "Vps,Wps", aligned, none_ps, FEATURE_SSE)                            \
    X(rsqrtss, "F3 0F 52 /r", "Vss,Wss", 32, none_ps, FEATURE_SSE)                                 \
    X(rcpps, "NP 0F 53 /r", "Vps,Wps", aligned, none_ps, FEATURE_SSE)                              \
    X(rcpss, "F3 0F 53 /r", "Vss,Wss", 32, none_ps, FEATURE_SSE)                                   \
    X(cvtps2pd, "NP 0F 5A /r", "Vpd,Wq", 64, none_ps, FEATURE_SSE2)                                \
    X(cvtpd2ps, "66 0F 5A /r", "Vps,Wpd", aligned, convert_pd, FEATURE_SSE2)                       \
    X(cvtss2sd, "F3 0F 5A /r", "Vsd,Wss", 32, none_ps, FEATURE_SSE2)                               \
    X(cvtsd2ss, "F2 0F 5A /r", "Vss,Wsd", 64, convert_sd, FEATURE_SSE2)                            \
    X(cvtdq2ps, "NP 0F 5B /r", "Vps,Wdq", aligned, none_ps, FEATURE_SSE2)                          \
    X(cvtps2dq, "66 0F 5B /r", "Vdq,Wps", aligned, none_ps, FEATURE_SSE2)                          \
    X(cvttps2dq, "F3 0F 5B /r", "Vdq,Wps", aligned, none_ps, FEATURE_SSE2)                         \
    X(cvtdq2pd, "F3 0F E6 /r", "Vpd,Wq", 64, none_ps, FEATURE_SSE2)                                \
    X(cvttpd2dq, "66 0F E6 /r", "Vdq,Wpd", aligned, none_ps, FEATURE_SSE2)                         \
    X(cvtpd2dq, "F2 0F E6 /r", "Vdq,Wpd", aligned, none_ps, FEATURE_SSE2)                          \
    X(haddpd, "66 0F 7C /r", "Vpd,Wpd", aligned, hadd_pd, FEATURE_SSE3)                            \
    X(haddps, "F2 0F 7C /r", "Vps,Wps", aligned, hadd_ps, FEATURE_SSE3)                            \
    X(hsubpd, "66 0F 7D /r", "Vpd,Wpd", aligned, hsub_pd, FEATURE_SSE3)                            \
    X(hsubps, "F2 0F 7D /r", "Vps,Wps", aligned, hsub_ps, FEATURE_SSE3)                            \
    X(addsubpd, "66 0F D0 /r", "Vpd,Wpd", aligned, addsub_pd, FEATURE_SSE3)                        \
    X(addsubps, "F2 0F D0 /r", "Vps,Wps", aligned, addsub_ps, FEATURE_SSE3)

/* Scalar compares to EFLAGS: X(name, code, operands, memory, feature). */
#define SSE_COMPARE_LIST(X)                                                                        \
    X(ucomiss, "NP 0F 2E /r", "Vss,Wss", 32, FEATURE_SSE)                                          \
    X(ucomisd, "66 0F 2E /r", "Vsd,Wsd", 64, FEATURE_SSE2)                                         \
    X(comiss, "NP 0F 2F /r", "Vss,Wss", 32, FEATURE_SSE)                                           \
    X(comisd, "66 0F 2F /r", "Vsd,Wsd", 64, FEATURE_SSE2)

/* Two operands, XMM only, no floating-point exceptions: X(name, code, operands, memory, feature) */
#define SSE_VECTOR_LIST(X)                                                                         \
    X(unpcklps, "NP 0F 14 /r", "Vps,Wps", aligned, FEATURE_SSE)                                    \
    X(unpcklpd, "66 0F 14 /r", "Vpd,Wpd", aligned, FEATURE_SSE2)                                   \
    X(unpckhps, "NP 0F 15 /r", "Vps,Wps", aligned, FEATURE_SSE)                                    \
    X(unpckhpd, "66 0F 15 /r", "Vpd,Wpd", aligned, FEATURE_SSE2)                                   \
    X(andps, "NP 0F 54 /r", "Vps,Wps", aligned, FEATURE_SSE)                                       \
    X(andpd, "66 0F 54 /r", "Vpd,Wpd", aligned, FEATURE_SSE2)                                      \
    X(andnps, "NP 0F 55 /r", "Vps,Wps", aligned, FEATURE_SSE)                                      \
    X(andnpd, "66 0F 55 /r", "Vpd,Wpd", aligned, FEATURE_SSE2)                                     \
    X(orps, "NP 0F 56 /r", "Vps,Wps", aligned, FEATURE_SSE)                                        \
    X(orpd, "66 0F 56 /r", "Vpd,Wpd", aligned, FEATURE_SSE2)                                       \
    X(xorps, "NP 0F 57 /r", "Vps,Wps", aligned, FEATURE_SSE)                                       \
    X(xorpd, "66 0F 57 /r", "Vpd,Wpd", aligned, FEATURE_SSE2)                                      \
    X(punpcklqdq, "66 0F 6C /r", "Vdq,Wdq", aligned, FEATURE_SSE2)                                 \
    X(punpckhqdq, "66 0F 6D /r", "Vdq,Wdq", aligned, FEATURE_SSE2)                                 \
    X(movsldup, "F3 0F 12 /r", "Vps,Wps", aligned, FEATURE_SSE3)                                   \
    X(movshdup, "F3 0F 16 /r", "Vps,Wps", aligned, FEATURE_SSE3)                                   \
    X(movddup, "F2 0F 12 /r", "Vpd,Wsd", 64, FEATURE_SSE3)                                         \
    X(pmovsxbw, "66 0F 38 20 /r", "Vdq,Wq", 64, FEATURE_SSE41)                                     \
    X(pmovsxbd, "66 0F 38 21 /r", "Vdq,Wd", 32, FEATURE_SSE41)                                     \
    X(pmovsxbq, "66 0F 38 22 /r", "Vdq,Ww", 16, FEATURE_SSE41)                                     \
    X(pmovsxwd, "66 0F 38 23 /r", "Vdq,Wq", 64, FEATURE_SSE41)                                     \
    X(pmovsxwq, "66 0F 38 24 /r", "Vdq,Wd", 32, FEATURE_SSE41)                                     \
    X(pmovsxdq, "66 0F 38 25 /r", "Vdq,Wq", 64, FEATURE_SSE41)                                     \
    X(pmuldq, "66 0F 38 28 /r", "Vdq,Wdq", aligned, FEATURE_SSE41)                                 \
    X(pcmpeqq, "66 0F 38 29 /r", "Vdq,Wdq", aligned, FEATURE_SSE41)                                \
    X(packusdw, "66 0F 38 2B /r", "Vdq,Wdq", aligned, FEATURE_SSE41)                               \
    X(pmovzxbw, "66 0F 38 30 /r", "Vdq,Wq", 64, FEATURE_SSE41)                                     \
    X(pmovzxbd, "66 0F 38 31 /r", "Vdq,Wd", 32, FEATURE_SSE41)                                     \
    X(pmovzxbq, "66 0F 38 32 /r", "Vdq,Ww", 16, FEATURE_SSE41)                                     \
    X(pmovzxwd, "66 0F 38 33 /r", "Vdq,Wq", 64, FEATURE_SSE41)                                     \
    X(pmovzxwq, "66 0F 38 34 /r", "Vdq,Wd", 32, FEATURE_SSE41)                                     \
    X(pmovzxdq, "66 0F 38 35 /r", "Vdq,Wq", 64, FEATURE_SSE41)                                     \
    X(pcmpgtq, "66 0F 38 37 /r", "Vdq,Wdq", aligned, FEATURE_SSE42)                                \
    X(pminsb, "66 0F 38 38 /r", "Vdq,Wdq", aligned, FEATURE_SSE41)                                 \
    X(pminsd, "66 0F 38 39 /r", "Vdq,Wdq", aligned, FEATURE_SSE41)                                 \
    X(pminuw, "66 0F 38 3A /r", "Vdq,Wdq", aligned, FEATURE_SSE41)                                 \
    X(pminud, "66 0F 38 3B /r", "Vdq,Wdq", aligned, FEATURE_SSE41)                                 \
    X(pmaxsb, "66 0F 38 3C /r", "Vdq,Wdq", aligned, FEATURE_SSE41)                                 \
    X(pmaxsd, "66 0F 38 3D /r", "Vdq,Wdq", aligned, FEATURE_SSE41)                                 \
    X(pmaxuw, "66 0F 38 3E /r", "Vdq,Wdq", aligned, FEATURE_SSE41)                                 \
    X(pmaxud, "66 0F 38 3F /r", "Vdq,Wdq", aligned, FEATURE_SSE41)                                 \
    X(pmulld, "66 0F 38 40 /r", "Vdq,Wdq", aligned, FEATURE_SSE41)                                 \
    X(phminposuw, "66 0F 38 41 /r", "Vdq,Wdq", aligned, FEATURE_SSE41)

/* Of the same shape; sse_crypto.c gives a function crypto_name(a, b) for each. */
#define SSE_CRYPTO_LIST(X)                                                                         \
    X(aesimc, "66 0F 38 DB /r", "Vdq,Wdq", aligned, FEATURE_AES)                                   \
    X(aesenc, "66 0F 38 DC /r", "Vdq,Wdq", aligned, FEATURE_AES)                                   \
    X(aesenclast, "66 0F 38 DD /r", "Vdq,Wdq", aligned, FEATURE_AES)                               \
    X(aesdec, "66 0F 38 DE /r", "Vdq,Wdq", aligned, FEATURE_AES)                                   \
    X(aesdeclast, "66 0F 38 DF /r", "Vdq,Wdq", aligned, FEATURE_AES)                               \
    X(sha1nexte, "NP 0F 38 C8 /r", "Vdq,Wdq", any, FEATURE_SHA)                                    \
    X(sha1msg1, "NP 0F 38 C9 /r", "Vdq,Wdq", any, FEATURE_SHA)                                     \
    X(sha1msg2, "NP 0F 38 CA /r", "Vdq,Wdq", any, FEATURE_SHA)                                     \
    X(sha256msg1, "NP 0F 38 CC /r", "Vdq,Wdq", any, FEATURE_SHA)                                   \
    X(sha256msg2, "NP 0F 38 CD /r", "Vdq,Wdq", any, FEATURE_SHA)

/*
 * Operations with an immediate that portable code interprets; sse_immediate.c has a function
 * name(a, b, imm) for each: X(name, code, operands, memory, feature).
 */
#define SSE_IMMEDIATE_LIST(X)                                                                      \
    X(pshufd, "66 0F 70 /r", "Vdq,Wdq,Ib", aligned, FEATURE_SSE2)                                  \
    X(pshufhw, "F3 0F 70 /r", "Vdq,Wdq,Ib", aligned, FEATURE_SSE2)                                 \
    X(pshuflw, "F2 0F 70 /r", "Vdq,Wdq,Ib", aligned, FEATURE_SSE2)                                 \
    X(shufps, "NP 0F C6 /r", "Vps,Wps,Ib", aligned, FEATURE_SSE)                                   \
    X(shufpd, "66 0F C6 /r", "Vpd,Wpd,Ib", aligned, FEATURE_SSE2)                                  \
    X(blendps, "66 0F 3A 0C /r", "Vps,Wps,Ib", aligned, FEATURE_SSE41)                             \
    X(blendpd, "66 0F 3A 0D /r", "Vpd,Wpd,Ib", aligned, FEATURE_SSE41)                             \
    X(pblendw, "66 0F 3A 0E /r", "Vdq,Wdq,Ib", aligned, FEATURE_SSE41)                             \
    X(palignr, "66 0F 3A 0F /r", "Vdq,Wdq,Ib", aligned, FEATURE_SSSE3)                             \
    X(mpsadbw, "66 0F 3A 42 /r", "Vdq,Wdq,Ib", aligned, FEATURE_SSE41)                             \
    X(pclmulqdq, "66 0F 3A 44 /r", "Vdq,Wdq,Ib", aligned, FEATURE_PCLMULQDQ)                       \
    X(sha1rnds4, "NP 0F 3A CC /r", "Vdq,Wdq,Ib", any, FEATURE_SHA)                                 \
    X(aeskeygenassist, "66 0F 3A DF /r", "Vdq,Wdq,Ib", aligned, FEATURE_AES)

/*
 * The same operation on MMX and XMM registers: X(name, opcode, how, mmx memory, mmx feature, xmm
 * feature). `how` the XMM instruction gives the MMX result in its low half: lane by lane, on both
 * operands joined to one vector, on the operands' high halves, or as a byte shuffle.
 */
#define SIMD_BOTH_LIST_3(X)                                                                        \
    X(punpcklbw, "0F 60", lane, 32, FEATURE_MMX, FEATURE_SSE2)                                     \
    X(punpcklwd, "0F 61", lane, 32, FEATURE_MMX, FEATURE_SSE2)                                     \
    X(punpckldq, "0F 62", lane, 32, FEATURE_MMX, FEATURE_SSE2)                                     \
    X(packsswb, "0F 63", join, 64, FEATURE_MMX, FEATURE_SSE2)                                      \
    X(pcmpgtb, "0F 64", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                       \
    X(pcmpgtw, "0F 65", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                       \
    X(pcmpgtd, "0F 66", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                       \
    X(packuswb, "0F 67", join, 64, FEATURE_MMX, FEATURE_SSE2)                                      \
    X(punpckhbw, "0F 68", high, 64, FEATURE_MMX, FEATURE_SSE2)                                     \
    X(punpckhwd, "0F 69", high, 64, FEATURE_MMX, FEATURE_SSE2)                                     \
    X(punpckhdq, "0F 6A", high, 64, FEATURE_MMX, FEATURE_SSE2)                                     \
    X(packssdw, "0F 6B", join, 64, FEATURE_MMX, FEATURE_SSE2)                                      \
    X(pcmpeqb, "0F 74", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                       \
    X(pcmpeqw, "0F 75", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                       \
    X(pcmpeqd, "0F 76", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                       \
    X(paddq, "0F D4", lane, 64, FEATURE_SSE2, FEATURE_SSE2)                                        \
    X(pmullw, "0F D5", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                        \
    X(psubusb, "0F D8", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                       \
    X(psubusw, "0F D9", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                       \
    X(pminub, "0F DA", lane, 64, FEATURE_SSE, FEATURE_SSE2)                                        \
    X(pand, "0F DB", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                          \
    X(paddusb, "0F DC", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                       \
    X(paddusw, "0F DD", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                       \
    X(pmaxub, "0F DE", lane, 64, FEATURE_SSE, FEATURE_SSE2)                                        \
    X(pandn, "0F DF", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                         \
    X(pavgb, "0F E0", lane, 64, FEATURE_SSE, FEATURE_SSE2)                                         \
    X(pavgw, "0F E3", lane, 64, FEATURE_SSE, FEATURE_SSE2)                                         \
    X(pmulhuw, "0F E4", lane, 64, FEATURE_SSE, FEATURE_SSE2)                                       \
    X(pmulhw, "0F E5", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                        \
    X(psubsb, "0F E8", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                        \
    X(psubsw, "0F E9", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                        \
    X(pminsw, "0F EA", lane, 64, FEATURE_SSE, FEATURE_SSE2)                                        \
    X(por, "0F EB", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                           \
    X(paddsb, "0F EC", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                        \
    X(paddsw, "0F ED", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                        \
    X(pmaxsw, "0F EE", lane, 64, FEATURE_SSE, FEATURE_SSE2)                                        \
    X(pxor, "0F EF", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                          \
    X(pmuludq, "0F F4", lane, 64, FEATURE_SSE2, FEATURE_SSE2)                                      \
    X(pmaddwd, "0F F5", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                       \
    X(psadbw, "0F F6", lane, 64, FEATURE_SSE, FEATURE_SSE2)                                        \
    X(psubb, "0F F8", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                         \
    X(psubw, "0F F9", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                         \
    X(psubd, "0F FA", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                         \
    X(psubq, "0F FB", lane, 64, FEATURE_SSE2, FEATURE_SSE2)                                        \
    X(paddb, "0F FC", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                         \
    X(paddw, "0F FD", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                         \
    X(paddd, "0F FE", lane, 64, FEATURE_MMX, FEATURE_SSE2)                                         \
    X(pshufb, "0F 38 00", bytes, 64, FEATURE_SSSE3, FEATURE_SSSE3)                                 \
    X(phaddw, "0F 38 01", join, 64, FEATURE_SSSE3, FEATURE_SSSE3)                                  \
    X(phaddd, "0F 38 02", join, 64, FEATURE_SSSE3, FEATURE_SSSE3)                                  \
    X(phaddsw, "0F 38 03", join, 64, FEATURE_SSSE3, FEATURE_SSSE3)                                 \
    X(pmaddubsw, "0F 38 04", lane, 64, FEATURE_SSSE3, FEATURE_SSSE3)                               \
    X(phsubw, "0F 38 05", join, 64, FEATURE_SSSE3, FEATURE_SSSE3)                                  \
    X(phsubd, "0F 38 06", join, 64, FEATURE_SSSE3, FEATURE_SSSE3)                                  \
    X(phsubsw, "0F 38 07", join, 64, FEATURE_SSSE3, FEATURE_SSSE3)                                 \
    X(psignb, "0F 38 08", lane, 64, FEATURE_SSSE3, FEATURE_SSSE3)                                  \
    X(psignw, "0F 38 09", lane, 64, FEATURE_SSSE3, FEATURE_SSSE3)                                  \
    X(psignd, "0F 38 0A", lane, 64, FEATURE_SSSE3, FEATURE_SSSE3)                                  \
    X(pmulhrsw, "0F 38 0B", lane, 64, FEATURE_SSSE3, FEATURE_SSSE3)

#define SIMD_BOTH_LIST(X)                                                                          \
    SIMD_BOTH_LIST_3(X)                                                                            \
    X(pabsb, "0F 38 1C", lane, 64, FEATURE_SSSE3, FEATURE_SSSE3)                                   \
    X(pabsw, "0F 38 1D", lane, 64, FEATURE_SSSE3, FEATURE_SSSE3)                                   \
    X(pabsd, "0F 38 1E", lane, 64, FEATURE_SSSE3, FEATURE_SSSE3)

/* Shifts, which also come with an immediate count: X(name, opcode, immediate form). */
#define SIMD_SHIFT_LIST(X)                                                                         \
    X(psrlw, "0F D1", "0F 71", "/2")                                                               \
    X(psrld, "0F D2", "0F 72", "/2")                                                               \
    X(psrlq, "0F D3", "0F 73", "/2")                                                               \
    X(psraw, "0F E1", "0F 71", "/4")                                                               \
    X(psrad, "0F E2", "0F 72", "/4")                                                               \
    X(psllw, "0F F1", "0F 71", "/6")                                                               \
    X(pslld, "0F F2", "0F 72", "/6")                                                               \
    X(psllq, "0F F3", "0F 73", "/6")

/* The rest, by name: rows are written out in forms_simd.c. */
#define SIMD_OPERATION_LIST(X)                                                                     \
    X(psrlw_i) X(psrld_i) X(psrlq_i) X(psraw_i) X(psrad_i) X(psllw_i) X(pslld_i) X(psllq_i)        \
    X(mmx_psrlw_i) X(mmx_psrld_i) X(mmx_psrlq_i) X(mmx_psraw_i) X(mmx_psrad_i) X(mmx_psllw_i)      \
    X(mmx_pslld_i) X(mmx_psllq_i) X(psrldq_i) X(pslldq_i)                                          \
    X(cmpps_r) X(cmpps_m) X(cmppd_r) X(cmppd_m) X(cmpss_r) X(cmpss_m) X(cmpsd_r) X(cmpsd_m)        \
    X(cvtsi2ss_32r) X(cvtsi2ss_32m) X(cvtsi2ss_64r) X(cvtsi2ss_64m)                                \
    X(cvtsi2sd_32r) X(cvtsi2sd_32m) X(cvtsi2sd_64r) X(cvtsi2sd_64m)                                \
    X(cvtss2si_32r) X(cvtss2si_32m) X(cvtss2si_64r) X(cvtss2si_64m)                                \
    X(cvttss2si_32r) X(cvttss2si_32m) X(cvttss2si_64r) X(cvttss2si_64m)                            \
    X(cvtsd2si_32r) X(cvtsd2si_32m) X(cvtsd2si_64r) X(cvtsd2si_64m)                                \
    X(cvttsd2si_32r) X(cvttsd2si_32m) X(cvttsd2si_64r) X(cvttsd2si_64m)                            \
    X(cvtpi2ps_r) X(cvtpi2ps_m) X(cvtpi2pd_r) X(cvtpi2pd_m) X(cvtps2pi_r) X(cvtps2pi_m)            \
    X(cvttps2pi_r) X(cvttps2pi_m) X(cvtpd2pi_r) X(cvtpd2pi_m) X(cvttpd2pi_r) X(cvttpd2pi_m)        \
    X(roundps_r) X(roundps_m) X(roundpd_r) X(roundpd_m) X(roundss_r) X(roundss_m)                  \
    X(roundsd_r) X(roundsd_m) X(dpps_r) X(dpps_m) X(dppd_r) X(dppd_m)                              \
    X(movaps_load_r) X(movaps_load_m) X(movaps_store_r) X(movaps_store_m)                          \
    X(movups_load_m) X(movups_store_m) X(movnt_m) X(movnti_32m) X(movnti_64m) X(movntq_m)          \
    X(movss_load_r) X(movss_load_m) X(movss_store_r) X(movss_store_m)                              \
    X(movsd_load_r) X(movsd_load_m) X(movsd_store_r) X(movsd_store_m)                              \
    X(movlps_load_m) X(movlps_store_m) X(movhps_load_m) X(movhps_store_m) X(movhlps) X(movlhps)    \
    X(movmskps) X(movmskpd) X(pmovmskb) X(mmx_pmovmskb)                                            \
    X(movd_load_32r) X(movd_load_32m) X(movd_load_64r) X(movd_load_64m)                            \
    X(movd_store_32r) X(movd_store_32m) X(movd_store_64r) X(movd_store_64m)                        \
    X(mmx_movd_load_32r) X(mmx_movd_load_32m) X(mmx_movd_load_64r) X(mmx_movd_load_64m)            \
    X(mmx_movd_store_32r) X(mmx_movd_store_32m) X(mmx_movd_store_64r) X(mmx_movd_store_64m)        \
    X(movq_load_r) X(movq_load_m) X(movq_store_r) X(movq_store_m)                                  \
    X(mmx_movq_load_r) X(mmx_movq_load_m) X(mmx_movq_store_r) X(mmx_movq_store_m)                  \
    X(movq2dq) X(movdq2q) X(maskmovdqu) X(maskmovq) X(emms) X(mmx_pshufw_r) X(mmx_pshufw_m)        \
    X(mmx_palignr_r) X(mmx_palignr_m)                                                              \
    X(pinsrw_r) X(pinsrw_m) X(pextrw_r) X(mmx_pinsrw_r) X(mmx_pinsrw_m) X(mmx_pextrw_r)            \
    X(pextrb_r) X(pextrb_m) X(pextrw_e_r) X(pextrw_e_m) X(pextrd_32r) X(pextrd_32m)                \
    X(pextrd_64r) X(pextrd_64m) X(extractps_r) X(extractps_m) X(pinsrb_r) X(pinsrb_m)              \
    X(pinsrd_32r) X(pinsrd_32m) X(pinsrd_64r) X(pinsrd_64m) X(insertps_r) X(insertps_m)            \
    X(pblendvb_r) X(pblendvb_m) X(blendvps_r) X(blendvps_m) X(blendvpd_r) X(blendvpd_m)            \
    X(ptest_r) X(ptest_m) X(sha256rnds2_r) X(sha256rnds2_m)                                        \
    X(pcmpestrm_r) X(pcmpestrm_m) X(pcmpestri_r) X(pcmpestri_m)                                    \
    X(pcmpistrm_r) X(pcmpistrm_m) X(pcmpistri_r) X(pcmpistri_m)                                    \
    X(crc32_8r) X(crc32_8m) X(crc32_16r) X(crc32_16m) X(crc32_32r) X(crc32_32m)                    \
    X(crc32_64r) X(crc32_64m) X(ldmxcsr) X(stmxcsr) X(fxsave) X(fxrstor)

#endif
