// extend.h alone: a counter of 32 bits that is looked at often enough loses none of its wraps,
// whoever looks.
#include <cstdio>
#include <cstdlib>
#include <random>

#include "common/extend.h"

namespace {

#define CHECK(condition)                                              \
  do {                                                                \
    if (!(condition)) {                                               \
      fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                        \
    }                                                                 \
  } while (false)

constexpr uint64_t kWrap = uint64_t{1} << 32, kHalf = kWrap / 2;

uint32_t shown(uint64_t count) { return static_cast<uint32_t>(count); }

void every_distance_below_half_a_wrap_is_told_apart() {
  for (const uint64_t last :
       {uint64_t{0}, kHalf - 1, kHalf, kWrap - 1, kWrap, 3 * kWrap + 5, 1000 * kWrap - 1}) {
    for (const uint64_t ahead : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 24, kHalf - 1}) {
      CHECK(extend(last, shown(last + ahead)) == last + ahead);
      if (ahead <= last) CHECK(extend(last, shown(last - ahead)) == last - ahead);
    }
  }
}

// One operator of 20 wraps (99 s at 216 MHz): SysTick looks every 2^24 cycles, some thousands late.
void a_long_operator_loses_no_wrap() {
  std::mt19937_64 random(1);
  constexpr uint64_t kBegun = 5 * kWrap - 123456789, kEnd = kBegun + 20 * kWrap + 42;
  uint64_t last = kBegun;
  for (uint64_t now = kBegun; now < kEnd; now += (uint64_t{1} << 24) + random() % 5000) {
    last = extend(last, shown(now));
    CHECK(last == now);
  }
  CHECK(extend(last, shown(kEnd)) - kBegun == 20 * kWrap + 42);
}

// What happened before: the same operator, looked at only where it begins and ends.
void without_looks_in_between_wraps_are_lost() { CHECK(extend(0, shown(20 * kWrap + 42)) == 42); }

void looks_at_random_intervals() {
  std::mt19937_64 random(2);
  uint64_t count = 0, last = 0;
  for (int i = 0; i < 100000; ++i) {
    count += random() % kHalf;
    last = extend(last, shown(count));
    CHECK(last == count);
  }
}

}  // namespace

int main() {
  every_distance_below_half_a_wrap_is_told_apart();
  a_long_operator_loses_no_wrap();
  without_looks_in_between_wraps_are_lost();
  looks_at_random_intervals();
  printf("no wrap is lost\n");
}
