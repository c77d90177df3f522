// From reset to main(): FPU, .data, .bss, constructors. Section names and symbols are those of ld/sections.ld.
#include <cstdint>
#include <cstring>

#include "port.h"

int main();

extern "C" {

extern char __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[], __stack_top[];
extern void (*const __init_array_start[])();
extern void (*const __init_array_end[])();

[[noreturn]] void start();
[[noreturn]] void fault();

// Coprocessor Access Control Register: full access to CP10 and CP11 before any code may touch the FPU
// (Armv7-M ARM, DDI 0403E, B3.2.20). Naked, so that no prologue saves a floating-point register before that.
[[gnu::naked, noreturn]] void reset_handler() {
  asm volatile(
      "ldr r0, =0xE000ED88\n"
      "ldr r1, [r0]\n"
      "orr r1, r1, #0x00F00000\n"
      "str r1, [r0]\n"
      "dsb\n"
      "isb\n"
      "b start\n");
}

void start() {
  std::memcpy(__data_start, __data_load, static_cast<size_t>(__data_end - __data_start));
  std::memset(__bss_start, 0, static_cast<size_t>(__bss_end - __bss_start));
  for (auto constructor = __init_array_start; constructor != __init_array_end; ++constructor) (*constructor)();
  port::exit(main());
}

// The fault may be a stack overflow: start over on an empty stack.
[[gnu::naked, noreturn]] void fault_handler() {
  asm volatile(
      "cpsid i\n"
      "ldr r0, =__stack_top\n"
      "msr msp, r0\n"
      "isb\n"
      "b fault\n");
}

void fault() { port::exit(70); }

[[gnu::weak, gnu::alias("fault_handler")]] void uart0_rx_handler();
[[gnu::weak, gnu::alias("fault_handler")]] void usart3_handler();

}  // extern "C"
