// A ring between one interrupt handler that puts and one loop that takes. No locks: each side owns
// one index.
#pragma once

#include <cstddef>
#include <cstdint>

template <uint32_t kBytes>
class Ring {
  static_assert((kBytes & (kBytes - 1)) == 0,
                "indices wrap with 2^32, so the size must be a power of two");

 public:
  bool empty() const { return head_ == tail_; }
  bool full() const { return head_ - tail_ == kBytes; }

  // Only where !full().
  void put(uint8_t byte) {
    data_[head_ % kBytes] = byte;
    head_ = head_ + 1;  // after the byte: volatile accesses keep their order
  }

  // Up to max bytes; returns how many.
  size_t take(uint8_t* to, size_t max) {
    size_t n = 0;
    while (n < max && !empty()) {
      to[n++] = data_[tail_ % kBytes];
      tail_ = tail_ + 1;
    }
    return n;
  }

 private:
  volatile uint8_t data_[kBytes];
  volatile uint32_t head_ = 0;
  volatile uint32_t tail_ = 0;
};
