#include "app/mlperf_tiny/line.h"

#include <algorithm>

namespace mlperf {

Event Line::feed(uint8_t byte) {
  if (ended_) {
    size_ = 0;
    ended_ = too_long_ = false;
  }
  if (byte == '%') {
    ended_ = true;
    return too_long_ ? Event::kTooLong : Event::kCommand;
  }
  if (byte == '\r' || byte == '\n') return Event::kNone;
  if (size_ == kMaxCommand) {
    too_long_ = true;
  } else {
    text_[size_++] = static_cast<char>(byte);
  }
  return Event::kNone;
}

std::string_view next_word(std::string_view* text) {
  text->remove_prefix(std::min(text->find_first_not_of(' '), text->size()));
  const std::string_view word = text->substr(0, text->find(' '));
  text->remove_prefix(word.size());
  return word;
}

}  // namespace mlperf
