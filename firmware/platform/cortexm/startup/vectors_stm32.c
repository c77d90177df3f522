// STM32 with up to 150 interrupts (the H743's; the others have fewer). The port enables one, that
// of its USART, so every entry may name it; an interrupt nobody enabled does not come.
#include "startup.h"

__attribute__((section(".vectors"), used)) static const Vector vectors[16 + 150] = {
    SYSTEM_VECTORS,
    [16 ... 16 + 149] = usart_handler,
};
