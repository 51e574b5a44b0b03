# The target: ARMv7-A with the Virtualization Extensions, Debian's bare-metal GCC.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_CXX_COMPILER arm-none-eabi-g++)
set(CMAKE_ASM_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
# A15's tuning makes STRD/LDRD prologues, which cost every exit instructions.
set(PARTITA_TARGET_FLAGS -march=armv7ve -mtune=cortex-a7 -marm -mgeneral-regs-only -mno-unaligned-access)
set(PARTITA_TARGET_LINK -nostdlib -nostartfiles -Wl,--build-id=none -Wl,-z,noexecstack -Wl,-z,max-page-size=4096)
set(PARTITA_TARGET_LIBS gcc)
