/* Tells the CRC-32 of what lies behind it: its initial RAM disk. */
#include "partita/guest/guest.h"
#include "partita/guest/tree.h"

static uint32_t address(const char* property) {
    uint32_t bytes = 0;
    const uint32_t* const at = tree_property(property, &bytes);
    return at == NULL ? 0 : tree_cell(at + bytes / 4 - 1);
}

int main(void) {
    const uint32_t begin = address("linux,initrd-start"), end = address("linux,initrd-end");
    uint32_t crc = ~0u;
    for (uint32_t at = begin; at != end; ++at) {
        crc ^= *(const uint8_t*)at;
        for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1u)));
    }
    console_printf("sum: life %u, %u bytes, %x\n", (unsigned)life_number(), (unsigned)(end - begin), (unsigned)~crc);
    for (;;) wait_for_interrupt();
}
