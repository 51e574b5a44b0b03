/* Text for the console. */
#include "partita/guest/guest.h"

void console_write(const char *text) {
    while (*text) console_put(*text++);
}

static void put_number(uint64_t value, unsigned base, unsigned width, char fill) {
    char digits[20];
    unsigned count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (width > count) {
        console_put(fill);
        --width;
    }
    while (count) console_put(digits[--count]);
}

static void put_signed(int64_t value, unsigned width, char fill) {
    if (value < 0) console_put('-');
    put_number(value < 0 ? 0 - (uint64_t)value : (uint64_t)value, 10, width, fill);
}

void console_printf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    for (; *format; ++format) {
        if (*format != '%') {
            console_put(*format);
            continue;
        }
        char fill = ' ';
        unsigned width = 0, longs = 0;
        if (*++format == '0') fill = '0';
        for (; *format >= '0' && *format <= '9'; ++format) width = width * 10 + (unsigned)(*format - '0');
        for (; *format == 'l'; ++format) ++longs;
        switch (*format) {
            case 's': console_write(va_arg(arguments, const char *)); break;
            case 'c': console_put((char)va_arg(arguments, int)); break;
            case 'd': put_signed(longs == 2 ? va_arg(arguments, long long) : va_arg(arguments, int), width, fill); break;
            case 'u': put_number(longs == 2 ? va_arg(arguments, unsigned long long) : va_arg(arguments, unsigned), 10, width, fill); break;
            case 'x': put_number(longs == 2 ? va_arg(arguments, unsigned long long) : va_arg(arguments, unsigned), 16, width, fill); break;
            case '%': console_put('%'); break;
            default: va_end(arguments); return;
        }
    }
    va_end(arguments);
}
