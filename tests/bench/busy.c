/* Runs, and asks for nothing. */
int main(void);
int main(void) {
    for (;;) __asm__ volatile("");
}
