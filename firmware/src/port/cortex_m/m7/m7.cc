// Sections are those of DDI 0403E (Armv7-M Architecture Reference Manual).
#include "port/cortex_m/m7/m7.h"

#include "port/cortex_m/common/cortex_m.h"
#include "port/cortex_m/registers/cortex_m7.h"

namespace cortex {

// Nothing here is a bus master but the core, so there is no coherence to keep (B2.2.7).
void start_caches() {
  reg(SCB_ICIALLU) = 0;
  reg(SCB_CSSELR) = 0;  // level 1, data
  asm volatile("dsb" ::: "memory");
  const uint32_t size = reg(SCB_CCSIDR);
  const uint32_t last_set = (size & SCB_CCSIDR_NUMSETS_Msk) >> SCB_CCSIDR_NUMSETS_Pos;
  const uint32_t last_way = (size & SCB_CCSIDR_ASSOCIATIVITY_Msk) >> SCB_CCSIDR_ASSOCIATIVITY_Pos;
  for (uint32_t set = 0; set <= last_set; ++set) {
    for (uint32_t way = 0; way <= last_way; ++way) {
      reg(SCB_DCISW) = way << SCB_DCISW_WAY_Pos | set << SCB_DCISW_SET_Pos;
    }
  }
  asm volatile("dsb\n isb" ::: "memory");
  reg(SCB_CCR) = reg(SCB_CCR) | SCB_CCR_DC_Msk | SCB_CCR_IC_Msk;
  asm volatile("dsb\n isb" ::: "memory");
}

}  // namespace cortex
