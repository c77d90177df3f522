// What each operator of one inference takes.
#pragma once

#include <cstdint>

#include "engine/engine.h"
#include "wire.gen.h"

// Static storage: 8 bytes for each operator that can be timed.
class Profile final : public engine::Observer {
 public:
  void clear();

  // An operator within an operator is part of it; those beyond wire::kMaxProfiled are not kept.
  void begin(const char* op) override;
  void end() override;

  uint32_t n_ops() const { return n_ops_; }
  wire::OperatorTicks op(uint32_t index) const;

 private:
  struct Timed {
    const char* name;
    uint32_t ticks;
  };
  Timed timed_[wire::kMaxProfiled];
  uint32_t n_ops_;
  uint32_t depth_;
  uint64_t begun_;
};
