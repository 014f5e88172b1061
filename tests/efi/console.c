/* SPDX-License-Identifier: BSD-2-Clause-Patent */
/* Simple text output and input, and extended input (UEFI 2.10 12.2 to 12.4). Nobody types. */
#include "tests/efi/conformance.h"

static void cursor(const char *name)
{
    check_value(name_of(name, "column"), (uint64_t)st->ConOut->Mode->CursorColumn);
    check_value(name_of(name, "row"), (uint64_t)st->ConOut->Mode->CursorRow);
}

static void print(const char *name, CHAR16 *text)
{
    check_status(name, st->ConOut->OutputString(st->ConOut, text));
    cursor(name);
}

static void moves(void)
{
    EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *out = st->ConOut;
    check_status("clear", out->ClearScreen(out));
    cursor("clear");
    print("text", L"abc");
    print("return", L"\r");
    print("feed", L"\n");
    print("both", L"xyz\r\n");
    print("backspace", L"12\b");
    print("backspace-at-0", L"\r\b");
    print("empty", L"");
    print("line-of-80", L"0123456789012345678901234567890123456789"
                        L"0123456789012345678901234567890123456789");
    print("tab", L"\ta");
    check_status("cursor", out->SetCursorPosition(out, 5, 7));
    cursor("cursor");
    check_status("cursor.last", out->SetCursorPosition(out, 79, 24));
    cursor("cursor.last");
    print("scroll", L"\n");
    check_status("cursor.column-80", out->SetCursorPosition(out, 80, 0));
    check_status("cursor.row-25", out->SetCursorPosition(out, 0, 25));
    cursor("cursor.unmoved");
    check_status("test", out->TestString(out, L"plain"));
    check_status("test.empty", out->TestString(out, L""));
}

void test_output(void)
{
    EFI_SIMPLE_TEXT_OUTPUT_PROTOCOL *out = st->ConOut;
    UINTN columns = 0, rows = 0;
    check_status("reset", out->Reset(out, false));
    check_true("modes", out->Mode->MaxMode >= 1);
    check_value("mode", (uint64_t)out->Mode->Mode);
    check_value("attribute", (uint64_t)out->Mode->Attribute);
    check_true("cursor-visible", out->Mode->CursorVisible);
    check_status("query.0", out->QueryMode(out, 0, &columns, &rows));
    check_value("query.0.columns", columns);
    check_value("query.0.rows", rows);
    EFI_STATUS fifty = out->QueryMode(out, 1, &columns, &rows);
    check_true("query.1", fifty == EFI_UNSUPPORTED || (columns == 80 && rows == 50));
    check_status("query.last", out->QueryMode(out, (UINTN)out->Mode->MaxMode, &columns, &rows));
    check_status("query.far", out->QueryMode(out, 1000, &columns, &rows));
    check_status("set.far", out->SetMode(out, 1000));
    check_status("set.0", out->SetMode(out, 0));
    cursor("set.0");
    check_status("attribute.white", out->SetAttribute(out, 0x0F));
    check_value("attribute.white.value", (uint64_t)out->Mode->Attribute);
    check_status("attribute.on-blue", out->SetAttribute(out, 0x1F));
    check_status("attribute.80", out->SetAttribute(out, 0x80));
    check_status("attribute.100", out->SetAttribute(out, 0x100));
    check_status("attribute.back", out->SetAttribute(out, 0x07));
    check_status("hide", out->EnableCursor(out, false));
    check_true("hide.visible", out->Mode->CursorVisible);
    check_status("show", out->EnableCursor(out, true));
    moves();
    check_status("reset.end", out->Reset(out, true));
    cursor("reset.end");
}

typedef EFI_SIMPLE_TEXT_INPUT_EX_PROTOCOL INPUT_EX;

static EFI_STATUS EFIAPI on_key(EFI_KEY_DATA *data)
{
    return EFI_SUCCESS;
}

static void extended(INPUT_EX *in)
{
    EFI_KEY_DATA data = { 0 }, hot = { .Key = { .UnicodeChar = 'q' } };
    VOID *handle = NULL, *other = NULL;
    UINT8 state = 0x80;
    check_status("ex.reset", in->Reset(in, false));
    check_status("ex.read", in->ReadKeyStrokeEx(in, &data));
    check_status("ex.read-null", in->ReadKeyStrokeEx(in, NULL));
    check_status("ex.wait", bs->CheckEvent(in->WaitForKeyEx));
    check_status("ex.state-null", in->SetState(in, NULL));
    check_status("ex.state-valid", in->SetState(in, &state));
    state = 0;
    check_status("ex.state-0", in->SetState(in, &state));
    check_status("ex.register", in->RegisterKeyNotify(in, &hot, on_key, &handle));
    check_status("ex.register-again", in->RegisterKeyNotify(in, &hot, on_key, &other));
    check_status("ex.register-no-key", in->RegisterKeyNotify(in, NULL, on_key, &other));
    check_status("ex.register-no-function", in->RegisterKeyNotify(in, &hot, NULL, &other));
    check_status("ex.register-no-handle", in->RegisterKeyNotify(in, &hot, on_key, NULL));
    check_status("ex.unregister", in->UnregisterKeyNotify(in, handle));
    check_status("ex.unregister-null", in->UnregisterKeyNotify(in, NULL));
}

void test_input(void)
{
    EFI_SIMPLE_TEXT_INPUT_PROTOCOL *in = st->ConIn;
    EFI_INPUT_KEY key;
    VOID *ex = NULL;
    check_status("reset", in->Reset(in, false));
    check_status("read", in->ReadKeyStroke(in, &key));
    check_status("wait", bs->CheckEvent(in->WaitForKey));
    check_status("has-ex", bs->HandleProtocol(st->ConsoleInHandle, &text_input_ex_guid, &ex));
    if (ex)
        extended(ex);
    check_status("has-output", bs->HandleProtocol(st->ConsoleOutHandle, &text_output_guid, &ex));
}
