#include "app/tinyrobust/profile.h"

#include <algorithm>
#include <cstring>

#include "port/port.h"

void Profile::clear() {
  n_ops_ = 0;
  depth_ = 0;
}

void Profile::begin(const char* op) {
  if (depth_++ > 0 || n_ops_ == wire::kMaxProfiled) return;
  timed_[n_ops_] = {op, 0};
  begun_ = port::ticks();
}

void Profile::end() {
  const uint64_t now = port::ticks();
  if (--depth_ > 0 || n_ops_ == wire::kMaxProfiled) return;
  timed_[n_ops_++].ticks = static_cast<uint32_t>(std::min<uint64_t>(now - begun_, UINT32_MAX));
}

wire::OperatorTicks Profile::op(uint32_t index) const {
  wire::OperatorTicks out = {};
  out.ticks = timed_[index].ticks;
  strncpy(out.name, timed_[index].name, sizeof out.name - 1);
  return out;
}
