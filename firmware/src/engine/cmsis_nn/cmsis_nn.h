// CMSIS-NN's kernels by the type of the activations, under one name each, and its argument structs
// made from records.
#pragma once

#include <cstdint>

#include "arm_nnfunctions.h"

namespace cmsis_nn {

template <typename T>
struct Kernels;

template <>
struct Kernels<int8_t> {
  using Bias = int32_t;
  static constexpr auto convolve = arm_convolve_wrapper_s8;
  static constexpr auto convolve_scratch = arm_convolve_wrapper_s8_get_buffer_size;
  static constexpr auto depthwise = arm_depthwise_conv_wrapper_s8;
  static constexpr auto depthwise_scratch = arm_depthwise_conv_wrapper_s8_get_buffer_size;
  static constexpr auto fully_connected = arm_fully_connected_s8;
  static constexpr auto fully_connected_scratch = arm_fully_connected_s8_get_buffer_size;
  static constexpr auto add = arm_elementwise_add_s8;
  static constexpr auto average_pool = arm_avgpool_s8;
  static constexpr auto average_pool_scratch = arm_avgpool_s8_get_buffer_size;
  static constexpr auto max_pool = arm_max_pool_s8;
};

template <>
struct Kernels<int16_t> {
  using Bias = int64_t;
  static constexpr auto convolve = arm_convolve_wrapper_s16;
  static constexpr auto convolve_scratch = arm_convolve_wrapper_s16_get_buffer_size;
  static constexpr auto depthwise = arm_depthwise_conv_wrapper_s16;
  static constexpr auto depthwise_scratch = arm_depthwise_conv_wrapper_s16_get_buffer_size;
  static constexpr auto fully_connected = arm_fully_connected_s16;
  static constexpr auto fully_connected_scratch = arm_fully_connected_s16_get_buffer_size;
  static constexpr auto add = arm_elementwise_add_s16;
  static constexpr auto average_pool = arm_avgpool_s16;
  static constexpr auto average_pool_scratch = arm_avgpool_s16_get_buffer_size;
  static constexpr auto max_pool = arm_max_pool_s16;
};

inline int32_t i32(uint32_t value) { return static_cast<int32_t>(value); }

inline cmsis_nn_dims nhwc(uint32_t n, uint32_t h, uint32_t w, uint32_t c) {
  return {i32(n), i32(h), i32(w), i32(c)};
}

// CMSIS-NN puts the width first.
inline cmsis_nn_tile tile(uint32_t h, uint32_t w) { return {i32(w), i32(h)}; }

}  // namespace cmsis_nn
