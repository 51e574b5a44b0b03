/* Powers off as soon as it starts: with on_exit = "restart" its memory is cleared and filled all the time. */
#include "bench.h"

int main(void) { return 0; }
