/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/*
 * The registers that GDB is told of. Order and names of the standard features are GDB's (GDB
 * manual, G.5.17 "i386 Features"); the system registers are a feature of our own.
 */
#include "machine/hypervisor/gdb_target.h"

#include <stdio.h>
#include <string.h>

struct target_register {
    const char *name;
    const char *type;
    uint16_t offset;   /* in struct cpu_registers */
    uint8_t stored;    /* bytes there */
    uint8_t size;      /* bytes for GDB: zero-extended or cut */
    bool settable;
    const char *feature; /* set where a new feature begins */
};

#define FIELD(field) offsetof(struct cpu_registers, field)
#define STORED(field) sizeof(((struct cpu_registers *)0)->field)
#define GPR(name_, n) { #name_, "int64", FIELD(gpr[n]), 8, 8, true }
#define REG(name_, type_, field, size_, settable_)                                                 \
    { name_, type_, FIELD(field), STORED(field), size_, settable_ }
#define ST(n)  { "st" #n, "i387_ext", FIELD(st[n]), 10, 10, true }
#define XMM(n) { "xmm" #n, "vec128", FIELD(xmm[n]), 16, 16, true }

static const struct target_register registers_table[] = {
    { "rax", "int64", FIELD(gpr[0]), 8, 8, true, "org.gnu.gdb.i386.core" },
    GPR(rbx, 3), GPR(rcx, 1), GPR(rdx, 2), GPR(rsi, 6), GPR(rdi, 7),
    { "rbp", "data_ptr", FIELD(gpr[5]), 8, 8, true },
    { "rsp", "data_ptr", FIELD(gpr[4]), 8, 8, true },
    GPR(r8, 8), GPR(r9, 9), GPR(r10, 10), GPR(r11, 11), GPR(r12, 12), GPR(r13, 13), GPR(r14, 14),
    GPR(r15, 15),
    REG("rip", "code_ptr", linear_rip, 8, true),
    REG("eflags", "i386_eflags", rflags, 4, true),
    REG("cs", "int32", seg[CPU_CS].selector, 4, false),
    REG("ss", "int32", seg[CPU_SS].selector, 4, false),
    REG("ds", "int32", seg[CPU_DS].selector, 4, false),
    REG("es", "int32", seg[CPU_ES].selector, 4, false),
    REG("fs", "int32", seg[CPU_FS].selector, 4, false),
    REG("gs", "int32", seg[CPU_GS].selector, 4, false),
    ST(0), ST(1), ST(2), ST(3), ST(4), ST(5), ST(6), ST(7),
    REG("fctrl", "int", fpu_control, 4, true),
    REG("fstat", "int", fpu_status, 4, true),
    REG("ftag", "int", fpu_tags, 4, true),
    REG("fiseg", "int", fpu_instruction_selector, 4, true),
    REG("fioff", "int", fpu_instruction, 4, true),
    REG("foseg", "int", fpu_data_selector, 4, true),
    REG("fooff", "int", fpu_data, 4, true),
    REG("fop", "int", fpu_opcode, 4, true),
    { "xmm0", "vec128", FIELD(xmm[0]), 16, 16, true, "org.gnu.gdb.i386.sse" },
    XMM(1), XMM(2), XMM(3), XMM(4), XMM(5), XMM(6), XMM(7), XMM(8), XMM(9), XMM(10), XMM(11),
    XMM(12), XMM(13), XMM(14), XMM(15),
    REG("mxcsr", "i386_mxcsr", mxcsr, 4, true),
    { "fs_base", "int", FIELD(seg[CPU_FS].base), 8, 8, true, "org.gnu.gdb.i386.segments" },
    REG("gs_base", "int", seg[CPU_GS].base, 8, true),
    { "k_gs_base", "int", FIELD(kernel_gs_base), 8, 8, true, "org.privet.x86.system" },
    REG("cr0", "int", cr0, 8, false),
    REG("cr2", "int", cr2, 8, true),
    REG("cr3", "int", cr3, 8, false),
    REG("cr4", "int", cr4, 8, false),
    REG("cr8", "int", cr8, 8, false),
    REG("efer", "int", efer, 8, false),
    REG("dr6", "int", dr[6], 8, false),
    REG("dr7", "int", dr[7], 8, false),
};

#define COUNT (sizeof(registers_table) / sizeof(registers_table[0]))
#define RIP_NUMBER 16u

/* Types that the standard features name and the reader must be told of. */
static const struct {
    const char *feature, *types;
} feature_types[] = {
    { "org.gnu.gdb.i386.core",
      "<flags id=\"i386_eflags\" size=\"4\">"
      "<field name=\"CF\" start=\"0\" end=\"0\"/><field name=\"\" start=\"1\" end=\"1\"/>"
      "<field name=\"PF\" start=\"2\" end=\"2\"/><field name=\"AF\" start=\"4\" end=\"4\"/>"
      "<field name=\"ZF\" start=\"6\" end=\"6\"/><field name=\"SF\" start=\"7\" end=\"7\"/>"
      "<field name=\"TF\" start=\"8\" end=\"8\"/><field name=\"IF\" start=\"9\" end=\"9\"/>"
      "<field name=\"DF\" start=\"10\" end=\"10\"/><field name=\"OF\" start=\"11\" end=\"11\"/>"
      "<field name=\"NT\" start=\"14\" end=\"14\"/><field name=\"RF\" start=\"16\" end=\"16\"/>"
      "<field name=\"VM\" start=\"17\" end=\"17\"/><field name=\"AC\" start=\"18\" end=\"18\"/>"
      "<field name=\"ID\" start=\"21\" end=\"21\"/></flags>" },
    { "org.gnu.gdb.i386.sse",
      "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
      "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
      "<vector id=\"v16i8\" type=\"int8\" count=\"16\"/>"
      "<vector id=\"v8i16\" type=\"int16\" count=\"8\"/>"
      "<vector id=\"v4i32\" type=\"int32\" count=\"4\"/>"
      "<vector id=\"v2i64\" type=\"int64\" count=\"2\"/>"
      "<union id=\"vec128\"><field name=\"v4_float\" type=\"v4f\"/>"
      "<field name=\"v2_double\" type=\"v2d\"/><field name=\"v16_int8\" type=\"v16i8\"/>"
      "<field name=\"v8_int16\" type=\"v8i16\"/><field name=\"v4_int32\" type=\"v4i32\"/>"
      "<field name=\"v2_int64\" type=\"v2i64\"/><field name=\"uint128\" type=\"uint128\"/>"
      "</union>"
      "<flags id=\"i386_mxcsr\" size=\"4\">"
      "<field name=\"IE\" start=\"0\" end=\"0\"/><field name=\"DE\" start=\"1\" end=\"1\"/>"
      "<field name=\"ZE\" start=\"2\" end=\"2\"/><field name=\"OE\" start=\"3\" end=\"3\"/>"
      "<field name=\"UE\" start=\"4\" end=\"4\"/><field name=\"PE\" start=\"5\" end=\"5\"/>"
      "<field name=\"DAZ\" start=\"6\" end=\"6\"/><field name=\"IM\" start=\"7\" end=\"7\"/>"
      "<field name=\"DM\" start=\"8\" end=\"8\"/><field name=\"ZM\" start=\"9\" end=\"9\"/>"
      "<field name=\"OM\" start=\"10\" end=\"10\"/><field name=\"UM\" start=\"11\" end=\"11\"/>"
      "<field name=\"PM\" start=\"12\" end=\"12\"/><field name=\"FZ\" start=\"15\" end=\"15\"/>"
      "</flags>" },
};

static const char *types_of(const char *feature)
{
    for (size_t k = 0; k < sizeof(feature_types) / sizeof(feature_types[0]); k++) {
        if (!strcmp(feature, feature_types[k].feature))
            return feature_types[k].types;
    }
    return "";
}

size_t gdb_target_xml(char xml[GDB_XML_MAX])
{
    size_t at = 0;
#define PUT(...) (at += (size_t)snprintf(xml + at, GDB_XML_MAX - at, __VA_ARGS__))
    PUT("<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\">"
        "<target version=\"1.0\"><architecture>i386:x86-64</architecture>");
    for (size_t k = 0; k < COUNT; k++) {
        const struct target_register *r = &registers_table[k];
        if (r->feature)
            PUT("%s<feature name=\"%s\">%s", k ? "</feature>" : "", r->feature,
                types_of(r->feature));
        PUT("<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"/>", r->name, 8u * r->size, r->type);
    }
    PUT("</feature></target>");
#undef PUT
    return at;
}

unsigned gdb_register_count(void)
{
    return COUNT;
}

unsigned gdb_register_size(unsigned number)
{
    return number < COUNT ? registers_table[number].size : 0;
}

unsigned gdb_register_rip(void)
{
    return RIP_NUMBER;
}

size_t gdb_register_get(const struct cpu_registers *registers, unsigned number,
                        uint8_t value[GDB_REGISTER_MAX])
{
    const struct target_register *r = &registers_table[number];
    memset(value, 0, GDB_REGISTER_MAX);
    memcpy(value, (const uint8_t *)registers + r->offset,
           r->stored < r->size ? r->stored : r->size);
    return r->size;
}

bool gdb_register_set(struct cpu_registers *registers, unsigned number, const uint8_t *value)
{
    if (number >= COUNT || !registers_table[number].settable)
        return false;
    const struct target_register *r = &registers_table[number];
    uint8_t *to = (uint8_t *)registers + r->offset;
    uint64_t old_linear = registers->linear_rip;
    memset(to, 0, r->stored);
    memcpy(to, value, r->stored < r->size ? r->stored : r->size);
    if (number == RIP_NUMBER)
        registers->rip += registers->linear_rip - old_linear;
    return true;
}
