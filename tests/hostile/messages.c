/* A partition that has interrupts as messages raises all that there are, and some that are not its own: the page takes any number, from
 * its devices and from its own CPUs. Row 29 of docs/security.md. */
#include "hostile.h"

#define SET_SPI 0x08020040u
#define FIRST_OWN 80u
#define LAST_OWN 105u
#define SYSTEM_MMU 106u

static volatile uint32_t own, foreign;

static void on_message(uint32_t intid) {
    if (intid >= FIRST_OWN && intid <= LAST_OWN)
        ++own;
    else
        ++foreign;
}

int main(void) {
    interrupts_init();
    for (uint32_t intid = 32; intid < 128; ++intid)
        if (intid != 33) interrupt_enable(intid, 0x80, on_message);
    interrupts_on();
    uint32_t sent = 0;
    for (uint32_t intid = FIRST_OWN; intid <= LAST_OWN; ++intid, ++sent) {
        const uint32_t before = own;
        REG32(SET_SPI) = intid;
        __asm__ volatile("dsb" ::: "memory");
        for (uint32_t n = 0; n < 1000 && own == before; ++n) __asm__ volatile("nop");
        expect(own != before, "a message of its own does not arrive", intid);
    }
    for (uint32_t n = 0; n < 200000; ++n, ++sent) {
        const uint32_t kind = next_random() % 4;
        REG32(SET_SPI) = kind == 0 ? SYSTEM_MMU : kind == 1 ? next_random() % 1024 : kind == 2 ? FIRST_OWN + n % 64 : next_random();
    }
    interrupts_off();
    expect(foreign == 0, "interrupts that are not its own", foreign);
    return told("messages", sent);
}
