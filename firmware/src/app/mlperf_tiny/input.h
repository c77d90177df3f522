// The bytes that `db` loads, and the input tensor they stand for.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wire.gen.h"

namespace mlperf {

// What a benchmark's data files hold; its reference firmware converts as written here.
enum class Encoding : uint8_t {
  kInt8,     // the tensor itself
  kUint8,    // the tensor plus 128
  kFloat32,  // real values, little-endian
};

struct Benchmark {
  const char* id;  // of `profile`; the published runner chooses its script and data by it
  uint32_t inputs;
  uint32_t outputs;
  Encoding encoding;
  bool mean_squared_error;  // the result is that of the output against the input, not the output
};

// The benchmark whose network has these many inputs and outputs; one called "custom", of int8,
// where none has.
const Benchmark& benchmark_of(uint32_t inputs, uint32_t outputs);

constexpr size_t width(Encoding encoding) { return encoding == Encoding::kFloat32 ? 4 : 1; }

// `n` elements at `from` in `encoding`, n * width(encoding) bytes, to `n` bytes of an int8 tensor.
void to_tensor(Encoding encoding, const uint8_t* from, size_t n, const wire::Tensor& spec,
               uint8_t* tensor);

// The i-th real value of a kFloat32 buffer, of any alignment.
float float_at(const uint8_t* from, size_t i);

}  // namespace mlperf
