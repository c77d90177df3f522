#include "app/mlperf_tiny/commands.h"

#include <algorithm>

#include "app/mlperf_tiny/input.h"
#include "app/mlperf_tiny/line.h"
#include "app/mlperf_tiny/text.h"
#include "engine/builtin/builtin_plan.h"
#include "engine/engine.h"
#include "port/port.h"

namespace mlperf {
namespace {

constexpr char kProfile[] =
    "ULPMark for tinyML Firmware V0.0.1";  // what the runner takes for this protocol
constexpr uint32_t kMaxIterations = 1000000;
constexpr uint32_t kWarmups = 10;  // of `infer` without a second number, as published
constexpr uint32_t kTfliteInt8 = 9;
constexpr size_t kPerLine = 8;

constexpr size_t align16(size_t n) { return (n + 15) & ~size_t{15}; }

engine::Model g_model;
const Benchmark* g_benchmark = nullptr;  // none: no network that can run
uint8_t* g_tensor;
uint8_t* g_loaded;  // what `db` loads, as it came
size_t g_size;      // bytes that `db load` announced; 0: none
size_t g_have;      // bytes of them that have come
const uint8_t* g_output = nullptr;

void put(std::string_view text) {
  port::write(reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

void put(uint64_t value) {
  char digits[kNumberChars];
  put(decimal(value, digits));
}

template <typename... Parts>
void say(Parts... parts) {
  (put(parts), ...);
  put("\r\n");
}

size_t loadable() { return g_model.input_bytes * width(g_benchmark->encoding); }

// Real time since the start, extended to 64 bits by the port.
uint64_t microseconds(uint64_t ticks) {
  const port::Identity& board = port::identity();
  const uint64_t hz = board.tick_unit == wire::TickUnit::kHostNs ? 1000000000 : board.clock_hz;
  if (hz == 0) return ticks;
  return ticks / hz * 1000000 + ticks % hz * 1000000 / hz;
}

void timestamp(uint64_t ticks) { say("m-lap-us-", microseconds(ticks)); }

// The line ends the answer to a network that is not to be had.
void load_model() {
  if (g_builtin_plan_size == 0) return say("e-[No model is linked in]");
  size_t pool_bytes;
  uint8_t* const pool = port::pool(&pool_bytes);
  const engine::Status status =
      engine::load(g_builtin_plan, g_builtin_plan_size, pool, pool_bytes & ~size_t{15}, &g_model);
  if (!status.ok()) return say("e-[Model refused: ", std::string_view(status.text), "]");
  const Benchmark& found = benchmark_of(g_model.input_bytes, g_model.output_bytes);
  const size_t tensor = align16(size_t{g_model.arena_bytes} + g_model.scratch_bytes);
  const size_t loaded = tensor + align16(g_model.input_bytes);
  const size_t needed = loaded + g_model.input_bytes * width(found.encoding);
  if (g_model.input.dtype != kTfliteInt8 || g_model.output.dtype != kTfliteInt8 ||
      needed > pool_bytes) {
    engine::unload();
    return say("e-[Model refused: it is not int8, or takes more than ", uint64_t{pool_bytes},
               " bytes of RAM]");
  }
  g_tensor = pool + tensor;
  g_loaded = pool + loaded;
  g_benchmark = &found;
}

void results() {
  if (g_output == nullptr) return say("e-[No inference has been made]");
  const wire::Tensor& spec = g_model.output;
  char digits[kNumberChars];
  float error = 0;
  put("m-results-[");
  for (uint32_t i = 0; i < g_model.output_bytes; ++i) {
    const float real =
        static_cast<float>(static_cast<int8_t>(g_output[i]) - spec.zero_point) * spec.scale;
    if (g_benchmark->mean_squared_error) {
      const float gap = real - float_at(g_loaded, i);
      error += gap * gap;
      continue;
    }
    if (i > 0) put(",");
    put(three_decimals(real, digits));
  }
  if (g_benchmark->mean_squared_error) {
    put(three_decimals(error / static_cast<float>(g_model.output_bytes), digits));
  }
  say("]");
}

// Runs `n` times; false, with the reason said, where the engine fails.
bool run(uint32_t n) {
  while (n-- > 0) {
    port::alive();
    const engine::Status status = engine::run(g_tensor, &g_output);
    if (!status.ok()) {
      g_output = nullptr;
      say("e-[", std::string_view(status.text), "]");
      return false;
    }
  }
  return true;
}

void infer(std::string_view arguments) {
  uint32_t n = 1;
  uint32_t warmups = kWarmups;
  const std::string_view first = next_word(&arguments);
  const std::string_view second = next_word(&arguments);
  if (!first.empty() && (!parse_count(first, kMaxIterations, &n) || n == 0)) {
    return say("e-[Inference iterations must be 1 to ", uint64_t{kMaxIterations}, "]");
  }
  if (!second.empty() && !parse_count(second, kMaxIterations, &warmups)) {
    return say("e-[Inference warmup must be 0 to ", uint64_t{kMaxIterations}, "]");
  }
  if (g_benchmark == nullptr) return say("e-[No model is linked in]");
  if (g_have != loadable()) {
    return say("e-[Input has ", uint64_t{g_have}, " bytes, expected ", uint64_t{loadable()}, "]");
  }
  to_tensor(g_benchmark->encoding, g_loaded, g_model.input_bytes, g_model.input, g_tensor);
  say("m-warmup-start-", uint64_t{warmups});
  if (!run(warmups)) return;
  say("m-warmup-done");
  say("m-infer-start-", uint64_t{n});
  port::flush();
  // Both laps are said afterwards: the port is no part of what they measure.
  const uint64_t before = port::ticks();
  const bool done = run(n);
  const uint64_t after = port::ticks();
  if (!done) return;
  timestamp(before);
  timestamp(after);
  say("m-infer-done");
  results();
}

void db_load(std::string_view arguments) {
  uint32_t n = 0;
  g_size = g_have = 0;
  if (g_benchmark == nullptr) return say("e-[No model is linked in]");
  if (!parse_count(next_word(&arguments), static_cast<uint32_t>(loadable()), &n) || n == 0) {
    return say("e-[Command 'db load' takes 1 to ", uint64_t{loadable()}, " bytes]");
  }
  g_size = n;
  say("m-[Expecting ", uint64_t{n}, " bytes]");
}

void db_print() {
  constexpr char kDigits[] = "0123456789abcdef";
  for (size_t i = 0; i < g_have; ++i) {
    const char pair[] = {kDigits[g_loaded[i] >> 4], kDigits[g_loaded[i] & 15]};
    put(i % kPerLine == 0 ? "m-buffer-" : "-");
    put(std::string_view(pair, sizeof pair));
    if (i % kPerLine == kPerLine - 1 || i + 1 == g_have) put("\r\n");
  }
}

void db_bytes(std::string_view digits) {
  if (g_have == g_size) return say("e-[Command 'db load' must come first]");
  if (digits.size() % 2 != 0) return say("e-[Insufficient number of hex digits]");
  for (size_t i = 0; i < digits.size(); i += 2) {
    const int high = hex_digit(digits[i]);
    const int low = hex_digit(digits[i + 1]);
    if (high < 0 || low < 0) return say("e-[Invalid hex digit]");
    g_loaded[g_have++] = static_cast<uint8_t>(high << 4 | low);
    if (g_have == g_size) return say("m-load-done");  // what follows is disregarded, as published
  }
}

void db(std::string_view arguments) {
  const std::string_view what = next_word(&arguments);
  if (what.empty()) return say("e-[Command 'db' requires a subcommand]");
  if (what == "load") return db_load(arguments);
  if (what == "print") return db_print();
  db_bytes(what);
}

void help() {
  say(kProfile);
  say("");
  say("help         : Print this information");
  say("name         : Print the name of the device");
  say("timestamp    : Print the time in microseconds");
  say("profile      : Print the protocol and the benchmark");
  say("db load N    : Expect N bytes of input");
  say("db HH[HH]*   : Load hex bytes until N have come");
  say("db print     : Print the bytes that were loaded");
  say("infer [N [W]]: Run N inferences after W warm-up ones");
  say("results      : Print the scores of the last inference");
}

// What is not printable is shown as '?'; there may be anything on a line that was just opened.
void unknown(std::string_view word) {
  put("e-[Unknown command: ");
  for (const char c : word) put(std::string_view(c > ' ' && c <= '~' && c != ']' ? &c : "?", 1));
  say("]");
}

}  // namespace

void start() {
  load_model();
  say("m-timestamp-mode-performance");
  timestamp(port::ticks());
  say("m-init-done");
  say("m-ready");
  port::flush();
}

void execute(std::string_view command) {
  const std::string_view word = next_word(&command);
  if (word == "name") {
    say("m-name-dut-[tinyrobust ", std::string_view(port::identity().board), "]");
  } else if (word == "timestamp") {
    timestamp(port::ticks());
  } else if (word == "profile") {
    say("m-profile-[", kProfile, "]");
    say("m-model-[", std::string_view(g_benchmark == nullptr ? "none" : g_benchmark->id), "]");
  } else if (word == "help") {
    help();
  } else if (word == "db") {
    db(command);
  } else if (word == "infer") {
    infer(command);
  } else if (word == "results") {
    results();
  } else {
    unknown(word);
  }
  say("m-ready");
  port::flush();
}

void refuse_long() {
  say("e-[Command is longer than ", uint64_t{kMaxCommand}, " characters]");
  say("m-ready");
  port::flush();
}

}  // namespace mlperf
