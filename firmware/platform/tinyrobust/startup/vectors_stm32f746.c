// STM32F746: 98 interrupts (RM0385 10.1.2, table 43); USART3 is number 39.
#include "startup.h"

__attribute__((section(".vectors"), used)) static const Vector vectors[16 + 98] = {
    SYSTEM_VECTORS,
    [16 + 0 ... 16 + 38] = fault_handler,
    [16 + 39] = usart3_handler,
    [16 + 40 ... 16 + 97] = fault_handler,
};
