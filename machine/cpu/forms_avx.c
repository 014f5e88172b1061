/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Instruction table: AVX and AVX2 (APM 4). avx.h tells how rows refer to SSE operations. */
#include "machine/cpu/avx.h"

/* Slots: the SSE operation, nothing, then both operand sizes (VEX.W is ignored). */
#define FN(lane, r, m)                                                                             \
    {                                                                                              \
        {lane, NULL, r, r}, {lane, NULL, m, m}                                                     \
    }
#define ROW(name, code, operands, feature, ...)                                                    \
    {name, code, operands, __VA_ARGS__, 0, 0, 0, feature, FORM_SSE},
#define ROW_FLAGS(name, code, operands, feature, ...)                                              \
    {name, code, operands, __VA_ARGS__, EFLAGS_ARITHMETIC, 0, 0, feature, FORM_SSE},

/* One SSE operation by one handler: both lengths; the wide one may need AVX2. */
#define BOTH(name, code, operands, handler, lane, feature256)                                      \
    ROW(name, "VEX L0 " code, operands, FEATURE_AVX,                                               \
        FN(lane, op_avx_##handler##_128r, op_avx_##handler##_128m))                                \
    ROW(name, "VEX L1 " code, operands, feature256,                                                \
        FN(lane, op_avx_##handler##_256r, op_avx_##handler##_256m))
#define NARROW(name, code, operands, handler, lane)                                                \
    ROW(name, "VEX L0 " code, operands, FEATURE_AVX,                                               \
        FN(lane, op_avx_##handler##_128r, op_avx_##handler##_128m))
#define WIDE(name, code, operands, handler, feature)                                               \
    ROW(name, "VEX L1 " code, operands, feature,                                                   \
        FN(NULL, op_avx_##handler##_256r, op_avx_##handler##_256m))

#define FLOAT3(name, code) BOTH("v" #name, code, "Vx,Hx,Wx", three, op_##name##_r, FEATURE_AVX)
#define FLOAT2(name, code) BOTH("v" #name, code, "Vx,Wx", two, op_##name##_r, FEATURE_AVX)
#define INT3(name, code)   BOTH("v" #name, code, "Vx,Hx,Wx", three, op_##name##_r, FEATURE_AVX2)
#define INT2(name, code)   BOTH("v" #name, code, "Vx,Wx", two, op_##name##_r, FEATURE_AVX2)
#define INT3I(name, code)  BOTH("v" #name, code, "Vx,Hx,Wx,Ib", three, op_##name##_r, FEATURE_AVX2)
#define INT2I(name, code)  BOTH("v" #name, code, "Vx,Wx,Ib", two, op_##name##_r, FEATURE_AVX2)
#define SCALAR(name, code, bits)                                                                   \
    ROW("v" #name, "VEX " code, "Vx,Hx,Wx", FEATURE_AVX,                                           \
        FN(op_##name##_r, op_avx_scalar##bits##_r, op_avx_scalar##bits##_m))
#define BASIC(name, opcode)                                                                        \
    FLOAT3(name##ps, "NP 0F " opcode " /r")                                                        \
    FLOAT3(name##pd, "66 0F " opcode " /r")                                                        \
    SCALAR(name##ss, "F3 0F " opcode " /r", 32)                                                    \
    SCALAR(name##sd, "F2 0F " opcode " /r", 64)
#define WIDEN(name, code, ratio, feature)                                                          \
    BOTH("v" #name, code, "Vx,Wx", widen##ratio, op_##name##_r, feature)
#define INT3_ROW(name, opcode, ...)                                                                \
    BOTH("v" #name, "66 " opcode " /r", "Vx,Hx,Wx", name, NULL, FEATURE_AVX2)
#define SHIFT_ROWS(name, opcode, immediate, extension)                                             \
    BOTH("v" #name, "66 " opcode " /r", "Vx,Hx,Wdq", shift, op_##name##_r, FEATURE_AVX2)           \
    BOTH("v" #name, "66 " immediate " mod3 " extension, "Hx,Ux,Ib", shift_imm, op_##name##_i,      \
         FEATURE_AVX2)

/* SSE operations that write no vector register serve as they are; 32 or 64 bits by VEX.W. */
#define SAME_Y(name, code, operands)                                                               \
    ROW("v" #name, "VEX " code, operands, FEATURE_AVX,                                             \
        {{NULL, NULL, op_##name##_32r, op_##name##_64r},                                           \
         {NULL, NULL, op_##name##_32m, op_##name##_64m}})
#define ONE(name, code, operands, r, m)                                                            \
    ROW(name, "VEX " code, operands, FEATURE_AVX, FN(NULL, r, m))
/* The form with a 64-bit integer exists in 64-bit mode; elsewhere VEX.W is ignored. */
#define BY_W(name, code, operands, lane, handler)                                                  \
    {name, "VEX " code " W1", operands,                                                            \
     FN(lane##_64r, op_avx_##handler##64_r, op_avx_##handler##64_m), 0, 0, 0, FEATURE_AVX,         \
     FORM_SSE | FORM_ONLY64},                                                                      \
    ROW(name, "VEX " code, operands, FEATURE_AVX,                                                  \
        FN(lane##_32r, op_avx_##handler##32_r, op_avx_##handler##32_m))

static const struct form rows[] = {
    BASIC(add, "58") BASIC(mul, "59") BASIC(sub, "5C") BASIC(min, "5D") BASIC(div, "5E")
    BASIC(max, "5F")
    FLOAT2(sqrtps, "NP 0F 51 /r") FLOAT2(sqrtpd, "66 0F 51 /r")
    SCALAR(sqrtss, "F3 0F 51 /r", 32) SCALAR(sqrtsd, "F2 0F 51 /r", 64)
    FLOAT2(rsqrtps, "NP 0F 52 /r") SCALAR(rsqrtss, "F3 0F 52 /r", 32)
    FLOAT2(rcpps, "NP 0F 53 /r") SCALAR(rcpss, "F3 0F 53 /r", 32)
    FLOAT3(haddpd, "66 0F 7C /r") FLOAT3(haddps, "F2 0F 7C /r")
    FLOAT3(hsubpd, "66 0F 7D /r") FLOAT3(hsubps, "F2 0F 7D /r")
    FLOAT3(addsubpd, "66 0F D0 /r") FLOAT3(addsubps, "F2 0F D0 /r")
    FLOAT3(andps, "NP 0F 54 /r") FLOAT3(andpd, "66 0F 54 /r")
    FLOAT3(andnps, "NP 0F 55 /r") FLOAT3(andnpd, "66 0F 55 /r")
    FLOAT3(orps, "NP 0F 56 /r") FLOAT3(orpd, "66 0F 56 /r")
    FLOAT3(xorps, "NP 0F 57 /r") FLOAT3(xorpd, "66 0F 57 /r")
    FLOAT3(unpcklps, "NP 0F 14 /r") FLOAT3(unpcklpd, "66 0F 14 /r")
    FLOAT3(unpckhps, "NP 0F 15 /r") FLOAT3(unpckhpd, "66 0F 15 /r")
    BOTH("vshufps", "NP 0F C6 /r", "Vx,Hx,Wx,Ib", three, op_shufps_r, FEATURE_AVX)
    BOTH("vshufpd", "66 0F C6 /r", "Vx,Hx,Wx,Ib", three_split2, op_shufpd_r, FEATURE_AVX)
    BOTH("vblendps", "66 0F 3A 0C /r", "Vx,Hx,Wx,Ib", three_split4, op_blendps_r, FEATURE_AVX)
    BOTH("vblendpd", "66 0F 3A 0D /r", "Vx,Hx,Wx,Ib", three_split2, op_blendpd_r, FEATURE_AVX)
    BOTH("vdpps", "66 0F 3A 40 /r", "Vx,Hx,Wx,Ib", three, op_dpps_r, FEATURE_AVX)
    NARROW("vdppd", "66 0F 3A 41 /r", "Vx,Hx,Wx,Ib", three, op_dppd_r)
    BOTH("vroundps", "66 0F 3A 08 /r", "Vx,Wx,Ib", two, op_roundps_r, FEATURE_AVX)
    BOTH("vroundpd", "66 0F 3A 09 /r", "Vx,Wx,Ib", two, op_roundpd_r, FEATURE_AVX)
    ROW("vroundss", "VEX 66 0F 3A 0A /r", "Vx,Hx,Wx,Ib", FEATURE_AVX,
        FN(op_roundss_r, op_avx_scalar32_r, op_avx_scalar32_m))
    ROW("vroundsd", "VEX 66 0F 3A 0B /r", "Vx,Hx,Wx,Ib", FEATURE_AVX,
        FN(op_roundsd_r, op_avx_scalar64_r, op_avx_scalar64_m))
    BOTH("vcmpps", "NP 0F C2 /r", "Vx,Hx,Wx,Ib", cmpps, NULL, FEATURE_AVX)
    BOTH("vcmppd", "66 0F C2 /r", "Vx,Hx,Wx,Ib", cmppd, NULL, FEATURE_AVX)
    ONE("vcmpss", "F3 0F C2 /r", "Vx,Hx,Wx,Ib", op_avx_cmpss_r, op_avx_cmpss_m)
    ONE("vcmpsd", "F2 0F C2 /r", "Vx,Hx,Wx,Ib", op_avx_cmpsd_r, op_avx_cmpsd_m)
    ROW_FLAGS("vucomiss", "VEX NP 0F 2E /r", "Vss,Wss", FEATURE_AVX,
              FN(NULL, op_ucomiss_r, op_ucomiss_m))
    ROW_FLAGS("vucomisd", "VEX 66 0F 2E /r", "Vsd,Wsd", FEATURE_AVX,
              FN(NULL, op_ucomisd_r, op_ucomisd_m))
    ROW_FLAGS("vcomiss", "VEX NP 0F 2F /r", "Vss,Wss", FEATURE_AVX,
              FN(NULL, op_comiss_r, op_comiss_m))
    ROW_FLAGS("vcomisd", "VEX 66 0F 2F /r", "Vsd,Wsd", FEATURE_AVX,
              FN(NULL, op_comisd_r, op_comisd_m))

    /* Conversions. */
    WIDEN(cvtps2pd, "NP 0F 5A /r", 2, FEATURE_AVX) WIDEN(cvtdq2pd, "F3 0F E6 /r", 2, FEATURE_AVX)
    BOTH("vcvtpd2ps", "66 0F 5A /r", "Vx,Wx", narrow, op_cvtpd2ps_r, FEATURE_AVX)
    BOTH("vcvttpd2dq", "66 0F E6 /r", "Vx,Wx", narrow, op_cvttpd2dq_r, FEATURE_AVX)
    BOTH("vcvtpd2dq", "F2 0F E6 /r", "Vx,Wx", narrow, op_cvtpd2dq_r, FEATURE_AVX)
    SCALAR(cvtss2sd, "F3 0F 5A /r", 32) SCALAR(cvtsd2ss, "F2 0F 5A /r", 64)
    FLOAT2(cvtdq2ps, "NP 0F 5B /r") FLOAT2(cvtps2dq, "66 0F 5B /r") FLOAT2(cvttps2dq, "F3 0F 5B /r")
    BY_W("vcvtsi2ss", "F3 0F 2A /r", "Vx,Hx,Ey", op_cvtsi2ss, from_gpr)
    BY_W("vcvtsi2sd", "F2 0F 2A /r", "Vx,Hx,Ey", op_cvtsi2sd, from_gpr)
    SAME_Y(cvttss2si, "F3 0F 2C /r", "Gy,Wss") SAME_Y(cvttsd2si, "F2 0F 2C /r", "Gy,Wsd")
    SAME_Y(cvtss2si, "F3 0F 2D /r", "Gy,Wss") SAME_Y(cvtsd2si, "F2 0F 2D /r", "Gy,Wsd")

    /* Moves. */
    BOTH("vmovups", "NP 0F 10 /r", "Vx,Wx", load, NULL, FEATURE_AVX)
    BOTH("vmovupd", "66 0F 10 /r", "Vx,Wx", load, NULL, FEATURE_AVX)
    BOTH("vmovups", "NP 0F 11 /r", "Wx,Vx", store, NULL, FEATURE_AVX)
    BOTH("vmovupd", "66 0F 11 /r", "Wx,Vx", store, NULL, FEATURE_AVX)
    BOTH("vmovaps", "NP 0F 28 /r", "Vx,Wx", load_aligned, NULL, FEATURE_AVX)
    BOTH("vmovapd", "66 0F 28 /r", "Vx,Wx", load_aligned, NULL, FEATURE_AVX)
    BOTH("vmovaps", "NP 0F 29 /r", "Wx,Vx", store_aligned, NULL, FEATURE_AVX)
    BOTH("vmovapd", "66 0F 29 /r", "Wx,Vx", store_aligned, NULL, FEATURE_AVX)
    BOTH("vmovdqa", "66 0F 6F /r", "Vx,Wx", load_aligned, NULL, FEATURE_AVX)
    BOTH("vmovdqu", "F3 0F 6F /r", "Vx,Wx", load, NULL, FEATURE_AVX)
    BOTH("vmovdqa", "66 0F 7F /r", "Wx,Vx", store_aligned, NULL, FEATURE_AVX)
    BOTH("vmovdqu", "F3 0F 7F /r", "Wx,Vx", store, NULL, FEATURE_AVX)
    BOTH("vlddqu", "F2 0F F0 mem /r", "Vx,Mx", load, NULL, FEATURE_AVX)
    BOTH("vmovntps", "NP 0F 2B mem /r", "Mx,Vx", store_aligned, NULL, FEATURE_AVX)
    BOTH("vmovntpd", "66 0F 2B mem /r", "Mx,Vx", store_aligned, NULL, FEATURE_AVX)
    BOTH("vmovntdq", "66 0F E7 mem /r", "Mx,Vx", store_aligned, NULL, FEATURE_AVX)
    BOTH("vmovntdqa", "66 0F 38 2A mem /r", "Vx,Mx", load_aligned, NULL, FEATURE_AVX2)
    ONE("vmovss", "F3 0F 10 mod3 /r", "Vx,Hx,Ux", op_avx_movss_r, NULL)
    ONE("vmovss", "F3 0F 10 mem /r", "Vx,Md", NULL, op_avx_movss_m)
    ONE("vmovsd", "F2 0F 10 mod3 /r", "Vx,Hx,Ux", op_avx_movsd_r, NULL)
    ONE("vmovsd", "F2 0F 10 mem /r", "Vx,Mq", NULL, op_avx_movsd_m)
    ONE("vmovss", "F3 0F 11 mem /r", "Md,Vx", NULL, op_movss_store_m)
    ONE("vmovsd", "F2 0F 11 mem /r", "Mq,Vx", NULL, op_movsd_store_m)
    ONE("vmovhlps", "L0 NP 0F 12 mod3 /r", "Vx,Hx,Ux", op_avx_low64_r, NULL)
    ONE("vmovlps", "L0 NP 0F 12 mem /r", "Vx,Hx,Mq", NULL, op_avx_low64_m)
    ONE("vmovlpd", "L0 66 0F 12 mem /r", "Vx,Hx,Mq", NULL, op_avx_low64_m)
    ONE("vmovlps", "L0 NP 0F 13 mem /r", "Mq,Vx", NULL, op_movlps_store_m)
    ONE("vmovlpd", "L0 66 0F 13 mem /r", "Mq,Vx", NULL, op_movlps_store_m)
    ONE("vmovlhps", "L0 NP 0F 16 mod3 /r", "Vx,Hx,Ux", op_avx_high64_r, NULL)
    ONE("vmovhps", "L0 NP 0F 16 mem /r", "Vx,Hx,Mq", NULL, op_avx_high64_m)
    ONE("vmovhpd", "L0 66 0F 16 mem /r", "Vx,Hx,Mq", NULL, op_avx_high64_m)
    ONE("vmovhps", "L0 NP 0F 17 mem /r", "Mq,Vx", NULL, op_movhps_store_m)
    ONE("vmovhpd", "L0 66 0F 17 mem /r", "Mq,Vx", NULL, op_movhps_store_m)
    BOTH("vmovddup", "F2 0F 12 /r", "Vx,Wx", duplicate, op_movddup_r, FEATURE_AVX)
    FLOAT2(movsldup, "F3 0F 12 /r") FLOAT2(movshdup, "F3 0F 16 /r")
    BY_W("vmovd", "L0 66 0F 6E /r", "Vx,Ey", op_movd_load, movd)
    SAME_Y(movd_store, "L0 66 0F 7E /r", "Ey,Vx")
    ONE("vmovq", "L0 F3 0F 7E /r", "Vx,Wx", op_avx_movq_r, op_avx_movq_m)
    ONE("vmovq", "L0 66 0F D6 /r", "Wx,Vx", op_avx_store_q_r, op_avx_store_q_m)
    BOTH("vmovmskps", "NP 0F 50 mod3 /r", "Gd,Ux", movmskps, NULL, FEATURE_AVX)
    BOTH("vmovmskpd", "66 0F 50 mod3 /r", "Gd,Ux", movmskpd, NULL, FEATURE_AVX)
    BOTH("vpmovmskb", "66 0F D7 mod3 /r", "Gd,Ux", movmskb, NULL, FEATURE_AVX2)
    ONE("vmaskmovdqu", "L0 66 0F F7 mod3 /r", "Vdq,Udq", op_maskmovdqu, NULL)
    ROW("vzeroupper", "VEX L0 NP 0F 77", "", FEATURE_AVX, FN(NULL, op_avx_zero_128r, NULL))
    ROW("vzeroall", "VEX L1 NP 0F 77", "", FEATURE_AVX, FN(NULL, op_avx_zero_256r, NULL))
    ONE("vldmxcsr", "L0 NP 0F AE mem /2", "Md", NULL, op_ldmxcsr)
    ONE("vstmxcsr", "L0 NP 0F AE mem /3", "Md", NULL, op_stmxcsr)

    /* Elements. */
    ONE("vpinsrb", "L0 66 0F 3A 20 mod3 /r", "Vx,Hx,Rd,Ib", op_avx_insertb_r, NULL)
    ONE("vpinsrb", "L0 66 0F 3A 20 mem /r", "Vx,Hx,Mb,Ib", NULL, op_avx_insertb_m)
    ONE("vpinsrw", "L0 66 0F C4 mod3 /r", "Vx,Hx,Rd,Ib", op_avx_insertw_r, NULL)
    ONE("vpinsrw", "L0 66 0F C4 mem /r", "Vx,Hx,Mw,Ib", NULL, op_avx_insertw_m)
    {"vpinsrq", "VEX L0 66 0F 3A 22 /r W1", "Vx,Hx,Ey,Ib",
     FN(NULL, op_avx_insertq_r, op_avx_insertq_m), 0, 0, 0, FEATURE_AVX, FORM_SSE | FORM_ONLY64},
    ONE("vpinsrd", "L0 66 0F 3A 22 /r", "Vx,Hx,Ey,Ib", op_avx_insertd_r, op_avx_insertd_m)
    ROW("vinsertps", "VEX L0 66 0F 3A 21 /r", "Vx,Hx,Wx,Ib", FEATURE_AVX,
        FN(op_insertps_r, op_avx_insertps_r, op_avx_insertps_m))
    ONE("vpextrw", "L0 66 0F C5 mod3 /r", "Gd,Udq,Ib", op_pextrw_r, NULL)
    ONE("vpextrb", "L0 66 0F 3A 14 mod3 /r", "Rd,Vdq,Ib", op_pextrb_r, NULL)
    ONE("vpextrb", "L0 66 0F 3A 14 mem /r", "Mb,Vdq,Ib", NULL, op_pextrb_m)
    ONE("vpextrw", "L0 66 0F 3A 15 mod3 /r", "Rd,Vdq,Ib", op_pextrw_e_r, NULL)
    ONE("vpextrw", "L0 66 0F 3A 15 mem /r", "Mw,Vdq,Ib", NULL, op_pextrw_e_m)
    SAME_Y(pextrd, "L0 66 0F 3A 16 /r", "Ey,Vdq,Ib")
    ONE("vextractps", "L0 66 0F 3A 17 mod3 /r", "Rd,Vdq,Ib", op_extractps_r, NULL)
    ONE("vextractps", "L0 66 0F 3A 17 mem /r", "Md,Vdq,Ib", NULL, op_extractps_m)

    /* Integers. */
    SIMD_BOTH_LIST_3(INT3_ROW)
    INT2(pabsb, "66 0F 38 1C /r") INT2(pabsw, "66 0F 38 1D /r") INT2(pabsd, "66 0F 38 1E /r")
    SIMD_SHIFT_LIST(SHIFT_ROWS)
    BOTH("vpsrldq", "66 0F 73 mod3 /3", "Hx,Ux,Ib", shift_imm, op_psrldq_i, FEATURE_AVX2)
    BOTH("vpslldq", "66 0F 73 mod3 /7", "Hx,Ux,Ib", shift_imm, op_pslldq_i, FEATURE_AVX2)
    INT3(punpcklqdq, "66 0F 6C /r") INT3(punpckhqdq, "66 0F 6D /r")
    INT3(pmuldq, "66 0F 38 28 /r") INT3(pcmpeqq, "66 0F 38 29 /r") INT3(packusdw, "66 0F 38 2B /r")
    INT3(pcmpgtq, "66 0F 38 37 /r") INT3(pminsb, "66 0F 38 38 /r") INT3(pminsd, "66 0F 38 39 /r")
    INT3(pminuw, "66 0F 38 3A /r") INT3(pminud, "66 0F 38 3B /r") INT3(pmaxsb, "66 0F 38 3C /r")
    INT3(pmaxsd, "66 0F 38 3D /r") INT3(pmaxuw, "66 0F 38 3E /r") INT3(pmaxud, "66 0F 38 3F /r")
    INT3(pmulld, "66 0F 38 40 /r")
    NARROW("vphminposuw", "66 0F 38 41 /r", "Vx,Wx", two, op_phminposuw_r)
    WIDEN(pmovsxbw, "66 0F 38 20 /r", 2, FEATURE_AVX2)
    WIDEN(pmovsxbd, "66 0F 38 21 /r", 4, FEATURE_AVX2)
    WIDEN(pmovsxbq, "66 0F 38 22 /r", 8, FEATURE_AVX2)
    WIDEN(pmovsxwd, "66 0F 38 23 /r", 2, FEATURE_AVX2)
    WIDEN(pmovsxwq, "66 0F 38 24 /r", 4, FEATURE_AVX2)
    WIDEN(pmovsxdq, "66 0F 38 25 /r", 2, FEATURE_AVX2)
    WIDEN(pmovzxbw, "66 0F 38 30 /r", 2, FEATURE_AVX2)
    WIDEN(pmovzxbd, "66 0F 38 31 /r", 4, FEATURE_AVX2)
    WIDEN(pmovzxbq, "66 0F 38 32 /r", 8, FEATURE_AVX2)
    WIDEN(pmovzxwd, "66 0F 38 33 /r", 2, FEATURE_AVX2)
    WIDEN(pmovzxwq, "66 0F 38 34 /r", 4, FEATURE_AVX2)
    WIDEN(pmovzxdq, "66 0F 38 35 /r", 2, FEATURE_AVX2)
    INT2I(pshufd, "66 0F 70 /r") INT2I(pshufhw, "F3 0F 70 /r") INT2I(pshuflw, "F2 0F 70 /r")
    INT3I(pblendw, "66 0F 3A 0E /r") INT3I(palignr, "66 0F 3A 0F /r")
    BOTH("vmpsadbw", "66 0F 3A 42 /r", "Vx,Hx,Wx,Ib", mpsadbw, op_mpsadbw_r, FEATURE_AVX2)
    NARROW("vaesimc", "66 0F 38 DB /r", "Vx,Wx", two, op_aesimc_r)
    NARROW("vaesenc", "66 0F 38 DC /r", "Vx,Hx,Wx", three, op_aesenc_r)
    NARROW("vaesenclast", "66 0F 38 DD /r", "Vx,Hx,Wx", three, op_aesenclast_r)
    NARROW("vaesdec", "66 0F 38 DE /r", "Vx,Hx,Wx", three, op_aesdec_r)
    NARROW("vaesdeclast", "66 0F 38 DF /r", "Vx,Hx,Wx", three, op_aesdeclast_r)
    NARROW("vaeskeygenassist", "66 0F 3A DF /r", "Vx,Wx,Ib", two, op_aeskeygenassist_r)
    NARROW("vpclmulqdq", "66 0F 3A 44 /r", "Vx,Hx,Wx,Ib", three, op_pclmulqdq_r)
    ROW_FLAGS("vpcmpestrm", "VEX L0 66 0F 3A 60 /r", "Vdq,Wdq,Ib", FEATURE_AVX,
              FN(op_pcmpestrm_r, op_avx_string_r, op_avx_string_m))
    ROW_FLAGS("vpcmpestri", "VEX L0 66 0F 3A 61 /r", "Vdq,Wdq,Ib", FEATURE_AVX,
              FN(NULL, op_pcmpestri_r, op_pcmpestri_m))
    ROW_FLAGS("vpcmpistrm", "VEX L0 66 0F 3A 62 /r", "Vdq,Wdq,Ib", FEATURE_AVX,
              FN(op_pcmpistrm_r, op_avx_string_r, op_avx_string_m))
    ROW_FLAGS("vpcmpistri", "VEX L0 66 0F 3A 63 /r", "Vdq,Wdq,Ib", FEATURE_AVX,
              FN(NULL, op_pcmpistri_r, op_pcmpistri_m))

    /* What SSE has not. */
    ROW_FLAGS("vptest", "VEX L0 66 0F 38 17 /r", "Vx,Wx", FEATURE_AVX,
              FN(NULL, op_avx_test_128r, op_avx_test_128m))
    ROW_FLAGS("vptest", "VEX L1 66 0F 38 17 /r", "Vx,Wx", FEATURE_AVX,
              FN(NULL, op_avx_test_256r, op_avx_test_256m))
    ROW_FLAGS("vtestps", "VEX L0 66 0F 38 0E /r W0", "Vx,Wx", FEATURE_AVX,
              FN(NULL, op_avx_testps_128r, op_avx_testps_128m))
    ROW_FLAGS("vtestps", "VEX L1 66 0F 38 0E /r W0", "Vx,Wx", FEATURE_AVX,
              FN(NULL, op_avx_testps_256r, op_avx_testps_256m))
    ROW_FLAGS("vtestpd", "VEX L0 66 0F 38 0F /r W0", "Vx,Wx", FEATURE_AVX,
              FN(NULL, op_avx_testpd_128r, op_avx_testpd_128m))
    ROW_FLAGS("vtestpd", "VEX L1 66 0F 38 0F /r W0", "Vx,Wx", FEATURE_AVX,
              FN(NULL, op_avx_testpd_256r, op_avx_testpd_256m))
    BOTH("vblendvps", "66 0F 3A 4A /r W0", "Vx,Hx,Wx,Lx", blendvps, NULL, FEATURE_AVX)
    BOTH("vblendvpd", "66 0F 3A 4B /r W0", "Vx,Hx,Wx,Lx", blendvpd, NULL, FEATURE_AVX)
    BOTH("vpblendvb", "66 0F 3A 4C /r W0", "Vx,Hx,Wx,Lx", pblendvb, NULL, FEATURE_AVX2)
    BOTH("vbroadcastss", "66 0F 38 18 mem /r W0", "Vx,Md", broadcast32, NULL, FEATURE_AVX)
    WIDE("vbroadcastsd", "66 0F 38 19 mem /r W0", "Vx,Mq", broadcast64, FEATURE_AVX)
    WIDE("vbroadcastf128", "66 0F 38 1A mem /r W0", "Vx,Mdq", broadcast128, FEATURE_AVX)
    WIDE("vinsertf128", "66 0F 3A 18 /r W0", "Vx,Hx,Wdq,Ib", insert128, FEATURE_AVX)
    WIDE("vextractf128", "66 0F 3A 19 /r W0", "Wdq,Vx,Ib", extract128, FEATURE_AVX)
    WIDE("vperm2f128", "66 0F 3A 06 /r W0", "Vx,Hx,Wx,Ib", permute128, FEATURE_AVX)
    BOTH("vpermilps", "66 0F 38 0C /r W0", "Vx,Hx,Wx", permilps, NULL, FEATURE_AVX)
    BOTH("vpermilpd", "66 0F 38 0D /r W0", "Vx,Hx,Wx", permilpd, NULL, FEATURE_AVX)
    BOTH("vpermilps", "66 0F 3A 04 /r W0", "Vx,Wx,Ib", permilps_imm, NULL, FEATURE_AVX)
    BOTH("vpermilpd", "66 0F 3A 05 /r W0", "Vx,Wx,Ib", permilpd_imm, NULL, FEATURE_AVX)
    BOTH("vmaskmovps", "66 0F 38 2C mem /r W0", "Vx,Hx,Mx", mask_load32, NULL, FEATURE_AVX)
    BOTH("vmaskmovpd", "66 0F 38 2D mem /r W0", "Vx,Hx,Mx", mask_load64, NULL, FEATURE_AVX)
    BOTH("vmaskmovps", "66 0F 38 2E mem /r W0", "Mx,Hx,Vx", mask_store32, NULL, FEATURE_AVX)
    BOTH("vmaskmovpd", "66 0F 38 2F mem /r W0", "Mx,Hx,Vx", mask_store64, NULL, FEATURE_AVX)
};

/* AVX2: lengths alike. */
#define ROWS2(name, code, operands, handler)                                                       \
    ROW(name, "VEX L0 " code, operands, FEATURE_AVX2,                                              \
        FN(NULL, op_avx_##handler##_128r, op_avx_##handler##_128m))                                \
    WIDE(name, code, operands, handler, FEATURE_AVX2)
#define GATHER(name, code, handler)                                                                \
    ROWS2(name, "66 0F 38 " code, "Vx,Mv,Hx", handler)

static const struct form rows2[] = {
    ROWS2("vbroadcastss", "66 0F 38 18 mod3 /r W0", "Vx,Ux", broadcast32)
    WIDE("vbroadcastsd", "66 0F 38 19 mod3 /r W0", "Vx,Ux", broadcast64, FEATURE_AVX2)
    ROWS2("vpbroadcastb", "66 0F 38 78 mod3 /r W0", "Vx,Ux", broadcast8)
    ROWS2("vpbroadcastb", "66 0F 38 78 mem /r W0", "Vx,Mb", broadcast8)
    ROWS2("vpbroadcastw", "66 0F 38 79 mod3 /r W0", "Vx,Ux", broadcast16)
    ROWS2("vpbroadcastw", "66 0F 38 79 mem /r W0", "Vx,Mw", broadcast16)
    ROWS2("vpbroadcastd", "66 0F 38 58 mod3 /r W0", "Vx,Ux", broadcast32)
    ROWS2("vpbroadcastd", "66 0F 38 58 mem /r W0", "Vx,Md", broadcast32)
    ROWS2("vpbroadcastq", "66 0F 38 59 mod3 /r W0", "Vx,Ux", broadcast64)
    ROWS2("vpbroadcastq", "66 0F 38 59 mem /r W0", "Vx,Mq", broadcast64)
    WIDE("vbroadcasti128", "66 0F 38 5A mem /r W0", "Vx,Mdq", broadcast128, FEATURE_AVX2)
    WIDE("vinserti128", "66 0F 3A 38 /r W0", "Vx,Hx,Wdq,Ib", insert128, FEATURE_AVX2)
    WIDE("vextracti128", "66 0F 3A 39 /r W0", "Wdq,Vx,Ib", extract128, FEATURE_AVX2)
    WIDE("vperm2i128", "66 0F 3A 46 /r W0", "Vx,Hx,Wx,Ib", permute128, FEATURE_AVX2)
    WIDE("vpermd", "66 0F 38 36 /r W0", "Vx,Hx,Wx", permute32, FEATURE_AVX2)
    WIDE("vpermps", "66 0F 38 16 /r W0", "Vx,Hx,Wx", permute32, FEATURE_AVX2)
    WIDE("vpermq", "66 0F 3A 00 /r W1", "Vx,Wx,Ib", permute64, FEATURE_AVX2)
    WIDE("vpermpd", "66 0F 3A 01 /r W1", "Vx,Wx,Ib", permute64, FEATURE_AVX2)
    ROWS2("vpblendd", "66 0F 3A 02 /r W0", "Vx,Hx,Wx,Ib", blendd)
    ROWS2("vpsllvd", "66 0F 38 47 /r W0", "Vx,Hx,Wx", sllvd)
    ROWS2("vpsllvq", "66 0F 38 47 /r W1", "Vx,Hx,Wx", sllvq)
    ROWS2("vpsrlvd", "66 0F 38 45 /r W0", "Vx,Hx,Wx", srlvd)
    ROWS2("vpsrlvq", "66 0F 38 45 /r W1", "Vx,Hx,Wx", srlvq)
    ROWS2("vpsravd", "66 0F 38 46 /r W0", "Vx,Hx,Wx", sravd)
    ROWS2("vpmaskmovd", "66 0F 38 8C mem /r W0", "Vx,Hx,Mx", mask_load32)
    ROWS2("vpmaskmovq", "66 0F 38 8C mem /r W1", "Vx,Hx,Mx", mask_load64)
    ROWS2("vpmaskmovd", "66 0F 38 8E mem /r W0", "Mx,Hx,Vx", mask_store32)
    ROWS2("vpmaskmovq", "66 0F 38 8E mem /r W1", "Mx,Hx,Vx", mask_store64)
    GATHER("vpgatherdd", "90 VSIB /r W0", gather_dd)
    GATHER("vpgatherdq", "90 VSIB /r W1", gather_dq)
    GATHER("vpgatherqd", "91 VSIB /r W0", gather_qd)
    GATHER("vpgatherqq", "91 VSIB /r W1", gather_qq)
    GATHER("vgatherdps", "92 VSIB /r W0", gather_dd)
    GATHER("vgatherdpd", "92 VSIB /r W1", gather_dq)
    GATHER("vgatherqps", "93 VSIB /r W0", gather_qd)
    GATHER("vgatherqpd", "93 VSIB /r W1", gather_qq)
};

const struct form_table forms_avx = {rows, sizeof(rows) / sizeof(rows[0])};
const struct form_table forms_avx2 = {rows2, sizeof(rows2) / sizeof(rows2[0])};
