/* Says back what is typed, a line at a time; "off", "restart" and "starts" are commands. */
#include "partita/guest/guest.h"

static bool same(const char* a, const char* b) {
    while (*a && *a == *b) ++a, ++b;
    return *a == *b;
}

int main(void) {
    char line[80];
    unsigned used = 0;
    console_write("echo: ready\n> ");
    for (;;) {
        const int c = console_get();
        if (c < 0) continue;
        if (c != '\n' && c != '\r') {
            if (used + 1 < sizeof line) line[used++] = (char)c;
            continue;
        }
        line[used] = 0;
        used = 0;
        if (same(line, "off")) power_off();
        if (same(line, "restart")) restart();
        console_printf("you said: %s\n> ", line);
    }
}
