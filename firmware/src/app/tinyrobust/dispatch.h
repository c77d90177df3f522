// Messages to answers, as tinyrobust/core/abi/wire/ declares them; owns the layout of the pool:
// | uploaded plan | arena, scratch | free ... | receive buffer |
#pragma once

#include "app/tinyrobust/frame.h"

namespace dispatch {

// Gives the decoder its buffer and loads the built-in plan, where one is linked in. Called once,
// after port::init().
void start(frame::Decoder* decoder);

// Answers the frame that the decoder has just ended.
void handle(frame::Event event);

}  // namespace dispatch
