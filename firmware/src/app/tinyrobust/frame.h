// Frames on a byte pipe: COBS (Cheshire & Baker 1999) around header, body, tail and a CRC-32. No
// hardware, no heap.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wire.gen.h"

namespace frame {

constexpr size_t kCrcBytes = 4;
constexpr size_t kMinBytes = sizeof(wire::FrameHeader) + kCrcBytes;

// Longest encoding of `decoded` bytes, with the delimiter.
constexpr uint64_t encoded_bytes(uint64_t decoded) { return decoded + decoded / 254 + 2; }

enum class Event : uint8_t {
  kNone,       // all bytes taken, no frame ended
  kFrame,      // a frame with the right CRC stands in the buffer
  kBad,        // a frame ended that is no COBS, too short, or of another CRC
  kOversized,  // a frame ended that did not fit into the buffer
};

// Decodes into a buffer of its user's; skips what does not fit up to the next delimiter.
class Decoder {
 public:
  // Takes another buffer of `capacity` bytes, at least kMinBytes; only between frames (before the
  // first byte, or after an event other than kNone).
  void use(uint8_t* buffer, size_t capacity);

  // Takes bytes up to the first frame's end; returns how many. Empty frames are silently dropped.
  size_t feed(const uint8_t* from, size_t n, Event* event);

  size_t capacity() const { return capacity_; }

  // The frame after kFrame, without its CRC: header, then `payload_bytes` of body and tail.
  wire::FrameHeader header() const;
  const uint8_t* payload() const { return buffer_ + sizeof(wire::FrameHeader); }
  size_t payload_bytes() const { return size_ - kMinBytes; }

 private:
  void append(const uint8_t* from, size_t n);
  Event finish();

  uint8_t* buffer_ = nullptr;
  size_t capacity_ = 0;
  size_t size_ = 0;         // decoded bytes in the buffer
  uint8_t left_ = 0;        // bytes left in the current block
  bool zero_due_ = false;   // a zero stands between this block and the next one
  bool started_ = false;    // a byte of this frame was seen
  bool oversized_ = false;  // more bytes came than the buffer holds
  bool ended_ = false;      // the buffer holds a finished frame
};

// Encodes a frame piece by piece: never holds more than one COBS block.
class Encoder {
 public:
  using Sink = void (*)(const uint8_t* from, size_t n);

  Encoder(Sink sink, wire::Type type, uint16_t seq);
  void put(const void* from, size_t n);
  void end();  // CRC and delimiter

 private:
  void stuff(const uint8_t* from, size_t n);
  void emit();

  Sink sink_;
  uint32_t crc_ = 0;
  uint8_t block_[255];  // code byte, then up to 254 bytes without a zero
  uint8_t used_ = 1;
  bool block_due_ = true;  // the data ended on a zero (or never began): an empty block must follow
};

}  // namespace frame
