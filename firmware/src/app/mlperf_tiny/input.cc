#include "app/mlperf_tiny/input.h"

#include <cmath>
#include <cstring>

namespace mlperf {
namespace {

// The four benchmarks of MLPerf Tiny that load their input by `db`.
constexpr Benchmark kBenchmarks[] = {
    {"ic01", 32 * 32 * 3, 10, Encoding::kUint8, false},
    {"vww01", 96 * 96 * 3, 2, Encoding::kUint8, false},
    {"kws01", 49 * 10, 12, Encoding::kInt8, false},
    {"ad01", 5 * 128, 5 * 128, Encoding::kFloat32, true},
};
constexpr Benchmark kCustom = {"custom", 0, 0, Encoding::kInt8, false};

// Half away from zero, saturating; not a number becomes the lowest level.
int8_t quantize(float value, const wire::Tensor& spec) {
  const float level = std::round(value / spec.scale) + static_cast<float>(spec.zero_point);
  if (!(level > INT8_MIN)) return INT8_MIN;
  return level < INT8_MAX ? static_cast<int8_t>(level) : int8_t{INT8_MAX};
}

}  // namespace

const Benchmark& benchmark_of(uint32_t inputs, uint32_t outputs) {
  for (const Benchmark& one : kBenchmarks) {
    if (one.inputs == inputs && one.outputs == outputs) return one;
  }
  return kCustom;
}

void to_tensor(Encoding encoding, const uint8_t* from, size_t n, const wire::Tensor& spec,
               uint8_t* tensor) {
  for (size_t i = 0; i < n; ++i) {
    switch (encoding) {
      case Encoding::kInt8:
        tensor[i] = from[i];
        break;
      case Encoding::kUint8:
        tensor[i] = from[i] ^ 0x80;
        break;
      case Encoding::kFloat32:
        tensor[i] = static_cast<uint8_t>(quantize(float_at(from, i), spec));
        break;
    }
  }
}

float float_at(const uint8_t* from, size_t i) {
  float value;
  memcpy(&value, from + i * sizeof value, sizeof value);
  return value;
}

}  // namespace mlperf
