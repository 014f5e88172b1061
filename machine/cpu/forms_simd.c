/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * Instruction table: MMX, SSE to SSE4.2, AES, PCLMULQDQ, SHA, and the media state instructions.
 */
#include "machine/cpu/simd.h"

#define M_aligned FORM_ALIGN16
#define M_any     0
#define M_64      0
#define M_32      0
#define M_16      0

#define ALL_FLAGS EFLAGS_ARITHMETIC

/* The handlers come last: they expand to braces with commas. */
#define ROW(name, code, operands, feature, attributes, ...)                                        \
    {name, code, operands, __VA_ARGS__, 0, 0, 0, feature, attributes},
#define ROW_FLOAT(name, code, operands, memory, range, feature)                                    \
    ROW(#name, code, operands, feature, FORM_SSE | M_##memory,                                     \
        FN_RM(op_##name##_r, op_##name##_m))
#define ROW_COMPARE(name, code, operands, memory, feature)                                         \
    {#name,     code, operands, FN_RM(op_##name##_r, op_##name##_m), ALL_FLAGS, 0, 0, feature,     \
     FORM_SSE | M_##memory},
#define ROW_VECTOR(name, code, operands, memory, feature)                                          \
    ROW(#name, code, operands, feature, FORM_SSE | M_##memory,                                     \
        FN_RM(op_##name##_r, op_##name##_m))
#define ROW_BOTH(name, opcode, how, memory, mmx_feature, xmm_feature)                              \
    ROW(#name, "NP " opcode " /r", MMX_OPERANDS_##memory, mmx_feature, FORM_MMX,                   \
        FN_RM(op_mmx_##name##_r, op_mmx_##name##_m))                                               \
    ROW(#name, "66 " opcode " /r", "Vdq,Wdq", xmm_feature, FORM_SSE | FORM_ALIGN16,                \
        FN_RM(op_##name##_r, op_##name##_m))
#define MMX_OPERANDS_32 "Pq,Qd"
#define MMX_OPERANDS_64 "Pq,Qq"
#define ROW_SHIFT(name, opcode, immediate, extension)                                              \
    ROW_BOTH(name, opcode, lane, 64, FEATURE_MMX, FEATURE_SSE2)                                    \
    ROW(#name, "NP " immediate " mod3 " extension, "Nq,Ib", FEATURE_MMX, FORM_MMX,                 \
        FN_ALL(op_mmx_##name##_i))                                                                 \
    ROW(#name, "66 " immediate " mod3 " extension, "Udq,Ib", FEATURE_SSE2, FORM_SSE,               \
        FN_ALL(op_##name##_i))

/* Forms whose general-register or memory operand is 32 or 64 bits by REX.W. */
#define FN_Y(f)                                                                                    \
    {                                                                                              \
        {f##_32r, f##_32r, f##_32r, f##_64r}, {f##_32m, f##_32m, f##_32m, f##_64m}                 \
    }
#define FN_Y_MEM(f)                                                                                \
    {                                                                                              \
        {NULL, NULL, NULL, NULL}, {f##_32m, f##_32m, f##_32m, f##_64m}                             \
    }
#define SSE1(name, code, operands, ...)                                                            \
    ROW(name, code, operands, FEATURE_SSE, FORM_SSE, __VA_ARGS__)
#define SSE2(name, code, operands, ...)                                                            \
    ROW(name, code, operands, FEATURE_SSE2, FORM_SSE, __VA_ARGS__)
#define SSE41(name, code, operands, ...)                                                           \
    ROW(name, code, operands, FEATURE_SSE41, FORM_SSE, __VA_ARGS__)
#define ALIGNED(name, code, operands, feature, ...)                                                \
    ROW(name, code, operands, feature, FORM_SSE | FORM_ALIGN16, __VA_ARGS__)
#define MMX(name, code, operands, feature, ...)                                                    \
    ROW(name, code, operands, feature, FORM_MMX, __VA_ARGS__)
#define RM(f) FN_RM(f##_r, f##_m)

static const struct form rows[] = {
    SSE_FLOAT_LIST(ROW_FLOAT)
    SSE_COMPARE_LIST(ROW_COMPARE)
    SSE_VECTOR_LIST(ROW_VECTOR)
    SSE_CRYPTO_LIST(ROW_VECTOR)
    SSE_IMMEDIATE_LIST(ROW_VECTOR)
    SIMD_BOTH_LIST(ROW_BOTH)
    SIMD_SHIFT_LIST(ROW_SHIFT)

    SSE2("psrldq", "66 0F 73 mod3 /3", "Udq,Ib", FN_ALL(op_psrldq_i))
    SSE2("pslldq", "66 0F 73 mod3 /7", "Udq,Ib", FN_ALL(op_pslldq_i))

    ALIGNED("cmpps", "NP 0F C2 /r", "Vps,Wps,Ib", FEATURE_SSE, RM(op_cmpps))
    ALIGNED("cmppd", "66 0F C2 /r", "Vpd,Wpd,Ib", FEATURE_SSE2, RM(op_cmppd))
    SSE1("cmpss", "F3 0F C2 /r", "Vss,Wss,Ib", RM(op_cmpss))
    SSE2("cmpsd", "F2 0F C2 /r", "Vsd,Wsd,Ib", RM(op_cmpsd))
    ALIGNED("roundps", "66 0F 3A 08 /r", "Vps,Wps,Ib", FEATURE_SSE41, RM(op_roundps))
    ALIGNED("roundpd", "66 0F 3A 09 /r", "Vpd,Wpd,Ib", FEATURE_SSE41, RM(op_roundpd))
    SSE41("roundss", "66 0F 3A 0A /r", "Vss,Wss,Ib", RM(op_roundss))
    SSE41("roundsd", "66 0F 3A 0B /r", "Vsd,Wsd,Ib", RM(op_roundsd))
    ALIGNED("dpps", "66 0F 3A 40 /r", "Vps,Wps,Ib", FEATURE_SSE41, RM(op_dpps))
    ALIGNED("dppd", "66 0F 3A 41 /r", "Vpd,Wpd,Ib", FEATURE_SSE41, RM(op_dppd))

    SSE1("cvtpi2ps", "NP 0F 2A /r", "Vps,Qq", RM(op_cvtpi2ps))
    SSE2("cvtpi2pd", "66 0F 2A /r", "Vpd,Qq", RM(op_cvtpi2pd))
    SSE1("cvtsi2ss", "F3 0F 2A /r", "Vss,Ey", FN_Y(op_cvtsi2ss))
    SSE2("cvtsi2sd", "F2 0F 2A /r", "Vsd,Ey", FN_Y(op_cvtsi2sd))
    SSE1("cvttps2pi", "NP 0F 2C /r", "Pq,Wq", RM(op_cvttps2pi))
    ALIGNED("cvttpd2pi", "66 0F 2C /r", "Pq,Wpd", FEATURE_SSE2, RM(op_cvttpd2pi))
    SSE1("cvttss2si", "F3 0F 2C /r", "Gy,Wss", FN_Y(op_cvttss2si))
    SSE2("cvttsd2si", "F2 0F 2C /r", "Gy,Wsd", FN_Y(op_cvttsd2si))
    SSE1("cvtps2pi", "NP 0F 2D /r", "Pq,Wq", RM(op_cvtps2pi))
    ALIGNED("cvtpd2pi", "66 0F 2D /r", "Pq,Wpd", FEATURE_SSE2, RM(op_cvtpd2pi))
    SSE1("cvtss2si", "F3 0F 2D /r", "Gy,Wss", FN_Y(op_cvtss2si))
    SSE2("cvtsd2si", "F2 0F 2D /r", "Gy,Wsd", FN_Y(op_cvtsd2si))

    SSE1("movups", "NP 0F 10 /r", "Vps,Wps", FN_RM(op_movaps_load_r, op_movups_load_m))
    SSE2("movupd", "66 0F 10 /r", "Vpd,Wpd", FN_RM(op_movaps_load_r, op_movups_load_m))
    SSE1("movss", "F3 0F 10 /r", "Vss,Wss", RM(op_movss_load))
    SSE2("movsd", "F2 0F 10 /r", "Vsd,Wsd", RM(op_movsd_load))
    SSE1("movups", "NP 0F 11 /r", "Wps,Vps", FN_RM(op_movaps_store_r, op_movups_store_m))
    SSE2("movupd", "66 0F 11 /r", "Wpd,Vpd", FN_RM(op_movaps_store_r, op_movups_store_m))
    SSE1("movss", "F3 0F 11 /r", "Wss,Vss", RM(op_movss_store))
    SSE2("movsd", "F2 0F 11 /r", "Wsd,Vsd", RM(op_movsd_store))
    SSE1("movhlps", "NP 0F 12 mod3 /r", "Vq,Uq", FN_ALL(op_movhlps))
    SSE1("movlps", "NP 0F 12 mem /r", "Vq,Mq", FN_ALL(op_movlps_load_m))
    SSE2("movlpd", "66 0F 12 mem /r", "Vq,Mq", FN_ALL(op_movlps_load_m))
    SSE1("movlps", "NP 0F 13 mem /r", "Mq,Vq", FN_ALL(op_movlps_store_m))
    SSE2("movlpd", "66 0F 13 mem /r", "Mq,Vq", FN_ALL(op_movlps_store_m))
    SSE1("movlhps", "NP 0F 16 mod3 /r", "Vq,Uq", FN_ALL(op_movlhps))
    SSE1("movhps", "NP 0F 16 mem /r", "Vq,Mq", FN_ALL(op_movhps_load_m))
    SSE2("movhpd", "66 0F 16 mem /r", "Vq,Mq", FN_ALL(op_movhps_load_m))
    SSE1("movhps", "NP 0F 17 mem /r", "Mq,Vq", FN_ALL(op_movhps_store_m))
    SSE2("movhpd", "66 0F 17 mem /r", "Mq,Vq", FN_ALL(op_movhps_store_m))
    ALIGNED("movaps", "NP 0F 28 /r", "Vps,Wps", FEATURE_SSE, RM(op_movaps_load))
    ALIGNED("movapd", "66 0F 28 /r", "Vpd,Wpd", FEATURE_SSE2, RM(op_movaps_load))
    ALIGNED("movaps", "NP 0F 29 /r", "Wps,Vps", FEATURE_SSE, RM(op_movaps_store))
    ALIGNED("movapd", "66 0F 29 /r", "Wpd,Vpd", FEATURE_SSE2, RM(op_movaps_store))
    ALIGNED("movntps", "NP 0F 2B mem /r", "Mps,Vps", FEATURE_SSE, FN_ALL(op_movnt_m))
    ALIGNED("movntpd", "66 0F 2B mem /r", "Mpd,Vpd", FEATURE_SSE2, FN_ALL(op_movnt_m))
    ALIGNED("movntdq", "66 0F E7 mem /r", "Mdq,Vdq", FEATURE_SSE2, FN_ALL(op_movnt_m))
    ALIGNED("movntdqa", "66 0F 38 2A mem /r", "Vdq,Mdq", FEATURE_SSE41, FN_ALL(op_movaps_load_m))
    MMX("movntq", "NP 0F E7 mem /r", "Mq,Pq", FEATURE_SSE, FN_ALL(op_movntq_m))
    ROW("movnti", "NP 0F C3 mem /r", "My,Gy", FEATURE_SSE2, 0, FN_Y_MEM(op_movnti))
    SSE1("movmskps", "NP 0F 50 mod3 /r", "Gd,Ups", FN_ALL(op_movmskps))
    SSE2("movmskpd", "66 0F 50 mod3 /r", "Gd,Upd", FN_ALL(op_movmskpd))
    MMX("movd", "NP 0F 6E /r", "Pq,Ey", FEATURE_MMX, FN_Y(op_mmx_movd_load))
    SSE2("movd", "66 0F 6E /r", "Vdq,Ey", FN_Y(op_movd_load))
    MMX("movd", "NP 0F 7E /r", "Ey,Pq", FEATURE_MMX, FN_Y(op_mmx_movd_store))
    SSE2("movd", "66 0F 7E /r", "Ey,Vdq", FN_Y(op_movd_store))
    SSE2("movq", "F3 0F 7E /r", "Vq,Wq", RM(op_movq_load))
    SSE2("movq", "66 0F D6 /r", "Wq,Vq", RM(op_movq_store))
    MMX("movq", "NP 0F 6F /r", "Pq,Qq", FEATURE_MMX, RM(op_mmx_movq_load))
    MMX("movq", "NP 0F 7F /r", "Qq,Pq", FEATURE_MMX, RM(op_mmx_movq_store))
    ALIGNED("movdqa", "66 0F 6F /r", "Vdq,Wdq", FEATURE_SSE2, RM(op_movaps_load))
    SSE2("movdqu", "F3 0F 6F /r", "Vdq,Wdq", FN_RM(op_movaps_load_r, op_movups_load_m))
    ALIGNED("movdqa", "66 0F 7F /r", "Wdq,Vdq", FEATURE_SSE2, RM(op_movaps_store))
    SSE2("movdqu", "F3 0F 7F /r", "Wdq,Vdq", FN_RM(op_movaps_store_r, op_movups_store_m))
    ROW("lddqu", "F2 0F F0 mem /r", "Vdq,Mdq", FEATURE_SSE3, FORM_SSE, FN_ALL(op_movups_load_m))
    SSE2("movq2dq", "F3 0F D6 mod3 /r", "Vdq,Nq", FN_ALL(op_movq2dq))
    SSE2("movdq2q", "F2 0F D6 mod3 /r", "Pq,Uq", FN_ALL(op_movdq2q))
    MMX("maskmovq", "NP 0F F7 mod3 /r", "Pq,Nq", FEATURE_SSE, FN_ALL(op_maskmovq))
    SSE2("maskmovdqu", "66 0F F7 mod3 /r", "Vdq,Udq", FN_ALL(op_maskmovdqu))
    MMX("pmovmskb", "NP 0F D7 mod3 /r", "Gd,Nq", FEATURE_SSE, FN_ALL(op_mmx_pmovmskb))
    SSE2("pmovmskb", "66 0F D7 mod3 /r", "Gd,Udq", FN_ALL(op_pmovmskb))

    MMX("emms", "NP 0F 77", "", FEATURE_MMX, FN_ALL(op_emms))
    MMX("pshufw", "NP 0F 70 /r", "Pq,Qq,Ib", FEATURE_SSE, RM(op_mmx_pshufw))
    MMX("palignr", "NP 0F 3A 0F /r", "Pq,Qq,Ib", FEATURE_SSSE3, RM(op_mmx_palignr))
    MMX("pinsrw", "NP 0F C4 mod3 /r", "Pq,Rd,Ib", FEATURE_SSE, FN_ALL(op_mmx_pinsrw_r))
    MMX("pinsrw", "NP 0F C4 mem /r", "Pq,Mw,Ib", FEATURE_SSE, FN_ALL(op_mmx_pinsrw_m))
    SSE2("pinsrw", "66 0F C4 mod3 /r", "Vdq,Rd,Ib", FN_ALL(op_pinsrw_r))
    SSE2("pinsrw", "66 0F C4 mem /r", "Vdq,Mw,Ib", FN_ALL(op_pinsrw_m))
    MMX("pextrw", "NP 0F C5 mod3 /r", "Gd,Nq,Ib", FEATURE_SSE, FN_ALL(op_mmx_pextrw_r))
    SSE2("pextrw", "66 0F C5 mod3 /r", "Gd,Udq,Ib", FN_ALL(op_pextrw_r))

    SSE41("pextrb", "66 0F 3A 14 mod3 /r", "Rd,Vdq,Ib", FN_ALL(op_pextrb_r))
    SSE41("pextrb", "66 0F 3A 14 mem /r", "Mb,Vdq,Ib", FN_ALL(op_pextrb_m))
    SSE41("pextrw", "66 0F 3A 15 mod3 /r", "Rd,Vdq,Ib", FN_ALL(op_pextrw_e_r))
    SSE41("pextrw", "66 0F 3A 15 mem /r", "Mw,Vdq,Ib", FN_ALL(op_pextrw_e_m))
    SSE41("pextrd", "66 0F 3A 16 /r", "Ey,Vdq,Ib", FN_Y(op_pextrd))
    SSE41("extractps", "66 0F 3A 17 mod3 /r", "Rd,Vdq,Ib", FN_ALL(op_extractps_r))
    SSE41("extractps", "66 0F 3A 17 mem /r", "Md,Vdq,Ib", FN_ALL(op_extractps_m))
    SSE41("pinsrb", "66 0F 3A 20 mod3 /r", "Vdq,Rd,Ib", FN_ALL(op_pinsrb_r))
    SSE41("pinsrb", "66 0F 3A 20 mem /r", "Vdq,Mb,Ib", FN_ALL(op_pinsrb_m))
    SSE41("insertps", "66 0F 3A 21 mod3 /r", "Vdq,Udq,Ib", FN_ALL(op_insertps_r))
    SSE41("insertps", "66 0F 3A 21 mem /r", "Vdq,Md,Ib", FN_ALL(op_insertps_m))
    SSE41("pinsrd", "66 0F 3A 22 /r", "Vdq,Ey,Ib", FN_Y(op_pinsrd))
    ALIGNED("pblendvb", "66 0F 38 10 /r", "Vdq,Wdq", FEATURE_SSE41, RM(op_pblendvb))
    ALIGNED("blendvps", "66 0F 38 14 /r", "Vps,Wps", FEATURE_SSE41, RM(op_blendvps))
    ALIGNED("blendvpd", "66 0F 38 15 /r", "Vpd,Wpd", FEATURE_SSE41, RM(op_blendvpd))
    {"ptest", "66 0F 38 17 /r", "Vdq,Wdq", RM(op_ptest), ALL_FLAGS, 0, 0, FEATURE_SSE41,
     FORM_SSE | FORM_ALIGN16},
    /* AMD processors do not ask for aligned operands here. */
    ROW("sha256rnds2", "NP 0F 38 CB /r", "Vdq,Wdq", FEATURE_SHA, FORM_SSE, RM(op_sha256rnds2))

    {"pcmpestrm", "66 0F 3A 60 /r", "Vdq,Wdq,Ib", RM(op_pcmpestrm), ALL_FLAGS, 0, 0,
     FEATURE_SSE42, FORM_SSE},
    {"pcmpestri", "66 0F 3A 61 /r", "Vdq,Wdq,Ib", RM(op_pcmpestri), ALL_FLAGS, 0, 0,
     FEATURE_SSE42, FORM_SSE},
    {"pcmpistrm", "66 0F 3A 62 /r", "Vdq,Wdq,Ib", RM(op_pcmpistrm), ALL_FLAGS, 0, 0,
     FEATURE_SSE42, FORM_SSE},
    {"pcmpistri", "66 0F 3A 63 /r", "Vdq,Wdq,Ib", RM(op_pcmpistri), ALL_FLAGS, 0, 0,
     FEATURE_SSE42, FORM_SSE},

    {"crc32", "F2 0F 38 F0 /r", "Gy,Eb", FN_RM(op_crc32_8r, op_crc32_8m), 0, 0, 0,
     FEATURE_SSE42, FORM_BYTE},
    {"crc32", "F2 0F 38 F1 /r", "Gy,Ev", FN_SIZES(op_crc32), 0, 0, 0, FEATURE_SSE42, 0},

    SSE1("ldmxcsr", "NP 0F AE mem /2", "Md", FN_ALL(op_ldmxcsr))
    SSE1("stmxcsr", "NP 0F AE mem /3", "Md", FN_ALL(op_stmxcsr))
    ROW("fxsave", "NP 0F AE mem /0", "Mx", FEATURE_FXSR, FORM_NO_TEST | FORM_ALIGN16,
        FN_ALL(op_fxsave))
    ROW("fxrstor", "NP 0F AE mem /1", "Mx", FEATURE_FXSR, FORM_NO_TEST | FORM_ALIGN16,
        FN_ALL(op_fxrstor))
};

const struct form_table forms_simd = {rows, sizeof(rows) / sizeof(rows[0])};
