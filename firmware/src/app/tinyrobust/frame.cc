#include "app/tinyrobust/frame.h"

#include <algorithm>
#include <cstring>

#include "common/crc32.h"

namespace frame {

void Decoder::use(uint8_t* buffer, size_t capacity) {
  buffer_ = buffer;
  capacity_ = capacity;
  size_ = 0;
  ended_ = false;
}

size_t Decoder::feed(const uint8_t* from, size_t n, Event* event) {
  *event = Event::kNone;
  if (ended_) {
    size_ = 0;
    ended_ = false;
  }
  size_t i = 0;
  while (i < n) {
    if (from[i] == 0) {
      ++i;
      if (!started_) continue;
      *event = finish();
      break;
    }
    if (left_ == 0) {
      const uint8_t zero = 0;
      if (zero_due_) append(&zero, 1);
      left_ = static_cast<uint8_t>(from[i++] - 1);
      zero_due_ = left_ != 254;
      started_ = true;
      continue;
    }
    size_t run = std::min<size_t>(left_, n - i);
    if (const void* zero = memchr(from + i, 0, run))
      run = static_cast<size_t>(static_cast<const uint8_t*>(zero) - (from + i));
    append(from + i, run);
    left_ = static_cast<uint8_t>(left_ - run);
    i += run;
  }
  return i;
}

wire::FrameHeader Decoder::header() const {
  wire::FrameHeader header;
  memcpy(&header, buffer_, sizeof header);
  return header;
}

void Decoder::append(const uint8_t* from, size_t n) {
  if (n > capacity_ - size_) {
    oversized_ = true;
    n = 0;
  }
  if (n > 0) memcpy(buffer_ + size_, from, n);
  size_ += n;
}

Event Decoder::finish() {
  const bool truncated = left_ != 0;
  const bool oversized = oversized_;
  left_ = 0;
  zero_due_ = started_ = oversized_ = false;
  ended_ = true;
  if (oversized) return Event::kOversized;
  if (truncated || size_ < kMinBytes) return Event::kBad;
  uint32_t crc;
  memcpy(&crc, buffer_ + size_ - kCrcBytes, sizeof crc);
  return crc == common::crc32(0, buffer_, size_ - kCrcBytes) ? Event::kFrame : Event::kBad;
}

Encoder::Encoder(Sink sink, wire::Type type, uint16_t seq) : sink_(sink) {
  const wire::FrameHeader header = {static_cast<uint8_t>(type), 0, seq};
  put(&header, sizeof header);
}

void Encoder::put(const void* from, size_t n) {
  const uint8_t* bytes = static_cast<const uint8_t*>(from);
  crc_ = common::crc32(crc_, bytes, n);
  stuff(bytes, n);
}

void Encoder::end() {
  const uint32_t crc = crc_;
  uint8_t bytes[kCrcBytes];
  memcpy(bytes, &crc, sizeof crc);
  stuff(bytes, sizeof bytes);
  if (used_ > 1 || block_due_) emit();
  const uint8_t delimiter = 0;
  sink_(&delimiter, 1);
}

void Encoder::stuff(const uint8_t* from, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    if (from[i] == 0) {
      emit();
      block_due_ = true;
      continue;
    }
    block_[used_++] = from[i];
    if (used_ == 255) {
      emit();
      block_due_ = false;
    }
  }
}

void Encoder::emit() {
  block_[0] = used_;
  sink_(block_, used_);
  used_ = 1;
}

}  // namespace frame
