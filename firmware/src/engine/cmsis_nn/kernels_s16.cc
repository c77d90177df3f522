// Kernels for int16 activations where CMSIS-NN's differ from TFLite Micro's.
#include <algorithm>

#include "engine/cmsis_nn/kernels.h"

namespace kernels {
namespace {

// The part of a window of `kernel` elements, `dilation` apart from `origin` on, that lies within
// [0, size).
struct Span {
  Span(int32_t origin, uint32_t kernel, uint32_t dilation, uint32_t size) {
    const auto d = static_cast<int32_t>(dilation);
    first = origin < 0 ? (-origin + d - 1) / d : 0;
    last =
        std::min(static_cast<int32_t>(kernel), (static_cast<int32_t>(size) - origin + d - 1) / d);
  }
  int32_t first, last;
};

int32_t origin(uint32_t at, uint32_t stride, uint32_t pad) {
  return static_cast<int32_t>(at * stride) - static_cast<int32_t>(pad);
}

// Linear interpolation in a table of 512 intervals over [-32768, 32767]: nine bits choose one,
// seven the place in it.
int16_t interpolate(int64_t at, const int16_t* table) {
  const auto x = static_cast<int32_t>(std::clamp<int64_t>(at, -32768, 32767));
  const int16_t* entry = table + 256 + (x >> 7);
  const auto slope = static_cast<int16_t>(entry[1] - entry[0]);
  return static_cast<int16_t>(entry[0] + ((slope * (x & 127) + 64) >> 7));
}

}  // namespace

void conv_s16_b32(const plan::Conv& r, const int16_t* input, const ConvTables& t, int16_t* output) {
  const auto depth = static_cast<size_t>(r.in_c);
  for (uint32_t y = 0; y < r.out_h; ++y) {
    const int32_t top = origin(y, r.stride_h, r.pad_h);
    const Span rows(top, r.k_h, r.dilation_h, r.in_h);
    for (uint32_t x = 0; x < r.out_w; ++x) {
      const int32_t left = origin(x, r.stride_w, r.pad_w);
      const Span cols(left, r.k_w, r.dilation_w, r.in_w);
      const int8_t* weights = t.weights;
      for (uint32_t c = 0; c < r.out_c; ++c, weights += r.k_h * r.k_w * depth) {
        auto sum = static_cast<uint32_t>(
            t.bias[c]);  // wraps as the reference does where a plan lets it overflow
        for (int32_t i = rows.first; i < rows.last; ++i) {
          for (int32_t j = cols.first; j < cols.last; ++j) {
            const auto row = static_cast<size_t>(top + i * static_cast<int32_t>(r.dilation_h));
            const auto col = static_cast<size_t>(left + j * static_cast<int32_t>(r.dilation_w));
            const int16_t* from = input + (row * r.in_w + col) * depth;
            const int8_t* w =
                weights + (static_cast<size_t>(i) * r.k_w + static_cast<size_t>(j)) * depth;
            for (size_t k = 0; k < depth; ++k) sum += static_cast<uint32_t>(from[k] * w[k]);
          }
        }
        const int32_t scaled = requantize(static_cast<int32_t>(sum), t.multiplier[c], t.shift[c]);
        *output++ = static_cast<int16_t>(std::clamp(scaled, r.act_min, r.act_max));
      }
    }
  }
}

void softmax_s16(const plan::SoftmaxTable& r, const int16_t* input, const int16_t* exponential,
                 const int16_t* reciprocal, int16_t* output) {
  for (uint32_t i = 0; i < r.rows; ++i, input += r.row_size, output += r.row_size) {
    const int32_t largest = *std::max_element(input, input + r.row_size);
    uint32_t sum = 0;  // Q16.15
    for (uint32_t c = 0; c < r.row_size; ++c) {
      output[c] = interpolate(
          int64_t{requantize(input[c] - largest, r.multiplier, r.shift)} + 32767, exponential);
      sum += static_cast<uint32_t>(output[c]);
    }
    const int headroom =
        __builtin_clz(sum);  // at least 1, at most 17: the checked tables see to it
    const auto shifted =
        static_cast<int32_t>(((uint64_t{sum} << (headroom - 1)) + (1u << 13)) >> 14);
    const int32_t inverse = interpolate(shifted - 98304, reciprocal);
    const int shift = 31 - headroom;
    for (uint32_t c = 0; c < r.row_size; ++c) {
      const int64_t scaled = (int64_t{output[c]} * inverse + (int64_t{1} << (shift - 1))) >> shift;
      output[c] = static_cast<int16_t>(std::clamp<int64_t>(scaled, 0, 32767));
    }
  }
}

}  // namespace kernels
