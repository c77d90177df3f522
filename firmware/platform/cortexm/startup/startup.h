// Between the vector tables and the code they start.
#pragma once

typedef void (*Vector)(void);

extern char __stack_top[];

void reset_handler(void);

// Ends the program with status 70 where port::exit can, restarts the chip elsewhere.
void fault_handler(void);

// Interrupts that a port may serve; without a port that does, they are faults.
void systick_handler(void);
void uart0_rx_handler(void);
void usart_handler(void);

// The first sixteen words of every Armv7-M vector table (DDI 0403E, B1.5.3).
#define SYSTEM_VECTORS                                                                       \
  [0] = (Vector)__stack_top, [1] = reset_handler, [2 ... 6] = fault_handler, [7 ... 10] = 0, \
  [11 ... 12] = fault_handler, [13] = 0, [14] = fault_handler, [15] = systick_handler
