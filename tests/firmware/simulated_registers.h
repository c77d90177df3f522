// Memory where a chip has its registers, so that a port's own code runs on the host. Nothing in it
// changes by itself: a flag that the code waits for is set beforehand, or never comes.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>

inline void map_registers(uintptr_t from, uintptr_t to) {
  void* const wanted = reinterpret_cast<void*>(from);
  if (mmap(wanted, to - from, PROT_READ | PROT_WRITE,
           MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) != wanted) {
    perror("mmap");
    exit(1);
  }
}

// One line of what the registers say: what the port believes, and what ST's header and the
// reference manual make of them.
inline void tell(const char* source, uint32_t usart_hz, uint32_t clock_hz, uint64_t usart,
                 uint64_t core) {
  printf("source=%s\nassumed=%u %u\nclocks=%llu %llu\n", source, clock_hz, usart_hz,
         static_cast<unsigned long long>(core), static_cast<unsigned long long>(usart));
}
