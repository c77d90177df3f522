// MPS2 AN386 and AN500: 32 interrupts (Arm DAI 0500, table of interrupt assignments).
#include "startup.h"

__attribute__((section(".vectors"), used)) static const Vector vectors[16 + 32] = {
    SYSTEM_VECTORS,
    [16 + 0] = uart0_rx_handler,
    [16 + 1 ... 16 + 31] = fault_handler,
};
