// Commands of the MLPerf Tiny protocol: ASCII words, ended by a '%'. Bounded; no hardware, no heap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mlperf {

constexpr size_t kMaxCommand = 80;  // as in the published harness; its runner sends at most 66

enum class Event : uint8_t {
  kNone,
  kCommand,  // text() is a whole command
  kTooLong,  // a command ended that was longer than kMaxCommand
};

class Line {
 public:
  // Line ends are dropped, so that a terminal may send them.
  Event feed(uint8_t byte);

  // The command after kCommand, until the next feed().
  std::string_view text() const { return {text_, size_}; }

 private:
  char text_[kMaxCommand];
  size_t size_ = 0;
  bool ended_ = false;
  bool too_long_ = false;
};

// Takes the next word off the front of `text`; empty at the end.
std::string_view next_word(std::string_view* text);

}  // namespace mlperf
