// The one network that is loaded, its upload, and the RAM that it shares with the receive buffer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "app/tinyrobust/frame.h"
#include "engine/engine.h"
#include "wire.gen.h"

namespace network {

struct Loaded {
  engine::Model model;
  uint32_t plan_bytes;
  bool ready;
  bool plan_in_ram;  // uploaded, not linked into flash
};

// Takes the pool, gives `decoder` its buffer at the end of it and loads the plan that is linked in,
// if there is one.
void start(frame::Decoder* decoder);

const Loaded& loaded();

// Forgets an uploaded plan; one that is linked in comes back.
void reset();

// One chunk of a plan: `n` bytes at `chunk`, which may stand in the receive buffer. The last one
// makes it the loaded network. `answer` is written where the status is kOk.
engine::Status upload(const wire::Load& load, const uint8_t* chunk, uint32_t n,
                      wire::Loaded* answer);

size_t pool_bytes();

size_t pool_free();

// INFER requests that can be held unanswered.
uint32_t window();

}  // namespace network
