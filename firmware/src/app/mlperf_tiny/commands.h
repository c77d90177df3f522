// The commands of the MLPerf Tiny protocol on the built-in plan. Every answer ends with "m-ready".
#pragma once

#include <string_view>

namespace mlperf {

// Loads the built-in plan and says the opening lines. Called once, after port::init().
void start();

// Answers one command, without its '%'.
void execute(std::string_view command);

// Answers a command that was too long to be taken.
void refuse_long();

}  // namespace mlperf
