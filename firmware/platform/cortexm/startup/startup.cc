// From reset to main(): FPU, .data, .bss, constructors. Section names and symbols are those of
// ld/sections.ld.
#include <cstdint>
#include <cstring>

#include "port/port.h"

int main();

extern "C" {

extern char __data_start[], __data_end[], __data_load[], __bss_start[], __bss_end[], __stack_top[];
extern uint32_t __stack_bottom[];
extern void (*const __init_array_start[])();
extern void (*const __init_array_end[])();

[[noreturn]] void start();
[[noreturn]] void fault();

// Coprocessor Access Control Register: full access to CP10 and CP11 before any code may touch the
// FPU (Armv7-M ARM, DDI 0403E, B3.2.20). Naked, so that no prologue saves a floating-point register
// before that.
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
  // What is below this function's frame has not been used yet.
  uint32_t* const top = static_cast<uint32_t*>(__builtin_frame_address(0)) - 64;
  for (uint32_t* word = __stack_bottom; word < top; ++word) *word = port::kStackPaint;
  std::memcpy(__data_start, __data_load, static_cast<size_t>(__data_end - __data_start));
  std::memset(__bss_start, 0, static_cast<size_t>(__bss_end - __bss_start));
  for (auto constructor = __init_array_start; constructor != __init_array_end; ++constructor)
    (*constructor)();
  port::exit(main());
}

// Where a fault goes on that read_if_there() expects, 0 where none is expected.
uintptr_t g_resume;

[[gnu::naked]] bool read_if_there(uintptr_t, uint32_t*) {
  asm volatile(
      "ldr r2, =g_resume\n"
      "adr r3, 1f\n"
      "str r3, [r2]\n"
      "ldr r0, [r0]\n"
      "str r0, [r1]\n"
      "movs r0, #1\n"
      "b 2f\n"
      ".balign 4\n"
      "1: movs r0, #0\n"
      "2: movs r3, #0\n"
      "str r3, [r2]\n"
      "bx lr\n");
}

// Returns to g_resume by way of the stacked program counter (DDI 0403E, B1.5.6). Any other fault
// may be a stack overflow: start over on an empty stack.
[[gnu::naked]] void fault_handler() {
  asm volatile(
      "ldr r0, =g_resume\n"
      "ldr r1, [r0]\n"
      "cbz r1, 1f\n"
      "str r1, [sp, #24]\n"
      "bx lr\n"
      "1:\n"
      "cpsid i\n"
      "ldr r0, =__stack_top\n"
      "msr msp, r0\n"
      "isb\n"
      "b fault\n");
}

void fault() { port::exit(70); }

[[gnu::weak, gnu::alias("fault_handler")]] void uart0_rx_handler();
[[gnu::weak, gnu::alias("fault_handler")]] void usart_handler();
[[gnu::weak, gnu::alias("fault_handler")]] void systick_handler();

}  // extern "C"
