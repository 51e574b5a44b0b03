/* Makes an endpoint for programs, /dev/rpmsgN, that talks to one of the other side's. usage: rpmsg-endpoint NAME ADDRESS */
#include "kernel.h"

#define RPMSG_CREATE_EPT_IOCTL 0x4028b501
#define ANY_ADDRESS 0xffffffffu

struct rpmsg_endpoint_info {
    char name[32];
    uint32_t source, destination;
};

/* argc, and what argv points to. */
void run(const long* stack) {
    const char* const name = (const char*)stack[2];
    const char* digits = (const char*)stack[3];
    struct rpmsg_endpoint_info endpoint = {.source = ANY_ADDRESS};
    for (uint32_t n = 0; n < sizeof endpoint.name - 1 && name[n] != 0; ++n) endpoint.name[n] = name[n];
    for (; *digits != 0; ++digits) endpoint.destination = endpoint.destination * 10 + (uint32_t)(*digits - '0');
    const long control = kernel(SYS_OPEN, (long)"/dev/rpmsg_ctrl0", O_RDWR, 0, 0, 0, 0);
    const long done = control < 0 ? control : kernel(SYS_IOCTL, control, RPMSG_CREATE_EPT_IOCTL, (long)&endpoint, 0, 0, 0);
    (void)kernel(SYS_EXIT, done < 0 ? 1 : 0, 0, 0, 0, 0, 0);
}
